"""What must not be lost, in PostgreSQL: the redemption ledger and the evidence of consent."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal

import msgspec
import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bff.errors import Problem

LedgerState = Literal["reserved", "sent", "succeeded", "failed", "unknown"]
Settled = Literal["succeeded", "failed", "unknown"]
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
# No redemption stays open longer than its vendor call may take; after this its process must have died.
STALE_SECONDS = 60


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What a member asked for, and what the vendor said of it at that moment. `fingerprint` tells a replay of the
    same request from another request under the same key."""

    customer_id: str
    key: str
    fingerprint: str
    reward_id: str
    reward_name: str
    points: int
    balance_seen: int
    request_id: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a redemption ended; `reason` is an error code of ours when it failed. `retry_after_seconds` is what a busy
    vendor asked for: it is told to whoever is waiting, and not kept."""

    state: Settled
    coupon_code: str | None = None
    coupon_description: str | None = None
    coupon_expires_at: datetime | None = None
    store_credit: str | None = None
    currency: str | None = None
    reason: str | None = None
    retry_after_seconds: int | None = None


class Entry(Intent, frozen=True, kw_only=True):
    """One line of the ledger."""

    id: int
    state: LedgerState
    coupon_code: str | None
    coupon_description: str | None
    coupon_expires_at: datetime | None
    store_credit: str | None
    currency: str | None
    reason: str | None
    support_reference: str
    created_at: datetime
    changed_at: datetime
    retry_after_seconds: int | None = None


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """The words and links a member agreed to, exactly as they were shown."""

    customer_id: str
    version: str
    digest: str
    button_text: str
    sentence_html: str
    privacy_policy_url: str | None
    terms_and_conditions_url: str | None
    locale: str
    channel: str
    request_id: str


INSERT_INTENT = """
    INSERT INTO redemptions
        (customer_id, key, fingerprint, reward_id, reward_name, points, balance_seen, request_id, support_reference)
    VALUES (%(customer_id)s, %(key)s, %(fingerprint)s, %(reward_id)s, %(reward_name)s, %(points)s, %(balance_seen)s,
        %(request_id)s, %(support_reference)s)
    ON CONFLICT DO NOTHING
    RETURNING *
"""
SETTLE = """
    UPDATE redemptions
    SET state = %(state)s, coupon_code = %(coupon_code)s, coupon_description = %(coupon_description)s,
        coupon_expires_at = %(coupon_expires_at)s, store_credit = %(store_credit)s, currency = %(currency)s,
        reason = %(reason)s, changed_at = now()
    WHERE id = %(id)s AND state IN ('reserved', 'sent', 'unknown')
    RETURNING *
"""
# A reserved line was never sent, so it may safely be called failed; a sent one can only be called unknown.
SETTLE_STALE = """
    UPDATE redemptions
    SET state = CASE state WHEN 'reserved' THEN 'failed' ELSE 'unknown' END,
        reason = CASE state WHEN 'reserved' THEN 'store_unavailable' END,
        changed_at = now()
    WHERE customer_id = %s AND state IN ('reserved', 'sent') AND changed_at < now() - make_interval(secs => %s)
"""
RECENT = """
    SELECT key FROM redemptions
    WHERE customer_id = %s AND reward_id = %s AND state <> 'failed'
        AND created_at > greatest(now() - interval '5 minutes', to_timestamp(%s))
    ORDER BY id DESC LIMIT 1
"""
INSERT_CONSENT = """
    INSERT INTO consents
        (customer_id, version, digest, button_text, sentence_html, privacy_policy_url, terms_and_conditions_url,
         locale, channel, request_id)
    VALUES (%(customer_id)s, %(version)s, %(digest)s, %(button_text)s, %(sentence_html)s, %(privacy_policy_url)s,
        %(terms_and_conditions_url)s, %(locale)s, %(channel)s, %(request_id)s)
    RETURNING id
