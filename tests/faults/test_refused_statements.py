"""PostgreSQL writes the text of a statement that fails into its own log, where no coupon and no address belong."""

from collections.abc import Iterator

import pytest
from support.enrolment_clients import Rows
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Start, Vendors
from support.subtotal_events import connection_of, deliver, linked

from bff.devstack.servers import Server


@pytest.fixture
def refusing(rows: Rows) -> Iterator[None]:
    """PostgreSQL that has no room for a coupon or for an event."""
    rows.execute(
        "CREATE FUNCTION be_full() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$;"
        "CREATE TRIGGER full_disk BEFORE UPDATE ON redemptions FOR EACH ROW WHEN (NEW.coupon_code IS NOT NULL)"
        " EXECUTE FUNCTION be_full();"
        "CREATE TRIGGER full_disk BEFORE INSERT ON webhook_events FOR EACH ROW EXECUTE FUNCTION be_full()"
    )
    try:
        yield
    finally:
        rows.execute(
            "DROP TRIGGER full_disk ON redemptions; DROP TRIGGER full_disk ON webhook_events; DROP FUNCTION be_full"
        )


@pytest.mark.usefixtures("refusing")
def test_M4_the_log_of_postgresql_has_no_coupon_and_no_address(
    start: Start, vendors: Vendors, database: Server
) -> None:
    service, began = start(), database.log.stat().st_size
    assert redeem(service.signed_in("ella"), FIVE_OFF, new_key()).status_code == 202
    assert deliver(service, linked(connection_of(vendors, "ella"))).status_code == 503
    written = database.log.read_bytes()[began:].decode(errors="replace")
    assert "UPDATE redemptions" in written
    assert "INSERT INTO webhook_events" in written
    ella = vendors.member("ella")
    assert ella["redemptions"][-1]["code"] not in written
    assert ella["email"] not in written
