"""The lines of the ledger whose outcome is unknown: what it takes to find out, and how it is written down."""

import msgspec

from bff.redemptions.ledger import SETTLE, Entry, Outcome, Settled, one_at_a_time
from bff.sessions.store import Session
from bff.stores.database import Database
from bff.stores.queue import hasten


class Doubt(Entry, frozen=True, kw_only=True):
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


IN_DOUBT = """
    SELECT line.*, extract(epoch FROM now() - coalesce(sent_at, created_at))::float8 AS seconds_since_sent,
        now() >= check_until AS overdue,
        array_remove(ARRAY(SELECT unnest(ARRAY[transaction_id, coupon_code]) FROM redemptions AS other
                           WHERE other.customer_id = line.customer_id AND other.id <> line.id
                           ORDER BY 1), NULL) AS claimed,
        (SELECT newest_transaction FROM redemptions AS later
         WHERE later.customer_id = line.customer_id AND later.id > line.id AND later.sent_at IS NOT NULL
         ORDER BY later.id LIMIT 1) AS next_newest,
        EXISTS (SELECT FROM redemptions AS later
                WHERE later.customer_id = line.customer_id AND later.id > line.id
                    AND (later.state IN ('reserved', 'sent') OR later.check_until IS NOT NULL)) AS later_open,
        ARRAY(SELECT coupon_code FROM redemptions AS later
              WHERE later.customer_id = line.customer_id AND later.id > line.id
                    AND later.state = 'succeeded' AND later.transaction_id IS NULL
              ORDER BY 1) AS later_codes
    FROM redemptions AS line
    WHERE id = %s AND state = 'unknown' AND check_until IS NOT NULL
"""
EARLIER = "SELECT id FROM redemptions WHERE customer_id = %s AND id < %s AND check_until IS NOT NULL"
GIVE_UP = """
    UPDATE redemptions SET check_until = NULL, credentials = NULL, changed_at = now()
    WHERE id = %(id)s AND state = 'unknown' AND check_until = %(check_until)s
        AND credentials IS NOT DISTINCT FROM %(credentials)s
"""
# The time to look runs from the sign-in, so that looking again and again never makes it longer. A line of no session
# belongs to a member who was forgotten, and nothing is found out about them any more.
LEND = """
    UPDATE redemptions
    SET session = %(session)s, credentials = %(credentials)s,
        check_until = greatest(check_until, to_timestamp(%(signed_in_at)s) + make_interval(secs => %(check_seconds)s))
    WHERE id = %(id)s AND state = 'unknown' AND session <> '' AND credentials IS NOT DISTINCT FROM %(before)s
    RETURNING *
"""
RESOLVE = """
    UPDATE redemptions
    SET state = %(state)s, coupon_code = %(code)s, note = %(note)s, changed_at = now(), check_until = NULL,
        credentials = NULL, reason = CASE %(state)s WHEN 'failed' THEN 'upstream_unavailable' END
    WHERE support_reference = %(reference)s AND state = 'unknown'
    RETURNING *
"""


class Doubts:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, *, check_seconds: float) -> None:
        self._database = database
        self._check = {"check_seconds": check_seconds}

    async def unsettled(self, customer_id: str) -> str | None:
        """The key of the member's latest redemption whose outcome is still looked for."""
        async with self._database.connection() as connection:
            found = await connection.execute(
                "SELECT key FROM redemptions WHERE customer_id = %s AND check_until > now() ORDER BY id DESC LIMIT 1",
                (customer_id,),
            )
            row = await found.fetchone()
            return str(row[0]) if row else None

    async def find(self, number: int) -> Doubt | None:
        """This line, if its outcome is unknown and still looked for."""
        async with self._database.rows_of(Doubt) as cursor:
            return await (await cursor.execute(IN_DOUBT, (number,))).fetchone()

    async def find_out(self, doubt: Doubt, outcome: Outcome) -> bool:
        """Write what was found out. False when the member's lines are not what they were when the look began: the
        history may tell of a redemption that was not known of then."""
        async with self._database.rows_of(Doubt) as cursor:
            await one_at_a_time(cursor.connection, doubt.customer_id)
            now: Doubt | None = await (await cursor.execute(IN_DOUBT, (doubt.id,))).fetchone()
            if now is None or now.others() != doubt.others():
                return False
            values = msgspec.structs.asdict(outcome) | self._check | {"id": doubt.id}
            await cursor.connection.execute(SETTLE, values)
            # Lines before this one may have waited for it.
            waiting = await cursor.connection.execute(EARLIER, (doubt.customer_id, doubt.id))
            for (number,) in await waiting.fetchall():
                await hasten(cursor.connection, "check_redemption", number)
            return True

    async def give_up(self, doubt: Doubt) -> bool:
        """Nobody looks any more: it stays unknown, and the credentials are deleted. False when the member has lent
        others meanwhile, or it is settled."""
        async with self._database.connection() as connection:
            given_up = await connection.execute(GIVE_UP, msgspec.structs.asdict(doubt))
            return given_up.rowcount == 1

    async def lend(self, entry: Entry, session: Session, credentials: bytes) -> Entry:
        """The member has come back: their new sign-in helps to find out, at once."""
        async with self._database.rows_of(Entry) as cursor:
            values = {
                "id": entry.id,
                "session": session.key,
                "signed_in_at": session.record.created_at,
                "credentials": credentials,
                "before": entry.credentials,
            }
            lent: Entry | None = await (await cursor.execute(LEND, values | self._check)).fetchone()
            if lent is not None:
                await hasten(cursor.connection, "check_redemption", entry.id)
        return lent or entry

    async def resolve(self, reference: str, state: Settled, note: str, code: str | None) -> Entry | None:
        """A person has found out; None when no unknown redemption has this support reference."""
        async with self._database.rows_of(Entry) as cursor:
            values = {"reference": reference, "state": state, "note": note, "code": code}
            return await (await cursor.execute(RESOLVE, values)).fetchone()
