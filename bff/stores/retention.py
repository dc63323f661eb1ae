"""How long rows are kept in PostgreSQL, and what deletes those whose time is over.

Nothing goes that is open, unknown or waits for a person, nor what keeps something from being done twice: an event's id
is known for longer than any vendor sends it again, a redemption's key for two years, and awards and the consents that
led to a membership are kept for good (docs/decisions/retention.md).
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

import psycopg
import structlog
from psycopg.sql import SQL, Composed, Identifier

from bff.errors import Problem
from bff.stores.database import Database
from bff.telemetry.logs import cause

# So many rows go with one statement, which takes milliseconds and holds nobody up.
BATCH_ROWS = 1000
# So many statements a run; a long backlog, as at the first run, is left to the next ones.
BATCHES = 50
DELETE = SQL("""
    DELETE FROM {table} WHERE {key} = ANY(ARRAY(
        SELECT {key} FROM {table} AS line WHERE {over} LIMIT %(rows)s FOR UPDATE SKIP LOCKED))
""")
COUNT = SQL("SELECT count(*) FROM {table} AS line WHERE {over}")
log = structlog.get_logger("retention")


class Rule(NamedTuple):
    """The rows of `table` go that are kept for `days` days already: `over`, a condition with `%(days)s`, says which. A
    row is `line` there, and `key` names it."""

    table: str
    days: int
    over: LiteralString
    key: str = "id"

    def statement(self, template: SQL) -> Composed:
        """DELETE or COUNT, about these rows."""
        return template.format(table=Identifier(self.table), key=Identifier(self.key), over=SQL(self.over))


def retention_rules(*, redemption_days: int) -> tuple[Rule, ...]:
    """Every rule there is; redemptions alone are kept for as long as a merchant chooses."""
    return (
        # Subtotal sends an event again for 18 hours, and a person may ask for it later.
        Rule("webhook_events", 30, """
            state IN ('done', 'ignored') AND received_at < now() - make_interval(days => %(days)s)
        """),
        # What a member's other entries say helps to reconcile an unknown one, which may be checked again at any time.
        Rule("redemptions", redemption_days, """
            state IN ('succeeded', 'failed') AND changed_at < now() - make_interval(days => %(days)s)
            AND NOT EXISTS (SELECT FROM redemptions AS other
                            WHERE other.customer_id = line.customer_id
                                AND other.state IN ('reserved', 'sent', 'unknown'))
        """),
        # Okendo has refused it, so it has led to no membership.
        Rule("consents", 90, "outcome = 'refused' AND agreed_at < now() - make_interval(days => %(days)s)"),
        # The worker deletes the jobs that it has done. A failed one waits for a person.
        Rule("procrastinate_jobs", 30, """
            status IN ('succeeded', 'cancelled', 'aborted')
            AND NOT EXISTS (SELECT FROM procrastinate_events AS event
                            WHERE event.job_id = line.id AND event.at >= now() - make_interval(days => %(days)s))
        """),
        # Whoever was told knows it by then; what could not be told has waited for a person for long enough.
        Rule("outbound_events", 30, """
            state <> 'waiting' AND changed_at < now() - make_interval(days => %(days)s)
        """),
        # A pace of long ago says that the next call may come at once, as no pace does.
        Rule("paces", 1, "next_at < now() - make_interval(days => %(days)s)", key="name"),
    )  # fmt: skip


class Retention:
    """Keeps to the rules. One run beside another deletes no row twice and waits for none."""

    def __init__(self, database: Database, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self._database = database

    async def overdue(self, rule: Rule) -> int:
        """How many rows this rule would delete now. Raises Problem `store_unavailable`."""
        async with self._database.connection() as connection:
            row = await (await connection.execute(rule.statement(COUNT), {"days": rule.days})).fetchone()
            return int(row[0]) if row else 0

    async def delete_overdue(self) -> bool:
        """Delete what is past its time, each batch in a transaction of its own; False when some of it is still there,
        because there is more than one run deletes, or because PostgreSQL did not take it, which is logged."""
        return all([await self._deleted_all(rule) for rule in self.rules])

    async def _deleted_all(self, rule: Rule) -> bool:
        deleted, is_complete = 0, False
        try:
            for _ in range(BATCHES):
                batch = await self._delete_batch(rule)
                deleted += batch
                if is_complete := batch < BATCH_ROWS:
                    break
        except (Problem, psycopg.Error) as error:
            log.warning("retention_failed", what=rule.table, **cause(error.__cause__ or error))
        if deleted:
            log.info("rows_deleted", what=rule.table, rows=deleted)
        return is_complete

    async def _delete_batch(self, rule: Rule) -> int:
        async with self._database.connection() as connection:
            values = {"days": rule.days, "rows": BATCH_ROWS}
            return (await connection.execute(rule.statement(DELETE), values)).rowcount
