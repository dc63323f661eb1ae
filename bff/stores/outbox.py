"""The outbox in PostgreSQL: what shoppers did and the merchant's server is told of, each once, with the job that tells.

States: waiting → delivered | undelivered, and undelivered → waiting when a person has it tried again. An event is
added in the transaction of what it tells of, where that has a row: both are there, or neither. Old ones are deleted by
`retention`. An address that wants no more (410 Gone) is a row of its own until a person has events tried again.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
import psycopg
import structlog

from bff.errors import Problem
from bff.stores.database import Database
from bff.stores.queue import defer, deferring
from bff.tasks import DetachedTasks
from bff.telemetry.logs import cause

EventType = Literal["signed_in", "joined", "redeemed", "coupon_applied", "earned", "referred"]
EventState = Literal["waiting", "delivered", "undelivered"]
# For so long it is tried, and tried again when a person has it tried again.
TRY_SECONDS = 86_400
# Before each further try to store one that has no transaction to be in: as long as a database takes to start anew.
PAUSES = (1, 2, 4, 8, 16)
log = structlog.get_logger("outbox")


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did. `deed` names the row that it is about, so that one deed is never two events; None where there
    is none. `data` is all that is told of it."""

    type: EventType
    customer_id: str
    data: Mapping[str, str | int]
    deed: str | None = None


class OutboundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `message_id` stays the same however often it is sent; `reason` is why it was not delivered."""

    id: int
    message_id: str
    type: EventType
    customer_id: str
    data: dict[str, str | int]
    state: EventState
    reason: str | None
    tries: int
    happened_at: datetime
    changed_at: datetime


class Due(OutboundEvent, frozen=True, kw_only=True):
    """One to be sent; `overdue` when it was tried for long enough, `is_stopped` when the address wants no more."""

    overdue: bool
    is_stopped: bool


INSERT = """
    INSERT INTO outbound_events (message_id, type, deed, customer_id, data, try_until)
    VALUES (%(message_id)s, %(type)s, %(deed)s, %(customer_id)s, %(data)s::jsonb,
        now() + make_interval(secs => %(try_seconds)s))
    ON CONFLICT DO NOTHING
    RETURNING id
"""
ADD = f"WITH new AS ({INSERT}) SELECT {deferring('send_event')} FROM new"  # noqa: S608  # See `deferring`.
COLUMNS = "id, message_id, type, customer_id, data, state, reason, tries, happened_at, changed_at"
FIND = f"""
    SELECT {COLUMNS}, now() >= try_until AS overdue,
        EXISTS (SELECT FROM outbound_stops WHERE address = %(address)s) AS is_stopped
    FROM outbound_events WHERE id = %(id)s AND state = 'waiting'
"""  # noqa: S608  # Our own words.
SETTLE = """
    UPDATE outbound_events SET state = %(state)s, reason = %(reason)s, tries = tries + %(tried)s, changed_at = now()
    WHERE id = %(id)s AND state = 'waiting'
"""
STOP = "INSERT INTO outbound_stops (address) VALUES (%s) ON CONFLICT DO NOTHING"
LISTED = f"""
    SELECT {COLUMNS} FROM outbound_events
    WHERE (state = %(state)s OR %(state)s = 'all' OR (%(state)s::text IS NULL AND state <> 'delivered'))
        AND (%(customer)s::text IS NULL OR customer_id = %(customer)s)
    ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608  # Our own words.
REPLAY = """
    UPDATE outbound_events
    SET state = 'waiting', reason = NULL, tries = 0, changed_at = now(),
        try_until = now() + make_interval(secs => %(try_seconds)s)
    WHERE state = 'undelivered' AND (%(message_id)s::text IS NULL OR message_id = %(message_id)s)
    RETURNING id, message_id
"""
FORGET = "DELETE FROM outbound_events WHERE customer_id = %s"


class Outbox:
    """The table. Besides what `record` says, every method raises Problem `store_unavailable` when PostgreSQL does not
    answer. Without an address (`is_on`) nothing is stored."""

    def __init__(self, database: Database, tasks: DetachedTasks, *, is_on: bool) -> None:
        self._database = database
        self._tasks = tasks
        self._is_on = is_on

    async def add(self, connection: "psycopg.AsyncConnection[Any]", event: NewEvent) -> None:
        """Add it in the caller's transaction, unless it is there already."""
        if self._is_on:
            await connection.execute(ADD.encode(), _values(event))

    def record(self, event: NewEvent) -> None:
        """Add what has no row of its own, beside the request that did it: nobody waits for it, nothing fails by it, and
        a database that is away for less than half a minute loses nothing."""
        if self._is_on:
            self._tasks.start(self._record(event))

    async def _record(self, event: NewEvent) -> None:
        values = _values(event)
        for pause in (*PAUSES, None):
            try:
                async with self._database.connection(values, ADD):
                    return
            except (Problem, psycopg.Error) as error:
                why = error.__cause__ or error
                # What is wrong with the statement or its rights stays so; a database that is away comes back.
                if pause is None or isinstance(why, psycopg.ProgrammingError):
                    log.error("event_lost", what=event.type, **cause(why))
                    return
            try:
                await asyncio.sleep(pause)
            except asyncio.CancelledError:
                log.error("event_lost", what=event.type, failure="the process ended")
                raise

    async def find(self, number: int, address: str) -> Due | None:
        """This event, if it is to be sent to this address."""
        async with self._database.rows_of(Due) as cursor:
            values = {"id": number, "address": digest_of(address)}
            return await (await cursor.execute(FIND.encode(), values)).fetchone()

    async def settle(self, event: Due, state: EventState, reason: str | None = None, *, tried: bool = True) -> None:
        """Write what came of a try; `waiting` is to be tried again."""
        values = {"id": event.id, "state": state, "reason": reason, "tried": int(tried)}
        async with self._database.connection() as connection:
            await connection.execute(SETTLE, values)

    async def stop(self, address: str) -> None:
        """This address is told nothing more, until events are tried again."""
        async with self._database.connection() as connection:
            await connection.execute(STOP, (digest_of(address),))

    async def listed(self, *, state: str | None, customer_id: str | None, limit: int) -> list[OutboundEvent]:
        """The latest, newest first; without a state those that are not delivered."""
        async with self._database.rows_of(OutboundEvent) as cursor:
            values = {"state": state, "customer": customer_id, "limit": limit}
            return await (await cursor.execute(LISTED.encode(), values)).fetchall()

    async def replay(self, message_id: str | None) -> list[str]:
        """Try what was not delivered again, the one of that id or all, whatever its address has said; returns their
        ids."""
        values = {"message_id": message_id, "try_seconds": TRY_SECONDS}
        async with self._database.connection() as connection:
            await connection.execute("DELETE FROM outbound_stops")
            rows = await (await connection.execute(REPLAY, values)).fetchall()
            for number, _ in rows:
                await defer(connection, "send_event", number)
            return [found for _, found in rows]

    async def forget(self, customer_id: str) -> int:
        """Delete the customer's events, those that wait with them; returns how many."""
        async with self._database.connection() as connection:
            return (await connection.execute(FORGET, (customer_id,))).rowcount


def digest_of(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()


def _values(event: NewEvent) -> dict[str, Any]:
    return msgspec.structs.asdict(event) | {
        "message_id": f"msg_{secrets.token_hex(16)}",
        "data": msgspec.json.encode(event.data).decode(),
        "try_seconds": TRY_SECONDS,
    }
