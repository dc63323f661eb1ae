"""The calls of one shop's Customer Account API: sign somebody in, renew their tokens, ask who they are, sign them out.

https://shopify.dev/docs/api/customer
"""

from bff.clock import Clock
from bff.errors import UpstreamFailed, VendorRefused
from bff.stores.pins import Pins
from bff.vendors.shopify.discovery import API_VERSION, Discovery
from bff.vendors.shopify.graphql import customer_account_holder, storefront_holder
from bff.vendors.shopify.id_tokens import IdTokens, check_subject
from bff.vendors.shopify.oauth import OAuth
from bff.vendors.shopify.requests import ShopifyRequests
from bff.vendors.shopify.tokens import (
    AuthorizationResponse,
    ClientRegistration,
    PendingLogin,
    ShopifyCustomer,
    ShopifyTokens,
    TokenReply,
)
from bff.vendors.upstream import Upstream


class ShopifyClient:
    """Every call raises UpstreamFailed or UpstreamTimeout when Shopify cannot be reached or answers with nonsense, and
    VendorRefused when it says a definite no."""

    def __init__(self, upstream: Upstream, registration: ClientRegistration, pins: Pins | None, clock: Clock) -> None:
        self.storefront_token = registration.storefront_token
        self._registration = registration
        self._clock = clock
        self._requests = ShopifyRequests(
            upstream, origin=registration.origin, timeout_seconds=registration.timeout_seconds
        )
        self._discovery = Discovery(self._requests, registration, pins, clock)
        self._oauth = OAuth(self._requests, self._discovery, registration)
        self._id_tokens = IdTokens(self._discovery, client_id=registration.client_id)

    async def authorization_url(self, pending: PendingLogin, **hints: str) -> str:
        """Where the browser goes to sign in: always PKCE S256, state and nonce. `hints` such as locale, login_hint."""
        return await self._oauth.authorization_url(pending, **hints)

    async def sign_in(
        self, response: AuthorizationResponse, pending: PendingLogin
    ) -> tuple[ShopifyTokens, ShopifyCustomer]:
        """Trade what the callback brought for tokens and for whose they are.

        Raises VendorRefused when the code is dead, Problem `session_required` when the answer is another issuer's, its
        ID token does not hold, or that and the access token are of two customers.
        """
        await self._id_tokens.check_issuer(response.issuer)
        tokens, subject = await self._redeem_code(response.code, pending)
        customer = await self.customer_of(tokens.access_token)
        check_subject(subject, customer.id)
        return tokens, customer

    async def _redeem_code(self, code: str, pending: PendingLogin) -> tuple[ShopifyTokens, str]:
        reply = await self._oauth.request_tokens(
            "authorization_code",
            code=code,
            code_verifier=pending.verifier,
            redirect_uri=self._registration.redirect_uri,
        )
        if not reply.id_token:
            raise UpstreamFailed("Shopify's token answer has no ID token.", sent=True)
        subject = await self._id_tokens.verify(reply, pending.nonce)
        return self._tokens(reply, reply.refresh_token, reply.id_token), subject

    async def refresh(self, tokens: ShopifyTokens) -> ShopifyTokens:
        """Trade the one-use refresh token for new tokens; Shopify sends no new ID token, so the old one is kept.

        Raises VendorRefused only for `invalid_grant`, the one answer that says the grant is dead.
        """
        if tokens.refresh_token is None:
            raise VendorRefused("shopify_token", 400, "invalid_grant")
        reply = await self._oauth.request_tokens("refresh_token", refresh_token=tokens.refresh_token)
        return self._tokens(reply, reply.refresh_token or tokens.refresh_token, reply.id_token or tokens.id_token)

    async def customer_of(self, access_token: str) -> ShopifyCustomer:
        """Whose Customer Account API token this is; raises VendorRefused when Shopify does not accept it."""
        endpoints = await self._discovery.endpoints()
        return await customer_account_holder(self._requests, endpoints.graphql_api, access_token)

    async def customer_of_legacy(self, access_token: str) -> ShopifyCustomer:
        """Whose legacy Storefront API token this is; raises VendorRefused when Shopify does not accept it."""
        url = f"{self._registration.shop_url}/api/{API_VERSION}/graphql.json"
        return await storefront_holder(self._requests, url, access_token, self.storefront_token or "")

    async def end_session_url(self, id_token: str, state: str) -> str | None:
        """Where the browser goes to sign out at Shopify and come back with `state` (OpenID Connect RP-Initiated Logout
        1.0 §2); None when the shop names no end-session endpoint. The address holds the ID token."""
        return await self._oauth.end_session_url(id_token, state)

    async def issuer(self) -> str:
        """Who signs the shop's ID tokens, as its discovery documents and the settings agree."""
        return (await self._discovery.endpoints()).issuer

    def _tokens(self, reply: TokenReply, refresh_token: str | None, id_token: str | None) -> ShopifyTokens:
        return ShopifyTokens(
            kind="customer_account",
            access_token=reply.access_token,
            expires_at=self._clock() + reply.expires_in,
            refresh_token=refresh_token,
            id_token=id_token,
        )
