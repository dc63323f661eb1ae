"""Awards in PostgreSQL: points that Okendo is to give for what happened at other retailers, each once.

States: waiting → sent → paid | unknown | needs_review; all transitions are drawn in `statements`.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec
import psycopg

from bff.awards import statements
from bff.schemas.outbound import earned_elsewhere
from bff.settings.actions import Event
from bff.stores.database import Database, new_reference
from bff.stores.inbox import settle_in
from bff.stores.outbox import Outbox
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


class Corrected(NamedTuple):
    """What an award was before a person changed it."""

    reference: str
    state: str
    reason: str | None


class Awards:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, outbox: Outbox, *, retry_seconds: float) -> None:
        self._database = database
        self._outbox = outbox
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
        row = await (await connection.execute(statements.INSERT_AWARD, values)).fetchone()
        if row is not None:
            await defer(connection, "pay_award", row[0], lock=f"payee {payee}")
        return row is not None

    async def find(self, number: int) -> Due | None:
        async with self._database.rows_of(Due) as cursor:
            values = {"id": number, "balance_seconds": BALANCE_SECONDS}
            return await (await cursor.execute(statements.FIND, values)).fetchone()

    async def set_email(self, award: Award, email: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(statements.SET_EMAIL, {"id": award.id, "email": email})

    async def mark_sent(self, award: Award, balance: float) -> bool:
        """The last step before the award is sent, and the fence: False when another worker was faster."""
        async with self._database.connection() as connection:
            return (await connection.execute(statements.MARK_SENT, {"id": award.id, "balance": balance})).rowcount == 1

    async def mark_paid(self, award: Award, points: float | None, reason: str | None = None) -> None:
        """`reason` says how it is known, when Okendo's reply was lost."""
        values = {"id": award.id, "points": points, "reason": reason}
        async with self._database.connection() as connection:
            if (await connection.execute(statements.MARK_PAID, values)).rowcount:
                await self._tell(connection, award, points)

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
            await connection.execute(statements.MARK_UNPAID, values)

    async def listed(self, *, state: str | None, customer_id: str | None, limit: int) -> list[Award]:
        """The latest awards, newest first; without a state those that are not paid."""
        async with self._database.rows_of(Award) as cursor:
            values = {"state": state, "customer": customer_id, "limit": limit}
            return await (await cursor.execute(statements.LISTED, values)).fetchall()

    async def replay(
        self,
        reference: str | None,
        *,
        possibly_paid: bool = False,
        corrects: bool = False,
        note: str | None = None,
    ) -> list[Corrected]:
        """Try awards that need review again, the one of this reference or all; `possibly_paid` ones only after a person
        has seen that they were not paid. `corrects`: only those of which a person had said that they were."""
        values = {
            "reference": reference, "possibly_paid": possibly_paid, "corrects": corrects, "note": note,
            "retry_seconds": self._retry_seconds,
        }  # fmt: skip
        async with self._database.connection() as connection:
            rows = await (await connection.execute(statements.REPLAY, values)).fetchall()
            for number, payee, *_ in rows:
                await defer(connection, "pay_award", number, lock=f"payee {payee}")
            return [Corrected(*before) for _, _, *before in rows]

    async def resolve_paid(self, reference: str, note: str, *, corrects: bool) -> list[Corrected]:
        """A person has seen that a possibly paid award was paid, or with `corrects` one of which a person had said that
        it was not; empty when there is none of this reference."""
        values = {"reference": reference, "note": note, "corrects": corrects}
        async with self._database.rows_of(Award) as cursor:
            found = await (await cursor.connection.execute(statements.RESOLVE_PAID, values)).fetchall()
            for award in await (await cursor.execute(statements.OF_REFERENCE, values)).fetchall() if found else ():
                await self._tell(cursor.connection, award, None)
            return [Corrected(*row) for row in found]

    async def _tell(self, connection: "psycopg.AsyncConnection[Any]", award: Award, points: float | None) -> None:
        """Of an award that is paid now. One of a member who was forgotten has no connection any more."""
        event = earned_elsewhere(award.customer_id, award.reference, award.earning_rule_id, points)
        if event is not None and award.connection_id:
            await self._outbox.add(connection, event)

    async def doubt_all(self, reason: str) -> int:
        """The database was restored from a backup: whatever is not paid there may have been paid since. Returns how
        many wait for a person now."""
        async with self._database.connection() as connection:
            return (await connection.execute(statements.DOUBT, {"reason": reason})).rowcount

    async def forget(self, name: str) -> tuple[int, int]:
        """Delete the awards of a customer, by their id or email, that were surely not paid, and the addresses of the
        others; returns how many were deleted and how many stay."""
        async with self._database.connection() as connection:
            gone = await connection.execute(statements.DELETE_UNPAID, {"name": name})
            kept = await connection.execute(statements.FORGET, {"name": name})
            return gone.rowcount, kept.rowcount


def payee_of(award: NewAward) -> str:
    """A digest that names who is paid and is no address; without an email it names the connection."""
    who = f"email {award.email.casefold()}" if award.email else f"connection {award.connection_id}"
    return hashlib.sha256(who.encode()).hexdigest()
