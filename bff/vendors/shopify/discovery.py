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
from bff.stores.pins import Pins
from bff.stores.refreshing import StaleWhileRevalidate
from bff.vendors.shopify.requests import ShopifyRequests
from bff.vendors.shopify.tokens import ClientRegistration
from bff.vendors.shopify.trust import IssuerPin, TrustedAddresses, strong_keys

API_VERSION = "2026-07"
FRESH_SECONDS = 3600
STALE_SECONDS = 86_400
# Keys that do not fit a token are asked for again: so often in a row, and then once in so many seconds.
KEY_RENEWALS = 4
KEY_RENEWAL_SECONDS = 30
ADDRESSES = ("authorization_endpoint", "token_endpoint", "end_session_endpoint", "jwks_uri", "graphql_api")
log = structlog.get_logger("shopify")


class Endpoints(msgspec.Struct, frozen=True):
    """The parts we need of the shop's two discovery documents."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    graphql_api: str
    end_session_endpoint: str | None = None


class Allowance:
    """How often something may be done: `burst` times in a row, and once more for every `seconds_each` that pass."""

    def __init__(self, clock: Clock, *, burst: int, seconds_each: float) -> None:
        self._clock = clock
        self._burst = burst
        self._seconds_each = seconds_each
        self._left = float(burst)
        self._counted_at = clock()

    def take(self) -> bool:
        """Whether it may be done now; then it counts as done."""
        now = self._clock()
        gained = max(0.0, now - self._counted_at) / self._seconds_each
        self._left, self._counted_at = min(self._burst, self._left + gained), now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Discovery:
    """Endpoints and keys, asked for again after an hour, and used for a day at most while Shopify does not answer.

    Every method raises UpstreamFailed when there is nothing to use and Shopify does not answer, or answers what is not
    believed (`trust`), and Problem `store_unavailable` when the pinned issuer cannot be read.
    """

    def __init__(
        self, requests: ShopifyRequests, registration: ClientRegistration, pins: Pins | None, clock: Clock
    ) -> None:
        self._requests = requests
        self._shop_url = registration.shop_url
        self._trusted = TrustedAddresses(shop_url=registration.shop_url, accounts_url=registration.accounts_url)
        self._issuer = IssuerPin(registration, pins)
        self._endpoints = StaleWhileRevalidate(
            self._load_endpoints, clock, fresh_seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS
        )
        self._keys = StaleWhileRevalidate(
            self._load_keys, clock, fresh_seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS
        )
        self._key_renewals = Allowance(clock, burst=KEY_RENEWALS, seconds_each=KEY_RENEWAL_SECONDS)

    async def endpoints(self) -> Endpoints:
        endpoints, _ = await self._endpoints.get()
        return endpoints

    async def keys(self) -> KeySet:
        """The shop's public keys (JWKS, RFC 7517)."""
        keys, _ = await self._keys.get()
        return keys

    async def keys_after(self, tried: KeySet) -> KeySet | None:
        """Newer keys than those that did not fit a token; None when Shopify has been asked too often for that.

        Shopify names its keys by their position, so a new one may come under the name of an old one.
        """
        keys = await self.keys()
        if keys is not tried:
            return keys
        # Who comes while they are asked for already asks nothing more.
        return await self._keys.renew() if self._keys.is_loading or self._key_renewals.take() else None

    async def _load_endpoints(self) -> Endpoints:
        documents = await asyncio.gather(self._document("openid-configuration"), self._document("customer-account-api"))
        try:
            endpoints = msgspec.convert({**documents[0], **documents[1]}, Endpoints)
        except msgspec.ValidationError:
            raise UpstreamFailed("Shopify's discovery document is incomplete.", sent=True) from None
        self._check_addresses(endpoints)
        await self._issuer.check(endpoints.issuer)
        graphql_api = re.sub(r"/api/[^/]+/", f"/api/{API_VERSION}/", endpoints.graphql_api)
        return msgspec.structs.replace(endpoints, graphql_api=graphql_api)

    async def _document(self, name: str) -> dict[str, Any]:
        reply = await self._requests.get("shopify_discovery", f"{self._shop_url}/.well-known/{name}")
        body = reply.json() if reply.status == 200 else None
        if not isinstance(body, dict):
            raise UpstreamFailed(f"{name} is not there: are customer accounts enabled in the shop?", sent=True)
        return body

    def _check_addresses(self, endpoints: Endpoints) -> None:
        """Nothing is sent to an address that is not Shopify's or the shop's, and no browser is sent there."""
        for name in ADDRESSES:
            address = getattr(endpoints, name)
            if address is not None and address not in self._trusted:
                log.error("endpoint_refused", what=name)
                raise UpstreamFailed(f"Shopify's discovery gives another site's address as {name}.", sent=True)

    async def _load_keys(self) -> KeySet:
        endpoints = await self.endpoints()
        reply = await self._requests.get("shopify_jwks", endpoints.jwks_uri)
        try:
            return strong_keys(reply.json())
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UpstreamFailed("Shopify's keys cannot be read.", sent=True) from error
