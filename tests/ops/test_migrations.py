"""A database that is in use is migrated: no row is lost, and the service goes on with each of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from support.concurrency import until
from support.enrolment_clients import Rows
from support.processes import bff
from support.processes import start as begin
from support.services import ROOT, Start, Vendors, Work
from support.subtotal_events import ACTIONS, BUYING, FAST, RATE, awards_of, connection_of, linked, ulid
from vendors.test_okendo_webhooks import customer_event, stale
from vendors.test_okendo_webhooks import stored as events

from bff.devstack.servers import Server

# As revision 0004 has them: state, doubtful, whose.
AWARDS = (
    ("waiting", False, "ella"),
    ("sent", False, "tara"),
    ("unknown", False, "zoe"),
    ("paid", False, "penny"),
    ("parked", False, "rami"),
    ("parked", True, "penny"),
)


@pytest.fixture
def url(database: Server) -> str:
    """A database of its own, at revision 0004."""
    address = empty_database(database, "older")
    command.upgrade(alembic(address), "0004")
    return address


def empty_database(database: Server, name: str) -> str:
    """The address of an empty one beside the service's."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        connection.execute(f"CREATE DATABASE {name}".encode())
    return database.url.rpartition("/")[0] + f"/{name}"


def alembic(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = "postgresql+psycopg://" + url.partition("://")[2]
    return config


@pytest.fixture
def older(url: str, vendors: Vendors) -> Iterator[Rows]:
    """What the version before left: awards and events in every state, and jobs that wait."""
    with psycopg.connect(url, autocommit=True) as rows:
        for number, (state, doubtful, persona) in enumerate(AWARDS):
            add_award(rows, vendors, persona, reference=f"A-{number}", state=state, doubtful=doubtful)
        rows.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')")
        for status in ("todo", "doing"):
            event = add_event(rows, "okendo", "new", customer_event(vendors, "ella"))
            add_job(rows, "default", "freshen_member", event, status)
        for state in ("done", "ignored", "parked"):
            add_event(rows, "subtotal", state, linked(connection_of(vendors, "zoe")))
        yield rows


def add_award(rows: Rows, vendors: Vendors, persona: str, **values: Any) -> None:
    member = vendors.member(persona)
    values |= {name: member[name] for name in ("customerId", "email", "balance")} | {"rule": BUYING}
    [(number,)] = rows.execute(
        "INSERT INTO awards (reference, event, action, earning_rule_id, customer_id, payee, email, retailer_id,"
        " connection_id, purchase_id, value, state, doubtful, balance_before, sent_at, try_until)"
        " VALUES (%(reference)s, 'purchase.created', 'Shop', %(rule)s, %(customerId)s, %(email)s, %(email)s,"
        " 'walmart', 'c', %(reference)s, 20, %(state)s, %(doubtful)s, %(balance)s, now() - interval '1 hour',"
        " now() + interval '1 hour') RETURNING id",
        values,
    ).fetchall()
    if values["state"] in {"waiting", "sent", "unknown"}:
        add_job(rows, "paying", "pay_award", number, "todo")


def add_event(rows: Rows, vendor: str, state: str, event: Any) -> object:
    kind = f"{event['resourceType']}.{event['topic']}" if vendor == "okendo" else event["type"]
    body = None if state == "done" else json.dumps(event).encode()
    [(number,)] = rows.execute(
        "INSERT INTO webhook_events (vendor, event_id, type, digest, body, state, try_until)"
        " VALUES (%s, %s, %s, 'd', %s, %s, now() + interval '1 hour') RETURNING id",
        (vendor, ulid(), kind, body, state),
    ).fetchall()
    return number


def add_job(rows: Rows, queue: str, task: str, row: object, status: str) -> None:
    rows.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id)"
        " SELECT %s, %s, jsonb_build_object('row', %s::bigint), %s::procrastinate_job_status, max(id)"
        " FROM procrastinate_workers",
        (queue, task, row, status),
    )


def awards(rows: Rows, flag: str) -> list[Any]:
    return rows.execute(f"SELECT reference, state, {flag} FROM awards ORDER BY id").fetchall()  # noqa: S608


def jobs(rows: Rows) -> list[Any]:
    return rows.execute("SELECT queue_name, task_name, status::text FROM procrastinate_jobs ORDER BY id").fetchall()


def everything(rows: Rows) -> list[list[Any]]:
    return [awards(rows, "doubtful"), events(rows), jobs(rows)]


def schema(rows: Rows) -> list[tuple[object, ...]]:
    """Every column, constraint and index of our tables; NOT NULL has a name of its own only since PostgreSQL 18."""
    return rows.execute(
        "SELECT table_name, column_name, data_type, column_default FROM information_schema.columns"
        " WHERE table_schema = 'public' UNION ALL"
        " SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), NULL FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype <> 'n' UNION ALL"
        " SELECT tablename, indexname, indexdef, NULL FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2, 3"
    ).fetchall()


