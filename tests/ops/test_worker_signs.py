"""The doctor tells a worker that is dead from one that has nothing to do, and from one that does not keep up."""

import json

import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.processes import bff
from support.services import Service, Start, Vendors, Work
from support.subtotal_events import ACTIONS, bought, connection_of, deliver


def worker(settings: dict[str, str]) -> tuple[str, str]:
    """The doctor's verdict on the worker, and what it says."""
    checks = json.loads(bff(settings, "doctor", "--json").stdout)["checks"]
    [found] = [check for check in checks if check["name"] == "worker"]
    return found["verdict"], found["detail"]


def is_there(rows: Rows) -> bool:
    return rows.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (3,)


@pytest.fixture
def earning(start: Start) -> Service:
    return start(SUBTOTAL_ACTIONS=ACTIONS)


def test_a_worker_that_lives_and_keeps_up_is_fine(settings: dict[str, str], work: Work, rows: Rows) -> None:
    work()
    until(lambda: is_there(rows))
    assert worker(settings) == ("ok", "is alive, and no job is late")


def test_a_worker_that_was_stopped_or_never_began_is_missed(settings: dict[str, str]) -> None:
    assert worker(settings) == ("warn", "none runs")


def test_a_dead_worker_is_a_failure_as_soon_as_something_waits_for_it(
    settings: dict[str, str], earning: Service, vendors: Vendors, rows: Rows
) -> None:
    rows.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '5 minutes')")
    assert worker(settings) == ("warn", "is dead: its last sign of life was 5 minutes ago")
    assert deliver(earning, bought(connection_of(vendors, "ella"), "9.00")).status_code == 204
    verdict, detail = worker(settings)
    assert (verdict, detail.partition(", ")[2]) == ("fail", "and 1 jobs wait for one")


@pytest.mark.parametrize("since", ["deferred", "scheduled"])
def test_a_worker_that_does_not_keep_up_is_told_with_its_queue(
    settings: dict[str, str], earning: Service, vendors: Vendors, rows: Rows, since: str
) -> None:
    """Both a job that was to be done at once and one that was put off count from when they could be done."""
    assert deliver(earning, bought(connection_of(vendors, "ella"), "9.00")).status_code == 204
    rows.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert worker(settings)[0] == "ok"
    if since == "deferred":
        rows.execute("UPDATE procrastinate_events SET at = now() - interval '20 minutes'")
    else:
        rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '20 minutes'")
    assert worker(settings) == ("warn", "is alive and late: 1 jobs wait, the oldest for 20 minutes (paying)")


def test_a_job_that_was_put_off_is_not_waited_for_yet(
    settings: dict[str, str], earning: Service, vendors: Vendors, rows: Rows
) -> None:
    assert deliver(earning, bought(connection_of(vendors, "ella"), "9.00")).status_code == 204
    rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '1 hour'")
    rows.execute("UPDATE procrastinate_events SET at = now() - interval '1 hour'")
    assert worker(settings) == ("warn", "none runs")
