"""Okendo slow, down, busy, lying or silent while awards are paid: nothing is lost, nothing is paid twice."""

from typing import Any

import psycopg
import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.expired_tokens import without_faults
from support.processes import bff
from support.services import Service, Start, Vendors, Work
from support.store_outages import stopped
from support.subtotal_events import (
    ACTIONS,
    BUYING,
    FAST,
    LINKING,
    RATE,
    awards_of,
    bought,
    connection_of,
    deliver,
    linked,
)

from awards.test_payments import settled, states
from bff.devstack.servers import Server

PAID = {"rule": BUYING, "value": 20, "points": 40}
MERCHANT = ("merchant_customer", "earning_transactions")


@pytest.fixture
def service(start: Start, vendors: Vendors) -> Service:
    vendors.control("clock", rate=RATE)
    return start(SUBTOTAL_ACTIONS=ACTIONS, **FAST)


@pytest.fixture
def worker(service: Service, work: Work) -> None:
    work(SUBTOTAL_ACTIONS=ACTIONS, **FAST)


def buy(service: Service, vendors: Vendors, total: str = "20.00") -> None:
    assert deliver(service, bought(connection_of(vendors, "ella"), total)).status_code == 204


def hurry(rows: Rows) -> None:
    """Whatever was put off is due now."""
    rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


def comes_to(rows: Rows, *expected: str) -> None:
    def so() -> bool:
        hurry(rows)
        return states(rows) == list(expected)

    until(so, 20)


def of_awards(rows: Rows, column: str) -> list[Any]:
    return [value for (value,) in rows.execute(f"SELECT {column} FROM awards ORDER BY id").fetchall()]  # noqa: S608


def sends(vendors: Vendors) -> int:
    return len(vendors.calls("earning_transactions"))


def earn_elsewhere(service: Service, vendors: Vendors) -> None:
    """Ella gets 150 points of which the service knows nothing."""
    earned = vendors.http.post(
        f"{vendors.url}/enterprise/loyalty/earning_transactions",
        json={"email": "ella@example.com", "earningRuleId": LINKING},
        headers={"okendo-api-version": "2025-02-01"},
        auth=(service.settings["OKENDO_USER_ID"], service.settings["OKENDO_API_KEY"]),
    )
    assert earned.is_success


# Nothing was done ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("operation", MERCHANT)
@pytest.mark.parametrize("kind", ["status:429", "status:401"])
def test_a_vendor_that_says_not_now_is_asked_again(
    service: Service, vendors: Vendors, rows: Rows, operation: str, kind: str
) -> None:
    vendors.fault(operation, kind, times=2)
    buy(service, vendors)
    comes_to(rows, "paid")
    assert awards_of(vendors, "ella") == [PAID]


@pytest.mark.usefixtures("worker")
def test_the_vendors_retry_after_is_honoured(service: Service, vendors: Vendors, rows: Rows) -> None:
    vendors.fault("earning_transactions", "status:429", retryAfter=40)
    buy(service, vendors)
    waits = "SELECT extract(epoch FROM scheduled_at - now())::float8 FROM procrastinate_jobs WHERE status = 'todo'"
    until(lambda: of_awards(rows, "tries") == [1] and len(rows.execute(waits).fetchall()) == 1)
    [(seconds,)] = rows.execute(waits).fetchall()
    assert isinstance(seconds, float)
    assert 30 < seconds <= 40
    rows.execute("UPDATE paces SET next_at = now()")
    comes_to(rows, "paid")


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_clear_no_waits_for_a_person(service: Service, vendors: Vendors, rows: Rows, status: int) -> None:
    vendors.fault("earning_transactions", f"status:{status}")
    buy(service, vendors)
    comes_to(rows, "needs_review")
    assert of_awards(rows, "possibly_paid") == [False]
    assert (awards_of(vendors, "ella"), sends(vendors)) == ([], 1)


