"""Awards in PostgreSQL: points that Okendo is to give for what happened at other retailers, each once.

waiting ──┬── sent ──┬── paid
          │          ├── waiting        surely not paid: Okendo refused it for now, or was not reached
          │          ├── needs_review   surely not paid: Okendo refused it for good, or it was tried for long enough
          │          └── unknown        the reply was lost
          └── needs_review              there is nobody to pay, or it was tried for long enough

unknown ──┬── paid                      the balance moved by what the rule pays
          ├── waiting                   the balance did not move
          └── needs_review              the balance does not tell, or cannot be read: `possibly_paid`

needs_review ──┬── waiting              a person has it tried again, a `possibly_paid` one only after a look
               └── paid                 a person saw in Okendo's admin that a `possibly_paid` one was paid

A `sent` award whose worker died is treated like an `unknown` one.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec
import psycopg

from bff.settings.actions import Event
from bff.stores.database import Database, new_reference
from bff.stores.inbox import settle_in
from bff.stores.queue import defer

AwardState = Literal["waiting", "sent", "unknown", "paid", "needs_review"]
# For how long the balance after the payee's last award counts as their balance now, so that it need not be read again.
BALANCE_SECONDS = 30


class NewAward(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paid to whom, for what. `value` is money for a rule that pays by value, else None; `email` is None
    until Subtotal tells it."""

    event: Event
    action: str
    earning_rule_id: str
    customer_id: str
    email: str | None
    retailer_id: str
    connection_id: str
    purchase_id: str | None = None
    value: Decimal | None = None


class Award(NewAward, frozen=True, kw_only=True):
    """One row. `points` is what Okendo said it gave, `balance_before` the member's balance before it was sent.
    `possibly_paid` says of one that needs review that Okendo may have paid it."""

    id: int
    reference: str
    state: AwardState
    possibly_paid: bool
    reason: str | None
    note: str | None
    points: float | None
    balance_before: float | None
    tries: int
    payee: str
    created_at: datetime
    changed_at: datetime
    sent_at: datetime | None
    try_until: datetime


class Due(Award, frozen=True, kw_only=True):
    """An award that is worked on, with what helps to decide. `recent_balance` is the balance after the payee's last
    award, if that was paid at most BALANCE_SECONDS ago; `like_points` for `like_value` are the largest award that the
    same rule has paid; `overdue` says that it was tried for long enough."""

    overdue: bool
    seconds_since_sent: float | None
    recent_balance: float | None
    like_points: float | None
    like_value: Decimal | None


INSERT_AWARD = """
    INSERT INTO awards
        (reference, event, action, earning_rule_id, customer_id, payee, email, retailer_id, connection_id, purchase_id,
         value, try_until)
    VALUES (%(reference)s, %(event)s, %(action)s, %(earning_rule_id)s, %(customer_id)s, %(payee)s, %(email)s,
        %(retailer_id)s, %(connection_id)s, %(purchase_id)s, %(value)s,
        now() + make_interval(secs => %(retry_seconds)s))
    ON CONFLICT DO NOTHING
    RETURNING id
"""
FIND = """
    SELECT award.*, now() >= award.try_until AS overdue,
        extract(epoch FROM now() - award.sent_at)::float8 AS seconds_since_sent,
        last.balance AS recent_balance, largest.points AS like_points, largest.value AS like_value
    FROM awards AS award
    LEFT JOIN LATERAL (
        SELECT CASE WHEN state = 'paid' AND changed_at > now() - make_interval(secs => %(balance_seconds)s)
               THEN balance_before + points END AS balance
        FROM awards WHERE payee = award.payee AND id <> award.id AND state <> 'waiting'
        ORDER BY changed_at DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (
        SELECT points, value FROM awards
        WHERE earning_rule_id = award.earning_rule_id AND event = award.event AND state = 'paid' AND points IS NOT NULL
        ORDER BY value DESC NULLS LAST, id DESC LIMIT 1) AS largest ON true
    WHERE award.id = %(id)s
"""
SET_EMAIL = "UPDATE awards SET email = %(email)s WHERE id = %(id)s AND state = 'waiting'"
MARK_SENT = """
    UPDATE awards
    SET state = 'sent', sent_at = now(), changed_at = now(), tries = tries + 1, balance_before = %(balance)s
    WHERE id = %(id)s AND state = 'waiting'
"""
# The address is needed for paying alone, so it goes.
MARK_PAID = """
    UPDATE awards
    SET state = 'paid', points = %(points)s, email = NULL, reason = %(reason)s, possibly_paid = false,
        changed_at = now()
    WHERE id = %(id)s AND state IN ('sent', 'unknown')
"""
# A worker that comes back late, after another has tried again, changes nothing.
MARK_UNPAID = """
    UPDATE awards
    SET state = %(state)s, reason = %(reason)s, possibly_paid = %(possibly_paid)s, changed_at = now(),
        tries = tries + CASE state WHEN 'sent' THEN 0 ELSE 1 END
    WHERE id = %(id)s AND state IN ('waiting', 'sent', 'unknown') AND tries <= %(tries)s + 1
"""
LISTED = """
    SELECT * FROM awards
    WHERE (state = %(state)s OR %(state)s = 'all' OR (%(state)s::text IS NULL AND state <> 'paid'))
        AND (%(customer)s::text IS NULL OR customer_id = %(customer)s)
    ORDER BY id DESC LIMIT %(limit)s
"""
REPLAY = """
    UPDATE awards
    SET state = 'waiting', reason = NULL, possibly_paid = false, tries = 0, changed_at = now(),
        note = coalesce(%(note)s, note), try_until = now() + make_interval(secs => %(retry_seconds)s)
    WHERE state = 'needs_review' AND possibly_paid = %(possibly_paid)s
        AND (%(reference)s::text IS NULL OR reference = %(reference)s)
    RETURNING id, payee
"""
RESOLVE_PAID = """
    UPDATE awards SET state = 'paid', possibly_paid = false, email = NULL, note = %(note)s, changed_at = now()
    WHERE reference = %(reference)s AND state = 'needs_review' AND possibly_paid
"""
DELETE_UNPAID = """
    DELETE FROM awards WHERE customer_id = %s AND state IN ('waiting', 'needs_review') AND NOT possibly_paid
"""
FORGET = "UPDATE awards SET email = NULL, connection_id = '' WHERE customer_id = %s"


