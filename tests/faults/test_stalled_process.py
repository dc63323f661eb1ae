"""A process may stand still between writing that a redemption is sent and hearing how it ended (L3, L4)."""

from collections.abc import Iterator

import pytest
from support.concurrency import meanwhile, until
from support.enrolment_clients import Rows, agree
from support.kill_schedules import BARRIERS, LOCK, WAITING
from support.processes import bff
from support.reconciliation_runs import check, hours_pass, lines
from support.sandbox_catalogue import FIVE_OFF, code_of, redeem, redemptions_of, sends
from support.services import Service, Start, Vendors
from support.shopper import Shopper

from faults.test_reconciliation import KEY, state_of

# Longer than any process may think about a redemption, and than what was sent needs to have its effect.
TWO_MINUTES = 0.04


@pytest.fixture
def barrier(rows: Rows) -> Iterator[None]:
    """Whoever is about to write that a redemption is sent waits for the lock that the test holds."""
    rows.execute(BARRIERS.encode())
    rows.execute("INSERT INTO barriers VALUES ('after reserve')")
    rows.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    try:
        yield
    finally:
        rows.execute("SELECT pg_advisory_unlock_all()")
        rows.execute("DROP TRIGGER barrier ON redemptions; DROP FUNCTION wait_at_barrier; DROP TABLE barriers")


@pytest.mark.usefixtures("barrier")
def test_L3_what_took_too_long_to_be_written_down_is_not_sent(service: Service, vendors: Vendors, rows: Rows) -> None:
    """Others may have called it lost by then, and have found no trace of it."""
    ella = service.signed_in("ella")
    with meanwhile(lambda: redeem(ella, FIVE_OFF, KEY)) as redeeming:
        until(lambda: bool(rows.execute(f"SELECT 1 {WAITING}".encode(), (LOCK,)).fetchall()))
        service.clock.advance(11)
        rows.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
        reply = redeeming.result()
    assert (reply.status_code, code_of(reply)) == (503, "store_unavailable")
    assert (lines(rows), sends(vendors)) == ([("failed", None)], 0)
    assert redeem(ella, FIVE_OFF, "another-intent-of-ella").status_code == 201


@pytest.fixture
def overtaken(rows: Rows) -> Iterator[None]:
    """Every redemption that is reserved is settled at once by somebody who thinks that its process has died."""
    rows.execute(
        "CREATE FUNCTION overtake() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN UPDATE redemptions SET state = 'failed', reason = 'store_unavailable' WHERE id = NEW.id;"
        " RETURN NULL; END $$;"
        "CREATE TRIGGER overtaken AFTER INSERT ON redemptions FOR EACH ROW EXECUTE FUNCTION overtake()"
    )
    try:
        yield
    finally:
        rows.execute("DROP TRIGGER overtaken ON redemptions; DROP FUNCTION overtake")


@pytest.mark.usefixtures("overtaken")
def test_L3_what_was_settled_before_it_is_sent_is_not_sent(ella: Shopper, vendors: Vendors, rows: Rows) -> None:
    """The shopper was told perhaps that nothing was taken."""
    reply = redeem(ella, FIVE_OFF, KEY)
    assert (reply.status_code, code_of(reply)) == (503, "store_unavailable")
    assert (lines(rows), sends(vendors)) == ([("failed", None)], 0)


def taken_for_lost(service: Service, settings: dict[str, str], rows: Rows) -> None:
    """Another process thinks that the one which sends has died, and looks for what it sent before that has arrived."""
    until(lambda: lines(rows) == [("sent", None)])
    hours_pass(rows, TWO_MINUTES)
    assert state_of(service.signed_in("ella")) == "unknown"
    check(settings, rows)
    assert lines(rows) == [("failed", None)]