"""


class Records:
    """The tables. Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database_url: str) -> None:
        # Opened without waiting: the service starts, and serves what needs no database, while PostgreSQL is away.
        self._pool = AsyncConnectionPool(
            database_url,
            min_size=1,
            max_size=10,
            timeout=2,
            open=False,
            check=AsyncConnectionPool.check_connection,
            reconnect_timeout=30,
            kwargs={"connect_timeout": 2, "options": "-c statement_timeout=3000 -c timezone=UTC"},
        )

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close(timeout=2)

    async def ping(self) -> bool:
        """Whether the database answers."""
        try:
            async with self._pool_errors(), self._pool.connection() as connection:
                await connection.execute("SELECT 1")
                return True
        except Problem:
            return False

    async def reserve(self, intent: Intent) -> tuple[Entry, bool]:
        """Write the intent down before the vendor is told. Returns the entry and whether it is new.

        Raises Problem `request_in_progress` while another redemption of this member is open.
        """
        async with self._cursor(Entry) as cursor:
            await cursor.execute(SETTLE_STALE, (intent.customer_id, STALE_SECONDS))
            values = msgspec.structs.asdict(intent) | {"support_reference": _reference()}
            entry = await (await cursor.execute(INSERT_INTENT, values)).fetchone()
            if entry is not None:
                return entry, True
        existing = await self.find(intent.customer_id, intent.key)
        if existing is None:
            raise Problem("request_in_progress", "Another reward is being redeemed right now.", retry_after_seconds=2)
        return existing, False

    async def find(self, customer_id: str, key: str) -> Entry | None:
        """The customer's own entry under this key; a stale open one is settled first."""
        async with self._cursor(Entry) as cursor:
            await cursor.execute(SETTLE_STALE, (customer_id, STALE_SECONDS))
            await cursor.execute("SELECT * FROM redemptions WHERE customer_id = %s AND key = %s", (customer_id, key))
            return await cursor.fetchone()

    async def recent(self, customer_id: str, reward_id: str, since: float) -> str | None:
        """The key of the latest redemption of this reward that did not fail, is at most five minutes old, and was
        made after `since` (Unix seconds)."""
        async with self._pool_errors(), self._pool.connection() as connection:
            row = await (await connection.execute(RECENT, (customer_id, reward_id, since))).fetchone()
            return str(row[0]) if row else None

    async def mark_sent(self, entry: Entry) -> bool:
        """The last step before the vendor is told; False when somebody else has settled the entry meanwhile."""
        async with self._cursor(Entry) as cursor:
            await cursor.execute(
                "UPDATE redemptions SET state = 'sent', changed_at = now() WHERE id = %s AND state = 'reserved'",
                (entry.id,),
            )
            return cursor.rowcount == 1

    async def settle(self, entry: Entry, outcome: Outcome) -> Entry:
        """Write how it ended. A clear end is never overwritten; what stands in the ledger is returned."""
        async with self._cursor(Entry) as cursor:
            settled = await (
                await cursor.execute(SETTLE, msgspec.structs.asdict(outcome) | {"id": entry.id})
            ).fetchone()
        return settled or await self.find(entry.customer_id, entry.key) or entry

    async def store_consent(self, consent: Consent) -> int:
        """Store the evidence, before the vendor is told; returns its number."""
        async with self._pool_errors(), self._pool.connection() as connection:
            row = await (await connection.execute(INSERT_CONSENT, msgspec.structs.asdict(consent))).fetchone()
            return int(row[0]) if row else 0

    async def settle_consent(self, number: int, outcome: str) -> None:
        """`outcome` is accepted, refused or unknown."""
        async with self._pool_errors(), self._pool.connection() as connection:
            await connection.execute("UPDATE consents SET outcome = %s WHERE id = %s", (outcome, number))

    @contextlib.asynccontextmanager
    async def _cursor(self, row: type[Any]) -> AsyncIterator[psycopg.AsyncCursor[Any]]:
        """One transaction, committed at the end."""
        async with (
            self._pool_errors(),
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(row)) as cursor,
        ):
            yield cursor

    @contextlib.asynccontextmanager
    async def _pool_errors(self) -> AsyncIterator[None]:
        try:
            yield
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Problem(
                "store_unavailable", "This cannot be recorded right now, so nothing was done.", retry_after_seconds=5
            ) from error


def _reference() -> str:
    """What a shopper reads to support over the phone: no letters that look alike."""
    return "R-" + "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(8))
