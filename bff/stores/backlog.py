"""What waits in PostgreSQL: jobs that are due, unknown outcomes, rows for a person, and whether a worker lives.

Few rows are read for each number, whatever the tables hold: indexes of their own have what is not settled, and the
worker deletes the jobs that it has done. A worker's sign of life is Procrastinate's own, every ten seconds; a worker
that stops as it should takes its row with it.
"""

from typing import Any

import msgspec
import psycopg
from psycopg.rows import class_row, dict_row

from bff.stores.queue import EVENTS, MEMBERS, PAYING, REQUESTS

QUEUES = ("default", MEMBERS, PAYING, REQUESTS, EVENTS)
# A worker that has shown no sign of life for so long is dead.
HEARTBEAT_SECONDS = 60
# The lowest number of those that were to be done at once is the oldest, so one event is looked up for each queue.
DUE = """
    SELECT due.queue_name AS queue, due.jobs,
        greatest(extract(epoch FROM now() - least(due.scheduled_at, event.at)), 0)::float8 AS oldest_seconds
    FROM (
        SELECT queue_name, count(*) AS jobs, min(scheduled_at) AS scheduled_at,
            min(id) FILTER (WHERE scheduled_at IS NULL) AS first
        FROM procrastinate_jobs
        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
        GROUP BY queue_name
    ) AS due
    LEFT JOIN LATERAL (
        SELECT min(at) AS at FROM procrastinate_events WHERE job_id = due.first AND type = 'deferred'
    ) AS event ON true
"""
OTHERS = """
    SELECT
        (SELECT extract(epoch FROM max(last_heartbeat))::float8 FROM procrastinate_workers) AS worker_seen_at,
        (SELECT extract(epoch FROM now() - max(last_heartbeat))::float8 FROM procrastinate_workers)
            AS worker_silent_seconds,
        (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed') AS jobs_failed,
        (SELECT count(*) FROM awards WHERE state = 'needs_review') AS awards_to_review,
        (SELECT count(*) FROM webhook_events WHERE state = 'needs_review') AS events_to_review,
        (SELECT count(*) FROM member_requests WHERE state = 'waiting') AS requests_to_close,
        outbound.*, unknown.*
    FROM (
        SELECT count(*) FILTER (WHERE check_until IS NOT NULL) AS redemptions_checked,
            count(*) FILTER (WHERE check_until IS NULL) AS redemptions_to_resolve,
            coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest_redemption_seconds
        FROM redemptions WHERE state = 'unknown'
    ) AS unknown, (
        SELECT count(*) FILTER (WHERE state = 'waiting') AS outbound_waiting,
            count(*) FILTER (WHERE state = 'undelivered') AS outbound_undelivered,
            coalesce(extract(epoch FROM now() - min(happened_at) FILTER (WHERE state = 'waiting')), 0)::float8
                AS outbound_oldest_seconds
        FROM outbound_events WHERE state <> 'delivered'
    ) AS outbound
"""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of a queue that could be done now, and for how long the oldest of them could."""

    queue: str
    jobs: int = 0
    oldest_seconds: float = 0.0


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, by PostgreSQL's clock. A `worker_seen_at` (Unix seconds) of None: no worker is there at all.

    Unknown redemptions are `checked` while the worker still looks for their outcome, and then `to_resolve` by a person.
    Outbound events are `undelivered` when they have been tried for long enough, and then wait for a person.
    """

    due: tuple[Due, ...]
    worker_seen_at: float | None
    worker_silent_seconds: float | None
    jobs_failed: int
    awards_to_review: int
    events_to_review: int
    requests_to_close: int
    redemptions_checked: int
    redemptions_to_resolve: int
    oldest_redemption_seconds: float
    outbound_waiting: int
    outbound_undelivered: int
    outbound_oldest_seconds: float

    @property
    def worker_lives(self) -> bool:
        return self.worker_silent_seconds is not None and self.worker_silent_seconds < HEARTBEAT_SECONDS


async def read_backlog(connection: "psycopg.AsyncConnection[Any]") -> Backlog:
    """Two questions in the caller's transaction; raises psycopg.Error."""
    async with connection.cursor(row_factory=class_row(Due)) as cursor:
        due = {row.queue: row for row in await (await cursor.execute(DUE)).fetchall()}
    async with connection.cursor(row_factory=dict_row) as cursor:
        others = await (await cursor.execute(OTHERS)).fetchone() or {}
    # A queue in which nothing waits is there all the same, and so is one of another version.
    queues = dict.fromkeys([*QUEUES, *due])
    return Backlog(due=tuple(due.get(queue, Due(queue=queue)) for queue in queues), **others)
