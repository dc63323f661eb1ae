"""Checks of settings, stores and vendors, one line each, so that we know what is wrong before a shopper does.

It only reads: an operation that would change something at a vendor is listed and not called.
"""

import asyncio
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from itertools import chain
from pathlib import Path

from alembic.script import ScriptDirectory
from psycopg import AsyncConnection

from bff.errors import Problem, SettingsError, UpstreamFailed, VendorRefused
from bff.ops.okendo_probe import TOKEN, probed
from bff.ops.report import Check, Report, make_report
from bff.services import okendo_account, shopify_registration, subtotal_client
from bff.settings.groups import DatabaseSettings, ShopifySettings, SubtotalSettings, ValkeySettings
from bff.settings.read import read_settings
from bff.settings.settings import Settings
from bff.settings.sites import is_same_site
from bff.stores.database import Database
from bff.stores.valkey import connect, store_errors
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.overrides import operations_with_overrides
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import ShopifyTokens
from bff.vendors.subtotal.client import SubtotalClient
from bff.vendors.transport import AioTransport
from bff.vendors.upstream import Call, Upstream

# A token that no vendor ever issued: how it is refused tells whether we were let in.
UNKNOWN_TOKEN = "a-token-that-never-was"  # noqa: S105
UNKNOWN_CUSTOMER = "a-customer-that-never-was"
CLOCK_TOLERANCE_SECONDS = 30
LATE_JOB_SECONDS = 600
VALKEY_TIMEOUT_SECONDS = 2
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


async def examine(environ: Mapping[str, str]) -> Report:
    """Check everything; whatever is down, the rest is still checked."""
    customer_token = environ.get(TOKEN, "").strip()
    try:
        settings = read_settings({name: value for name, value in environ.items() if name != TOKEN})
        operations = operations_with_overrides(settings.okendo.overrides)
    except SettingsError as error:
        return make_report([Check("settings", error.name, "fail", str(error), "Correct it, then ask again.")])
    upstream = Upstream(AioTransport())
    okendo = OkendoClient(upstream, okendo_account(settings), operations)
    try:
        by_area = await asyncio.gather(
            _check_storefronts(settings, upstream),
            _check_stores(settings),
            _check_shopify(settings, upstream),
            probed(okendo, operations, customer_token),
            _check_subtotal(settings.subtotal, subtotal_client(settings, upstream)),
        )
    finally:
        await upstream.aclose()
    return make_report([*_check_settings(settings), *chain.from_iterable(by_area)])


# Settings -----------------------------------------------------------------------------------------------------------


def _check_settings(settings: Settings) -> list[Check]:
    overrides = settings.okendo.overrides or "no file; the rows are as shipped"
    return [
        Check("settings", "environment", "ok", f"complete, for {settings.environment}"),
        Check("settings", "OKENDO_OVERRIDES", "ok", overrides),
        Check("register at Shopify", "Callback URI", "note", f"{settings.base_url}/callback"),
        Check("register at Shopify", "JavaScript origin", "note", settings.origin),
    ]


# Storefronts --------------------------------------------------------------------------------------------------------


async def _check_storefronts(settings: Settings, upstream: Upstream) -> list[Check]:
    origins = settings.storefront_origins
    if not origins:
        detail = "is empty: no storefront's JavaScript may call the JSON routes"
        remedy = "Name the storefront's origin, unless only the pages are used."
        return [Check("storefront", "STOREFRONT_ORIGINS", "warn", detail, remedy)]
    preflights = await asyncio.gather(*(_check_preflight(settings, upstream, origin) for origin in origins))
    return [*(_check_site(settings, origin) for origin in origins), *preflights]


async def _check_preflight(settings: Settings, upstream: Upstream, origin: str) -> Check:
    """The preflight request of a browser before the storefront's JavaScript may write (Fetch, CORS-preflight fetch)."""
    name = f"CORS for {origin}"
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-loyalty-csrf,idempotency-key",
    }
    url = f"{settings.base_url}/api/v1/me/redemptions"
    call = Call(vendor="ourselves", operation="preflight", method="OPTIONS", url=url, headers=headers)
    try:
        reply = await upstream.call(call)
    except UpstreamFailed:
        remedy = "Start the service, or ask from where PUBLIC_URL can be reached."
        return Check("storefront", name, "warn", "PUBLIC_URL does not answer from here", remedy)
    if reply.status == 204:
        return Check("storefront", name, "ok", "the service at PUBLIC_URL lets it call")
    remedy = "Deploy these settings there, and see whether something in front of it answers OPTIONS."
    return Check("storefront", name, "fail", f"PUBLIC_URL answers its preflight with {reply.status}", remedy)


def _check_site(settings: Settings, origin: str) -> Check:
    if is_same_site(origin, settings.public_url):
        return Check("storefront", origin, "ok", "same site as PUBLIC_URL: browsers send it the session cookie")
    detail = "another site than PUBLIC_URL; the cookie is partitioned"
    remedy = "Serve both under one registrable domain if you can: some browsers keep no such cookies."
    return Check("storefront", origin, "warn", detail, remedy)


# Stores -------------------------------------------------------------------------------------------------------------


async def _check_stores(settings: Settings) -> list[Check]:
    valkey, database = await asyncio.gather(_check_valkey(settings.valkey), _check_database(settings.database))
    return [valkey, *database]


