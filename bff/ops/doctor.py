"""Checks of settings, stores and vendors, one line each, so that we know what is wrong before a shopper does.

It only reads, but for a key in Valkey that says whether it takes writes and is gone after ten seconds: an operation
that would change something at a vendor is listed and not called.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import Mapping
from itertools import chain
from urllib.parse import urlsplit

from bff.errors import SettingsError, UpstreamFailed, VendorRefused
from bff.ops.cart_checks import check_carts
from bff.ops.clock_checks import check_clocks
from bff.ops.okendo_probe import TOKEN, probed
from bff.ops.origin_checks import check_origin, check_preflight
from bff.ops.processes import check_processes
from bff.ops.report import Check, Report, make_report
from bff.ops.store_checks import check_stores, pinned_issuer
from bff.services.vendors import okendo_account, shopify_carts, shopify_registration, subtotal_client
from bff.settings.groups import SubtotalSettings
from bff.settings.production import weaknesses
from bff.settings.read import read_settings
from bff.settings.settings import Settings
from bff.settings.sites import is_same_site
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.overrides import operations_with_overrides
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import ShopifyTokens
from bff.vendors.subtotal.client import SubtotalClient
from bff.vendors.transport import Transport
from bff.vendors.upstream import Upstream

# A token that no vendor ever issued: how it is refused tells whether we were let in.
UNKNOWN_TOKEN = "a-token-that-never-was"  # noqa: S105  # It opens nothing.
UNKNOWN_CUSTOMER = "a-customer-that-never-was"
# What is required, and says nothing of who may call: whoever asks about an origin from elsewhere has none of it.
NOT_OF_ORIGINS = {
    "DATABASE_URL": "postgresql://localhost/none",
    "VALKEY_URL": "valkey://localhost/0",
    "SHOPIFY_SHOP_URL": "https://shop.invalid",
    "SHOPIFY_CLIENT_ID": "none",
    "OKENDO_USER_ID": "none",
    "OKENDO_PARTNER_ID": "none",
}


async def examine(environ: Mapping[str, str]) -> Report:
    """Check everything; whatever is down, the rest is still checked."""
    customer_token = environ.get(TOKEN, "").strip()
    try:
        settings = read_settings({name: value for name, value in environ.items() if name != TOKEN})
        operations = operations_with_overrides(settings.okendo.overrides)
    except SettingsError as error:
        return make_report([_unfit(error)])
    upstream = Upstream(Transport())
    okendo = OkendoClient(upstream, okendo_account(settings), operations)
    try:
        by_area = await asyncio.gather(
            _check_storefronts(settings, upstream),
            check_stores(settings),
            check_clocks(settings, upstream),
            check_processes(settings),
            _check_shopify(settings, upstream, customer_token),
            probed(okendo, operations, customer_token),
            check_carts(shopify_carts(settings, upstream)),
            _check_subtotal(settings.subtotal, subtotal_client(settings, upstream)),
        )
    finally:
        await upstream.aclose()
    return make_report([*_check_settings(settings), *chain.from_iterable(by_area)])


async def examine_origin(environ: Mapping[str, str], origin: str) -> Report:
    """Whether pages of this origin may call, and nothing else; PUBLIC_URL is all that has to be set."""
    keys = "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()
    given = {name: value for name, value in environ.items() if name != TOKEN and value.strip()}
    try:
        settings = read_settings(NOT_OF_ORIGINS | {"SECRET_KEYS": keys} | given)
    except SettingsError as error:
        return make_report([_unfit(error)])
    upstream = Upstream(Transport())
    try:
        return make_report(await check_origin(settings, upstream, origin))
    finally:
        await upstream.aclose()


def _unfit(error: SettingsError) -> Check:
    return Check("settings", error.name, "fail", str(error), "Correct it, then ask again.")


# Settings -----------------------------------------------------------------------------------------------------------


def _check_settings(settings: Settings) -> list[Check]:
    overrides = settings.okendo.overrides or "no file; the rows are as shipped"
    return [
        Check("settings", "environment", "ok", f"complete, for {settings.environment}"),
        Check("settings", "OKENDO_OVERRIDES", "ok", overrides),
        _check_currency(settings.shop_currency),
        *_check_proxies(settings),
        _check_events(settings),
        *(Check("settings", weak.name, "warn", weak.detail, weak.remedy) for weak in weaknesses(settings)),
        Check("register at Shopify", "Callback URI", "note", f"{settings.base_url}/callback"),
        Check("register at Shopify", "JavaScript origin", "note", settings.origin),
        Check("register at Shopify", "Logout URI", "note", f"{settings.base_url}/signed-out"),
    ]


def _check_currency(currency: str | None) -> Check:
    if currency is not None:
        return Check("settings", "SHOP_CURRENCY", "ok", currency)
    remedy = "Set it to the shop's currency, such as USD, unless Okendo tells one with every amount."
    return Check("settings", "SHOP_CURRENCY", "warn", "is not set: an amount without a currency is left out", remedy)


def _check_proxies(settings: Settings) -> list[Check]:
    if not settings.production or settings.trusted_proxies:
        return []
    detail = "is empty: whoever can reach this service past its proxy is believed to be whom they say"
    return [Check("settings", "TRUSTED_PROXIES", "note", detail)]


def _check_events(settings: Settings) -> Check:
    """Nothing is sent to try it out: whoever is there could only take it for an event."""
    if settings.events.url is None:
        return Check("settings", "EVENTS_WEBHOOK_URL", "note", "is not set: nobody is told of what shoppers do")
    detail = f"what shoppers do is posted to {urlsplit(settings.events.url).netloc}, signed"
    return Check("settings", "EVENTS_WEBHOOK_URL", "ok", detail)


# Storefronts --------------------------------------------------------------------------------------------------------


async def _check_storefronts(settings: Settings, upstream: Upstream) -> list[Check]:
    origins = settings.storefront_origins
    if not (origins or settings.preview_origins):
        detail = "is empty: no storefront's JavaScript may call the JSON routes"
        remedy = "Name the storefront's origin, unless only the pages are used."
        return [Check("storefront", "STOREFRONT_ORIGINS", "warn", detail, remedy)]
    preflights = await asyncio.gather(*(check_preflight(settings, upstream, origin) for origin in origins))
    return [*(_check_site(settings, origin) for origin in (*origins, *settings.preview_origins)), *preflights]


def _check_site(settings: Settings, origin: str) -> Check:
    """Of an origin, or of all that a pattern admits: they are of one site, unless its `*` is in the name of a site."""
    if is_same_site(origin.replace("*", "a"), settings.public_url):
        return Check("storefront", origin, "ok", "same site as PUBLIC_URL: browsers send it the session cookie")
    detail = "another site than PUBLIC_URL; the cookie is partitioned"
    remedy = "Serve both under one registrable domain if you can: some browsers keep no such cookies."
    return Check("storefront", origin, "warn", detail, remedy)


# Shopify ------------------------------------------------------------------------------------------------------------


async def _check_shopify(settings: Settings, upstream: Upstream, customer_token: str) -> list[Check]:
    # Without pins: to look pins nothing.
    shopify = ShopifyClient(upstream, shopify_registration(settings), None, time.time)
    try:
        issuer = await shopify.issuer()
    except UpstreamFailed as failure:
        remedy = (
            "Look at SHOPIFY_SHOP_URL, SHOPIFY_ISSUER and SHOPIFY_ACCOUNTS_URL, and whether customer accounts are on "
            "in the shop."
        )
        return [Check("shopify", "discovery", "fail", failure.why, remedy)]
    checks = [Check("shopify", "discovery", "ok", f"both documents; the issuer is {issuer}")]
    if settings.shopify.issuer is None:
        checks.append(_check_pin(issuer, await pinned_issuer(settings)))
    return [*checks, await _check_registration(shopify), *await _check_permissions(shopify, customer_token)]


def _check_pin(issuer: str, pinned: str | None) -> Check:
    remedy = f"Set SHOPIFY_ISSUER={issuer}, so that no other is ever believed."
    if pinned not in (None, issuer):
        detail = f"{pinned} was seen first and is pinned: nobody can sign in"
        return Check("shopify", "issuer", "fail", detail, f"Only if the shop was moved on purpose: {remedy}")
    return Check("shopify", "issuer", "warn", "is not set: the first one seen is pinned", remedy)


async def _check_registration(shopify: ShopifyClient) -> Check:
    """Shopify says that a refresh token is invalid only to a client that it knows, at an origin that it knows."""
    unknown = ShopifyTokens(kind="customer_account", access_token="", expires_at=0, refresh_token=UNKNOWN_TOKEN)
    try:
        await shopify.refresh(unknown)
    except VendorRefused:
        return Check("shopify", "registration", "ok", "client id, secret and JavaScript origin are known")
    except UpstreamFailed as failure:
        remedy = "Compare SHOPIFY_CLIENT_ID, SHOPIFY_CLIENT_SECRET and the JavaScript origin with the Headless channel."
        return Check("shopify", "registration", "fail", failure.why, remedy)
    return Check("shopify", "registration", "warn", "answered a token that cannot exist", "Look at SHOPIFY_SHOP_URL.")


async def _check_permissions(shopify: ShopifyClient, customer_token: str) -> list[Check]:
    """Which fields of a customer the merchant lets us read; only a customer's own token can tell."""
    if not customer_token:
        return [Check("shopify", "permissions", "note", f"need {TOKEN}")]
    try:
        customer = await shopify.customer_of(customer_token)
    except VendorRefused:
        return [Check("shopify", "permissions", "note", f"are not known: Shopify does not accept {TOKEN}")]
    except UpstreamFailed as failure:
        remedy = "Look at the permissions of the Customer Account API in the Headless channel."
        return [Check("shopify", "permissions", "fail", failure.why, remedy)]
    if customer.denied:
        detail = f"{', '.join(customer.denied)} of a customer is denied: no referral links, no linked shops without it"
        remedy = "Grant it: Headless channel, Customer Account API, permissions (protected customer data)."
        return [Check("shopify", "permissions", "warn", detail, remedy)]
    return [Check("shopify", "permissions", "ok", "name and e-mail address of a customer can be read")]


