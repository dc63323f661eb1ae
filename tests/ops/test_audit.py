"""What people change by hand leaves a trail: who, when, what, why, before and after; it names no shopper."""

import getpass
import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, redeem
from support.services import Vendors
from support.shopper import Shopper
from support.subtotal_events import BUYING

KEY = "an-intent-that-got-lost"
SAID = ("--why", "seen in Okendo's admin", "--by", "Kim")
Run = Callable[..., str]


@pytest.fixture
def run(settings: dict[str, str]) -> Run:
    def command(*arguments: str, fails: bool = False) -> str:
        done = bff(settings, *arguments)
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr.splitlines()[-1] if fails else done.stdout

    return command


def trail(run: Run, *only: str) -> list[Any]:
    """The lines, the oldest first."""
    return [json.loads(line) for line in run("audit", "list", "--json", *only).splitlines()][::-1]


def told(lines: list[Any], *names: str) -> list[Any]:
    return [tuple(line[name] for name in names) for line in lines]


@pytest.fixture
def reference(ella: Shopper, vendors: Vendors) -> str:
    """A redemption whose answer was lost."""
    vendors.fault("redeem", "cut_after")
    return str(redeem(ella, FIVE_OFF, KEY).json()["supportReference"])


def add_award(rows: Rows, vendors: Vendors, reference: str, state: str, *, possibly_paid: bool = False) -> None:
    rows.execute(
        "INSERT INTO awards (reference, event, action, earning_rule_id, customer_id, payee, retailer_id, connection_id,"
        " purchase_id, value, state, possibly_paid, reason, try_until) VALUES (%(r)s, 'purchase.created', %(r)s,"
        " %(rule)s, %(customer)s, 'p', 'walmart', 'c', %(r)s, 20, %(state)s, %(possibly)s, 'no answer', now())",
        {"r": reference, "rule": BUYING, "customer": vendors.member("ella")["customerId"], "state": state,
         "possibly": possibly_paid},
    )  # fmt: skip


def states(rows: Rows, table: str = "awards") -> list[object]:
    return [state for (state,) in rows.execute(f"SELECT state FROM {table} ORDER BY id".encode()).fetchall()]  # noqa: S608


def test_who_resolved_a_redemption_when_and_why(reference: str, run: Run, vendors: Vendors) -> None:
    run("redemptions", "resolve", reference, "succeeded", "--code", "OKE-1", *SAID)
    [line] = trail(run)
    assert told([line], "who", "action", "target", "why") == [
        ("Kim", "redemptions resolve", reference, "seen in Okendo's admin")
    ]
    assert line["before"] == {"state": "unknown", "code": None}
    assert line["after"]["state"] == "succeeded"
    assert line["after"]["code"]
    assert "OKE-1" not in json.dumps(line)
    heading, text = run("audit", "list").splitlines()
    assert heading.split() == ["when", "who", "action", "target", "before", "after", "why"]
    assert text.startswith(line["at"][:10])
    assert "state=unknown" in text


def test_without_a_name_it_is_the_shells_user(reference: str, run: Run) -> None:
    run("redemptions", "resolve", reference, "failed", "--why", "no points went")
    assert told(trail(run), "who") == [(getpass.getuser(),)]


def test_a_mistake_is_corrected_by_another_line(reference: str, run: Run, ella: Shopper, rows: Rows) -> None:
    run("redemptions", "resolve", reference, "failed", *SAID)
    again = run("redemptions", "resolve", reference, "succeeded", "--code", "OKE-1", *SAID, fails=True)
    assert again == f"bff: No unknown redemption has the reference {reference}."
    run(
        "redemptions",
        "resolve",
        reference,
        "succeeded",
        "--code",
        "OKE-1",
        "--correct",
        "--why",
        "the wrong row",
        "--by",
        "Lee",
    )
    assert ella.api("GET", f"/me/redemptions/{KEY}").json()["coupon"]["code"] == "OKE-1"
    first, second = trail(run)
    assert (first["who"], first["after"]) == ("Kim", {"state": "failed", "code": None})
    assert (second["who"], second["before"]) == ("Lee", {"state": "failed", "code": None})
    run("redemptions", "resolve", reference, "failed", "--correct", *SAID)
    assert "Your points were not taken" in ella.get(f"/redemptions/{KEY}").text
    assert rows.execute("SELECT coupon_code FROM redemptions").fetchall() == [(None,)]
    assert trail(run)[2]["before"] == second["after"]