async def _check_valkey(settings: ValkeySettings) -> Check:
    valkey = connect(settings.url, verify_tls=settings.verify_tls, timeout_seconds=VALKEY_TIMEOUT_SECONDS)
    began = time.perf_counter()
    try:
        with store_errors():
            await valkey.get("doctor")
    except Problem:
        return Check("stores", "Valkey", "fail", "does not answer", "Look at VALKEY_URL and at the store itself.")
    finally:
        await valkey.aclose(close_connection_pool=True)
    took = time.perf_counter() - began
    if took > settings.timeout_seconds:
        detail = f"took {took:.2f} s, longer than VALKEY_TIMEOUT_SECONDS"
        return Check("stores", "Valkey", "warn", detail, "Move it nearer, or allow it more time.")
    return Check("stores", "Valkey", "ok", "answers")


async def _check_database(settings: DatabaseSettings) -> list[Check]:
    database = Database(settings.url)
    await database.open()
    try:
        async with database.connection() as connection:
            if not await _is_migrated(connection):
                detail = "answers, but its tables are not up to date"
                return [Check("stores", "PostgreSQL", "fail", detail, "Run `python -m bff migrate`.")]
            answers = Check("stores", "PostgreSQL", "ok", "answers, and its tables are up to date")
            return [answers, await _check_worker(connection)]
    except Problem:
        remedy = "Look at DATABASE_URL and at the database itself."
        return [Check("stores", "PostgreSQL", "fail", "does not answer", remedy)]
    finally:
        await database.close()


async def _is_migrated(connection: AsyncConnection) -> bool:
    exists = await connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
    if await exists.fetchone() != (True,):
        return False
    version = await (await connection.execute("TABLE alembic_version")).fetchone()
    return version == (ScriptDirectory(str(MIGRATIONS)).get_current_head(),)


async def _check_worker(connection: AsyncConnection) -> Check:
    late = await connection.execute(
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
        " AND coalesce(scheduled_at, now()) < now() - make_interval(secs => %s)",
        (LATE_JOB_SECONDS,),
    )
    (jobs,) = await late.fetchone() or (0,)
    if jobs:
        detail = f"{jobs} jobs have waited for ten minutes or more"
        return Check("stores", "worker", "warn", detail, "Start `python -m bff worker`.")
    return Check("stores", "worker", "ok", "no job is late")


# Shopify ------------------------------------------------------------------------------------------------------------


async def _check_shopify(settings: Settings, upstream: Upstream) -> list[Check]:
    shopify = ShopifyClient(upstream, shopify_registration(settings), time.time)
    clock = await _check_clock(settings.shopify, upstream)
    try:
        issuer = await shopify.issuer()
    except UpstreamFailed as failure:
        remedy = "Look at SHOPIFY_SHOP_URL, SHOPIFY_ISSUER, and whether customer accounts are on in the shop."
        return [clock, Check("shopify", "discovery", "fail", failure.why, remedy)]
    checks = [clock, Check("shopify", "discovery", "ok", f"both documents; the issuer is {issuer}")]
    if settings.shopify.issuer is None:
        remedy = f"Set SHOPIFY_ISSUER={issuer}, so that no other is ever believed."
        checks.append(Check("shopify", "issuer", "warn", "is not set: the first one seen is pinned", remedy))
    return [*checks, await _check_registration(shopify)]


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


async def _check_clock(settings: ShopifySettings, upstream: Upstream) -> Check:
    url = f"{settings.shop_url}/.well-known/openid-configuration"
    call = Call(vendor="shopify", operation="shopify_discovery", method="GET", url=url, idempotent=True)
    try:
        shopify_time = parsedate_to_datetime((await upstream.call(call)).headers["date"])
    except (UpstreamFailed, KeyError, ValueError):
        return Check("shopify", "clock", "warn", "cannot be compared: Shopify tells no time", "Ask again later.")
    ahead_seconds = time.time() - shopify_time.timestamp()
    if abs(ahead_seconds) > CLOCK_TOLERANCE_SECONDS:
        remedy = "Set this machine's clock; tokens are judged by it."
        return Check("shopify", "clock", "fail", f"is {ahead_seconds:+.0f} s from Shopify's", remedy)
    return Check("shopify", "clock", "ok", "agrees with Shopify's")


# Subtotal -----------------------------------------------------------------------------------------------------------


async def _check_subtotal(settings: SubtotalSettings, subtotal: SubtotalClient | None) -> list[Check]:
    checks = [_check_actions(settings)]
    if settings.simulated_events:
        remedy = "Set SUBTOTAL_SIMULATED_EVENTS=off before real shoppers come."
        checks.append(Check("subtotal", "simulated events", "warn", "are paid like real ones", remedy))
    return [*checks, await _check_subtotal_key(subtotal)]


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


def _check_actions(settings: SubtotalSettings) -> Check:
    if not settings.actions:
        return Check("subtotal", "SUBTOTAL_ACTIONS", "note", "is empty: no purchase elsewhere earns points")
    rules = ", ".join(dict.fromkeys(action.earning_rule_id for action in settings.actions))
    detail = f"pays the rules {rules}; no action of Subtotal's own integration may name one of them, or it pays twice"
    return Check("subtotal", "SUBTOTAL_ACTIONS", "note", detail)