def test_a_row_in_every_state_gets_its_new_name(url: str, older: Rows) -> None:
    command.upgrade(alembic(url), "0005")
    renamed = {"parked": "needs_review"}
    assert awards(older, "possibly_paid") == [
        (f"A-{number}", renamed.get(state, state), flag) for number, (state, flag, _) in enumerate(AWARDS)
    ]
    assert [state for _, state in events(older)] == ["new", "new", "done", "ignored", "needs_review"]
    assert jobs(older) == [
        *[("paying", "pay_award", "todo")] * 3,
        ("members", "refresh_member", "todo"),
        ("members", "refresh_member", "doing"),
    ]
    assert not [line for line in schema(older) if "parked" in str(line) or "doubt" in str(line)]
    for table in ("awards", "webhook_events"):
        with pytest.raises(psycopg.errors.CheckViolation):
            older.execute(f"UPDATE {table} SET state = 'parked'")  # noqa: S608


def test_going_back_leaves_everything_as_it_was(url: str, older: Rows) -> None:
    before, described = everything(older), schema(older)
    command.upgrade(alembic(url), "0005")
    assert schema(older) != described
    command.downgrade(alembic(url), "0004")
    assert (everything(older), schema(older)) == (before, described)


def test_indexes_are_built_again_after_an_attempt_that_was_broken_off(url: str, older: Rows) -> None:
    command.upgrade(alembic(url), "0006")
    before = schema(older)
    for name in ("webhook_events_settled", "redemptions_not_succeeded"):
        older.execute(f"CREATE INDEX {name} ON paces (name)".encode())
    command.upgrade(alembic(url), "head")
    described = schema(older)
    assert not [line for line in described if "_settled" in str(line) and "ON public.paces" in str(line)]
    command.downgrade(alembic(url), "0006")
    assert schema(older) == before
    command.upgrade(alembic(url), "head")
    assert schema(older) == described


# A migration ends with its number, so one that waits for that has done all it does; 0006 leads to one that builds its
# indexes outside of any transaction.
@pytest.mark.parametrize("stage", ["0001", "0002_1", "0002_2", "0004", "0006"])
def test_a_killed_migrate_is_run_again(database: Server, settings: dict[str, str], tmp_path: Path, stage: str) -> None:
    url = empty_database(database, "killed")
    command.upgrade(alembic(url), stage)
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as rows:
        holder.execute("UPDATE alembic_version SET version_num = version_num")
        migrating = begin(settings | {"DATABASE_URL": url}, "migrate", out=tmp_path / "log")
        until(lambda: "UPDATE alembic_version" in waiting(rows))
        migrating.kill()
        migrating.join()
        holder.rollback()
        assert rows.execute("SELECT version_num FROM alembic_version").fetchall() == [(stage,)]
        again = bff(settings | {"DATABASE_URL": url}, "migrate")
        assert (again.returncode, again.stderr) == (0, "")
        described = schema(rows)
    with psycopg.connect(database.url) as reference:
        assert described == schema(reference)


def waiting(rows: Rows) -> str:
    """The statements that wait for a lock."""
    query = "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return " ".join(str(statement) for (statement,) in rows.execute(query).fetchall())


def test_the_service_goes_on_with_what_it_finds(
    url: str, older: Rows, start: Start, work: Work, vendors: Vendors, settings: dict[str, str]
) -> None:
    vendors.control("clock", rate=RATE)
    mine = settings | {"DATABASE_URL": url, "SUBTOTAL_ACTIONS": ACTIONS, **FAST}
    assert bff(mine, "migrate").returncode == 0
    service = start(**mine)
    ella = service.signed_in("ella")
    work(**mine)
    until(lambda: [state for _, state in events(older)] == ["done", "done", "done", "ignored", "needs_review"])
    assert stale(settings) == 1
    until(lambda: [state for _, state, _ in awards(older, "possibly_paid")][:4] == ["paid"] * 4)
    assert [len(awards_of(vendors, persona)) for persona in ("ella", "tara", "zoe", "penny")] == [1, 1, 1, 0]
    assert [one["state"] for one in ella.api("GET", "/me/retailers").json()["awards"]] == ["given"]
    listed = bff(mine, "awards", "list", "--state", "needs_review").stdout
    assert ("needs_review, possibly paid" in listed, "connection.activated" in listed) == (True, True)
    # All but the one that may have been paid.
    assert "To be tried again: 2" in bff(mine, "awards", "replay").stdout
    until(lambda: [state for _, state in events(older)][-1] == "done")
    until(lambda: [state for _, state, _ in awards(older, "possibly_paid")] == [*["paid"] * 5, "needs_review", "paid"])
    assert bff(mine, "awards", "resolve", "A-5", "paid", "--note", "seen in the admin, Kim").returncode == 0
    assert jobs(older) == []


def test_a_job_that_an_old_web_process_adds_during_the_deploy_is_done(
    rows: Rows, start: Start, work: Work, vendors: Vendors, settings: dict[str, str]
) -> None:
    start().signed_in("ella")
    work()
    add_job(
        rows, "default", "freshen_member", add_event(rows, "okendo", "new", customer_event(vendors, "ella")), "todo"
    )
    until(lambda: events(rows) == [("loyalty_customer.update", "done")])
    assert stale(settings) == 1