def test_L3_the_answer_itself_counts_more_than_what_was_concluded_without_it(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    ella = service.signed_in("ella")
    vendors.fault("redeem", "delay", seconds=4)
    with meanwhile(lambda: redeem(ella, FIVE_OFF, KEY)) as redeeming:
        taken_for_lost(service, settings, rows)
        reply = redeeming.result()
    [effect] = redemptions_of(vendors, "ella")
    assert (reply.status_code, reply.json()["coupon"]["code"]) == (201, effect["code"])
    assert lines(rows) == [("succeeded", effect["code"])]
    assert rows.execute("SELECT reason, check_until, credentials FROM redemptions").fetchall() == [(None, None, None)]


def test_L3_an_answer_that_is_lost_does_not_undo_what_the_history_has_shown(
    start: Start, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    service = start(UPSTREAM_TIMEOUT_SECONDS="7")
    ella = service.signed_in("ella")
    vendors.fault("redeem", "delay_after", seconds=8)
    with meanwhile(lambda: redeem(ella, FIVE_OFF, KEY)) as redeeming:
        until(lambda: bool(redemptions_of(vendors, "ella")))
        hours_pass(rows, TWO_MINUTES)
        assert state_of(service.signed_in("ella")) == "unknown"
        check(settings, rows)
        [effect] = redemptions_of(vendors, "ella")
        assert lines(rows) == [("succeeded", effect["code"])]
        reply = redeeming.result()
    assert (reply.status_code, reply.json()["coupon"]["code"]) == (201, effect["code"])
    assert lines(rows) == [("succeeded", effect["code"])]


def test_what_a_person_has_settled_stays_settled(
    start: Start, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    service = start(UPSTREAM_TIMEOUT_SECONDS="8")
    ella = service.signed_in("ella")
    vendors.fault("redeem", "delay", seconds=7)
    with meanwhile(lambda: redeem(ella, FIVE_OFF, KEY)) as redeeming:
        until(lambda: lines(rows) == [("sent", None)])
        hours_pass(rows, TWO_MINUTES)
        assert state_of(service.signed_in("ella")) == "unknown"
        [(reference,)] = rows.execute("SELECT support_reference FROM redemptions").fetchall()
        assert bff(settings, "redemptions", "resolve", str(reference), "failed", "--note", "Kim").returncode == 0
        assert redeeming.result().status_code == 503
    assert lines(rows) == [("failed", None)]


# A ledger that cannot be written ------------------------------------------------------------------------------------


@pytest.fixture
def read_only(rows: Rows) -> Iterator[None]:
    """PostgreSQL after a switch to a replica: it answers, and takes nothing."""
    name = rows.info.dbname
    rows.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only TO on'.encode())
    try:
        yield
    finally:
        rows.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'.encode())


@pytest.mark.usefixtures("read_only")
def test_L4_a_ledger_that_can_only_be_read_sends_nothing_and_says_so(start: Start, vendors: Vendors) -> None:
    service = start()
    replies = [redeem(service.signed_in("ella"), FIVE_OFF, KEY), agree(service.signed_in("penny"))]
    assert [(reply.status_code, code_of(reply)) for reply in replies] == [(503, "store_unavailable")] * 2
    assert (vendors.calls("redeem"), vendors.calls("customer_activation")) == ([], [])


@pytest.fixture
def full(rows: Rows) -> Iterator[None]:
    """PostgreSQL whose disk has no room for another job."""
    rows.execute(
        "CREATE FUNCTION be_full() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$;"
        "CREATE TRIGGER full_disk BEFORE INSERT ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION be_full()"
    )
    try:
        yield
    finally:
        rows.execute("DROP TRIGGER full_disk ON procrastinate_jobs; DROP FUNCTION be_full")


@pytest.mark.usefixtures("full")
def test_L4_an_intent_that_nobody_could_look_after_is_not_sent(ella: Shopper, vendors: Vendors, rows: Rows) -> None:
    reply = redeem(ella, FIVE_OFF, KEY)
    assert (reply.status_code, code_of(reply)) == (503, "store_unavailable")
    assert (lines(rows), sends(vendors)) == ([], 0)
