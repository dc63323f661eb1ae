"""The job queue: a job is committed together with the row it is about, or not at all.

The queue is Procrastinate's, in the same PostgreSQL as the rows. Here is only what is needed to put something into
it; what is done with it is in `jobs`. https://procrastinate.readthedocs.io
"""

from typing import Literal

import psycopg
from procrastinate import App, PsycopgConnector

Task = Literal["check_redemption", "rescue_redemption"]

# It has no connection of its own: everything goes into the caller's transaction.
_QUEUE = App(connector=PsycopgConnector())


async def defer(connection: "psycopg.AsyncConnection[object]", task: Task, row: int, *, seconds: int = 0) -> None:
    """Have `task` done for the row of that number, `seconds` from now, if the transaction of `connection` commits."""
    later = {"seconds": seconds} if seconds else None
    await _QUEUE.configure_task(task, connection=connection, schedule_in=later).defer_async(row=row)
