"""The evidence of consent in PostgreSQL: what was shown and agreed to, by whom and when, and what came of it."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal

import msgspec
import psycopg

from bff.schemas.outbound import joined
from bff.stores.database import Database
from bff.stores.outbox import Outbox

ConsentOutcome = Literal["sent", "accepted", "refused", "unknown"]


# In place of a language that nobody knows (BCP 47, RFC 5646 §4.1).
UNDETERMINED = "und"


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """The words and links a member agreed to, exactly as they were shown.

    `locale` is the language of the words, "und" where nobody knows it; `locale_requested` the one they were asked for
    in, None where none was; `origin` that of the page they stood on, None where a program without one sent the click.
    """

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
    locale_requested: str | None = None
    origin: str | None = None


class Evidence(Consent, frozen=True, kw_only=True):
    """One line of the record. `outcome` "sent" means that the process died before it knew."""

    id: int
    agreed_at: datetime
    outcome: ConsentOutcome


# Where the words were shown stands in a table of its own: code of the version before reads every column of the first
# one, and knows what to do with those that it knows.
INSERT = """
    WITH stored AS (
        INSERT INTO consents
            (customer_id, version, digest, button_text, sentence_html, privacy_policy_url, terms_and_conditions_url,
             locale, channel, request_id)
        VALUES (%(customer_id)s, %(version)s, %(digest)s, %(button_text)s, %(sentence_html)s, %(privacy_policy_url)s,
            %(terms_and_conditions_url)s, %(locale)s, %(channel)s, %(request_id)s)
        RETURNING id
    )
    INSERT INTO consent_places (consent_id, locale_requested, origin)
    SELECT id, %(locale_requested)s, %(origin)s FROM stored
    RETURNING consent_id
"""
# A refusal after it does not matter, and neither does what came before a consent whose outcome is known.
COMPLETE = """
    UPDATE consents SET outcome = 'accepted'
    WHERE outcome IN ('sent', 'unknown')
        AND id = (SELECT max(id) FROM consents WHERE customer_id = %s AND outcome <> 'refused')
    RETURNING id, customer_id
"""
SETTLE = "UPDATE consents SET outcome = %s WHERE id = %s RETURNING id, customer_id"
# Whoever has agreed in that time, by the clock that dated the evidence, unless that was refused.
AGREED_LATELY = """
    SELECT 1 FROM consents
    WHERE customer_id = %(customer_id)s AND agreed_at >= now() - make_interval(secs => %(joined_seconds)s)
        AND outcome <> 'refused'
    LIMIT 1
"""
SELECT = """
    SELECT consents.*, locale_requested, origin
    FROM consents LEFT JOIN consent_places ON consent_id = id
    WHERE (%(customer)s::text IS NULL OR customer_id = %(customer)s)
        AND (%(since)s::timestamptz IS NULL OR agreed_at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR agreed_at < %(until)s)
        AND id > %(after)s
    ORDER BY id LIMIT 500
"""


class Consents:
    """The table. Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def store(self, consent: Consent) -> int:
        """Store the evidence, before the vendor is told; returns its number."""
        async with self._database.connection() as connection:
            row = await (await connection.execute(INSERT, msgspec.structs.asdict(consent))).fetchone()
            return int(row[0]) if row else 0

    async def settle(self, number: int, outcome: ConsentOutcome) -> None:
        """Add what came of it."""
        async with self._database.connection() as connection:
            settled = await (await connection.execute(SETTLE, (outcome, number))).fetchone()
            if settled is not None and outcome == "accepted":
                await self._tell(connection, *settled)

    async def complete(self, customer_id: str) -> None:
        """The member is enrolled: their latest consent, if what came of it was not known, has led to that."""
        async with self._database.connection() as connection:
            completed = await (await connection.execute(COMPLETE, (customer_id,))).fetchone()
            if completed is not None:
                await self._tell(connection, *completed)

    async def _tell(self, connection: "psycopg.AsyncConnection[Any]", number: int, customer_id: str) -> None:
        await self._outbox.add(connection, joined(customer_id, number))

    async def has_agreed_lately(self, customer_id: str, seconds: int) -> bool:
        """Whether the member has agreed to join within so many seconds, and was not refused."""
        asked = {"customer_id": customer_id, "joined_seconds": seconds}
        async with self._database.connection() as connection:
            return await (await connection.execute(AGREED_LATELY, asked)).fetchone() is not None

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
