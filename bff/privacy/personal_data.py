"""Everything that this service holds on one customer, for that customer's own eyes (GDPR Art. 15)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString

from psycopg.rows import dict_row

from bff.privacy.trail import CustomerTrail
from bff.sessions.index import SessionIndex
from bff.stores.database import Database

# More than anybody has: a person's trail is a few lines.
MOST_LINES = 100_000
# What is ours and says nothing of them stays out: sealed credentials, what recognises a request or a payee again.
STATEMENTS: dict[str, LiteralString] = {
    "redemptions": """
        SELECT support_reference, state, reward_id, reward_name, points, balance_seen, coupon_code, coupon_description,
            coupon_expires_at, store_credit, currency, reason, note, created_at, changed_at
        FROM redemptions WHERE customer_id = ANY(%(names)s) ORDER BY id
    """,
    "consents": """
        SELECT consents.*, locale_requested, origin
        FROM consents LEFT JOIN consent_places ON consent_id = id
        WHERE customer_id = ANY(%(names)s) ORDER BY id
    """,
    "awards": """
        SELECT reference, event, action, customer_id, email, retailer_id, connection_id, purchase_id, value, state,
            reason, note, points, balance_before, created_at, changed_at
        FROM awards
        WHERE customer_id = ANY(%(names)s)
            OR state <> 'paid' AND lower(email) = ANY(SELECT lower(name) FROM unnest(%(names)s::text[]) AS name)
        ORDER BY id
    """,
    "linked_accounts": """
        SELECT retailer_id, connection_id, min(created_at) AS first_award_at FROM awards
        WHERE customer_id = ANY(%(names)s) AND connection_id <> '' GROUP BY 1, 2 ORDER BY 3
    """,
    "webhooks": """
        SELECT vendor, type, state, received_at, body FROM webhook_events
        WHERE customer_id = ANY(%(names)s) ORDER BY id
    """,
    "events": """
        SELECT message_id, type, data, state, reason, happened_at, changed_at FROM outbound_events
        WHERE customer_id = ANY(%(names)s) ORDER BY id
    """,
    "requests": """
        SELECT reference, kind, vendor_request, state, received_at, due_at FROM member_requests
        WHERE customer_id = ANY(%(names)s) ORDER BY id
    """,
}
ELSEWHERE = (
    "Profile, orders and sign-in are kept by Shopify; points, membership, birthday and referrals by Okendo; linked"
    " accounts and purchases elsewhere by Subtotal: ask for them there."
)
SEALED = "What a session holds is sealed and opened only by the cookie of its browser: name, e-mail address and tokens."


class PersonalData:
    """Every method raises Problem `store_unavailable` when a store does not answer."""

    def __init__(self, *, database: Database, index: SessionIndex, trail: CustomerTrail) -> None:
        self._database = database
        self._index = index
        self._trail = trail

    async def of(self, names: Sequence[str]) -> dict[str, Any]:
        """All on the customer of these names (`privacy.names`), each kind under its own name; times are in UTC."""
        held: dict[str, Any] = {"customer": list(names), "exported_at": datetime.now(UTC)}
        async with self._database.together():
            for kind, statement in STATEMENTS.items():
                held[kind] = await self._rows(statement, names)
            held["audit"] = await self._trail.listed(names, limit=MOST_LINES)
        began = [moment for name in names for moment in await self._index.began(name)]
        held["sessions"] = [{"began_at": datetime.fromtimestamp(moment, UTC)} for moment in began]
        return held | {"sealed": SEALED, "kept_elsewhere": ELSEWHERE}

    async def _rows(self, statement: LiteralString, names: Sequence[str]) -> list[dict[str, Any]]:
        async with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(statement, {"names": list(names)})
            return [_readable(row) for row in await cursor.fetchall()]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value for name, value in row.items()
    }
