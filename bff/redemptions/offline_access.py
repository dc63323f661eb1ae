"""Calling Okendo as a member who may have left: which credentials are stored for that, and how they are used.

Two things are sealed into an entry of the ledger. The key and key share of the member's session open its record while
they are signed in, so that its tokens are renewed as on any request. The JWT of that moment works after they signed
out, until it expires. The rotating refresh token is never copied, because using a copy would end the session it came
from. (docs/decisions/redeem-once.md)
"""

from typing import Any

import msgspec
import structlog

from bff.errors import Problem
from bff.sessions.exchange import Exchange
from bff.sessions.store import Session, Sessions
from bff.stores.keyring import KeyRing, SealBroken
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.row import ForMember, ReplyT

log = structlog.get_logger("offline_access")


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Secrets: the key of a session's record, the share of its encryption key, and a JWT if it had one."""

    session: str
    # Stored under its earlier name, so that what an earlier version sealed still opens.
    key_share: bytes = msgspec.field(name="share")
    jwt: str | None

    def __repr__(self) -> str:
        return "<Credentials>"


class OfflineAccess:
    """Reads what a member may read, while they are away."""

    def __init__(self, *, okendo: OkendoClient, sessions: Sessions, exchange: Exchange, keys: KeyRing) -> None:
        self._okendo = okendo
        self._sessions = sessions
        self._exchange = exchange
        self._keys = keys

    def sealed(self, session: Session, jwt: str | None) -> bytes:
        """The credentials of this session, sealed for this customer's entries alone."""
        credentials = Credentials(session=session.key, key_share=session.key_share, jwt=jwt)
        customer = session.data.customer_id.encode()
        return self._keys.seal("redemption", msgspec.msgpack.encode(credentials), associated_data=customer)

    async def serves(self, customer_id: str, sealed: bytes | None) -> bool:
        """Whether the credentials open and their session is still there; then no other credentials are needed."""
        try:
            credentials = self._opened(customer_id, sealed)
        except Problem:
            return False
        return await self._sessions.find(credentials.session, credentials.key_share) is not None

    async def as_member(
        self, customer_id: str, sealed: bytes | None, row: ForMember[ReplyT], **arguments: Any
    ) -> ReplyT:
        """Call an idempotent operation as this member.

        Raises Problem `session_expired` when there are no credentials that open or work, UpstreamFailed when a vendor
        fails, and VendorRefused when Okendo does not accept the credentials.
        """
        credentials = self._opened(customer_id, sealed)
        session = await self._sessions.find(credentials.session, credentials.key_share)
        if session is not None:
            try:
                return await self._exchange.as_member(session, row, **arguments)
            except Problem as problem:
                if problem.code != "session_expired":
                    raise
        if credentials.jwt is None:
            raise Problem("session_expired", "The sign-in has ended.")
        return await self._okendo.for_member(row, credentials.jwt, **arguments)

    def _opened(self, customer_id: str, sealed: bytes | None) -> Credentials:
        try:
            opened = self._keys.open("redemption", sealed or b"", associated_data=customer_id.encode())
        except SealBroken:
            raise Problem("session_expired", "There are no credentials.") from None
        return msgspec.msgpack.decode(opened, type=Credentials)
