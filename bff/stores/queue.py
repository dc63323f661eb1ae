"""The job queue: a job is committed together with the row it is about, or not at all.

The queue is Procrastinate's, in the same PostgreSQL as the rows. Here is only what is needed to put something into
it; `worker` does the jobs. https://procrastinate.readthedocs.io
"""

from typing import Any, Literal

import psycopg

Task = Literal[
    "check_redemption", "rescue_redemption", "take_event", "refresh_member", "pay_award", "take_request", "send_event"
]  # fmt: skip
# Paying keeps a slow pace; in a queue of its own it holds nothing else up.
PAYING = "paying"
# A worker fails a task that it does not know, for good. A task with a new name goes into a queue that older workers do
# not read, so that it waits until the deploy has replaced them (migration 0005).
MEMBERS = "members"
REQUESTS = "requests"
EVENTS = "events"
QUEUES: dict[Task, str] = {
    "take_event": PAYING,
    "pay_award": PAYING,
    "refresh_member": MEMBERS,
    "take_request": REQUESTS,
    "send_event": EVENTS,
}
# Events are handled before awards are paid, so that shoppers soon see which points are coming.
PRIORITIES: dict[Task, int] = {"take_event": 1}
RUN_NOW = """
    UPDATE procrastinate_jobs SET scheduled_at = now()
    WHERE task_name = %s AND (args ->> 'row')::bigint = %s AND status IN ('todo', 'doing')
"""
# What Procrastinate does itself; without it, since a web process would load it for this alone.
DEFER = """
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW(%s::text, %s::text, %s::int, %s::text, NULL, jsonb_build_object('row', %s::bigint), NULL)
    ]::procrastinate_job_to_defer_v1[])
"""


async def defer(connection: "psycopg.AsyncConnection[Any]", task: Task, row: int, *, lock: str | None = None) -> None:
    """Have `task` done for the row of that number, if the transaction of `connection` commits.

    Jobs with the same `lock` are done one after the other, in this order.
    """
    await connection.execute(DEFER, (QUEUES.get(task, "default"), task, PRIORITIES.get(task, 0), lock, row))


def deferring(task: Task, *, seconds: int = 0) -> str:
    """The same in SQL, for the `id` of each row that a statement finds. Of constants alone, so nobody can add to it."""
    job = f"'{QUEUES.get(task, 'default')}', '{task}', {PRIORITIES.get(task, 0)}, NULL, NULL"
    at = f"now() + interval '{seconds} seconds'" if seconds else "NULL"
    row = f"ROW({job}, jsonb_build_object('row', id), {at})"
    return f"procrastinate_defer_jobs_v1(ARRAY[{row}::procrastinate_job_to_defer_v1])"


async def run_now(connection: "psycopg.AsyncConnection[Any]", task: Task, row: int) -> None:
    """Have `task` done at once: by the job that waits or runs for this row, by a new one only if there is none."""
    waiting = await connection.execute(RUN_NOW, (task, row))
    if waiting.rowcount == 0:
        await defer(connection, task, row)
