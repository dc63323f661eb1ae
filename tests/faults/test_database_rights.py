"""A platform that withdraws rights, as Heroku does over a plan's limit, and tables of another version than ours: an
outage, told as one, and over when it is over.

The PostgreSQL of this module is its own, so that nobody else misses anything.
"""

import json
from collections.abc import Iterator

import psycopg
import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.sandbox_catalogue import FIVE_OFF, code_of, new_key, redeem
from support.services import Log, Service, Start, Vendors
from support.store_outages import agreement, says_come_again
from support.subtotal_events import ACTIONS, bought, connection_of, deliver

from bff.cli import migrate_database
from bff.devstack.servers import Server, postgres

TABLES = "redemptions, consents, awards, webhook_events, paces, procrastinate_jobs"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres(tmp_path_factory.mktemp("own-postgres")) as server:
        migrate_database(server.url)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE ROLE tenant LOGIN PASSWORD 'of-the-tenant'")
            connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO tenant")
            connection.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO tenant")
        yield server


@pytest.fixture
def service(start: Start, database: Server) -> Service:
    """It has the rights of a tenant, and not those of the platform."""
    url = f"postgresql://tenant:of-the-tenant@{database.url.rpartition('@')[2]}"
    return start(DATABASE_URL=url, SUBTOTAL_ACTIONS=ACTIONS)


def logged(log: Log, event: str) -> list[dict[str, str]]:
    lines = (json.loads(line) for line in log.getvalue().splitlines())
    return [line for line in lines if line["event"] == event]


def test_rights_that_were_withdrawn_are_an_outage(service: Service, vendors: Vendors, rows: Rows, log: Log) -> None:
    ella, penny, key = service.signed_in("ella"), service.signed_in("penny"), new_key()
    rows.execute(f"REVOKE INSERT, UPDATE ON {TABLES} FROM tenant")
    try:
        for reply in (
            redeem(ella, FIVE_OFF, key),
            penny.api("POST", "/me/enrolment", agreement(penny)),
            deliver(service, bought(connection_of(vendors, "ella"), "5.00")),
        ):
            assert says_come_again(reply), reply.text
            assert code_of(reply) == "store_unavailable"
        for path in ("/", "/rewards", "/retailers", "/join"):
            assert ella.get(path).status == 200
        line = logged(log, "store_unavailable")[-1]
        assert (line["what"], line["sqlstate"], line["failure"]) == ("postgresql", "42501", "InsufficientPrivilege")
    finally:
        rows.execute(f"GRANT INSERT, UPDATE ON {TABLES} TO tenant")
    assert vendors.calls("redeem") == vendors.calls("customer_activation") == []
    assert redeem(ella, FIVE_OFF, key).status_code == 201


@pytest.mark.parametrize(("table", "path"), [("redemptions", "/rewards"), ("awards", "/retailers")])
def test_tables_of_another_version_are_an_outage_while_they_are(
    service: Service, vendors: Vendors, rows: Rows, table: str, path: str
) -> None:
    ella, key = service.signed_in("ella"), new_key()
    rows.execute(f"ALTER TABLE {table} RENAME TO {table}_of_tomorrow")
    try:
        assert ella.get(path).status == 200
        if table == "redemptions":
            assert says_come_again(redeem(ella, FIVE_OFF, key))
            assert vendors.calls("redeem") == []
    finally:
        rows.execute(f"ALTER TABLE {table}_of_tomorrow RENAME TO {table}")
    rows.execute(f"ALTER TABLE {table} RENAME COLUMN state TO condition")
    try:
        assert ella.get(path).status == 200
    finally:
        rows.execute(f"ALTER TABLE {table} RENAME COLUMN condition TO state")


def test_L3_an_outcome_that_the_database_refuses_is_unknown_and_no_failure(
    service: Service, vendors: Vendors, rows: Rows, log: Log
) -> None:
    ella, key = service.signed_in("ella"), new_key()
    rows.execute("ALTER TABLE redemptions ADD CONSTRAINT nothing_succeeds CHECK (state <> 'succeeded') NOT VALID")
    try:
        reply = redeem(ella, FIVE_OFF, key)
        assert (reply.status_code, reply.json()["state"]) == (202, "working")
        assert logged(log, "outcome_refused")[-1]["sqlstate"] == "23514"
        assert len(vendors.member("ella")["redemptions"]) == 1
    finally:
        rows.execute("ALTER TABLE redemptions DROP CONSTRAINT nothing_succeeds")
    assert redeem(ella, FIVE_OFF, key).status_code == 409
    assert len(vendors.member("ella")["redemptions"]) == 1


def test_what_a_library_says_of_the_database_names_its_cause_and_no_value(
    service: Service, rows: Rows, log: Log
) -> None:
    """The pool itself writes these lines."""
    ella = service.signed_in("ella")
    assert ella.get("/rewards").status == 200
    rows.execute("ALTER ROLE tenant NOLOGIN")
    try:
        rows.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tenant'")
        assert says_come_again(redeem(ella, FIVE_OFF, new_key()))
        # The pool tries again at once; what it throws away is told without a cause.
        until(lambda: any("failure" in line for line in logged(log, "library")))
        lines = [line for line in logged(log, "library") if line["logger"].startswith("psycopg")]
        assert all(line.get("failure", "Nothing").isidentifier() for line in lines)
        assert "of-the-tenant" not in log.getvalue()
    finally:
        rows.execute("ALTER ROLE tenant LOGIN")
