"""The evidence of consent in PostgreSQL: what was shown and agreed to, by whom and when, and what came of it."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

import msgspec

from bff.stores.database import Database

ConsentOutcome = Literal["sent", "accepted", "refused", "unknown"]


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


class Evidence(Consent, frozen=True, kw_only=True):
    """One line of the record. `outcome` "sent" means that the process died before it knew."""

    id: int
    agreed_at: datetime
    outcome: ConsentOutcome


INSERT = """
    INSERT INTO consents
        (customer_id, version, digest, button_text, sentence_html, privacy_policy_url, terms_and_conditions_url,
         locale, channel, request_id)
    VALUES (%(customer_id)s, %(version)s, %(digest)s, %(button_text)s, %(sentence_html)s, %(privacy_policy_url)s,
        %(terms_and_conditions_url)s, %(locale)s, %(channel)s, %(request_id)s)
    RETURNING id
"""
# A refusal after it does not matter, and neither does what came before a consent whose outcome is known.
COMPLETE = """
    UPDATE consents SET outcome = 'accepted'
    WHERE outcome IN ('sent', 'unknown')
        AND id = (SELECT max(id) FROM consents WHERE customer_id = %s AND outcome <> 'refused')
"""
SELECT = """
    SELECT * FROM consents
    WHERE (%(customer)s::text IS NULL OR customer_id = %(customer)s)
        AND (%(since)s::timestamptz IS NULL OR agreed_at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR agreed_at < %(until)s)
        AND id > %(after)s
    ORDER BY id LIMIT 500
"""


class Consents:
    """The table. Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store(self, consent: Consent) -> int:
        """Store the evidence, before the vendor is told; returns its number."""
        async with self._database.connection() as connection:
            row = await (await connection.execute(INSERT, msgspec.structs.asdict(consent))).fetchone()
            return int(row[0]) if row else 0

    async def settle(self, number: int, outcome: ConsentOutcome) -> None:
        """Add what came of it."""
        async with self._database.connection() as connection:
            await connection.execute("UPDATE consents SET outcome = %s WHERE id = %s", (outcome, number))

    async def complete(self, customer_id: str) -> None:
        """The member is enrolled: their latest consent, if what came of it was not known, has led to that."""
        async with self._database.connection() as connection:
            await connection.execute(COMPLETE, (customer_id,))

    async def stored(
        self, *, customer_id: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[Evidence]:
        """The evidence, oldest first: of one member or all, agreed to from `since` and before `until`."""
        chosen = {"customer": customer_id, "since": since, "until": until, "after": 0}
        while True:
            async with self._database.rows_of(Evidence) as cursor:
                found = await (await cursor.execute(SELECT, chosen)).fetchall()
            for evidence in found:
                yield evidence
            if not found:
                return
            chosen["after"] = found[-1].id

    async def forget(self, customer_id: str) -> tuple[int, int]:
        """Delete evidence that led to no membership; returns how many lines went and how many stay."""
        async with self._database.connection() as connection:
            gone = await connection.execute(
                "DELETE FROM consents WHERE customer_id = %s AND outcome = 'refused'", (customer_id,)
            )
            kept = await connection.execute("SELECT count(*) FROM consents WHERE customer_id = %s", (customer_id,))
            row = await kept.fetchone()
            return gone.rowcount, int(row[0]) if row else 0