# Subtotal -----------------------------------------------------------------------------------------------------------


async def _check_subtotal(settings: SubtotalSettings, subtotal: SubtotalClient | None) -> list[Check]:
    checks = [_check_actions(settings)]
    if settings.simulated_events:
        remedy = "Production refuses SUBTOTAL_SIMULATED_EVENTS=on."
        checks.append(Check("subtotal", "simulated events", "warn", "are paid like real ones", remedy))
    return [*checks, await _check_subtotal_key(subtotal), *await _check_plan(settings, subtotal)]


async def _check_subtotal_key(subtotal: SubtotalClient | None) -> Check:
    if subtotal is None:
        return Check("subtotal", "API", "note", "needs SUBTOTAL_API_KEY; no accounts can be linked")
    try:
        await subtotal.connections(UNKNOWN_CUSTOMER)
    except VendorRefused as refusal:
        remedy = "Compare SUBTOTAL_API_KEY with Subtotal's dashboard."
        return Check("subtotal", "API", "fail", f"refused with {refusal.status}", remedy)
    except UpstreamFailed as failure:
        return Check("subtotal", "API", "fail", failure.detail, "Look at SUBTOTAL_API_URL.")
    return Check("subtotal", "API", "ok", "answers, and accepts the key")


async def _check_plan(settings: SubtotalSettings, subtotal: SubtotalClient | None) -> list[Check]:
    """Whether a plan that collects whole baskets meets an action that pays their totals."""
    on_totals = [one.name for one in settings.actions if one.event == "purchase.created" and one.counts == "total"]
    if subtotal is None or not on_totals:
        return []
    try:
        access = (await subtotal.plan()).purchase_access
    except (UpstreamFailed, VendorRefused):
        access = None
    if access == "brand_products":
        return [Check("subtotal", "plan", "ok", "collects the brand's own products alone")]
    collects = f"collects more than the brand's own products ({access})" if access else "does not tell what it collects"
    detail = f"{collects}, and {', '.join(on_totals)} pays the total of every purchase"
    remedy = 'Set counts = "items" with brands or upcs in SUBTOTAL_ACTIONS, unless whole baskets are to be paid.'
    return [Check("subtotal", "plan", "warn", detail, remedy)]


def _check_actions(settings: SubtotalSettings) -> Check:
    if not settings.actions:
        return Check("subtotal", "SUBTOTAL_ACTIONS", "note", "is empty: no purchase elsewhere earns points")
    rules = ", ".join(dict.fromkeys(action.earning_rule_id for action in settings.actions))
    detail = f"pays the rules {rules}; no action of Subtotal's own integration may name one of them, or it pays twice"
    return Check("subtotal", "SUBTOTAL_ACTIONS", "note", detail)
