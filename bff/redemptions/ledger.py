"""The redemption ledger in PostgreSQL: every intent to spend points, written before it is sent to the vendor.

States: reserved → sent → succeeded | failed | unknown, and unknown → succeeded | failed after reconciliation; all
transitions are drawn in `statements`. Entries are kept for two years at least.
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
# A vendor call takes less than this, so the process of a redemption that is open for longer must have died.
STALE_SECONDS = 60


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What a member asked for, and what the vendor said of it at that moment. `fingerprint` tells a replay of the
    same request from another request under the same key. `newest_transaction` is the latest in the member's history
    before anything was sent: "" when there was none, None when the vendor has no history for us. `session` is the key
    of the sign-in's record (not the session id), `credentials` are sealed."""

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
    vendor asked for: it is returned to the client and not stored."""

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
    """One row of the ledger. `check_until` is set while the worker still tries to reconcile an unknown outcome."""

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
    """A redemption because of which the same reward should not be redeemed again; `checking` while it is reconciled."""

    key: str
    checking: bool


class Ledger:
    """The table. Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, *, check_seconds: float) -> None:
        self._database = database
        self._times = {"check_seconds": check_seconds, "stale_seconds": STALE_SECONDS}

    async def reserve(self, intent: Intent) -> tuple[Entry, bool]:
        """Write the intent before it is sent. Returns the entry and whether it is new.

        Raises Problem `request_in_progress` while another redemption of this member is open.
        """
        async with self._database.rows_of(Entry) as cursor:
            await self._settle_stale(cursor, customer_id=intent.customer_id)
            values = msgspec.structs.asdict(intent) | {"support_reference": new_reference("R")}
            entry: Entry | None = await (await cursor.execute(statements.INSERT_INTENT, values)).fetchone()
            if entry is not None:
                # If this process dies, the job settles the entry.
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
        """The latest redemption of this reward that is being reconciled, or that did not fail, is at most five minutes
        old, and was made after `since` (Unix seconds)."""
        async with self._database.rows_of(Recent) as cursor:
            return await (await cursor.execute(statements.RECENT, (customer_id, reward_id, since))).fetchone()

    async def mark_sent(self, entry: Entry) -> bool:
        """The last step before the request is sent, and the fence: False when the entry was settled meanwhile, and then
        it must not be sent."""
        async with self._database.connection() as connection:
            marked = await connection.execute(statements.MARK_SENT, (entry.id,))
            return marked.rowcount == 1

    async def settle(self, entry: Entry, outcome: Outcome) -> Entry:
        """Write the outcome, and with an unknown one the job that reconciles it. Returns the entry as it is stored.

        A clear outcome is never overwritten, except a failure that was concluded without the vendor's reply.
        """
        async with self._database.rows_of(Entry) as cursor:
            await lock_member(cursor.connection, entry.customer_id)
            values = msgspec.structs.asdict(outcome) | self._times | {"id": entry.id}
            settled: Entry | None = await (await cursor.execute(statements.SETTLE, values)).fetchone()
            if settled is not None and settled.state == "unknown":
                await run_now(cursor.connection, "check_redemption", entry.id)
        if settled is not None:
            count_redemption(settled.state)
        return settled or await self.find(entry.customer_id, entry.key) or entry

    async def rescue(self, number: int) -> bool:
        """Settle this entry if its process must have died; returns whether it is settled."""
        async with self._database.rows_of(Entry) as cursor:
            await self._settle_stale(cursor, number=number)
            found = await cursor.execute(statements.FIND_OPEN, (number,))
            return await found.fetchone() is None

    async def listed(self, *, state: str | None, customer_id: str | None, limit: int) -> list[Entry]:
        """The latest entries, newest first."""
        async with self._database.rows_of(Entry) as cursor:
            values = {"state": state, "customer": customer_id, "limit": limit}
            return await (await cursor.execute(statements.LISTED, values)).fetchall()

    async def forget(self, customer_id: str) -> tuple[int, int]:
        """Delete entries that were never sent, and of the others what need not stay; returns how many were deleted and
        how many stay.

        Raises Problem `request_in_progress` while a redemption is open, since its outcome would be written afterwards.
        """
        async with self._database.rows_of(Entry) as cursor:
            await lock_member(cursor.connection, customer_id)
            await self._settle_stale(cursor, customer_id=customer_id)
            found = await cursor.execute(statements.FIND_OPEN_OF_MEMBER, (customer_id,))
            if await found.fetchone() is not None:
                raise Problem(
                    "request_in_progress", "A redemption of this member is under way. Run this again in a minute."
                )
            deleted = await cursor.connection.execute(statements.DELETE_UNSENT, (customer_id,))
            kept = await cursor.connection.execute(statements.FORGET, (customer_id,))
            return deleted.rowcount, kept.rowcount

    async def _settle_stale(
        self, cursor: "psycopg.AsyncCursor[Any]", *, customer_id: str | None = None, number: int | None = None
    ) -> None:
        values = {"customer_id": customer_id, "id": number} | self._times
        for entry in await (await cursor.execute(statements.SETTLE_STALE, values)).fetchall():
            if entry.state == "unknown":
                await defer(cursor.connection, "check_redemption", entry.id)


async def lock_member(connection: "psycopg.AsyncConnection[Any]", customer_id: str) -> None:
    """Wait for the lock on the outcomes of this member's redemptions, and hold it until the commit."""
    await connection.execute(statements.LOCK_MEMBER, (customer_id,))
