"""What customers have asked for at Shopify: who is to be forgotten is, by the worker; the rest waits for a person.

States of a request: waiting → closed. A closed one names nobody any more.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec
import structlog

from bff.errors import Problem
from bff.privacy.forgetting import Forgetting
from bff.privacy.names import names_of
from bff.stores.audit import Audit, NewLine
from bff.stores.database import Database, new_reference
from bff.stores.inbox import Inbox, Stored
from bff.vendors.shopify.webhooks import PrivacyRequest, read_request

RequestState = Literal["waiting", "closed"]
# Shopify's own limit (vendors.shopify.webhooks).
DUE = timedelta(days=30)
# A redemption that is under way is over, or called dead, in a minute.
RETRY_SECONDS = 60.0
SHOPIFY = "shopify"
log = structlog.get_logger("privacy")


class MemberRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One that waits for a person, or did. `vendor_request` is Shopify's name of it."""

    reference: str
    kind: Literal["data_request", "shop_redact"]
    customer_id: str | None
    vendor_request: str | None
    state: RequestState
    received_at: datetime
    due_at: datetime
    closed_at: datetime | None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How many wait for a person, how many of them past their time, and when the first has to be done."""

    count: int
    overdue: int
    first_due_at: datetime | None


INSERT = """
    INSERT INTO member_requests (reference, kind, customer_id, vendor_request, received_at, due_at)
    VALUES (%(reference)s, %(kind)s, %(customer_id)s, %(vendor_request)s, %(received_at)s, %(due_at)s)
"""
COLUMNS = "reference, kind, customer_id, vendor_request, state, received_at, due_at, closed_at"
LISTED = f"""
    SELECT {COLUMNS} FROM member_requests WHERE state = %(state)s OR %(state)s = 'all'
    ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608  # Our own words.
CLOSE = """
    UPDATE member_requests SET state = 'closed', closed_at = now(), customer_id = NULL
    WHERE reference = %s AND state = 'waiting'
"""
WAITING = """
    SELECT count(*), count(*) FILTER (WHERE due_at < now()) AS overdue, min(due_at) AS first_due_at
    FROM member_requests WHERE state = 'waiting'
"""


class MemberRequests:
    """Every method raises Problem `store_unavailable` when a store does not answer."""

    def __init__(self, *, database: Database, inbox: Inbox, forgetting: Forgetting, audit: Audit) -> None:
        self._database = database
        self._inbox = inbox
        self._forgetting = forgetting
        self._audit = audit

    async def take(self, number: int) -> float | None:
        """Do what a webhook asks for. Returns in how many seconds to come back, None when it is done."""
        stored = await self._inbox.find(number)
        if stored is None:
            return None
        request = read_request(stored.type, "", stored.body)
        return await (
            self._forget(stored, request) if request.topic == "customers/redact" else self._add(stored, request)
        )

    async def _forget(self, stored: Stored, request: PrivacyRequest) -> float | None:
        try:
            names = names_of(request.customer_id or "", request.email)
            await self._forgetting.forget(names, who=SHOPIFY, why=request.topic)
        except Problem as problem:
            if problem.code != "request_in_progress":
                raise
            return RETRY_SECONDS
        # Forgetting twice does no harm, so this need not be one transaction with it.
        await self._inbox.settle(stored.id, "done")
        log.info("member_forgotten", what=request.topic)
        return None

    async def _add(self, stored: Stored, request: PrivacyRequest) -> None:
        """Have a person do it."""
        reference = new_reference("Q")
        values = {
            "reference": reference,
            "kind": "shop_redact" if request.customer_id is None else "data_request",
            "customer_id": None if request.customer_id is None else names_of(request.customer_id)[0],
            "vendor_request": request.request_id,
            "received_at": stored.received_at,
            "due_at": stored.received_at + DUE,
        }
        async with self._database.together():
            async with self._database.connection() as connection:
                await connection.execute(INSERT, values)
            await self._inbox.settle(stored.id, "done")
            await self._audit.add(_line(SHOPIFY, "members request", reference, request.topic, after="waiting"))
        log.warning("member_request_waiting", what=request.topic, reference=reference)

    async def listed(self, *, state: str, limit: int) -> list[MemberRequest]:
        """The latest, newest first."""
        async with self._database.rows_of(MemberRequest) as cursor:
            return await (await cursor.execute(LISTED, {"state": state, "limit": limit})).fetchall()

    async def close(self, reference: str, *, who: str, why: str) -> bool:
        """A person has done it; False when no request with this reference waits."""
        async with self._database.together():
            async with self._database.connection() as connection:
                closed = (await connection.execute(CLOSE, (reference,))).rowcount == 1
            if closed:
                await self._audit.add(_line(who, "members close", reference, why, before="waiting", after="closed"))
        return closed

    async def waiting(self) -> Waiting:
        """What has to be done, for whoever is to be told."""
        async with self._database.rows_of(Waiting) as cursor:
            found: Waiting | None = await (await cursor.execute(WAITING)).fetchone()
            return found or Waiting(count=0, overdue=0, first_due_at=None)


def _line(
    who: str, action: str, target: str, why: str, *, before: RequestState | None = None, after: RequestState
) -> NewLine:
    was = None if before is None else {"state": before}
    return NewLine(who=who, action=action, target=target, why=why, before=was, after={"state": after})