def test_what_nobody_resolved_cannot_be_corrected(ella: Shopper, rows: Rows, run: Run) -> None:
    assert redeem(ella, FIVE_OFF, KEY).status_code == 201
    [(reference,)] = rows.execute("SELECT support_reference FROM redemptions").fetchall()
    refused = run("redemptions", "resolve", str(reference), "failed", "--correct", *SAID, fails=True)
    assert refused == f"bff: No redemption that a person resolved has the reference {reference}."
    assert states(rows, "redemptions") == ["succeeded"]
    assert trail(run) == []


def test_an_award_is_resolved_and_corrected(vendors: Vendors, rows: Rows, run: Run) -> None:
    add_award(rows, vendors, "A-1", "needs_review", possibly_paid=True)
    run("awards", "resolve", "A-1", "paid", *SAID)
    run("awards", "resolve", "A-1", "unpaid", "--correct", *SAID)
    assert states(rows) == ["waiting"]
    assert rows.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'pay_award'").fetchone() == (1,)
    run("awards", "resolve", "A-1", "paid", "--correct", *SAID)
    assert states(rows) == ["paid"]
    assert told(trail(run), "before", "after") == [
        ({"state": "needs_review", "reason": "no answer"}, {"state": "paid"}),
        ({"state": "paid", "reason": "no answer"}, {"state": "waiting"}),
        ({"state": "waiting", "reason": None}, {"state": "paid"}),
    ]


def test_what_okendo_paid_is_never_corrected_to_unpaid(vendors: Vendors, rows: Rows, run: Run) -> None:
    """It would be paid twice."""
    add_award(rows, vendors, "A-1", "paid")
    add_award(rows, vendors, "A-2", "needs_review", possibly_paid=True)
    run("awards", "resolve", "A-2", "unpaid", *SAID)
    rows.execute("UPDATE awards SET state = 'paid', changed_at = now() WHERE reference = 'A-2'")
    for reference in ("A-1", "A-2"):
        refused = run("awards", "resolve", reference, "unpaid", "--correct", *SAID, fails=True)
        assert refused == f"bff: No award that could be corrected to unpaid has the reference {reference}."
    assert states(rows) == ["paid", "paid"]
    assert len(trail(run)) == 1


def test_each_award_that_is_tried_again_has_its_line(vendors: Vendors, rows: Rows, run: Run) -> None:
    for name in ("A-1", "A-2"):
        add_award(rows, vendors, name, "needs_review")
    assert "To be tried again: 2." in run("awards", "replay", "--by", "Kim")
    assert sorted(told(trail(run), "target", "action")) == [("A-1", "awards replay"), ("A-2", "awards replay")]
    assert trail(run)[0]["after"] == {"state": "waiting"}


def test_nobody_is_named_and_yet_the_lines_about_a_customer_are_found(
    ella: Shopper, reference: str, vendors: Vendors, run: Run
) -> None:
    customer = vendors.member("ella")["customerId"]
    run("redemptions", "resolve", reference, "failed", *SAID)
    run("sessions", "revoke", customer, *SAID)
    run("sessions", "revoke", vendors.member("tara")["customerId"], *SAID)
    run("retention", "run", "--by", "Kim")
    run("members", "forget", customer, *SAID)
    mine = trail(run, "--customer", customer)
    assert told(mine, "action") == [("redemptions resolve",), ("sessions revoke",), ("members forget",)]
    assert mine[1]["after"] == {"sessions_ended": 1}
    assert mine[2]["after"]["redemptions_kept"] == 1
    assert told(trail(run, "--customer", customer.rpartition("/")[2]), "id") == told(mine, "id")
    everything = json.dumps(trail(run))
    assert customer.rpartition("/")[2] not in everything
    assert "@" not in everything


