"""The vendors, as the settings say where and as whom they are asked."""

from typing import NamedTuple

from bff.clock import Clock
from bff.services.foundation import Foundation
from bff.settings.settings import Settings
from bff.stores.pins import Pins
from bff.vendors.okendo.client import OkendoAccount, OkendoClient
from bff.vendors.okendo.languages import Languages
from bff.vendors.okendo.overrides import operations_with_overrides
from bff.vendors.receiver import Receiver
from bff.vendors.shopify.carts import Carts, StorefrontAccess
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.requests import ShopifyRequests
from bff.vendors.shopify.tokens import ClientRegistration
from bff.vendors.subtotal.client import SubtotalAccount, SubtotalClient
from bff.vendors.upstream import Upstream


class Vendors(NamedTuple):
    okendo: OkendoClient
    languages: Languages
    shopify: ShopifyClient
    carts: Carts
    subtotal: SubtotalClient | None


def vendors_on(base: Foundation) -> Vendors:
    settings, upstream = base.settings, base.upstream
    operations = operations_with_overrides(settings.okendo.overrides)
    return Vendors(
        okendo=OkendoClient(upstream, okendo_account(settings), operations),
        languages=Languages(settings.default_language, operations),
        shopify=ShopifyClient(upstream, shopify_registration(settings), Pins(base.valkey), base.clock),
        carts=shopify_carts(settings, upstream),
        subtotal=subtotal_client(settings, upstream),
    )


def okendo_account(settings: Settings) -> OkendoAccount:
    return OkendoAccount(
        api_url=settings.okendo.api_url,
        user_id=settings.okendo.user_id,
        partner_id=settings.okendo.partner_id,
        timeout_seconds=settings.upstream_timeout_seconds,
        api_key=settings.okendo.api_key,
        currency=settings.shop_currency,
    )


def subtotal_client(settings: Settings, upstream: Upstream) -> SubtotalClient | None:
    """Subtotal's API, None without a key."""
    if settings.subtotal.api_key is None:
        return None
    account = SubtotalAccount(
        api_url=settings.subtotal.api_url,
        link_url=settings.subtotal.link_url,
        link_token_url=settings.subtotal.link_token_url,
        api_key=settings.subtotal.api_key,
        timeout_seconds=settings.upstream_timeout_seconds,
    )
    return SubtotalClient(upstream, account)


def shopify_carts(settings: Settings, upstream: Upstream) -> Carts:
    access = StorefrontAccess(
        shop_url=settings.shopify.shop_url,
        public_token=settings.shopify.storefront_token,
        private_token=settings.shopify.storefront_private_token,
    )
    requests = ShopifyRequests(upstream, origin=settings.origin, timeout_seconds=settings.upstream_timeout_seconds)
    return Carts(requests, access)


def receiver_of(settings: Settings, upstream: Upstream, clock: Clock) -> Receiver | None:
    """The merchant's own address for events, None where there is none."""
    url, secret, seconds = settings.events.url, settings.events.secret, settings.upstream_timeout_seconds
    if url is None or secret is None:
        return None
    return Receiver(upstream, url, secret, timeout_seconds=seconds, clock=clock)


def shopify_registration(settings: Settings) -> ClientRegistration:
    return ClientRegistration(
        shop_url=settings.shopify.shop_url,
        client_id=settings.shopify.client_id,
        client_secret=settings.shopify.client_secret,
        redirect_uri=f"{settings.base_url}/callback",
        post_logout_redirect_uri=f"{settings.base_url}/signed-out",
        origin=settings.origin,
        issuer=settings.shopify.issuer,
        accounts_url=settings.shopify.accounts_url,
        storefront_token=settings.shopify.storefront_token,
        timeout_seconds=settings.upstream_timeout_seconds,
    )
