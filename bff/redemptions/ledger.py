"""The redemption ledger in PostgreSQL: every intent to spend points, written before it is sent to the vendor.

States: reserved → sent → succeeded | failed | unknown, and unknown → succeeded | failed after reconciliation; all
transitions are drawn in `statements`. Entries are kept for two years at least (`stores.retention`).
"""

from datetime import datetime
from typing import Any, Literal, Self

import msgspec
import psycopg
import structlog

from bff.errors import Problem
from bff.redemptions import statements
from bff.schemas.outbound import redeemed
from bff.stores.database import Database, new_reference
from bff.stores.outbox import Outbox
from bff.stores.queue import run_now
from bff.telemetry.logs import cause
from bff.telemetry.metrics import count_redemption
from bff.vendors.okendo.replies import Payout

LedgerState = Literal["reserved", "sent", "succeeded", "failed", "unknown"]
Settled = Literal["succeeded", "failed", "unknown"]
# Nobody looks at more of their redemptions at once.
MOST_ENTRIES = 200
log = structlog.get_logger("redemption")


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

    @classmethod
    def brought(cls, given: Payout, transaction_id: str | None) -> Self:
        """It succeeded, and this is what was given."""
        credit = given.store_credit
        return cls(
            state="succeeded",
            transaction_id=transaction_id,
            coupon_code=given.code,
            coupon_description=given.description,
            coupon_expires_at=given.expires_at,
            store_credit=None if credit is None else f"{credit:f}",
            currency=None if credit is None else given.currency,
        )


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

    def __init__(self, database: Database, outbox: Outbox, *, check_seconds: float) -> None:
        self._database = database
        self._outbox = outbox
        self._times = {"check_seconds": check_seconds, "stale_seconds": statements.STALE_SECONDS}

    async def reserve(self, intent: Intent) -> tuple[Entry, bool]:
        """Write the intent before it is sent. Returns the entry and whether it is new.

        Raises Problem `request_in_progress` while another redemption of this member is open.
        """
        reference = new_reference("R")
        entry: Entry | None = await self._database.ask(
            Entry,
            msgspec.structs.asdict(intent) | {"support_reference": reference, "id": None} | self._times,
            statements.SETTLE_STALE,
            statements.INSERT_INTENT,
            statements.DEFER_RESCUE,
            statements.FIND,
        )
        if entry is None:
            raise Problem("request_in_progress", "Another reward is being redeemed right now.", retry_after_seconds=2)
        return entry, entry.support_reference == reference

    async def find(self, customer_id: str, key: str) -> Entry | None:
        """The customer's own entry under this key; a stale open one is settled first."""
        values = {"customer_id": customer_id, "key": key, "id": None} | self._times
        found: Entry | None = await self._database.ask(Entry, values, statements.SETTLE_STALE, statements.FIND)
        return found

    async def recent(self, customer_id: str, reward_id: str, since: float) -> Recent | None:
        """The latest redemption of this reward that is being reconciled, or that did not fail, is at most five minutes
        old, and was made after `since` (Unix seconds)."""
        values = {"customer_id": customer_id, "reward_id": reward_id, "since": since}
        found: Recent | None = await self._database.ask(Recent, values, statements.RECENT)
        return found

    async def of_member(self, customer_id: str, *, since: float, until: float) -> list[Entry]:
        """The customer's own entries of that time (Unix seconds), newest first, `MOST_ENTRIES` at most."""
        values = {"customer_id": customer_id, "since": since, "until": until, "limit": MOST_ENTRIES}
        found: list[Entry] = await self._database.ask_all(Entry, values, statements.OF_MEMBER)
        return found

    async def mark_sent(self, entry: Entry) -> bool:
        """The last step before the request is sent, and the fence: False when the entry was settled meanwhile, and then
        it must not be sent."""
        return await self._database.ask(Entry, {"id": entry.id}, statements.MARK_SENT) is not None

    async def settle(self, entry: Entry, outcome: Outcome) -> Entry:
        """Write the outcome, and with an unknown one the job that reconciles it. Returns the entry as it is stored.

        A clear outcome is never overwritten, except a failure that was concluded without the vendor's reply. Whatever
        PostgreSQL has against it is Problem `store_unavailable`: the request was sent, so it is no plain failure.
        """
        try:
            settled = await self._settle(entry, outcome)
        except psycopg.Error as error:
            log.error("outcome_refused", **cause(error))
            raise Problem("store_unavailable", "The outcome cannot be recorded right now.") from error
        if settled is not None:
            count_redemption(settled.state)
        return settled or await self.find(entry.customer_id, entry.key) or entry

    async def _settle(self, entry: Entry, outcome: Outcome) -> Entry | None:
        locked = {"customer_id": entry.customer_id}
        async with self._database.rows_of(Entry, locked, statements.LOCK_MEMBER) as cursor:
            values = msgspec.structs.asdict(outcome) | self._times | {"id": entry.id}
            settled: Entry | None = await (await cursor.execute(statements.SETTLE, values)).fetchone()
            if settled is not None and settled.state == "unknown":
                await run_now(cursor.connection, "check_redemption", entry.id)
            if settled is not None and settled.state == "succeeded":
                await tell(self._outbox, cursor.connection, settled)
            return settled

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
        async with self._database.rows_of(Entry, {"customer_id": customer_id}, statements.LOCK_MEMBER) as cursor:
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
        await cursor.connection.execute(
            statements.SETTLE_STALE, {"customer_id": customer_id, "id": number} | self._times
        )


async def tell(outbox: Outbox, connection: "psycopg.AsyncConnection[Any]", entry: Entry) -> None:
    """In the transaction in which an entry has succeeded: that is certain now, and told once. Nobody is told of a
    member who was forgotten, whose entries have no session any more."""
    if entry.session:
        event = redeemed(entry.customer_id, entry.support_reference, entry.key, entry.reward_id, entry.points)
        await outbox.add(connection, event)