def test_the_list_is_filtered(reference: str, vendors: Vendors, run: Run, rows: Rows) -> None:
    run("redemptions", "resolve", reference, "failed", *SAID)
    run("sessions", "revoke", vendors.member("tara")["customerId"], "--by", "Lee")
    assert told(trail(run, "--by", "Lee"), "action") == [("sessions revoke",)]
    assert told(trail(run, "--action", "redemptions resolve"), "who") == [("Kim",)]
    assert told(trail(run, "--limit", "1"), "who") == [("Lee",)]
    assert trail(run, "--since", "2999-01-01") == []
    assert len(trail(run, "--since", "2020-01-01")) == 2
    assert run("audit", "list", "--by", "Nobody").splitlines()[1:] == ["None."]


@pytest.mark.parametrize("change", ["UPDATE audit SET who = 'Lee'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_database_refuses_to_change_a_line(reference: str, run: Run, rows: Rows, change: str) -> None:
    run("redemptions", "resolve", reference, "failed", *SAID)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added"):
        rows.execute(change.encode())
    assert told(trail(run), "who") == [("Kim",)]


def test_without_the_trail_nothing_is_changed(
    reference: str, ella: Shopper, vendors: Vendors, run: Run, rows: Rows
) -> None:
    add_award(rows, vendors, "A-1", "needs_review", possibly_paid=True)
    add_award(rows, vendors, "A-2", "needs_review")
    customer = vendors.member("ella")["customerId"]
    before = states(rows), states(rows, "redemptions"), rows.execute("SELECT * FROM redemptions").fetchall()
    rows.execute("ALTER TABLE audit RENAME TO audit_of_tomorrow")
    try:
        for command in (
            ("redemptions", "resolve", reference, "failed", *SAID),
            ("awards", "resolve", "A-1", "paid", *SAID),
            ("awards", "replay"),
            ("members", "forget", customer),
        ):
            assert run(*command, fails=True).startswith("bff: This cannot be recorded right now")
        assert (states(rows), states(rows, "redemptions")) == before[:2]
        assert rows.execute("SELECT * FROM redemptions").fetchall() == before[2]
        # Whoever signs out a thief is not held up.
        again = ella.sign_in("ella")
        assert again.status == 200
        said = run("sessions", "revoke", customer, fails=True)
        assert said.startswith("bff: Sessions ended: 1. PostgreSQL does not answer, so the trail lacks it")
        until(lambda: ella.api("GET", "/session").json() == {"state": "anonymous"})
    finally:
        rows.execute("ALTER TABLE audit_of_tomorrow RENAME TO audit")
    assert trail(run) == []


@pytest.mark.parametrize(
    "why", ["", "  ", "x" * 501, "ella@example.com asked", "for gid://shopify/Customer/1", "7012345678901"]
)
def test_a_reason_is_a_sentence_and_names_no_shopper(reference: str, run: Run, rows: Rows, why: str) -> None:
    assert "--why" in run("redemptions", "resolve", reference, "failed", "--why", why, fails=True)
    assert states(rows, "redemptions") == ["unknown"]


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "Kim\nLee", "Kim\x1b[2K"])
def test_a_name_is_on_one_line(reference: str, run: Run, rows: Rows, name: str) -> None:
    assert "--by" in run("redemptions", "resolve", reference, "failed", "--why", "x", "--by", name, fails=True)
    assert states(rows, "redemptions") == ["unknown"]


def test_P3_whatever_is_in_a_line_a_terminal_shows_it_and_obeys_nothing(rows: Rows, run: Run) -> None:
    wild = "A\x1b[2K\x07B\r\nwhen who\tC\u202eD\x85\u2028E"
    rows.execute(
        "INSERT INTO audit (who, action, target, why, before) VALUES (%(t)s, %(t)s, %(t)s, %(t)s,"
        " jsonb_build_object(%(t)s::text, %(t)s::text))",
        {"t": wild},
    )
    for arguments in ((), ("--json",)):
        said = run("audit", "list", *arguments)
        assert all(line.isprintable() for line in said.removesuffix("\n").split("\n"))
    assert trail(run)[0]["before"] == {wild: wild}
