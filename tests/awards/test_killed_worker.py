"""The worker is killed in the middle of paying, again and again: what Okendo gave is never given twice."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.kill_schedules import Process
from support.services import Service, Start, Vendors
from support.subtotal_events import ACTIONS, FAST, RATE, awards_of, bought, connection_of, deliver, linked

from awards.test_payments import settled, states

PURCHASES = 45
KILLS = 5
PERSONAS = ("ella", "penny", "zoe")


@pytest.fixture
def service(start: Start, vendors: Vendors) -> Service:
    vendors.control("clock", rate=RATE)
    return start(SUBTOTAL_ACTIONS=ACTIONS, **FAST)


@pytest.fixture
def worker(service: Service, tmp_path: Path) -> Iterator[Process]:
    process = Process(service.settings, "worker", tmp_path / "worker.log")
    yield process
    process.kill()


def thought_dead(rows: Rows) -> None:
    """Nobody has heard of any worker for an hour, and whatever was put off is due."""
    rows.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'")
    rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


def given(vendors: Vendors) -> Counter[tuple[str, str, str]]:
    return Counter(
        (persona, award["rule"], str(award["value"])) for persona in PERSONAS for award in awards_of(vendors, persona)
    )


def test_K9_a_worker_killed_at_any_moment_pays_nothing_twice_and_loses_nothing(
    service: Service, worker: Process, vendors: Vendors, rows: Rows
) -> None:
    draw = random.Random(7)  # noqa: S311  # It is to be repeated.
    connections = {persona: connection_of(vendors, persona) for persona in PERSONAS}
    for connection in connections.values():
        deliver(service, linked(connection))
    for number in range(PURCHASES):
        deliver(service, bought(connections[PERSONAS[number % 3]], f"{number + 1}.00"))
    everything = PURCHASES + len(PERSONAS)
    for _ in range(KILLS):
        worker.start()
        thought_dead(rows)
        goal = min(sum(given(vendors).values()) + draw.randrange(1, 6), everything - 3)
        until(lambda goal=goal: sum(given(vendors).values()) >= goal, 30)  # type: ignore[misc]
        worker.kill()
        assert max(given(vendors).values()) == 1
    worker.start()
    thought_dead(rows)

    def so() -> bool:
        rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
        return settled(rows) and len(states(rows)) == everything

    until(so, 120)
    assert max(given(vendors).values()) == 1
    # What was under way when the worker died is known from the balance, or left to a person who can see that much.
    paid, to_review = states(rows).count("paid"), states(rows).count("needs_review")
    possibly_paid = rows.execute(
        "SELECT count(*) FROM awards WHERE state = 'needs_review' AND possibly_paid"
    ).fetchone()
    assert possibly_paid == (to_review,)
    assert paid <= sum(given(vendors).values()) <= paid + to_review
    assert to_review <= KILLS
