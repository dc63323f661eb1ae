"""Whatever a vendor writes, nothing obeys it: not the database, not a terminal, not a page; and nothing takes long."""

import re
import time
from collections.abc import Callable

import pytest
from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Vendors
from support.shopper import Shopper

from bff.vendors.okendo.bounds import UNUSABLE, bounded
from bff.vendors.okendo.fields import ReadAs
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.reading import ReplyReader
from bff.vendors.sanitize import plain_words, safe_link, sanitize_html, without_controls
from bff.vendors.timestamps import parse_timestamp

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
MEGABYTE = 1_000_000
ADVERSARIAL = (
    "<br", "<br ", "</p ", "</", "<", "&", "&amp;", "&lt;br", "<a href=", "<!--", "]]>", "<![CDATA[", "\x00", "\u202e",
    "<b>", "<p><p>", "&#x3c;", " ", "a", "\U0001f600", "<br\t", "</td", "<svg><", "{{", "https://", "'\"",
)  # fmt: skip
TEXT_FUNCTIONS: tuple[Callable[[str], object], ...] = (
    plain_words,
    without_controls,
    safe_link,
    lambda text: parse_timestamp(text, is_end=True),
    *(lambda text, read_as=read_as: bounded(text, read_as) for read_as in (None, *ReadAs)),
)


@pytest.mark.parametrize("piece", ADVERSARIAL, ids=repr)
def test_H11_a_megabyte_of_anything_is_dealt_with_at_once(piece: str) -> None:
    """A quadratic one takes minutes; the bound is so wide that a busy machine does not reach it."""
    text = piece * (MEGABYTE // len(piece))
    for function in TEXT_FUNCTIONS:
        began = time.process_time()
        function(text)
        assert time.process_time() - began < 5
    # The sanitiser gets what was bounded before.
    began = time.process_time()
    sanitize_html(text[:50_000])
    assert time.process_time() - began < 5


@pytest.fixture
def controls(vendors: Vendors) -> Vendors:
    vendors.control("texts", controls=True)
    return vendors


def test_P3_control_characters_reach_no_page_and_no_json(controls: Vendors, service: Service) -> None:
    ella, stranger = service.signed_in("ella"), service.shopper()
    for shopper in (ella, stranger):
        for path in ("/", "/join", "/rewards", f"/rewards/{FIVE_OFF}", "/refer", "/retailers"):
            page = shopper.get(path)
            assert page.status == 200, path
            assert not CONTROLS.search(page.reply.text), path
    for path in ("/program", "/faqs", "/tiers", "/legal-policies", "/me", "/me/rewards", "/me/coupons", "/me/activity"):
        reply = ella.api("GET", path)
        assert reply.status_code == 200, path
        assert not any(map(CONTROLS.search, strings(reply.json()))), path


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in strings(inner)]
    return [value] if isinstance(value, str) else []


def test_P3_a_coupon_code_with_controls_is_recorded_and_listed(
    controls: Vendors, ella: Shopper, rows: Rows, settings: dict[str, str]
) -> None:
    reply = redeem(ella, FIVE_OFF, new_key())
    assert reply.status_code == 201, reply.text
    assert not CONTROLS.search(reply.json()["coupon"]["code"])
    assert rows.execute("SELECT state FROM redemptions").fetchall() == [("succeeded",)]
    for more in ((), ("--json",)):
        said = bff(settings, "redemptions", "list", "--state", "all", *more).stdout
        assert "succeeded" in said
        assert not CONTROLS.search(said)


def test_P3_words_with_controls_can_be_agreed_to(controls: Vendors, penny: Shopper, rows: Rows) -> None:
    assert penny.submit(penny.get("/join"), "/join").path == "/welcome"
    ((html,),) = rows.execute("SELECT sentence_html FROM consents").fetchall()
    assert not CONTROLS.search(str(html))


@pytest.mark.parametrize("points", [3_000_000_000, 900_000_000_000_000])
def test_P3_a_balance_of_any_size_can_be_spent(ella: Shopper, vendors: Vendors, rows: Rows, points: int) -> None:
    vendors.control("member", persona="ella", balance=points)
    assert ella.api("GET", "/me").json()["points"]["balance"] == points
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 201
    assert rows.execute("SELECT balance_seen FROM redemptions").fetchall() == [(points,)]


@pytest.mark.parametrize("balance", [10**16, -(10**16), 1e300, "nan", "inf", "1e400"])
def test_P3_a_number_beyond_reason_is_no_number(balance: object) -> None:
    customer = {"status": "enrolled", "points": {"balance": 5, "pending": balance}}
    assert ReplyReader(OPERATIONS["customer"]).read(customer).pending is None


def test_P3_what_has_to_be_right_is_taken_whole_or_not_at_all() -> None:
    assert bounded("x" * 3000, None) is UNUSABLE
    assert bounded("a\x00b", None) == "ab"
    assert bounded("\x00", None) is UNUSABLE
    assert bounded("a\x00b", ReadAs.EXACT) is UNUSABLE
    assert bounded("x" * 20_000, ReadAs.EXACT) is UNUSABLE
    assert bounded("x" * 9_000, ReadAs.TEXT) == "x" * 2_000
    assert bounded("x" * 60_000, ReadAs.HTML) is UNUSABLE
    # A version may be a moment, in milliseconds or in nanoseconds.
    assert bounded(1_790_000_000_123, ReadAs.EXACT) == 1_790_000_000_123
    assert bounded(1_790_000_000_123_456_789, ReadAs.EXACT) == 1_790_000_000_123_456_789
    assert bounded(10**19, ReadAs.EXACT) is UNUSABLE
