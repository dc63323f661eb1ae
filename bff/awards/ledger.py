"""Awards in PostgreSQL: points that Okendo is to give for what happened at other retailers, each once.

States: waiting → sent → paid | unknown | waiting | parked, and unknown → paid | waiting | parked once the balance was
looked at. `parked` waits for a person; a `doubtful` one may have been paid.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from bff.settings.actions import Event
from bff.stores.database import Database, new_reference
from bff.stores.inbox import settle_in
from bff.stores.queue import defer

AwardState = Literal["waiting", "sent", "unknown", "paid", "parked"]
# So long the balance that the last award left behind is taken for the member's balance.
NEAR_SECONDS = 30


class NewAward(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paid to whom, for what. `value` is money for a rule that pays by value, else None; `email` is None
    as long as nobody has told it."""

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
    """One line. `points` is what Okendo said it gave, `balance_before` the member's balance before it was sent."""

    id: int
    reference: str
    state: AwardState
    doubtful: bool
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
    """An award that is worked on, with what helps: `balance_near` is what the member's last award left behind a moment
    ago, `like_points` for `like_value` the largest that the same rule has paid; `overdue`: it was tried long enough."""

    overdue: bool
    seconds_since_sent: float | None
    balance_near: float | None
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
        last.balance AS balance_near, largest.points AS like_points, largest.value AS like_value
    FROM awards AS award
    LEFT JOIN LATERAL (
        SELECT CASE WHEN state = 'paid' AND changed_at > now() - make_interval(secs => %(near_seconds)s)
               THEN balance_before + points END AS balance
        FROM awards WHERE payee = award.payee AND id <> award.id AND state <> 'waiting'
        ORDER BY changed_at DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (
        SELECT points, value FROM awards
        WHERE earning_rule_id = award.earning_rule_id AND event = award.event AND state = 'paid' AND points IS NOT NULL
        ORDER BY value DESC NULLS LAST, id DESC LIMIT 1) AS largest ON true
    WHERE award.id = %(id)s
"""
MARK_SENT = """
    UPDATE awards
    SET state = 'sent', sent_at = now(), changed_at = now(), tries = tries + 1, balance_before = %(balance)s
    WHERE id = %(id)s AND state = 'waiting'
"""
# The address is needed for paying alone.
PAID = """
    UPDATE awards
    SET state = 'paid', points = %(points)s, email = NULL, reason = %(reason)s, doubtful = false, changed_at = now()
    WHERE id = %(id)s AND state IN ('sent', 'unknown')
"""
# Whoever comes back late, after somebody else has tried again, changes nothing.
UNPAID = """
    UPDATE awards
    SET state = %(state)s, reason = %(reason)s, doubtful = %(doubtful)s, changed_at = now(),
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
    SET state = 'waiting', reason = NULL, doubtful = false, tries = 0, changed_at = now(),
        note = coalesce(%(note)s, note), try_until = now() + make_interval(secs => %(retry_seconds)s)
    WHERE state = 'parked' AND doubtful = %(doubtful)s AND (%(reference)s::text IS NULL OR reference = %(reference)s)
    RETURNING id, payee
"""


class Awards:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, *, retry_seconds: float) -> None:
        self._database = database
        self._retry_seconds = retry_seconds

    async def promise(self, event_number: int, promises: Sequence[NewAward]) -> int:
        """Write down what an event earns, each with its job, and that the event is done: all or nothing.

        What was promised before is not promised again. Returns how many are new.
        """
        new = 0
        async with self._database.connection() as connection:
            for promise in promises:
                values = msgspec.structs.asdict(promise) | {"payee": payee_of(promise), "reference": new_reference("A")}
                values["retry_seconds"] = self._retry_seconds
                row = await (await connection.execute(INSERT_AWARD, values)).fetchone()
                if row is not None:
                    await defer(connection, "pay_award", row[0], lock=f"payee {values['payee']}")
                    new += 1
            await settle_in(connection, event_number, "done")
        return new

    async def find(self, number: int) -> Due | None:
        async with self._database.rows_of(Due) as cursor:
            values = {"id": number, "near_seconds": NEAR_SECONDS}
            return await (await cursor.execute(FIND, values)).fetchone()

    async def tell_email(self, award: Award, email: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE awards SET email = %s WHERE id = %s AND state = 'waiting'", (email, award.id)
            )

    async def mark_sent(self, award: Award, balance: float) -> bool:
        """The last step before Okendo is told, and the fence: False when somebody else was faster."""
        async with self._database.connection() as connection:
            return (await connection.execute(MARK_SENT, {"id": award.id, "balance": balance})).rowcount == 1

    async def paid(self, award: Award, points: float | None, reason: str | None = None) -> None:
        """`reason` says how it is known, when Okendo did not answer."""
        async with self._database.connection() as connection:
            await connection.execute(PAID, {"id": award.id, "points": points, "reason": reason})

    async def unpaid(
        self, award: Award, state: Literal["waiting", "unknown", "parked"], reason: str, *, doubtful: bool = False
    ) -> None:
        """Not paid for now: to be tried again, to be found out, or waiting for a person."""
        async with self._database.connection() as connection:
            values = {
                "id": award.id, "tries": award.tries, "state": state, "reason": reason, "doubtful": doubtful,
            }  # fmt: skip
            await connection.execute(UNPAID, values)

    async def listed(self, *, state: str | None, customer_id: str | None, limit: int) -> list[Award]:
        """The latest awards, newest first; without a state those that are not paid."""
        async with self._database.rows_of(Award) as cursor:
            values = {"state": state, "customer": customer_id, "limit": limit}
            return await (await cursor.execute(LISTED, values)).fetchall()

    async def replay(self, reference: str | None, *, doubtful: bool = False, note: str | None = None) -> int:
        """Try parked awards again, the one of this reference or all; `doubtful` ones only when a person has found out
        that they were not paid. Returns how many."""
        async with self._database.connection() as connection:
            values = {"reference": reference, "doubtful": doubtful, "note": note, "retry_seconds": self._retry_seconds}
            rows = await (await connection.execute(REPLAY, values)).fetchall()
            for number, payee in rows:
                await defer(connection, "pay_award", number, lock=f"payee {payee}")
            return len(rows)

    async def close(self, reference: str, note: str) -> bool:
        """A person has found out that a doubtful award was paid; False when there is none of this reference."""
        async with self._database.connection() as connection:
            closed = await connection.execute(
                "UPDATE awards SET state = 'paid', doubtful = false, email = NULL, note = %s, changed_at = now()"
                " WHERE reference = %s AND state = 'parked' AND doubtful",
                (note, reference),
            )
            return closed.rowcount == 1

    async def forget(self, customer_id: str) -> tuple[int, int]:
        """Delete the addresses of a customer's awards, and awards that never came to anything; returns how many went
        and how many stay."""
        async with self._database.connection() as connection:
            gone = await connection.execute(
                "DELETE FROM awards WHERE customer_id = %s AND state IN ('waiting', 'parked') AND NOT doubtful",
                (customer_id,),
            )
            kept = await connection.execute(
                "UPDATE awards SET email = NULL, connection_id = '' WHERE customer_id = %s", (customer_id,)
            )
            return gone.rowcount, kept.rowcount


def payee_of(promise: NewAward) -> str:
    """A name for who is paid that stays the same and is no address; without one it is the connection."""
    who = f"email {promise.email.casefold()}" if promise.email else f"connection {promise.connection_id}"
    return hashlib.sha256(who.encode()).hexdigest()
