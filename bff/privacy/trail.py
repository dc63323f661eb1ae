"""The lines of the trail that are about one customer, though no line names one."""

from collections.abc import Sequence
from datetime import datetime

from bff.stores.audit import Audit, Line
from bff.stores.database import Database
from bff.stores.keyring import KeyRing

REFERENCES = """
    SELECT support_reference FROM redemptions WHERE customer_id = ANY(%(names)s)
    UNION ALL SELECT reference FROM awards WHERE customer_id = ANY(%(names)s)
    UNION ALL SELECT event_id FROM webhook_events WHERE customer_id = ANY(%(names)s)
    UNION ALL SELECT message_id FROM outbound_events WHERE customer_id = ANY(%(names)s)
"""


class CustomerTrail:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, *, database: Database, audit: Audit, keys: KeyRing) -> None:
        self._database = database
        self._audit = audit
        self._keys = keys

    def target(self, customer_id: str) -> str:
        """How a line names a customer: by the keyed hash that log lines have, too (`Sessions.pseudonym`)."""
        return self._targets(customer_id)[0]

    async def listed(
        self,
        names: Sequence[str],
        *,
        by: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        limit: int,
    ) -> list[Line]:
        """The latest lines about the customer of these names (`privacy.names`), or about what is theirs, newest first.
        What was written under a key that is listed no more is not found, by anybody."""
        async with self._database.connection() as connection:
            rows = await (await connection.execute(REFERENCES, {"names": list(names)})).fetchall()
        targets = [target for name in names for target in self._targets(name)] + [reference for (reference,) in rows]
        return await self._audit.listed(by=by, action=action, since=since, targets=targets, limit=limit)

    def _targets(self, customer_id: str) -> list[str]:
        return [f"customer {hmac[:16]}" for hmac in self._keys.hmacs("customer index", "log", customer_id)]
