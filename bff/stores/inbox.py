"""The webhook inbox in PostgreSQL: every event that came in, stored once, together with the job that handles it.

States: new → done | ignored | needs_review, and needs_review → new when a person has it tried again. Old ones are
deleted by `retention`; nobody else writes to this table. Who settles an event in a transaction of their own calls
`settle_in`.
"""

from datetime import datetime
from typing import Any, Literal, get_args

import msgspec
import psycopg
import structlog

from bff.stores.database import Database
from bff.stores.queue import Task, defer, deferring

Vendor = Literal["subtotal", "okendo", "shopify"]
Settled = Literal["done", "ignored", "needs_review"]
log = structlog.get_logger("inbox")


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook whose signature holds. `event_id` is the vendor's name for it, `digest` that of its `body`; `resource`
    and `sequence` are what a vendor orders its events by."""

    vendor: Vendor
    event_id: str
    type: str
    digest: str
    body: bytes
    customer_id: str | None = None
    resource: str | None = None
    sequence: int | None = None
    is_simulated: bool = False


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is not settled; `overdue` when it has been tried for long enough."""

    id: int
    type: str
    body: bytes
    received_at: datetime
    is_simulated: bool
    overdue: bool
    seconds_since: float


class EventToReview(msgspec.Struct, frozen=True, kw_only=True):
    """An event that waits for a person, for the list."""

    event_id: str
    type: str
    reason: str | None
    received_at: datetime


INSERT = """
    INSERT INTO webhook_events
        (vendor, event_id, type, digest, body, customer_id, resource, sequence, is_simulated, try_until)
    VALUES (%(vendor)s, %(event_id)s, %(type)s, %(digest)s, %(body)s, %(customer_id)s, %(resource)s, %(sequence)s,
        %(is_simulated)s, now() + make_interval(secs => %(retry_seconds)s))
    ON CONFLICT (vendor, event_id) DO NOTHING
    RETURNING id
"""
STORE = {
    task: f"WITH new AS ({INSERT}) SELECT {deferring(task)} FROM new"  # noqa: S608  # See `deferring`.
    for task in get_args(Task)
}
FIND_DIGEST = "SELECT digest FROM webhook_events WHERE vendor = %(vendor)s AND event_id = %(event_id)s"
FIND = """
    SELECT id, type, body, received_at, is_simulated, now() >= try_until AS overdue,
        extract(epoch FROM now() - received_at)::float8 AS seconds_since
    FROM webhook_events WHERE id = %s AND state = 'new' AND body IS NOT NULL
"""
# An event that is done needs no body any more, and the body holds personal data.
SETTLE = """
    UPDATE webhook_events
    SET state = %(state)s, reason = %(reason)s, body = CASE %(state)s WHEN 'done' THEN NULL ELSE body END
    WHERE id = %(id)s AND state = 'new'
"""
IS_LATEST = """
    SELECT NOT EXISTS (
        SELECT FROM webhook_events AS later
        WHERE later.resource = event.resource AND later.type = event.type AND later.sequence > event.sequence)
    FROM webhook_events AS event WHERE id = %s
"""
TO_REVIEW = """
    SELECT event_id, type, reason, received_at FROM webhook_events WHERE state = 'needs_review'
    ORDER BY id DESC LIMIT %s
"""
REPLAY = """
    UPDATE webhook_events
    SET state = 'new', reason = NULL, try_until = now() + make_interval(secs => %(retry_seconds)s)
    WHERE vendor = 'subtotal' AND state = 'needs_review' AND body IS NOT NULL
        AND (%(event_id)s::text IS NULL OR event_id = %(event_id)s)
    RETURNING id, event_id
"""
# Only what may pay: to ask about a member again, or to forget one again, does no harm.
DOUBT = "UPDATE webhook_events SET state = 'needs_review', reason = %s WHERE vendor = 'subtotal' AND state = 'new'"
# The ids stay, so that the same events are not taken for new ones.
FORGET = "UPDATE webhook_events SET body = NULL, state = 'ignored' WHERE customer_id = %s AND body IS NOT NULL"


class Inbox:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, *, retry_seconds: float) -> None:
        self._database = database
        self._retry_seconds = retry_seconds

    async def store(self, arrival: Arrival, task: Task) -> bool:
        """Store an event together with a job for `task`; False when it is stored already."""
        async with self._database.connection() as connection:
            values = msgspec.structs.asdict(arrival) | {"retry_seconds": self._retry_seconds}
            if await (await connection.execute(STORE[task].encode(), values)).fetchone() is not None:
                return True
            known = await connection.execute(FIND_DIGEST, values)
            if await known.fetchone() != (arrival.digest,):
                log.warning("webhook_differs", vendor=arrival.vendor, what=arrival.type)
            return False

    async def find(self, number: int) -> Stored | None:
        """This event, if it is not settled."""
        async with self._database.rows_of(Stored) as cursor:
            return await (await cursor.execute(FIND, (number,))).fetchone()

    async def settle(self, number: int, state: Settled, reason: str | None = None) -> None:
        async with self._database.connection() as connection:
            await settle_in(connection, number, state, reason)

    async def is_latest(self, number: int) -> bool:
        """Whether no later event of the same kind about the same thing is here."""
        async with self._database.connection() as connection:
            row = await (await connection.execute(IS_LATEST, (number,))).fetchone()
            return bool(row and row[0])

    async def to_review(self, limit: int) -> list[EventToReview]:
        """Events that wait for a person, newest first."""
        async with self._database.rows_of(EventToReview) as cursor:
            return await (await cursor.execute(TO_REVIEW, (limit,))).fetchall()

    async def replay(self, event_id: str | None) -> list[str]:
        """Try events that need review again, the one of that id or all; returns their ids."""
        values = {"event_id": event_id, "retry_seconds": self._retry_seconds}
        async with self._database.connection() as connection:
            rows = await (await connection.execute(REPLAY, values)).fetchall()
            for number, _ in rows:
                await defer(connection, "take_event", number)
            return [found for _, found in rows]

    async def doubt_all(self, reason: str) -> int:
        """The database was restored from a backup: what is new there may have been taken since. Returns how many events
        wait for a person now."""
        async with self._database.connection() as connection:
            return (await connection.execute(DOUBT, (reason,))).rowcount

    async def forget(self, customer_id: str) -> int:
        """Delete the bodies of the customer's events; returns how many."""
        async with self._database.connection() as connection:
            return (await connection.execute(FORGET, (customer_id,))).rowcount


async def settle_in(
    connection: "psycopg.AsyncConnection[Any]", number: int, state: Settled, reason: str | None = None
) -> None:
    """Settle an event in the caller's transaction, if it is not settled yet."""
    await connection.execute(SETTLE, {"id": number, "state": state, "reason": reason})
