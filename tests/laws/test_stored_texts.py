"""What was stored before vendors' texts were cleaned where they are read is obeyed by nothing: no terminal, no page."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Vendors
from support.shopper import Shopper

# A row that erases itself, a bell, lines that look like rows of ours, words turned around, a line of C1 and of Unicode.
WILD = "=A\x1b[2K\x07B\r\nR-FAKE  succeeded\tC\u202e\u2066D\x85\x9b31mE\u2028F\u200bG\U000e0041"
OBEYED = set("\x1b\x07\r\n\t\x85\x9b\u202e\u2066\u2028")
Say = Callable[..., str]


@pytest.fixture
def say(settings: dict[str, str]) -> Say:
    def command(*arguments: str) -> str:
        done = bff(settings, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return command


def is_printable(said: str) -> bool:
    return all(line.isprintable() for line in said.removesuffix("\n").split("\n"))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


@pytest.fixture
def key(ella: Shopper, rows: Rows) -> str:
    """A redemption whose texts were stored long ago."""
    key = new_key()
    assert redeem(ella, FIVE_OFF, key).status_code == 201
    rows.execute(
        "UPDATE redemptions SET reward_name = %(t)s, coupon_code = %(t)s, coupon_description = %(t)s, note = %(t)s,"
        " currency = %(t)s",
        {"t": WILD},
    )
    return key


def test_P3_redemptions_are_listed_one_a_line(key: str, say: Say) -> None:
    heading, line = say("redemptions", "list", "--state", "all").splitlines()
    assert heading.startswith("reference")
    assert line.isprintable()
    assert "=A[2KB  R-FAKE  succeeded CD" in line
    assert line.startswith("R-")


def test_P3_json_lines_are_printable_and_lose_nothing(key: str, say: Say) -> None:
    [line] = say("redemptions", "list", "--state", "all", "--json").splitlines()
    assert line.isprintable()
    entry = json.loads(line)
    assert [entry[name] for name in ("reward_name", "coupon_code", "coupon_description", "note")] == [WILD] * 4


def test_P3_pages_and_json_show_what_was_stored_without_controls(key: str, ella: Shopper) -> None:
    replies = [ella.api("GET", f"/me/redemptions/{key}"), redeem(ella, FIVE_OFF, key)]
    for reply in replies:
        assert reply.status_code < 300
        assert not OBEYED & set("".join(texts(reply.json()))), reply.text
        assert reply.json()["coupon"]["code"].startswith("=A[2KB R-FAKE succeeded CD")
    page = ella.get(f"/redemptions/{key}")
    assert page.status == 200
    assert not (OBEYED - {"\n"}) & set(page.reply.text)
    assert replies[0].json()["coupon"]["code"] in page.text


def test_P3_a_code_of_nothing_but_controls_is_told_as_lost(key: str, ella: Shopper, rows: Rows) -> None:
    rows.execute("UPDATE redemptions SET coupon_code = %s", ("\x1b\u202e\r\n",))
    assert "coupon" not in ella.api("GET", f"/me/redemptions/{key}").json()
    assert "The shop can tell you the code" in ella.get(f"/redemptions/{key}").text


@pytest.fixture
def award(rows: Rows, vendors: Vendors) -> str:
    """An award and an event that need review, and an award that was paid; all of a reference that nobody would type."""
    customer = str(vendors.member("ella")["customerId"])
    for number, (state, reason) in enumerate((("needs_review", WILD), ("paid", None))):
        rows.execute(
            "INSERT INTO awards (reference, event, action, earning_rule_id, customer_id, payee, retailer_id,"
            " connection_id, purchase_id, value, state, reason, note, try_until, possibly_paid) VALUES (%s,"
            " 'purchase.created', %s, 'r', %s, 'p', %s, 'c', %s, 42.50, %s, %s, NULL, now(), %s)",
            (f"A-{number}", WILD, customer, WILD, f"p-{number}", state, reason, state == "needs_review"),
        )
    rows.execute(
        "INSERT INTO webhook_events (vendor, event_id, type, digest, body, state, reason, try_until)"
        " VALUES ('subtotal', %(t)s, %(t)s, 'd', '', 'needs_review', %(t)s, now())",
        {"t": WILD},
    )
    return customer


def test_P3_awards_and_events_are_listed_one_a_line(award: str, say: Say) -> None:
    said = say("awards", "list", "--state", "needs_review")
    assert is_printable(said)
    assert [line.split()[0] for line in said.splitlines()] == ["reference", "A-0", "Event"]
    both = say("awards", "list", "--state", "needs_review", "--json")
    assert is_printable(both)
    [one, event] = map(json.loads, both.splitlines())
    assert (one["reason"], one["retailer_id"], event["event_id"], event["reason"]) == (WILD,) * 4


def test_P3_awards_are_shown_without_controls(award: str, ella: Shopper) -> None:
    reply = ella.api("GET", "/me/retailers")
    assert len(reply.json()["awards"]) == 2
    assert not OBEYED & set("".join(texts(reply.json()))), reply.text
    page = ella.get("/retailers")
    assert (page.status, (OBEYED - {"\n"}) & set(page.reply.text)) == (200, set())


def test_P3_what_other_commands_say_of_it_is_printable(key: str, award: str, say: Say, rows: Rows) -> None:
    rows.execute("UPDATE redemptions SET state = 'unknown', support_reference = %s", (WILD,))
    rows.execute("UPDATE awards SET reference = %s WHERE state = 'needs_review'", (WILD,))
    for command in (
        ("redemptions", "resolve", WILD, "succeeded", "--note", WILD, "--code", WILD),
        ("awards", "resolve", WILD, "paid", "--note", WILD),
        ("awards", "replay", WILD),
        ("sessions", "revoke", WILD),
        ("members", "forget", award),
    ):
        said = say(*command)
        assert said
        assert is_printable(said), command


def test_P3_a_command_that_fails_says_so_on_one_printable_line(settings: dict[str, str]) -> None:
    for command in (("redemptions", "resolve", WILD, "failed", "--note", "x"), ("awards", "replay", WILD)):
        done = bff(settings, *command)
        assert (done.returncode, done.stdout) == (1, "")
        assert is_printable(done.stderr), command


def test_P3_evidence_is_exported_whole_as_json_and_without_controls_as_csv(
    service: Service, say: Say, rows: Rows
) -> None:
    penny = service.signed_in("penny")
    assert penny.submit(penny.get("/join"), "/join").path == "/welcome"
    rows.execute("UPDATE consents SET sentence_html = %(t)s, button_text = %(e)s", {"t": WILD, "e": "\x1b=1+1"})
    [line] = say("consents", "export").splitlines()
    assert line.isprintable()
    assert json.loads(line)["sentence_html"] == WILD
    said = say("consents", "export", "--format", "csv")
    assert not set("\x1b\x07\x85\x9b\u202e\u2066\r") & set(said)
    [row] = csv.DictReader(io.StringIO(said))
    # A control in front hides no formula.
    assert row["button_text"] == "'=1+1"
    assert row["sentence_html"].startswith("'=A[2KB\nR-FAKE")
