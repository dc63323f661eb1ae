"""What is wrong, before a shopper notices: settings, stores and vendors looked at one by one, a line each.

Only reads are made: what would change something at a vendor is listed and left alone.
"""

import asyncio
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

from alembic.script import ScriptDirectory

from bff.errors import Problem, SettingsError, UpstreamFailed, VendorRefused
from bff.ops.okendo_probe import TOKEN, probed
from bff.ops.report import Check, Report, report
from bff.services import okendo_account, shopify_registration, subtotal_client
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

NOBODY = "a-token-that-never-was"
CLOCK_SECONDS = 30
WAITING_SECONDS = 600
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


async def examine(environ: Mapping[str, str]) -> Report:
    """Look at everything there is; nothing that is down keeps the rest from being looked at."""
    token = environ.get(TOKEN, "").strip()
    try:
        settings = read_settings({name: value for name, value in environ.items() if name != TOKEN})
        rows = operations_with_overrides(settings.okendo.overrides)
    except SettingsError as error:
        return report([Check("settings", error.name, "fail", str(error), "Correct it, then ask again.")])
    upstream = Upstream(AioTransport())
    try:
        parts = await asyncio.gather(
            _storefronts(settings, upstream),
            _stores(settings),
            _shopify(settings, upstream),
            probed(OkendoClient(upstream, okendo_account(settings), rows), rows, token),
            _subtotal(settings, subtotal_client(settings, upstream)),
        )
    finally:
        await upstream.aclose()
    return report([*_settings(settings), *(finding for part in parts for finding in part)])


# Settings -----------------------------------------------------------------------------------------------------------


def _settings(settings: Settings) -> list[Check]:
    corrected = settings.okendo.overrides or "no file; the rows are as shipped"
    return [
        Check("settings", "environment", "ok", f"complete, for {settings.environment}"),
        Check("settings", "OKENDO_OVERRIDES", "ok", corrected),
        Check("register at Shopify", "Callback URI", "note", f"{settings.base_url}/callback"),
        Check("register at Shopify", "JavaScript origin", "note", settings.origin),
    ]


# Storefronts --------------------------------------------------------------------------------------------------------


async def _storefronts(settings: Settings, upstream: Upstream) -> list[Check]:
    if not settings.storefront_origins:
        detail = "is empty: no storefront's JavaScript may call the JSON routes"
        advice = "Name the storefront's origin, unless only the pages are used."
        return [Check("storefront", "STOREFRONT_ORIGINS", "warn", detail, advice)]
    asked = [_cors(settings, upstream, origin) for origin in settings.storefront_origins]
    return [*(_site(settings, origin) for origin in settings.storefront_origins), *await asyncio.gather(*asked)]


async def _cors(settings: Settings, upstream: Upstream, origin: str) -> Check:
    """A browser's question before it lets the storefront's JavaScript write (Fetch, CORS-preflight request)."""
    name = f"CORS for {origin}"
    asks = {"origin": origin, "access-control-request-method": "POST"}
    asks |= {"access-control-request-headers": "content-type,x-loyalty-csrf,idempotency-key"}
    url = f"{settings.base_url}/api/v1/me/redemptions"
    try:
        reply = await upstream.call(
            Call(vendor="ourselves", operation="preflight", method="OPTIONS", url=url, headers=asks)
        )
    except UpstreamFailed:
        advice = "Start the service, or ask from where PUBLIC_URL can be reached."
        return Check("storefront", name, "warn", "PUBLIC_URL does not answer from here", advice)
    if reply.status == 204:
        return Check("storefront", name, "ok", "the service at PUBLIC_URL lets it call")
    advice = "Deploy these settings there, and see whether something in front of it answers OPTIONS."
    return Check("storefront", name, "fail", f"PUBLIC_URL answers its preflight with {reply.status}", advice)


def _site(settings: Settings, origin: str) -> Check:
    if is_same_site(origin, settings.public_url):
        return Check("storefront", origin, "ok", "same site as PUBLIC_URL: browsers send it the session cookie")
    return Check(
        "storefront",
        origin,
        "warn",
        "another site than PUBLIC_URL; the cookie is partitioned",
        "Serve both under one registrable domain if you can: some browsers keep no such cookies.",
    )


# Stores -------------------------------------------------------------------------------------------------------------


async def _stores(settings: Settings) -> list[Check]:
    return [*await asyncio.gather(_valkey(settings)), *await _database(settings)]


async def _valkey(settings: Settings) -> Check:
    valkey = connect(settings.valkey.url, verify_tls=settings.valkey.verify_tls, timeout_seconds=2)
    began = time.perf_counter()
    try:
        with store_errors():
            await valkey.get("doctor")
    except Problem:
        return Check("stores", "Valkey", "fail", "does not answer", "Look at VALKEY_URL and at the store itself.")
    finally:
        await valkey.aclose(close_connection_pool=True)
    took = time.perf_counter() - began
    if took > settings.valkey.timeout_seconds:
        detail = f"took {took:.2f} s, longer than VALKEY_TIMEOUT_SECONDS"
        return Check("stores", "Valkey", "warn", detail, "Move it nearer, or allow it more time.")
    return Check("stores", "Valkey", "ok", "answers")


async def _database(settings: Settings) -> list[Check]:
    database = Database(settings.database.url)
    await database.open()
    try:
        return await _tables(database)
    except Problem:
        remedy = "Look at DATABASE_URL and at the database itself."
        return [Check("stores", "PostgreSQL", "fail", "does not answer", remedy)]
    finally:
        await database.close()


