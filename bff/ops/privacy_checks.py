"""Whether customers' requests wait for a person, and for how long they may (GDPR Art. 12(3): a month)."""

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import class_row

from bff.ops.report import Check
from bff.privacy.requests import WAITING, Waiting

REMEDY = "See `members requests`: export what is held, pass it on, then `members close`."


async def check_requests(connection: "AsyncConnection[Any]") -> list[Check]:
    """A line if any waits; past its time it is a failure."""
    async with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        waiting: Waiting | None = await (await cursor.execute(WAITING)).fetchone()
    if waiting is None or waiting.first_due_at is None:
        return []
    if waiting.overdue:
        detail = f"{waiting.overdue} of {waiting.count} are past their time, {waiting.first_due_at:%Y-%m-%d}"
        return [Check("stores", "customers' requests", "fail", detail, REMEDY)]
    detail = f"{waiting.count} wait for a person, the first until {waiting.first_due_at:%Y-%m-%d}"
    return [Check("stores", "customers' requests", "warn", detail, REMEDY)]
