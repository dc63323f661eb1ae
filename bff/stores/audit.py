"""The trail in PostgreSQL of what people have changed by hand. Lines are only added, the database refuses the rest.

A line names no customer: `target` is the reference of a row, an event's id, or a keyed hash of the customer, so that
nothing has to be deleted from it when a member is forgotten (docs/decisions/audit.md).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from bff.stores.database import Database


class NewLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to what, why, and what of it was so before and is so after."""

    who: str
    action: str
    target: str
    why: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class Line(NewLine, frozen=True, kw_only=True):
    id: int
    at: datetime


INSERT = """
    INSERT INTO audit (who, action, target, why, before, after)
    VALUES (%(who)s, %(action)s, %(target)s, %(why)s, %(before)s, %(after)s)
"""
LISTED = """
    SELECT * FROM audit
    WHERE (%(by)s::text IS NULL OR who = %(by)s)
        AND (%(action)s::text IS NULL OR action = %(action)s)
        AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
        AND (%(targets)s::text[] IS NULL OR target = ANY(%(targets)s))
    ORDER BY id DESC LIMIT %(limit)s
"""


class Audit:
    """The table. Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, line: NewLine) -> None:
        """Add a line: within `Database.together`, if and only if what it tells of is committed too."""
        values = msgspec.structs.asdict(line) | {"before": _json(line.before), "after": _json(line.after)}
        async with self._database.connection() as connection:
            await connection.execute(INSERT, values)

    async def listed(
        self,
        *,
        by: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        targets: Sequence[str] | None = None,
        limit: int,
    ) -> list[Line]:
        """The latest lines, newest first; of these targets only, if they are given."""
        chosen = {"by": by, "action": action, "since": since, "targets": targets, "limit": limit}
        async with self._database.rows_of(Line) as cursor:
            return await (await cursor.execute(LISTED, chosen)).fetchall()


def _json(value: Mapping[str, Any] | None) -> Jsonb | None:
    return None if value is None else Jsonb(dict(value))
