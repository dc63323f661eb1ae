"""The lines of the ledger whose outcome is unknown: what it takes to find out, and how it is written down."""

import msgspec

from bff.redemptions import statements
from bff.redemptions.ledger import Entry, Outcome, Settled, one_at_a_time
from bff.sessions.store import Session
from bff.stores.database import Database
from bff.stores.queue import run_now


class Unresolved(Entry, frozen=True, kw_only=True):
    """A line whose outcome is unknown, with what it takes to find out.

    `seconds_since_sent` and `overdue` (nobody need look any more) go by the database's clock. `claimed` are the
    transactions and coupons that other lines of the member account for. `next_newest` is what the next line that was
    sent noted as newest, None when there is no such line; `later_open` says whether a later line of the member is open
    too. `later_codes` are the coupons of later lines of which no transaction is known, None where there is no code.
    """

    seconds_since_sent: float
    overdue: bool
    claimed: list[str]
    next_newest: str | None
    later_open: bool
    later_codes: list[str | None]

    def others(self) -> tuple[object, ...]:
        """What of the member's other lines decides about this one."""
        return self.claimed, self.next_newest, self.later_open, self.later_codes


class UnresolvedRedemptions:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, *, check_seconds: float) -> None:
        self._database = database
        self._check = {"check_seconds": check_seconds}

    async def unsettled(self, customer_id: str) -> str | None:
        """The key of the member's latest redemption whose outcome is still looked for."""
        async with self._database.connection() as connection:
            found = await connection.execute(statements.FIND_UNSETTLED, (customer_id,))
            row = await found.fetchone()
            return str(row[0]) if row else None

    async def find(self, number: int) -> Unresolved | None:
        """This line, if its outcome is unknown and still looked for."""
        async with self._database.rows_of(Unresolved) as cursor:
            return await (await cursor.execute(statements.UNRESOLVED, (number,))).fetchone()

    async def reconcile(self, unresolved: Unresolved, outcome: Outcome) -> bool:
        """Write what was found out. False when the member's lines are not what they were when the look began: the
        history may tell of a redemption that was not known of then."""
        async with self._database.rows_of(Unresolved) as cursor:
            await one_at_a_time(cursor.connection, unresolved.customer_id)
            now: Unresolved | None = await (await cursor.execute(statements.UNRESOLVED, (unresolved.id,))).fetchone()
            if now is None or now.others() != unresolved.others():
                return False
            values = msgspec.structs.asdict(outcome) | self._check | {"id": unresolved.id}
            await cursor.connection.execute(statements.SETTLE, values)
            # Lines before this one may have waited for it.
            waiting = await cursor.connection.execute(statements.EARLIER, (unresolved.customer_id, unresolved.id))
            for (number,) in await waiting.fetchall():
                await run_now(cursor.connection, "check_redemption", number)
            return True

    async def expire(self, unresolved: Unresolved) -> bool:
        """Nobody looks any more: it stays unknown, and the credentials are deleted. False when the member has lent
        others meanwhile, or it is settled."""
        async with self._database.connection() as connection:
            given_up = await connection.execute(statements.EXPIRE, msgspec.structs.asdict(unresolved))
            return given_up.rowcount == 1

    async def attach_credentials(self, entry: Entry, session: Session, credentials: bytes) -> Entry:
        """The member has come back: their new sign-in helps to find out, at once."""
        async with self._database.rows_of(Entry) as cursor:
            values = {
                "id": entry.id,
                "session": session.key,
                "signed_in_at": session.data.created_at,
                "credentials": credentials,
                "before": entry.credentials,
            }
            lent: Entry | None = await (
                await cursor.execute(statements.ATTACH_CREDENTIALS, values | self._check)
            ).fetchone()
            if lent is not None:
                await run_now(cursor.connection, "check_redemption", entry.id)
        return lent or entry

    async def resolve(self, reference: str, state: Settled, note: str, code: str | None) -> Entry | None:
        """A person has found out; None when no unknown redemption has this support reference."""
        async with self._database.rows_of(Entry) as cursor:
            values = {"reference": reference, "state": state, "note": note, "code": code}
            return await (await cursor.execute(statements.RESOLVE, values)).fetchone()
