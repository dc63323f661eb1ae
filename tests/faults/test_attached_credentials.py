"""Members who come back help to find out about a lost redemption: when that is needed, and not over and over (L3)."""

from support.concurrency import meanwhile, until
from support.enrolment_clients import Rows
from support.expired_tokens import without_a_jwt
from support.reconciliation_runs import check, lines
from support.services import Service, Vendors

from faults.test_reconciliation import jobs, lose, state_of

KEPT = "SELECT session, credentials, check_until FROM redemptions"


def given_up(settings: dict[str, str], rows: Rows) -> None:
    """Nobody looks for the lost one any more."""
    rows.execute("UPDATE redemptions SET check_until = now()")
    check(settings, rows)
    assert rows.execute("SELECT credentials, check_until FROM redemptions").fetchone() == (None, None)


def test_L3_two_browsers_that_look_in_turns_cause_no_work_and_no_delay(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    one, other = service.signed_in("tara"), service.signed_in("tara")
    lose(one, vendors)
    before = rows.execute(KEPT).fetchall()
    assert {state_of(browser) for _ in range(3) for browser in (other, one)} == {"unknown"}
    assert rows.execute(KEPT).fetchall() == before
    assert jobs(rows).count("check_redemption") == 1


def test_L3_who_helps_has_it_looked_for_at_once_by_the_job_that_waits(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    gone = service.signed_in("tara")
    lose(gone, vendors)
    gone.api("DELETE", "/session")
    rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '2 minutes'")
    back = service.signed_in("tara")
    for _ in range(3):
        state_of(back)
    waiting = "SELECT scheduled_at <= now() FROM procrastinate_jobs WHERE task_name = 'check_redemption'"
    assert rows.execute(waiting).fetchall() == [(True,)]


def test_L3_one_who_signed_in_while_okendo_was_down_helps_too(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    gone = service.signed_in("tara")
    lose(gone, vendors)
    gone.api("DELETE", "/session")
    back = without_a_jwt(service, vendors, "tara")
    assert state_of(back) == "unknown"
    vendors.control("clock", advance=3700)  # The JWT from when it was sent is dead now.
    check(settings, rows)
    assert state_of(back) == "succeeded"


def test_L3_what_one_lends_while_another_gives_up_is_used(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    gone = service.signed_in("tara")
    lose(gone, vendors, fault="cut_before")
    gone.api("DELETE", "/session")
    rows.execute("UPDATE redemptions SET check_until = now()")
    vendors.fault("transactions", "delay", seconds=2)
    looks = len(vendors.calls("transactions"))
    with meanwhile(lambda: check(settings, rows)) as checking:
        until(lambda: len(vendors.calls("transactions")) > looks)
        assert state_of(service.signed_in("tara")) == "unknown"
        lent = rows.execute(KEPT).fetchall()
        checking.result()
    assert rows.execute(KEPT).fetchall() == lent
    assert rows.execute("SELECT check_until > now() FROM redemptions").fetchone() == (True,)


def test_L3_what_was_given_up_is_looked_for_again_by_a_new_sign_in_alone(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    one, other = service.signed_in("tara"), service.signed_in("tara")
    lose(one, vendors)
    vendors.fault("transactions", "status:500")
    given_up(settings, rows)
    for browser in (other, one, other):
        assert state_of(browser) == "unknown"
    assert rows.execute("SELECT credentials, check_until FROM redemptions").fetchone() == (None, None)
    assert state_of(service.signed_in("tara")) == "unknown"
    assert rows.execute("SELECT check_until > now() FROM redemptions").fetchone() == (True,)
    check(settings, rows)
    assert lines(rows)[0][0] == "succeeded"


def test_L3_a_sign_in_is_good_for_one_term(service: Service, vendors: Vendors, rows: Rows) -> None:
    """The time to look runs from when the member signed in, however late or often they look at the redemption."""
    gone = service.signed_in("tara")
    lose(gone, vendors)
    gone.api("DELETE", "/session")
    rows.execute("UPDATE redemptions SET check_until = now()")
    service.clock.advance(-600)
    back = service.signed_in("tara")
    service.clock.advance(600)
    assert state_of(back) == "unknown"
    [(seconds,)] = rows.execute("SELECT extract(epoch FROM check_until - now())::int FROM redemptions").fetchall()
    assert 86_400 - 660 < int(str(seconds)) <= 86_400 - 600
