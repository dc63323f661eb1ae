"""A sign-in lent to a lost redemption serves its own member alone, and overrides nothing that others did (C2, L3)."""

from collections.abc import Callable, Mapping

import psycopg
import pytest
from support.concurrency import meanwhile, until
from support.enrolment_clients import Rows
from support.reconciliation_runs import check, lines
from support.services import Service, Vendors

from faults.test_reconciliation import lose, state_of

Work = Callable[[], object]
KEPT = "session, credentials, check_until"


def overtaken(stores: Mapping[str, str], rows: Rows, work: Work, change: str) -> object:
    """Change the only redemption after this work has read it and before it writes; what was left for it to keep."""
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE redemptions%'"
    with psycopg.connect(stores["DATABASE_URL"]) as other:
        other.execute("SELECT FROM redemptions FOR UPDATE")
        with meanwhile(work) as working:
            until(lambda: bool(rows.execute(waiting).fetchall()))
            left = other.execute(f"UPDATE redemptions SET {change} RETURNING {KEPT}").fetchone()  # noqa: S608
            other.commit()
            working.result()
    return left


def kept(rows: Rows) -> object:
    return rows.execute(f"SELECT {KEPT} FROM redemptions").fetchone()  # noqa: S608


def test_C2_L3_what_one_member_lent_is_never_used_for_another(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    """Ella's history has no trace of what Tara redeemed, and would prove that it has failed."""
    for persona in ("ella", "tara"):
        lose(service.signed_in(persona), vendors)
    rows.execute("UPDATE redemptions SET sent_at = sent_at - interval '1 hour'")
    rows.execute(
        "UPDATE redemptions SET credentials = other.credentials FROM redemptions AS other"
        " WHERE other.id <> redemptions.id"
    )
    before = len(vendors.calls("transactions"))
    check(settings, rows)
    assert lines(rows) == [("unknown", None)] * 2
    assert len(vendors.calls("transactions")) == before


# In a row that somebody else changes meanwhile -----------------------------------------------------------------------


@pytest.mark.parametrize("change", ["credentials = 'lent by another'", "session = '', credentials = NULL"])
def test_L3_a_sign_in_is_not_written_over_what_happened_meanwhile(
    service: Service, vendors: Vendors, rows: Rows, stores: Mapping[str, str], change: str
) -> None:
    """Another browser lent its own, or the member was forgotten."""
    gone = service.signed_in("tara")
    lose(gone, vendors)
    gone.api("DELETE", "/session")
    back = service.signed_in("tara")
    left = overtaken(stores, rows, lambda: state_of(back), change)
    assert kept(rows) == left


def test_L3_a_sign_in_is_not_lent_to_what_a_person_resolved_meanwhile(
    service: Service, vendors: Vendors, rows: Rows, stores: Mapping[str, str]
) -> None:
    """Nobody looked for it any more, so that there are no credentials before it is resolved and none after."""
    lose(service.signed_in("tara"), vendors)
    rows.execute("UPDATE redemptions SET check_until = NULL, credentials = NULL")
    back = service.signed_in("tara")
    left = overtaken(stores, rows, lambda: state_of(back), "state = 'succeeded', note = 'seen'")
    assert kept(rows) == left


@pytest.mark.parametrize("change", ["credentials = 'lent by another'", "check_until = now() + interval '1 day'"])
def test_L3_what_was_lent_meanwhile_is_not_given_up(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows, stores: Mapping[str, str], change: str
) -> None:
    """An old sign-in adds no time to look, and a late answer adds nothing but time: either counts alone."""
    lose(service.signed_in("tara"), vendors)
    vendors.fault("transactions", "status:500", times=2)
    rows.execute("UPDATE redemptions SET check_until = now()")
    left = overtaken(stores, rows, lambda: check(settings, rows), change)
    assert kept(rows) == left