class Awards:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, *, retry_seconds: float) -> None:
        self._database = database
        self._retry_seconds = retry_seconds

    async def add(self, event_number: int, new_awards: Sequence[NewAward]) -> int:
        """Write what an event earns, each award with its job, and that the event is done: all or nothing.

        What was added before is not added again. Returns how many are new.
        """
        async with self._database.connection() as connection:
            added = [await self._insert(connection, award) for award in new_awards]
            await settle_in(connection, event_number, "done")
        return sum(added)

    async def _insert(self, connection: "psycopg.AsyncConnection[Any]", award: NewAward) -> bool:
        payee = payee_of(award)
        values = msgspec.structs.asdict(award) | {
            "payee": payee, "reference": new_reference("A"), "retry_seconds": self._retry_seconds,
        }  # fmt: skip
        row = await (await connection.execute(INSERT_AWARD, values)).fetchone()
        if row is not None:
            await defer(connection, "pay_award", row[0], lock=f"payee {payee}")
        return row is not None

    async def find(self, number: int) -> Due | None:
        async with self._database.rows_of(Due) as cursor:
            values = {"id": number, "balance_seconds": BALANCE_SECONDS}
            return await (await cursor.execute(FIND, values)).fetchone()

    async def set_email(self, award: Award, email: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(SET_EMAIL, {"id": award.id, "email": email})

    async def mark_sent(self, award: Award, balance: float) -> bool:
        """The last step before the award is sent, and the fence: False when another worker was faster."""
        async with self._database.connection() as connection:
            return (await connection.execute(MARK_SENT, {"id": award.id, "balance": balance})).rowcount == 1

    async def mark_paid(self, award: Award, points: float | None, reason: str | None = None) -> None:
        """`reason` says how it is known, when Okendo's reply was lost."""
        async with self._database.connection() as connection:
            await connection.execute(MARK_PAID, {"id": award.id, "points": points, "reason": reason})

    async def mark_unpaid(
        self,
        award: Award,
        state: Literal["waiting", "unknown", "needs_review"],
        reason: str,
        *,
        possibly_paid: bool = False,
    ) -> None:
        """Not paid for now: to be tried again, to be reconciled, or to be reviewed by a person."""
        values = {
            "id": award.id, "tries": award.tries, "state": state, "reason": reason, "possibly_paid": possibly_paid,
        }  # fmt: skip
        async with self._database.connection() as connection:
            await connection.execute(MARK_UNPAID, values)

    async def listed(self, *, state: str | None, customer_id: str | None, limit: int) -> list[Award]:
        """The latest awards, newest first; without a state those that are not paid."""
        async with self._database.rows_of(Award) as cursor:
            values = {"state": state, "customer": customer_id, "limit": limit}
            return await (await cursor.execute(LISTED, values)).fetchall()

    async def replay(self, reference: str | None, *, possibly_paid: bool = False, note: str | None = None) -> int:
        """Try awards that need review again, the one of this reference or all; `possibly_paid` ones only after a person
        has seen that they were not paid. Returns how many."""
        values = {
            "reference": reference, "possibly_paid": possibly_paid, "note": note, "retry_seconds": self._retry_seconds,
        }  # fmt: skip
        async with self._database.connection() as connection:
            rows = await (await connection.execute(REPLAY, values)).fetchall()
            for number, payee in rows:
                await defer(connection, "pay_award", number, lock=f"payee {payee}")
            return len(rows)

    async def resolve_paid(self, reference: str, note: str) -> bool:
        """A person has seen that a possibly paid award was paid; False when there is none of this reference."""
        async with self._database.connection() as connection:
            resolved = await connection.execute(RESOLVE_PAID, {"reference": reference, "note": note})
            return resolved.rowcount == 1

    async def forget(self, customer_id: str) -> tuple[int, int]:
        """Delete a customer's awards that were surely not paid, and the addresses of the others; returns how many were
        deleted and how many stay."""
        async with self._database.connection() as connection:
            gone = await connection.execute(DELETE_UNPAID, (customer_id,))
            kept = await connection.execute(FORGET, (customer_id,))
            return gone.rowcount, kept.rowcount


def payee_of(award: NewAward) -> str:
    """A digest that names who is paid and is no address; without an email it names the connection."""
    who = f"email {award.email.casefold()}" if award.email else f"connection {award.connection_id}"
    return hashlib.sha256(who.encode()).hexdigest()