@pytest.mark.usefixtures("worker")
def test_what_waits_for_a_person_is_listed_and_paid_when_asked_again(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    vendors.fault("earning_transactions", "status:404")
    buy(service, vendors)
    comes_to(rows, "needs_review")
    [reference] = of_awards(rows, "reference")
    listed = bff(service.settings, "awards", "list").stdout
    assert reference in listed
    assert "Okendo does not know this customer or this earning rule" in listed
    assert "To be tried again: 1" in bff(service.settings, "awards", "replay", reference).stdout
    comes_to(rows, "paid")
    assert awards_of(vendors, "ella") == [PAID]


# The answer is lost -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("kind", ["cut_before", "status:500", "status:503", "status:409"])
def test_what_was_not_given_is_given_once_the_balance_says_so(
    service: Service, vendors: Vendors, rows: Rows, kind: str
) -> None:
    vendors.fault("earning_transactions", kind)
    buy(service, vendors)
    comes_to(rows, "paid")
    assert (awards_of(vendors, "ella"), sends(vendors)) == ([PAID], 2)


LOST = ["cut_after", "garbage", "html", "huge"]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("kind", LOST)
def test_what_was_given_is_not_given_again_and_known_from_the_balance(
    service: Service, vendors: Vendors, rows: Rows, kind: str
) -> None:
    """What the rule paid before tells how far the balance had to move."""
    buy(service, vendors, "60.00")
    comes_to(rows, "paid")
    vendors.fault("earning_transactions", kind)
    buy(service, vendors)
    comes_to(rows, "paid", "paid")
    assert (len(awards_of(vendors, "ella")), sends(vendors)) == (2, 2)
    assert of_awards(rows, "points") == [120, 40]
    assert of_awards(rows, "reason")[1] == "reconciled from the balance"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("kind", LOST)
def test_what_may_have_been_given_is_not_given_again_by_itself(
    service: Service, vendors: Vendors, rows: Rows, kind: str
) -> None:
    """The first award of a rule: nothing says how far the balance had to move."""
    vendors.fault("earning_transactions", kind)
    buy(service, vendors)
    comes_to(rows, "needs_review")
    assert (of_awards(rows, "possibly_paid"), sends(vendors)) == ([True], 1)
    assert awards_of(vendors, "ella") == [PAID]


@pytest.mark.usefixtures("worker")
def test_what_is_in_doubt_is_listed_and_resolved_but_not_simply_tried_again(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    vendors.fault("earning_transactions", "cut_after")
    buy(service, vendors)
    comes_to(rows, "needs_review")
    [reference] = of_awards(rows, "reference")
    listed = bff(service.settings, "awards", "list").stdout
    assert "needs_review, possibly paid" in listed
    assert "the balance moved by +40" in listed
    refused = bff(service.settings, "awards", "replay", reference)
    assert (refused.returncode, "possibly paid" in refused.stderr) == (1, True)
    assert "To be tried again: 0" in bff(service.settings, "awards", "replay").stdout
    resolved = bff(service.settings, "awards", "resolve", reference, "paid", "--note", "seen in the admin, Kim")
    assert resolved.stdout == f"{reference}: paid.\n"
    assert states(rows) == ["paid"]
    assert awards_of(vendors, "ella") == [PAID]


@pytest.mark.usefixtures("worker")
def test_a_person_who_has_looked_may_say_that_it_was_not_paid(service: Service, vendors: Vendors, rows: Rows) -> None:
    """Something else moved the balance in the same moment."""
    vendors.fault("earning_transactions", "cut_before")
    buy(service, vendors)
    until(lambda: states(rows) == ["unknown"])
    earn_elsewhere(service, vendors)
    comes_to(rows, "needs_review")
    assert of_awards(rows, "possibly_paid") == [True]
    [reference] = of_awards(rows, "reference")
    bff(service.settings, "awards", "resolve", reference, "unpaid", "--note", "not in the admin, Kim")
    comes_to(rows, "paid")
    assert [award["rule"] for award in awards_of(vendors, "ella")] == [LINKING, BUYING]


@pytest.mark.usefixtures("worker")
def test_a_member_who_cannot_be_read_is_not_paid_blindly(service: Service, vendors: Vendors, rows: Rows) -> None:
    vendors.fault("merchant_customer", "status:500", times=200)
    buy(service, vendors)
    until(lambda: len(vendors.calls("merchant_customer")) >= 2)
    assert sends(vendors) == 0
    without_faults(vendors)
    comes_to(rows, "paid")


@pytest.mark.usefixtures("worker")
def test_an_award_in_doubt_is_not_sent_again_because_the_balance_cannot_be_read(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    """Neither a refused connection nor a 429 of the question says anything about the award."""
    vendors.fault("earning_transactions", "cut_after")
    buy(service, vendors)
    until(lambda: states(rows) == ["unknown"])
    for kind in ("status:429", "cut_before", "status:401", "status:500"):
        before = len(vendors.calls("merchant_customer"))
        vendors.fault("merchant_customer", kind, times=4)

        def asked(before: int = before) -> bool:
            hurry(rows)
            return len(vendors.calls("merchant_customer")) >= before + 2

        until(asked)
        assert states(rows) == ["unknown"]
        without_faults(vendors)
    comes_to(rows, "needs_review")
    assert (sends(vendors), awards_of(vendors, "ella")) == (1, [PAID])


def test_okendo_down_for_an_hour_delays_and_loses_nothing(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    for operation in MERCHANT:
        vendors.fault(operation, "status:500", times=1000)
    for total in ("20.00", "21.00", "22.00"):
        buy(service, vendors, total)
    deliver(service, linked(connection_of(vendors, "tara")))
    work(SUBTOTAL_ACTIONS=ACTIONS, **FAST)
    until(lambda: len(vendors.calls("merchant_customer")) > 1)
    vendors.control("clock", advance=3600)
    rows.execute(
        "UPDATE awards SET created_at = created_at - interval '1 hour', try_until = try_until - interval '1 hour'"
    )
    hurry(rows)
    before = len(vendors.calls("merchant_customer"))
    until(lambda: len(vendors.calls("merchant_customer")) > before)
    assert "paid" not in states(rows)
    without_faults(vendors)
    comes_to(rows, *["paid"] * 4)
    assert sorted(award["value"] for award in awards_of(vendors, "ella")) == [20, 21, 22]
    assert len(awards_of(vendors, "tara")) == 1


@pytest.mark.usefixtures("worker")
def test_after_the_last_try_it_waits_for_a_person(service: Service, vendors: Vendors, rows: Rows) -> None:
    vendors.fault("merchant_customer", "status:500", times=1000)
    buy(service, vendors)
    until(lambda: len(of_awards(rows, "tries")) == 1)
    rows.execute("UPDATE awards SET try_until = now()")
    comes_to(rows, "needs_review")
    without_faults(vendors)
    assert "To be tried again: 1" in bff(service.settings, "awards", "replay").stdout
    comes_to(rows, "paid")
    assert awards_of(vendors, "ella") == [PAID]


def test_a_job_of_which_nobody_could_write_down_that_it_was_done_is_done_again(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    """PostgreSQL was away for a moment just then, and the worker lives on."""
    buy(service, vendors)
    [(worker,)] = rows.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id").fetchall()
    rows.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", (worker,))
    rows.execute("UPDATE procrastinate_events SET type = 'started', at = now() - interval '6 minutes'")
    work(SUBTOTAL_ACTIONS=ACTIONS, **FAST)
    comes_to(rows, "paid")
    assert awards_of(vendors, "ella") == [PAID]


def test_postgresql_restarts_in_the_middle(
    service: Service, work: Work, vendors: Vendors, database: Server, settings: dict[str, str]
) -> None:
    connection = connection_of(vendors, "ella")
    totals = [f"{number}.50" for number in range(1, 41)]
    for total in totals:
        deliver(service, bought(connection, total))
    work(SUBTOTAL_ACTIONS=ACTIONS, **FAST)
    until(lambda: len(awards_of(vendors, "ella")) >= 5)
    with stopped(database):
        pass
    with psycopg.connect(settings["DATABASE_URL"], autocommit=True) as rows:
        # What the worker had in hand when it was cut off is put back after a minute; here at once. It is three workers,
        # each for queues of its own, and new ones since.
        def done() -> bool:
            rows.execute(
                "UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL WHERE status = 'doing' AND worker_id <"
                " (SELECT min(id) FROM (SELECT id FROM procrastinate_workers ORDER BY id DESC LIMIT 3) AS newest)"
            )
            # And if it was not cut off, but could not write down what it had done, after five.
            rows.execute(
                "UPDATE procrastinate_events SET at = at - interval '10 minutes'"
                " WHERE type = 'started' AND at < now() - interval '10 seconds'"
            )
            hurry(rows)
            return settled(rows) and len(states(rows)) == 40

        until(done, 100)
        given = sorted(award["value"] for award in awards_of(vendors, "ella"))
        surely = sum(1 for state in states(rows) if state == "paid")
    # What was under way in that moment may be left to a person, but is never given twice.
    assert len(given) == len(set(given))
    assert 38 <= surely <= 40
