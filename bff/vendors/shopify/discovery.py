"""What the shop publishes of itself: its endpoints, who signs its ID tokens, and the keys they are signed with.

https://shopify.dev/docs/api/customer, "Discovery"; OpenID Connect Discovery 1.0.
"""

import asyncio
import re
from typing import Any

import msgspec
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from bff.clock import Clock
from bff.errors import UpstreamFailed
from bff.stores.refreshing import StaleWhileRevalidate
from bff.vendors.shopify.requests import ShopifyRequests
from bff.vendors.shopify.tokens import ClientRegistration

API_VERSION = "2026-07"
FRESH_SECONDS = 3600
STALE_SECONDS = 86_400
SHOPIFY_ISSUER = re.compile(r"https://shopify\.com/authentication/\d+")
log = structlog.get_logger("shopify")


class Endpoints(msgspec.Struct, frozen=True):
    """The parts we need of the shop's two discovery documents."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str
    jwks_uri: str
    graphql_api: str


class Discovery:
    """Endpoints and keys, asked for again after an hour, and used for a day at most while Shopify does not answer.

    Every method raises UpstreamFailed when there is nothing to use and Shopify does not answer, or answers nonsense.
    """

    def __init__(self, requests: ShopifyRequests, registration: ClientRegistration, clock: Clock) -> None:
        self._requests = requests
        self._shop_url = registration.shop_url
        self._pinned_issuer = registration.issuer
        self._endpoints = StaleWhileRevalidate(
            self._load_endpoints, clock, fresh_seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS
        )
        self._keys = StaleWhileRevalidate(
            self._load_keys, clock, fresh_seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS
        )

    async def endpoints(self) -> Endpoints:
        endpoints, _ = await self._endpoints.get()
        return endpoints

    async def keys(self, *, at_most_seconds: float | None = None) -> KeySet:
        """The shop's public keys (JWKS, RFC 7517), with `at_most_seconds` never older ones."""
        keys, _ = await self._keys.get(at_most_seconds=at_most_seconds)
        return keys

    async def _load_endpoints(self) -> Endpoints:
        documents = await asyncio.gather(self._document("openid-configuration"), self._document("customer-account-api"))
        try:
            endpoints = msgspec.convert({**documents[0], **documents[1]}, Endpoints)
        except msgspec.ValidationError:
            raise UpstreamFailed("Shopify's discovery document is incomplete.", sent=True) from None
        self._pin(endpoints.issuer)
        graphql_api = re.sub(r"/api/[^/]+/", f"/api/{API_VERSION}/", endpoints.graphql_api)
        return msgspec.structs.replace(endpoints, graphql_api=graphql_api)

    async def _document(self, name: str) -> dict[str, Any]:
        reply = await self._requests.get("shopify_discovery", f"{self._shop_url}/.well-known/{name}")
        body = reply.json() if reply.status == 200 else None
        if not isinstance(body, dict):
            raise UpstreamFailed(f"{name} is not there: are customer accounts enabled in the shop?", sent=True)
        return body

    def _pin(self, issuer: str) -> None:
        """The issuer is set in the settings, or the first one seen of Shopify's form; it never changes afterwards."""
        if self._pinned_issuer is None and SHOPIFY_ISSUER.fullmatch(issuer):
            self._pinned_issuer = issuer
        if issuer != self._pinned_issuer:
            log.error("issuer_refused")
            raise UpstreamFailed("Shopify's issuer is not the one that was pinned.", sent=True)

    async def _load_keys(self) -> KeySet:
        endpoints = await self.endpoints()
        reply = await self._requests.get("shopify_jwks", endpoints.jwks_uri)
        try:
            return KeySet.import_key_set(reply.json())
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UpstreamFailed("Shopify's keys cannot be read.", sent=True) from error
