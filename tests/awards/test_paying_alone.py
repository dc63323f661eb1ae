"""An award is sent by one worker, at the right moment, with the balance as it is: what keeps it from being paid twice.

Each of these guards stands alone here, without the others that would hide that it is missing.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors, Work, worker_in_thread
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
    ulid,
)

from awards.test_lost_answers import PAID, buy, comes_to, earn_elsewhere, of_awards, sends
from awards.test_payments import events, states

HERE = {"SUBTOTAL_ACTIONS": ACTIONS, **FAST}
# So long that a slow machine would surely send another award meanwhile.
SETTLING = {"AWARD_SETTLING_SECONDS": "5"}


@pytest.fixture
def service(start: Start, vendors: Vendors) -> Service:
    vendors.control("clock", rate=RATE)
    return start(**HERE)


@pytest.fixture
def worker(service: Service, work: Work) -> None:
    work(**HERE)


def no_job_is_left(rows: Rows) -> bool:
    return not rows.execute("SELECT 1 FROM procrastinate_jobs").fetchall()


# When an award may be sent -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
def test_what_another_worker_has_sent_meanwhile_is_not_sent(service: Service, vendors: Vendors, rows: Rows) -> None:
    """Two workers have one award in hand when one of them was thought dead."""
    vendors.fault("merchant_customer", "delay", seconds=2)
    buy(service, vendors)
    until(lambda: len(vendors.calls("merchant_customer")) == 1)
    rows.execute("UPDATE awards SET state = 'sent', sent_at = now()")
    until(lambda: no_job_is_left(rows))
    assert (states(rows), sends(vendors)) == (["sent"], 0)


@pytest.fixture
def barrier(rows: Rows) -> Iterator[None]:
    """Whoever is about to write that an award is sent waits for the lock that the test holds."""
    rows.execute(
        "CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_xact_lock(4712); RETURN NEW; END $$;"
        "CREATE TRIGGER barrier BEFORE UPDATE ON awards FOR EACH ROW WHEN (NEW.state = 'sent')"
        " EXECUTE FUNCTION wait_for_test()"
    )
    rows.execute("SELECT pg_advisory_lock(4712)")
    try:
        yield
    finally:
        rows.execute("SELECT pg_advisory_unlock_all()")
        rows.execute("DROP TRIGGER barrier ON awards; DROP FUNCTION wait_for_test")


@pytest.mark.usefixtures("barrier")
def test_what_took_too_long_to_be_written_down_is_sent_later(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    """Another worker may have looked meanwhile whether it was paid."""
    clock = work(**HERE)
    buy(service, vendors)
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND NOT granted"
    until(lambda: bool(rows.execute(waiting).fetchall()))
    clock.advance(11)
    rows.execute("SELECT pg_advisory_unlock(4712)")
    until(lambda: of_awards(rows, "reason") == ["the vendor cannot be reached, or is busy"])
    assert (states(rows), sends(vendors)) == (["waiting"], 0)
    comes_to(rows, "paid")
    assert (awards_of(vendors, "ella"), sends(vendors)) == ([PAID], 1)


def test_the_next_award_of_a_payee_waits_until_the_one_before_is_settled(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    """Else nobody could tell by which of the two the balance moved."""
    work(**HERE | SETTLING)
    buy(service, vendors, "60.00")
    comes_to(rows, "paid")
    vendors.fault("earning_transactions", "cut_after")
    buy(service, vendors, "20.00")
    buy(service, vendors, "30.00")
    comes_to(rows, "paid", "paid", "paid")
    assert (sorted(of_awards(rows, "points")), sends(vendors)) == ([40, 60, 120], 3)


def test_awards_that_a_person_has_tried_again_wait_for_each_other_too(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    work(**HERE | SETTLING)
    buy(service, vendors, "60.00")
    comes_to(rows, "paid")
    vendors.fault("earning_transactions", "status:404", times=2)
    buy(service, vendors, "20.00")
    buy(service, vendors, "30.00")
    comes_to(rows, "paid", "needs_review", "needs_review")
    vendors.fault("earning_transactions", "cut_after")
    assert "To be tried again: 2" in bff(service.settings, "awards", "replay").stdout
    comes_to(rows, "paid", "paid", "paid")
    assert (sorted(of_awards(rows, "points")), sends(vendors)) == ([40, 60, 120], 5)


# When an award in doubt may be judged --------------------------------------------------------------------------------


def test_an_award_that_is_carried_out_late_is_not_sent_again(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    work(**HERE | SETTLING, UPSTREAM_TIMEOUT_SECONDS="1")
    vendors.fault("earning_transactions", "delay", seconds=3)
    buy(service, vendors)
    comes_to(rows, "needs_review")
    assert of_awards(rows, "possibly_paid") == [True]
    assert (awards_of(vendors, "ella"), sends(vendors)) == ([PAID], 1)


@pytest.mark.usefixtures("worker")
def test_a_balance_that_moved_otherwise_than_by_the_award_proves_nothing(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    buy(service, vendors, "60.00")
    comes_to(rows, "paid")
    vendors.fault("earning_transactions", "cut_before")
    buy(service, vendors, "20.00")
    until(lambda: states(rows) == ["paid", "unknown"])
    earn_elsewhere(service, vendors)
    comes_to(rows, "paid", "needs_review")
    assert of_awards(rows, "possibly_paid") == [False, True]
    assert of_awards(rows, "reason")[1] == "it may have been paid: the balance moved by +150"


@pytest.mark.usefixtures("worker")
def test_a_worker_that_comes_back_late_changes_nothing(service: Service, vendors: Vendors, rows: Rows) -> None:
    """It was refused, but another has sent the award again meanwhile, and nobody knows yet how that ended."""
    vendors.fault("earning_transactions", "delay", seconds=2)
    deliver(service, bought(connection_of(vendors, "blake"), "8.00"))
    until(lambda: sends(vendors) == 1)
    rows.execute("UPDATE awards SET tries = tries + 1")
    until(lambda: no_job_is_left(rows))
    assert [call["status"] for call in vendors.calls("earning_transactions")] == [403]
    assert states(rows) == ["sent"]


@pytest.mark.parametrize("concluded", ["waiting", "needs_review"])
@pytest.mark.usefixtures("worker")
def test_a_yes_that_comes_late_is_believed(service: Service, vendors: Vendors, rows: Rows, concluded: str) -> None:
    """Its reply had been taken for lost, and the balance had not moved yet."""
    vendors.fault("earning_transactions", "delay_after", seconds=2)
    buy(service, vendors)
    until(lambda: sends(vendors) == 1)
    rows.execute("UPDATE awards SET state = %s, possibly_paid = true", (concluded,))
    until(lambda: no_job_is_left(rows))
    assert (states(rows), of_awards(rows, "possibly_paid")) == (["paid"], [False])
    assert (awards_of(vendors, "ella"), sends(vendors)) == ([PAID], 1)


@pytest.mark.usefixtures("worker")
def test_what_was_surely_not_paid_cannot_be_called_paid(service: Service, vendors: Vendors, rows: Rows) -> None:
    vendors.fault("earning_transactions", "status:404")
    buy(service, vendors)
    comes_to(rows, "needs_review")
    [reference] = of_awards(rows, "reference")
    resolved = bff(service.settings, "awards", "resolve", reference, "paid", "--note", "mistaken, Kim")
    assert (resolved.returncode, states(rows)) == (1, ["needs_review"])
    assert f"No possibly paid award has the reference {reference}." in resolved.stderr


@pytest.mark.usefixtures("worker")
def test_of_a_member_who_is_forgotten_what_may_have_been_paid_stays(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    """Without their address; what was surely not paid goes."""
    vendors.fault("earning_transactions", "status:404")
    buy(service, vendors)
    comes_to(rows, "needs_review")
    vendors.fault("earning_transactions", "cut_after")
    buy(service, vendors)
    comes_to(rows, "needs_review", "needs_review")
    assert bff(service.settings, "members", "forget", vendors.member("ella")["customerId"]).returncode == 0
    kept = rows.execute("SELECT state, possibly_paid, email, connection_id FROM awards").fetchall()
    assert kept == [("needs_review", True, None, "")]


# The balance before it -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
def test_the_balance_after_the_last_award_is_good_for_half_a_minute(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    buy(service, vendors)
    comes_to(rows, "paid")
    assert redeem(service.signed_in("ella"), FIVE_OFF, new_key()).status_code == 201
    rows.execute("UPDATE awards SET changed_at = changed_at - interval '31 seconds'")
    buy(service, vendors)
    comes_to(rows, "paid", "paid")
    assert of_awards(rows, "balance_before") == [1240, 780]


@pytest.mark.usefixtures("worker")
def test_the_balance_is_read_after_an_award_of_which_nobody_knows_whether_it_was_paid(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    buy(service, vendors)
    comes_to(rows, "paid")
    vendors.fault("earning_transactions", "cut_after")
    deliver(service, linked(connection_of(vendors, "ella")))
    comes_to(rows, "paid", "needs_review")
    buy(service, vendors)
    comes_to(rows, "paid", "needs_review", "paid")
    assert of_awards(rows, "balance_before") == [1240, 1280, 1430]


# What was paid under another name ------------------------------------------------------------------------------------


def paid_under(actions: str, service: Service, event: dict[str, Any], rows: Rows) -> None:
    """The event has been taken by a worker that has this table of actions, and what it earns is settled."""
    taken = len(events(rows))
    with worker_in_thread({**service.settings, "SUBTOTAL_ACTIONS": actions}):
        deliver(service, event | {"id": ulid()})
        until(lambda: events(rows) == ["done"] * (taken + 1) and set(states(rows)) == {"paid"})


CHANGES = {
    "another name": lambda table: table.replace("Link a shop", "Link").replace("Shop elsewhere", "Shop"),
    "another rule": lambda table: table.replace(LINKING, "swapped").replace(BUYING, LINKING).replace("swapped", BUYING),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_purchase_is_not_paid_again_because_its_action_has_changed(
    service: Service, vendors: Vendors, rows: Rows, change: str
) -> None:
    event = bought(connection_of(vendors, "ella"), "20.00")
    paid_under(ACTIONS, service, event, rows)
    paid_under(CHANGES[change](ACTIONS), service, event, rows)
    assert (states(rows), awards_of(vendors, "ella")) == (["paid"], [PAID])


@pytest.mark.parametrize("change", CHANGES)
def test_a_link_is_not_paid_again_because_its_action_has_changed(
    service: Service, vendors: Vendors, rows: Rows, change: str
) -> None:
    """To another address of the same customer, so that it is not the address that gives it away."""
    connection = connection_of(vendors, "ella")
    paid_under(ACTIONS, service, linked(connection), rows)
    other = connection | {"email": "penny@example.com", "connection_id": ulid()}
    paid_under(CHANGES[change](ACTIONS), service, linked(other), rows)
    assert (states(rows), awards_of(vendors, "penny")) == (["paid"], [])
