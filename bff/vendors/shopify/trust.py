"""What of Shopify's discovery documents is believed: which addresses, which keys, and one issuer for ever.

Whoever can change what the shop's domain answers could name a token endpoint of their own, and be sent the client
secret and the shoppers' tokens. OpenID Connect Discovery 1.0 §4.3 would bind the issuer to the document's address, but
Shopify's is https://shopify.com/authentication/{shop_id} in every shop. Why these rules: docs/decisions/discovery.md.
"""

import base64
import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

import structlog
from joserfc.jwk import KeySet

from bff.errors import UpstreamFailed
from bff.settings.sites import is_same_site
from bff.stores.pins import Pins
from bff.vendors.shopify.tokens import ClientRegistration

ISSUER = re.compile(r"https://shopify\.com/authentication/\d+")
SHOPIFY_HOSTS = re.compile(r"shopify\.com|[a-z0-9.-]+\.myshopify\.com")
# NIST SP 800-131A, and RFC 7518 §3.3 for RS256.
SMALLEST_RSA_BITS = 2048
log = structlog.get_logger("shopify")


class TrustedAddresses:
    """The shop's own, those of its site, those of its customer accounts' domain, and Shopify's.

    Only https, the standard port and no userinfo; a shop on this machine, as in development, has http and all ports.
    Address literals and private names belong to none of these sites.
    """

    def __init__(self, *, shop_url: str, accounts_url: str | None) -> None:
        self._shop_url = shop_url
        self._sites = tuple(filter(None, (shop_url, accounts_url)))

    def __contains__(self, address: str) -> bool:
        try:
            given, shop = urlsplit(address), urlsplit(self._shop_url)
            if "@" in given.netloc or not given.hostname or not address.isprintable():
                return False
            if given.hostname == shop.hostname and given.scheme == shop.scheme == "http":
                return True
            return _is_plain_https(given) and (
                SHOPIFY_HOSTS.fullmatch(given.hostname) is not None
                or any(is_same_site(address, site) for site in self._sites)
            )
        except ValueError:
            return False


def _is_plain_https(address: SplitResult) -> bool:
    return address.scheme == "https" and address.port in (None, 443)


def pin_name(shop_url: str) -> str:
    """Under which the issuer of this shop is pinned."""
    return f"shopify-issuer:{shop_url}"


class IssuerPin:
    """The one issuer: as it is set, or the first of Shopify's form that any process has seen, without pins this one."""

    def __init__(self, registration: ClientRegistration, pins: Pins | None) -> None:
        self._pins = pins
        self._name = pin_name(registration.shop_url)
        self._configured = registration.issuer
        self._pinned: str | None = None

    async def check(self, issuer: str) -> None:
        """Raises UpstreamFailed when this is not the one, Problem `store_unavailable` when that cannot be known."""
        if self._configured is None and ISSUER.fullmatch(issuer):
            # What this process knows is pinned again, should the store have lost it.
            seen = self._pinned or issuer
            self._pinned = await self._pins.pin(self._name, seen) if self._pins else seen
        if issuer != (self._configured or self._pinned):
            log.error("issuer_refused")
            raise UpstreamFailed("Shopify's issuer is not the one that was pinned.", sent=True)


def strong_keys(jwks: Any) -> KeySet:
    """The RSA keys of a JWKS (RFC 7517) that are long enough to be believed.

    Raises UpstreamFailed when there is none, and what joserfc raises for a document that is no JWKS.
    """
    given = jwks["keys"]
    strong = [jwk for jwk in given if jwk.get("kty") == "RSA" and _bits(jwk["n"]) >= SMALLEST_RSA_BITS]
    if len(strong) < len(given):
        log.warning("keys_refused")
    if not strong:
        raise UpstreamFailed("Shopify published no key that may be believed.", sent=True)
    return KeySet.import_key_set({"keys": strong})


def _bits(modulus: str) -> int:
    """How long an RSA modulus is (base64url without padding, RFC 7518 §6.3.1.1)."""
    return int.from_bytes(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))).bit_length()
