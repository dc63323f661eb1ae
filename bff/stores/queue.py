"""The job queue: a job is committed together with the row it is about, or not at all.

The queue is Procrastinate's, in the same PostgreSQL as the rows. Here is only what is needed to put something into
it; `worker` does the jobs. https://procrastinate.readthedocs.io
"""

from typing import Any, Literal

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException

Task = Literal["check_redemption", "rescue_redemption", "take_event", "refresh_member", "pay_award"]
# Paying keeps a slow pace; in a queue of its own it holds nothing else up.
PAYING = "paying"
# A worker fails a task that it does not know, for good. A task with a new name goes into a queue that older workers do
# not read, so that it waits until the deploy has replaced them (migration 0005).
MEMBERS = "members"
QUEUES: dict[Task, str] = {"take_event": PAYING, "pay_award": PAYING, "refresh_member": MEMBERS}
# Events are handled before awards are paid, so that shoppers soon see which points are coming.
PRIORITIES: dict[Task, int] = {"take_event": 1}
RUN_NOW = """
    UPDATE procrastinate_jobs SET scheduled_at = now()
    WHERE task_name = %s AND (args ->> 'row')::bigint = %s AND status IN ('todo', 'doing')
"""
# It has no connection of its own: everything goes into the caller's transaction.
_QUEUE = App(connector=PsycopgConnector())


async def defer(
    connection: "psycopg.AsyncConnection[Any]", task: Task, row: int, *, seconds: int = 0, lock: str | None = None
) -> None:
    """Have `task` done for the row of that number, `seconds` from now, if the transaction of `connection` commits.

    Jobs with the same `lock` are done one after the other, in this order.
    """
    job = _QUEUE.configure_task(
        task,
        connection=connection,
        schedule_in={"seconds": seconds} if seconds else None,
        lock=lock,
        queue=QUEUES.get(task, "default"),
        priority=PRIORITIES.get(task, 0),
    )
    try:
        await job.defer_async(row=row)
    except ConnectorException as error:
        # It is the caller's transaction, so it is the caller who knows what the driver's own error means.
        raise error.__cause__ or error from None


async def run_now(connection: "psycopg.AsyncConnection[Any]", task: Task, row: int) -> None:
    """Have `task` done at once: by the job that waits or runs for this row, by a new one only if there is none."""
    waiting = await connection.execute(RUN_NOW, (task, row))
    if waiting.rowcount == 0:
        await defer(connection, task, row)
