"""Whatever text a vendor writes, it goes through to database, page, JSON and terminal, and is the same everywhere."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest
import redis
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st
from support.breadth import WILD_TEXTS
from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Vendors
from support.shopper import Shopper

# Every name under which the pretended vendors write a text for people.
NAMES = (
    "title", "name", "question", "answer", "description", "notificationText", "code", "vipTierName", "perks", "html",
    "template", "acceptTermsAndJoinProgramButtonText", "firstName", "lastName", "displayName", "type",
    "retailer_id", "currencyCode", "url", "color",
)  # fmt: skip
PAGES = (
    "/",
    "/rewards",
    f"/rewards/{FIVE_OFF}",
    "/join",
    "/refer",
    "/retailers",
    "/earn",
    "/tiers",
    "/faq",
    "/earn/birthday",
)
READS = ("/program", "/tiers", "/faqs", "/legal-policies", "/session", "/me", "/me/rewards", "/me/coupons",
         "/me/activity", "/me/referrals", "/me/earning-rules", "/me/tier-progress", "/me/retailers")  # fmt: skip
# Half of a pair, halves in the wrong order, a whole one, and what looks like an escape and is none.
HALVES = ("\ud83d", "cut off \ud83d", "\udc00\ud83d", "\ud83d\ude00", "\\ud83d", "\\\ud83d")
NASTY = (
    "", " ", "\0", "\x1b[2J", "\r\n", "a\r\nb\tc", "\u202e\u2066", "\u2028", "\x85", "\ufeff", "\u200b", "e\u0301" * 50,
    "<b>", "</bdi><script>alert(1)</script>", "&lt;b&gt;", "{{7*7}}", "%s%n", "'; DROP TABLE redemptions; --", "=1+1",
    "\U000e0041", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "x" * 2_048, "y" * 2_049, "<" * 5_001, *HALVES,
)  # fmt: skip
ANY_TEXT = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=()), max_size=60)
WORDS = st.dictionaries(st.sampled_from(NAMES), ANY_TEXT, min_size=1, max_size=6)


@pytest.fixture
def valkey(stores: Mapping[str, str]) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


def say(vendors: Vendors, words: Mapping[str, str]) -> None:
    """From now on the vendors write these texts, as escapes, since no client sends half of a pair otherwise."""
    vendors.control("words", **{name: json.dumps(text) for name, text in words.items()})


def on_one_line(text: str) -> str:
    return " ".join(text.split())


def assert_told_alike(ella: Shopper, rows: Rows, key: str, reply: httpx2.Response) -> None:
    """The answer, what is stored, what is read back, and the page. A code that is none leaves the outcome unknown."""
    assert reply.status_code in {201, 202}, reply.text
    found = ella.api("GET", f"/me/redemptions/{key}")
    assert (found.status_code, found.json()) == (200, reply.json())
    [(state, code)] = rows.execute("SELECT state, coupon_code FROM redemptions WHERE key = %s", (key,)).fetchall()
    coupon: dict[str, Any] = found.json().get("coupon", {})
    assert (state, code) == ("succeeded" if coupon else "unknown", coupon.get("code"))
    assert found.json()["state"] == state
    page = ella.get(f"/redemptions/{key}")
    assert page.status == 200
    for text in (found.json()["reward"]["name"], coupon.get("code", ""), coupon.get("description", "")):
        assert on_one_line(text) in on_one_line(page.text)


@pytest.mark.broad
def test_P3_any_text_goes_through_to_page_database_and_terminal(
    service: Service, vendors: Vendors, rows: Rows, valkey: "redis.Redis"
) -> None:
    ella = service.shopper()

    @settings(max_examples=WILD_TEXTS, derandomize=True, database=None, deadline=None,
              suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
    @given(words=WORDS)
    @example(words=dict.fromkeys(NAMES[:-4], "cut off \ud83d"))
    @example(words=dict.fromkeys(NAMES[:-4], "<b>A\r\n\x1b[2J\0\u202eB</b>"))
    def through(words: dict[str, str]) -> None:
        note(ascii(words))
        # Each begins anew, with a history that is not long, and with limits that nobody has used up.
        vendors.reset()
        for name in valkey.scan_iter("rate-limit*"):
            valkey.delete(name)
        assert ella.sign_in("ella").status == 200
        say(vendors, words)
        key = new_key()
        assert_told_alike(ella, rows, key, redeem(ella, FIVE_OFF, key))
        answers = [ella.get(path).reply for path in PAGES] + [ella.api("GET", path) for path in READS]
        assert [reply.url.path for reply in answers if reply.status_code >= 500] == []

    through()
    assert_listed_one_a_line(service, rows)


def assert_listed_one_a_line(service: Service, rows: Rows) -> None:
    [(stored,)] = rows.execute("SELECT count(*) FROM redemptions").fetchall()
    assert int(str(stored)) >= WILD_TEXTS
    for more, heading in (((), 1), (("--json",), 0)):
        said = bff(service.settings, "redemptions", "list", "--state", "all", "--limit", "10000", *more).stdout
        lines = said.removesuffix("\n").split("\n")
        assert len(lines) == int(str(stored)) + heading
        assert [line for line in lines if not line.isprintable()] == []
