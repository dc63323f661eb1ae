"""Signing in to the program and out of it again, once Shopify has said who somebody is."""

import asyncio
import contextlib
import secrets

import structlog

from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.sessions.exchange import Exchange
from bff.sessions.store import Session, SessionData, Sessions
from bff.tasks import DetachedTasks
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import PendingLogin, ShopifyCustomer, ShopifyTokens

REFRESH_MEMBER_SECONDS = 2
log = structlog.get_logger("signin")


class SignIn:
    """Begins, refreshes and ends sessions. Every method raises Problem `store_unavailable` when Valkey does not
    answer."""

    def __init__(self, *, sessions: Sessions, exchange: Exchange, shopify: ShopifyClient, tasks: DetachedTasks) -> None:
        self._sessions = sessions
        self._exchange = exchange
        self._shopify = shopify
        self._tasks = tasks

    async def begin_with_code(self, code: str, pending: PendingLogin) -> tuple[ShopifyCustomer, str]:
        """Trade a callback's code for a session; returns whose it is and the cookie's value.

        Detached, since a code works once. Raises VendorRefused when it does not any more, UpstreamFailed, and Problem
        `session_required` when the ID token does not hold.
        """
        return await self._tasks.run(self._begin_with_code(code, pending))

    async def _begin_with_code(self, code: str, pending: PendingLogin) -> tuple[ShopifyCustomer, str]:
        tokens = await self._shopify.redeem_code(code, pending)
        customer = await self._shopify.customer_of(tokens.access_token)
        return customer, await self.begin(tokens, customer)

    async def begin(self, tokens: ShopifyTokens, customer: ShopifyCustomer) -> str:
        """Begin a session for a customer whose token Shopify has accepted; returns the cookie's value.

        Okendo is asked at once, but a failure there does not undo the sign-in: it is asked again when needed.
        """
        data = SessionData(
            customer_id=customer.id,
            session_nonce=secrets.token_urlsafe(16),
            created_at=self._sessions.clock(),
            shopify=tokens,
            name=customer.name,
            email=customer.email,
        )
        cookie = await self._sessions.create(data)
        session = await self._sessions.load(cookie)
        if session is not None:
            try:
                async with asyncio.timeout(4):
                    await self._exchange.jwt(session)
            except (UpstreamFailed, TimeoutError):
                log.info("exchange_postponed")
            except Problem:
                await self._sessions.end(session.key)
                raise
        return cookie

    async def refresh_member(self, session: Session) -> None:
        """Okendo has said that something about this member changed: read it again. If that fails, it is tried at the
        next request. Raises Problem `session_expired`."""
        await self._sessions.clear_stale(session)
        try:
            async with asyncio.timeout(REFRESH_MEMBER_SECONDS):
                await self._exchange.renew(session)
        except (UpstreamFailed, TimeoutError):
            await self._sessions.mark_stale(session)
            log.info("refresh_postponed")

    async def end(self, session: Session) -> None:
        """End the session here first, then at Shopify as well if that answers soon."""
        await self._sessions.end(session.key)
        if session.data.shopify.id_token is not None:
            with contextlib.suppress(UpstreamFailed, VendorRefused, TimeoutError):
                async with asyncio.timeout(2):
                    await self._tasks.run(self._shopify.end_session(session.data.shopify.id_token))