async def _tables(database: Database) -> list[Check]:
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    async with database.connection() as connection:
        found = await (await connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL")).fetchone()
        version = found and found[0] and await (await connection.execute("TABLE alembic_version")).fetchone()
        if not version or version[0] != head:
            remedy = "Run `python -m bff migrate`."
            return [Check("stores", "PostgreSQL", "fail", "answers, but its tables are not up to date", remedy)]
        late = await connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
            " AND coalesce(scheduled_at, now()) < now() - make_interval(secs => %s)",
            (WAITING_SECONDS,),
        )
        (waiting,) = await late.fetchone() or (0,)
    return [Check("stores", "PostgreSQL", "ok", "answers, and its tables are up to date"), _worker(waiting)]


def _worker(waiting: int) -> Check:
    if waiting:
        remedy = "Start `python -m bff worker`."
        return Check("stores", "worker", "warn", f"{waiting} jobs have waited for ten minutes or more", remedy)
    return Check("stores", "worker", "ok", "no job is late")


# Shopify ------------------------------------------------------------------------------------------------------------


async def _shopify(settings: Settings, upstream: Upstream) -> list[Check]:
    shopify = ShopifyClient(upstream, shopify_registration(settings), time.time)
    clock = await _clock(settings, upstream)
    try:
        issuer = await shopify.issuer()
    except UpstreamFailed as failure:
        remedy = "Look at SHOPIFY_SHOP_URL, SHOPIFY_ISSUER, and whether customer accounts are on in the shop."
        return [clock, Check("shopify", "discovery", "fail", failure.why, remedy)]
    found = [clock, Check("shopify", "discovery", "ok", f"both documents; the issuer is {issuer}")]
    if settings.shopify.issuer is None:
        advice = f"Set SHOPIFY_ISSUER={issuer}, so that no other is ever believed."
        found.append(Check("shopify", "issuer", "warn", "is not set: the first one seen is pinned", advice))
    return [*found, await _registration(shopify)]


async def _registration(shopify: ShopifyClient) -> Check:
    """A refresh token that never was: Shopify calls it dead only when it knows who asks, and from where."""
    nobody = ShopifyTokens(kind="customer_account", access_token="", expires_at=0, refresh_token=NOBODY)
    try:
        await shopify.refresh(nobody)
    except VendorRefused:
        return Check("shopify", "registration", "ok", "client id, secret and JavaScript origin are known")
    except UpstreamFailed as failure:
        remedy = "Compare SHOPIFY_CLIENT_ID, SHOPIFY_CLIENT_SECRET and the JavaScript origin with the Headless channel."
        return Check("shopify", "registration", "fail", failure.why, remedy)
    return Check("shopify", "registration", "warn", "answered a token that cannot exist", "Look at SHOPIFY_SHOP_URL.")


async def _clock(settings: Settings, upstream: Upstream) -> Check:
    url = f"{settings.shopify.shop_url}/.well-known/openid-configuration"
    call = Call(vendor="shopify", operation="shopify_discovery", method="GET", url=url, idempotent=True)
    try:
        told = parsedate_to_datetime((await upstream.call(call)).headers["date"])
    except (UpstreamFailed, KeyError, ValueError):
        return Check("shopify", "clock", "warn", "cannot be compared: Shopify tells no time", "Ask again later.")
    ahead = time.time() - told.timestamp()
    if abs(ahead) > CLOCK_SECONDS:
        remedy = "Set this machine's clock; tokens are judged by it."
        return Check("shopify", "clock", "fail", f"is {ahead:+.0f} s from Shopify's", remedy)
    return Check("shopify", "clock", "ok", "agrees with Shopify's")


# Subtotal -----------------------------------------------------------------------------------------------------------


async def _subtotal(settings: Settings, retail: SubtotalClient | None) -> list[Check]:
    found = [_table(settings)]
    if settings.subtotal.simulated_events:
        advice = "Set SUBTOTAL_SIMULATED_EVENTS=off before real shoppers come."
        found.append(Check("subtotal", "simulated events", "warn", "are paid like real ones", advice))
    if retail is None:
        return [*found, Check("subtotal", "API", "note", "needs SUBTOTAL_API_KEY; no accounts can be linked")]
    try:
        await retail.connections(NOBODY)
    except VendorRefused as refusal:
        remedy = "Compare SUBTOTAL_API_KEY with Subtotal's dashboard."
        return [*found, Check("subtotal", "API", "fail", f"refused with {refusal.status}", remedy)]
    except UpstreamFailed as failure:
        return [*found, Check("subtotal", "API", "fail", failure.detail, "Look at SUBTOTAL_API_URL.")]
    return [*found, Check("subtotal", "API", "ok", "answers, and accepts the key")]


def _table(settings: Settings) -> Check:
    if not settings.subtotal.actions:
        return Check("subtotal", "SUBTOTAL_ACTIONS", "note", "is empty: no purchase elsewhere earns points")
    rules = ", ".join(dict.fromkeys(action.earning_rule_id for action in settings.subtotal.actions))
    detail = f"pays the rules {rules}; no action of Subtotal's own integration may name one of them, or it pays twice"
    return Check("subtotal", "SUBTOTAL_ACTIONS", "note", detail)
