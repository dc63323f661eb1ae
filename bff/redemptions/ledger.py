"""The redemption ledger in PostgreSQL: every intent to spend points, written before the vendor is told.

States: reserved → sent → succeeded | failed | unknown, and unknown → succeeded | failed once somebody found out.
Lines are kept for two years at least.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec
import psycopg

from bff.errors import Problem
from bff.redemptions import statements
from bff.stores.database import Database, new_reference
from bff.stores.queue import defer, run_now
from bff.telemetry.metrics import count_redemption

LedgerState = Literal["reserved", "sent", "succeeded", "failed", "unknown"]
Settled = Literal["succeeded", "failed", "unknown"]
# No redemption stays open longer than its vendor call may take; after this its process must have died.
STALE_SECONDS = 60


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What a member asked for, and what the vendor said of it at that moment. `fingerprint` tells a replay of the
    same request from another request under the same key. `newest_transaction` is the latest in the member's history
    before anything was sent: "" when there was none, None when the vendor would not tell. `session` names the sign-in
    (the place of its record, not its id), `credentials` are sealed."""

    customer_id: str
    key: str
    fingerprint: str
    reward_id: str
    reward_name: str
    points: int
    balance_seen: int
    newest_transaction: str | None
    session: str
    credentials: bytes | None
    request_id: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a redemption ended; `reason` is an error code of ours when it failed. `retry_after_seconds` is what a busy
    vendor asked for: it is told to whoever is waiting, and not kept."""

    state: Settled
    transaction_id: str | None = None
    coupon_code: str | None = None
    coupon_description: str | None = None
    coupon_expires_at: datetime | None = None
    store_credit: str | None = None
    currency: str | None = None
    reason: str | None = None
    retry_after_seconds: int | None = None


class Entry(Intent, frozen=True, kw_only=True):
    """One line of the ledger. `check_until` is there while an unknown outcome is still looked for."""

    id: int
    state: LedgerState
    transaction_id: str | None
    coupon_code: str | None
    coupon_description: str | None
    coupon_expires_at: datetime | None
    store_credit: str | None
    currency: str | None
    reason: str | None
    note: str | None
    support_reference: str
    created_at: datetime
    changed_at: datetime
    sent_at: datetime | None
    check_until: datetime | None
    retry_after_seconds: int | None = None


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """A redemption that stands in the way of another one of the same reward; `checking` while its end is looked for."""

    key: str
    checking: bool


class Ledger:
    """The table. Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, *, check_seconds: float) -> None:
        self._database = database
        self._times = {"check_seconds": check_seconds, "stale_seconds": STALE_SECONDS}

    async def reserve(self, intent: Intent) -> tuple[Entry, bool]:
        """Write the intent down before the vendor is told. Returns the entry and whether it is new.

        Raises Problem `request_in_progress` while another redemption of this member is open.
        """
        async with self._database.rows_of(Entry) as cursor:
            await self._settle_stale(cursor, customer_id=intent.customer_id)
            values = msgspec.structs.asdict(intent) | {"support_reference": new_reference("R")}
            entry: Entry | None = await (await cursor.execute(statements.INSERT_INTENT, values)).fetchone()
            if entry is not None:
                # If this process dies on the way, somebody else finds the line.
                await defer(cursor.connection, "rescue_redemption", entry.id, seconds=STALE_SECONDS + 1)
                return entry, True
        existing = await self.find(intent.customer_id, intent.key)
        if existing is None:
            raise Problem("request_in_progress", "Another reward is being redeemed right now.", retry_after_seconds=2)
        return existing, False

    async def find(self, customer_id: str, key: str) -> Entry | None:
        """The customer's own entry under this key; a stale open one is settled first."""
        async with self._database.rows_of(Entry) as cursor:
            await self._settle_stale(cursor, customer_id=customer_id)
            await cursor.execute(statements.FIND, (customer_id, key))
            return await cursor.fetchone()

    async def recent(self, customer_id: str, reward_id: str, since: float) -> Recent | None:
        """The latest redemption of this reward that is still being checked, or that did not fail, is at most five
        minutes old, and was made after `since` (Unix seconds)."""
        async with self._database.rows_of(Recent) as cursor:
            return await (await cursor.execute(statements.RECENT, (customer_id, reward_id, since))).fetchone()

    async def mark_sent(self, entry: Entry) -> bool:
        """The last step before the vendor is told, and the fence: False when somebody else has settled the entry
        meanwhile, and then it must not be sent."""
        async with self._database.connection() as connection:
            marked = await connection.execute(statements.MARK_SENT, (entry.id,))
            return marked.rowcount == 1

    async def settle(self, entry: Entry, outcome: Outcome) -> Entry:
        """Write how it ended. A clear end is never overwritten, but for a failure that was only concluded; what stands
        in the ledger is returned.

        With an unknown end a job is committed that finds out.
        """
        async with self._database.rows_of(Entry) as cursor:
            await one_at_a_time(cursor.connection, entry.customer_id)
            values = msgspec.structs.asdict(outcome) | self._times | {"id": entry.id}
            settled: Entry | None = await (await cursor.execute(statements.SETTLE, values)).fetchone()
            if settled is not None and settled.state == "unknown":
                await run_now(cursor.connection, "check_redemption", entry.id)
        if settled is not None:
            count_redemption(settled.state)
        return settled or await self.find(entry.customer_id, entry.key) or entry

    async def rescue(self, number: int) -> bool:
        """Settle this line if its process must have died; returns whether it is open no more."""
        async with self._database.rows_of(Entry) as cursor:
            await self._settle_stale(cursor, number=number)
            found = await cursor.execute(statements.FIND_OPEN, (number,))
            return await found.fetchone() is None

    async def listed(self, *, state: str | None, customer_id: str | None, limit: int) -> list[Entry]:
        """The latest lines, newest first."""
        async with self._database.rows_of(Entry) as cursor:
            values = {"state": state, "customer": customer_id, "limit": limit}
            return await (await cursor.execute(statements.LISTED, values)).fetchall()

    async def forget(self, customer_id: str) -> tuple[int, int]:
        """Delete lines that were never sent and what the others need not keep; returns how many went and stay.

        Raises Problem `request_in_progress` while a redemption is open, since its end would be written afterwards.
        """
        async with self._database.rows_of(Entry) as cursor:
            await one_at_a_time(cursor.connection, customer_id)
            await self._settle_stale(cursor, customer_id=customer_id)
            under_way = await cursor.execute(statements.FIND_OPEN_OF, (customer_id,))
            if await under_way.fetchone() is not None:
                raise Problem(
                    "request_in_progress", "A redemption of this member is under way. Run this again in a minute."
                )
            gone = await cursor.connection.execute(statements.DELETE_UNSENT, (customer_id,))
            kept = await cursor.connection.execute(statements.FORGET, (customer_id,))
            return gone.rowcount, kept.rowcount

    async def _settle_stale(
        self, cursor: "psycopg.AsyncCursor[Any]", *, customer_id: str | None = None, number: int | None = None
    ) -> None:
        values = {"customer_id": customer_id, "id": number} | self._times
        for entry in await (await cursor.execute(statements.SETTLE_STALE, values)).fetchall():
            if entry.state == "unknown":
                await defer(cursor.connection, "check_redemption", entry.id)


async def one_at_a_time(connection: "psycopg.AsyncConnection[Any]", customer_id: str) -> None:
    """Wait until nobody else writes down how this member's redemptions ended, and let nobody until the commit."""
    await connection.execute(statements.LOCK_MEMBER, (customer_id,))
