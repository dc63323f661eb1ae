"""The entries of the ledger whose outcome is unknown: what reconciling them needs, and how its result is written."""

import msgspec

from bff.redemptions import statements
from bff.redemptions.ledger import Entry, Outcome, Recent, Settled, tell
from bff.sessions.store import Session
from bff.stores.database import Database
from bff.stores.outbox import Outbox
from bff.stores.queue import run_now


class Unresolved(Entry, frozen=True, kw_only=True):
    """An entry whose outcome is unknown, with what reconciling it needs.

    `seconds_since_sent` and `overdue` (`check_until` has passed) go by the database's clock. `claimed` are the
    transactions and coupons of the member's other entries. `next_newest` is the `newest_transaction` of the next entry
    that was sent, None when there is no such entry; `later_open` says whether a later entry is not settled either.
    `later_codes` are the coupons of later entries whose transaction is not known, None for one without a code.
    """

    seconds_since_sent: float
    overdue: bool
    claimed: list[str]
    next_newest: str | None
    later_open: bool
    later_codes: list[str | None]

    def others(self) -> tuple[object, ...]:
        """What the member's other entries contribute to the decision about this one."""
        return self.claimed, self.next_newest, self.later_open, self.later_codes


class UnresolvedRedemptions:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, outbox: Outbox, *, check_seconds: float) -> None:
        self._database = database
        self._outbox = outbox
        self._check = {"check_seconds": check_seconds}

    async def unsettled(self, customer_id: str) -> str | None:
        """The key of the member's latest redemption that is being reconciled."""
        found: Recent | None = await self._database.ask(Recent, {"customer_id": customer_id}, statements.FIND_UNSETTLED)
        return found.key if found else None

    async def find(self, number: int) -> Unresolved | None:
        """This entry, if it is still to be reconciled."""
        async with self._database.rows_of(Unresolved) as cursor:
            return await (await cursor.execute(statements.UNRESOLVED, (number,))).fetchone()

    async def reconcile(self, unresolved: Unresolved, outcome: Outcome) -> bool:
        """Write the outcome. False when the member's other entries have changed since `unresolved` was read: then the
        history may contain a redemption that was not known."""
        locked = {"customer_id": unresolved.customer_id}
        async with self._database.rows_of(Unresolved, locked, statements.LOCK_MEMBER) as cursor:
            now: Unresolved | None = await (await cursor.execute(statements.UNRESOLVED, (unresolved.id,))).fetchone()
            if now is None or now.others() != unresolved.others():
                return False
            values = msgspec.structs.asdict(outcome) | self._check | {"id": unresolved.id}
            await cursor.connection.execute(statements.SETTLE, values)
            if outcome.state == "succeeded":
                await tell(self._outbox, cursor.connection, unresolved)
            # Earlier entries may have waited for this one.
            waiting = await cursor.connection.execute(statements.EARLIER, (unresolved.customer_id, unresolved.id))
            for (number,) in await waiting.fetchall():
                await run_now(cursor.connection, "check_redemption", number)
            return True

    async def expire(self, unresolved: Unresolved) -> bool:
        """Stop reconciling: the outcome stays unknown, and the credentials are deleted. False when it was settled, or
        new credentials were attached meanwhile."""
        async with self._database.connection() as connection:
            expired = await connection.execute(statements.EXPIRE, msgspec.structs.asdict(unresolved))
            return expired.rowcount == 1

    async def doubt_all(self) -> int:
        """The database was restored from a backup: have whatever is open reconciled from now on, since it may have been
        sent after the backup. Returns how many."""
        async with self._database.connection() as connection:
            rows = await (await connection.execute(statements.DOUBT, self._check)).fetchall()
            for (number,) in rows:
                await run_now(connection, "check_redemption", number)
            return len(rows)

    async def attach_credentials(self, entry: Entry, session: Session, credentials: bytes) -> Entry:
        """Reconcile with a new sign-in of the member, at once. Returns the entry as it is stored."""
        async with self._database.rows_of(Entry) as cursor:
            values = {
                "id": entry.id,
                "session": session.key,
                "signed_in_at": session.data.created_at,
                "credentials": credentials,
                "before": entry.credentials,
            }
            attached: Entry | None = await (
                await cursor.execute(statements.ATTACH_CREDENTIALS, values | self._check)
            ).fetchone()
            if attached is not None:
                await run_now(cursor.connection, "check_redemption", entry.id)
        return attached or entry

    async def resolve(
        self, reference: str, state: Settled, note: str, code: str | None, *, corrects: bool
    ) -> tuple[Entry, Entry] | None:
        """Write what a person has seen; returns the entry before and after. None when no unknown redemption has this
        support reference, or with `corrects` none that a person has resolved."""
        async with self._database.rows_of(Entry) as cursor:
            chosen = {"reference": reference, "corrects": corrects}
            before: Entry | None = await (await cursor.execute(statements.FIND_TO_RESOLVE, chosen)).fetchone()
            if before is None:
                return None
            values = {"id": before.id, "state": state, "note": note, "code": code}
            after: Entry | None = await (await cursor.execute(statements.RESOLVE, values)).fetchone()
            if after is not None and after.state == "succeeded":
                await tell(self._outbox, cursor.connection, after)
            return (before, after) if after is not None else None
