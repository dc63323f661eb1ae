"""Token exchange: a session's Shopify token for an Okendo JWT, again when that expires or is refused.

One request at a time does it for a session, under a lease; only a definite refusal ends the session (checklist B6, C8).
"""

import asyncio
import base64
from typing import Any

import msgspec
import structlog

from bff.errors import Busy, Problem, UpstreamFailed, UpstreamTimeout, VendorRefused
from bff.sessions.data import LoyaltyToken
from bff.sessions.flights import Flights
from bff.sessions.store import Session, Sessions
from bff.sessions.token_refresh import TokenRefresh
from bff.stores.leases import Leases
from bff.tasks import DetachedTasks
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.operations import LOGIN
from bff.vendors.okendo.refusals import explained, is_of_the_jwt
from bff.vendors.okendo.replies import Login
from bff.vendors.okendo.row import ForMember, ReplyT
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import ShopifyTokens

REFRESH_EARLY_SECONDS = 120
JWT_SECONDS = 3600
JWT_LONGEST_SECONDS = 86_400
JWT_EARLY_SECONDS = 30
LEASE_WAIT_SECONDS = 8.0
LEASE_POLL_SECONDS = 0.05
log = structlog.get_logger("exchange")


class Exchange:
    """Calls Okendo as the member of a session. Every method raises UpstreamFailed when a vendor fails, and Problem
    `session_expired` once the sign-in cannot be renewed any more."""

    def __init__(
        self,
        *,
        okendo: OkendoClient,
        shopify: ShopifyClient,
        sessions: Sessions,
        leases: Leases,
        tasks: DetachedTasks,
        refresh_seconds: float,
    ) -> None:
        self._okendo = okendo
        self._shopify = shopify
        self._sessions = sessions
        self._leases = leases
        self._tasks = tasks
        self._flights = Flights()
        self._refresh = TokenRefresh(shopify=shopify, sessions=sessions, seconds=refresh_seconds)

    async def as_member(self, session: Session, row: ForMember[ReplyT], **arguments: Any) -> ReplyT:
        """Call Okendo as this member. After a 401 nothing was carried out, and a merged member's JWT is of one who is
        gone: it is renewed and the call repeated, once. A second 401 ends the session."""
        jwt = await self.jwt(session)
        try:
            return await self._call(session, row, jwt, arguments)
        except VendorRefused as refusal:
            if not is_of_the_jwt(refusal):
                raise explained(refusal) from None
        jwt = await self.jwt(session, refused=jwt)
        try:
            return await self._call(session, row, jwt, arguments)
        except VendorRefused as refusal:
            if refusal.status != 401:
                raise explained(refusal) from None
            raise await self._end(session) from None

    async def _call(self, session: Session, row: ForMember[ReplyT], jwt: str, arguments: dict[str, Any]) -> ReplyT:
        """One call; a read with this JWT that is under way already is waited for instead. A renewal after it is no part
        of what is waited for: whoever comes meanwhile goes on with the Shopify token that still works."""
        if session.shared_as is None or row.method != "GET":
            return await self._okendo.for_member(row, jwt, **arguments)
        asked = (session.shared_as, jwt, row.name, tuple(sorted(arguments.items())))
        return await self._flights.share(asked, lambda: self._okendo.for_member(row, jwt, **arguments))

    async def renew(self, session: Session) -> None:
        """A new JWT, and with it the member's state as Okendo sees it now."""
        loyalty = session.data.loyalty
        await self.jwt(session, refused=loyalty.jwt if loyalty else None)

    async def jwt(self, session: Session, *, refused: str | None = None) -> str:
        """A JWT to call Okendo with: the session's, else a new one, exchanged by one request at a time.

        The others do not queue for the lease: they read the session again until it has a new JWT.
        """
        for _ in range(round(LEASE_WAIT_SECONDS / LEASE_POLL_SECONDS)):
            if jwt := self._usable_jwt(session, refused):
                return jwt
            try:
                return await self._tasks.run(self._exchange_alone(session, refused))
            except Busy:
                await asyncio.sleep(LEASE_POLL_SECONDS)
                await self._sessions.reload(session)
        raise UpstreamTimeout("Another request's exchange took too long.", sent=False)

    async def _exchange_alone(self, session: Session, refused: str | None) -> str:
        """Detached, since Shopify's refresh tokens rotate: once it has answered, the session must hold the new one."""
        async with self._leases.lease(f"exchange:{session.key}", wait_seconds=0):
            await self._sessions.reload(session)
            return self._usable_jwt(session, refused) or await self._exchange(session)

    def _usable_jwt(self, session: Session, refused: str | None) -> str | None:
        loyalty = session.data.loyalty
        if loyalty is None or loyalty.jwt == refused or loyalty.expires_at <= self._sessions.clock():
            return None
        return loyalty.jwt

    async def _exchange(self, session: Session) -> str:
        """Trade the Shopify token for a JWT. Okendo may refuse it before it expires: then it is refreshed, once."""
        tokens = session.data.shopify
        if tokens.refresh_token and tokens.expires_at - REFRESH_EARLY_SECONDS <= self._sessions.clock():
            tokens = await self._refresh_early(session)
        try:
            login = await self._login(tokens)
        except VendorRefused as refusal:
            if refusal.status != 401:
                raise explained(refusal) from None
            login = await self._login_after_refresh(session)
        expires_at = expiry_of(login.token, self._sessions.clock())
        loyalty = LoyaltyToken(jwt=login.token, expires_at=expires_at)
        await self._sessions.change(session, loyalty=loyalty, state=login.state or session.data.state)
        return login.token

    async def _login_after_refresh(self, session: Session) -> Login:
        try:
            return await self._login(await self._refresh_shopify_tokens(session))
        except VendorRefused as refusal:
            if refusal.status != 401:
                raise explained(refusal) from None
            raise await self._end(session) from None

    async def _refresh_early(self, session: Session) -> ShopifyTokens:
        """New Shopify tokens; while the old ones still work, a refresh that fails is put off."""
        tokens = session.data.shopify
        try:
            return await self._refresh_shopify_tokens(session)
        except (UpstreamFailed, Busy):
            if tokens.expires_at <= self._sessions.clock():
                raise
            log.warning("tokens_not_refreshed")
            return tokens

    async def _refresh_shopify_tokens(self, session: Session) -> ShopifyTokens:
        try:
            return await self._refresh.refresh(session)
        except VendorRefused:
            raise await self._end(session) from None

    async def _login(self, tokens: ShopifyTokens) -> Login:
        if tokens.kind == "storefront":
            return await self._okendo.for_store(
                LOGIN, storefront=tokens.access_token, storefront_public=self._shopify.storefront_token
            )
        return await self._okendo.for_store(LOGIN, customer_account=tokens.access_token)

    async def _end(self, session: Session) -> Problem:
        await self._sessions.end(session.key)
        return Problem("session_expired", "Your session has ended. Please sign in again.")


def expiry_of(token: str, now: float) -> float:
    """When to renew a vendor's JWT at the latest. Its `exp` is only a hint: nothing else in it is looked at, and what
    is missing, malformed, past or too far ahead gives a safe default (C7)."""
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expires_at = claims["exp"]
    except (IndexError, ValueError, KeyError, TypeError, RecursionError):
        return now + JWT_SECONDS
    if not isinstance(expires_at, int | float) or isinstance(expires_at, bool):
        return now + JWT_SECONDS
    # A token that seems to have expired already is more likely a matter of clocks; Okendo's 401 will tell.
    if not now + JWT_EARLY_SECONDS < expires_at <= now + JWT_LONGEST_SECONDS:
        return now + JWT_SECONDS
    return expires_at - JWT_EARLY_SECONDS
