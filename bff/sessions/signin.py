"""Signing in to the program and out of it again, once Shopify has said who somebody is."""

import asyncio
import secrets

import structlog
from msgspec import structs

from bff.errors import Problem, UpstreamFailed
from bff.schemas.outbound import signed_in
from bff.sessions.data import SessionData
from bff.sessions.exchange import Exchange
from bff.sessions.handles import Handles
from bff.sessions.signouts import SignOut, SignOuts
from bff.sessions.store import Session, Sessions
from bff.stores.outbox import Outbox
from bff.tasks import DetachedTasks
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import AuthorizationResponse, PendingLogin, ShopifyCustomer, ShopifyTokens

REFRESH_MEMBER_SECONDS = 2
log = structlog.get_logger("signin")


class SignIn:
    """Begins, refreshes and ends sessions. Every method raises Problem `store_unavailable` when Valkey does not
    answer."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        exchange: Exchange,
        handles: Handles,
        shopify: ShopifyClient,
        sign_outs: SignOuts,
        outbox: Outbox,
        tasks: DetachedTasks,
    ) -> None:
        self._sessions = sessions
        self._exchange = exchange
        self._handles = handles
        self._shopify = shopify
        self._sign_outs = sign_outs
        self._outbox = outbox
        self._tasks = tasks

    async def begin_with_code(
        self, response: AuthorizationResponse, pending: PendingLogin, storefront: str | None = None
    ) -> tuple[ShopifyCustomer, str]:
        """Trade a callback's code for a session; returns whose it is and the cookie's value.

        Detached, since a code works once. Raises VendorRefused when it does not any more, UpstreamFailed, and Problem
        `session_required` when the answer cannot be verified.
        """
        return await self._tasks.run(self._begin_with_code(response, pending, storefront))

    async def _begin_with_code(
        self, response: AuthorizationResponse, pending: PendingLogin, storefront: str | None
    ) -> tuple[ShopifyCustomer, str]:
        tokens, customer = await self._shopify.sign_in(response, pending)
        return customer, await self.begin(tokens, customer, storefront, begun_at=pending.begun_at)

    async def begin(
        self,
        tokens: ShopifyTokens,
        customer: ShopifyCustomer,
        storefront: str | None = None,
        *,
        begun_at: float,
        replaces: Session | None = None,
    ) -> str:
        """Begin a session for a customer whose token Shopify has accepted; returns the cookie's value. `storefront` is
        the origin of the one they come from, if it is one of ours, `begun_at` when they set out to sign in. What is
        known from a session of the same customer that it `replaces` is kept; ending that one is left to the caller.

        Okendo is asked at once, but a failure there does not undo the sign-in: it is asked again when needed. Raises
        Problem `session_expired` when they were signed out everywhere since.
        """
        data, before = self._new(tokens, customer, storefront), None
        if replaces is not None and replaces.data.customer_id == customer.id:
            before, known = replaces.key, replaces.data
            data = structs.replace(data, loyalty=known.loyalty, state=known.state)
        cookie = await self._sessions.create(data, begun_at=begun_at, replaces=before)
        session = await self._sessions.load(cookie)
        if session is not None:
            await self._ask_okendo(session)
            if before is None:
                self._outbox.record(signed_in(customer.id))
        return cookie

    async def lend(
        self, tokens: ShopifyTokens, customer: ShopifyCustomer, storefront: str | None, *, begun_at: float
    ) -> tuple[str, Session]:
        """Begin what the storefront's server acts for this customer with; returns the handle and what it opens. Raises
        what `begin` does."""
        data = self._new(tokens, customer, storefront)
        handle, session = await self._handles.issue(data, begun_at=begun_at)
        await self._ask_okendo(session)
        log.info("handle_issued", who=self._sessions.pseudonym(customer.id))
        return handle, session

    def _new(self, tokens: ShopifyTokens, customer: ShopifyCustomer, storefront: str | None) -> SessionData:
        return SessionData(
            customer_id=customer.id,
            session_nonce=secrets.token_urlsafe(16),
            created_at=self._sessions.clock(),
            shopify=tokens,
            name=customer.name,
            email=customer.email,
            storefront=storefront,
        )

    async def _ask_okendo(self, session: Session) -> None:
        try:
            async with asyncio.timeout(4):
                await self._exchange.renew(session)
        except (UpstreamFailed, TimeoutError):
            log.warning("exchange_postponed")
        except Problem:
            await self._sessions.end(session.key)
            raise

    async def refresh_member(self, session: Session) -> None:
        """Okendo has said that something about this member changed: read it again. If that fails, it is tried at the
        next request. Raises Problem `session_expired`."""
        await self._sessions.clear_stale(session)
        try:
            async with asyncio.timeout(REFRESH_MEMBER_SECONDS):
                await self._exchange.renew(session)
        except (UpstreamFailed, TimeoutError):
            await self._sessions.mark_stale(session)
            log.warning("member_not_refreshed")

    async def end(self, session: Session, *, everywhere: bool = False) -> str | None:
        """End the session here. Returns the ticket with which their browser ends Shopify's as well, None for a session
        without an ID token: Shopify's was begun by somebody else then, and they end it."""
        id_token = session.data.shopify.id_token
        # Stored first: when Valkey fails here, nobody is signed out and they can try again.
        ticket = await self._sign_outs.begin(SignOut(id_token, everywhere)) if id_token else None
        await self._sessions.end(session.key)
        log.info("signed_out", who=self._sessions.pseudonym(session.data.customer_id))
        return ticket

    async def end_everywhere(self, session: Session) -> str | None:
        """End every session of this session's customer, here at once; returns what `end` does.

        It is the last to go, so that whoever is told that it did not work can try again.
        """
        others = await self._sessions.end_all_of(session.data.customer_id, but=session.key)
        ticket = await self.end(session, everywhere=True)
        log.info("signed_out_everywhere", what=f"{others + 1} sessions")
        return ticket
