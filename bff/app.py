"""The whole service on one page: what is built once, which routes there are, and what a request meets first."""

import asyncio
import contextlib
import hmac
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router

from bff import api, assets, docs, login, metrics, pages, problems, retailers, webhooks
from bff.actions import retailers_of
from bff.answers import Answers
from bff.awards import Awards
from bff.budgets import Budgets
from bff.catalogue import Catalogue
from bff.consents import Consents
from bff.copies import Copies
from bff.database import Database
from bff.deputy import Deputy
from bff.doubts import Doubts
from bff.earning import Earning
from bff.edge import Edge
from bff.errors import Problem
from bff.events import Events, Terms
from bff.exchange import Exchange
from bff.history import History
from bff.inbox import Inbox
from bff.jobs import Jobs, Work
from bff.keys import KeyRing
from bff.ledger import Ledger
from bff.linking import Linking
from bff.logs import set_up
from bff.loyalty import Loyalty, Parts
from bff.okendo import Account, Okendo
from bff.overrides import rows_with_overrides
from bff.pace import Pace
from bff.paying import Merchant, Paying
from bff.reconciliation import Reconciliation
from bff.redemption import Books, Redemptions
from bff.retail import Retail, SubtotalAccount
from bff.sessions import Clock, Limits, Sessions
from bff.settings import Settings, read_settings
from bff.shopify import Client, Shopify
from bff.state import State
from bff.tickets import Tickets
from bff.transport import AioTransport
from bff.upstream import Upstream
from bff.valkey import connect
from bff.visitor import MemberPart
from bff.web import apply_url, explain, make_templates

HERE = Path(__file__).resolve().parent.parent
DRAIN_SECONDS = 8

# fmt: off
PUBLIC_ROUTES: list[BaseRoute] = [
    Route("/static/{name}",         assets.static,      name="static"),
    Route("/api/v1/openapi.json",   docs.show_openapi,  name="openapi"),
    Route("/api/v1/docs",           docs.show_docs,     name="docs"),
    Route("/problems/{code}",       problems.show_problem, name="problem"),
    Route("/webhooks/subtotal",     webhooks.from_subtotal, methods=["POST"]),
    Route("/webhooks/okendo",       webhooks.from_okendo,   methods=["POST"]),
    *api.routes("anyone"),
]
MEMBER_ROUTES: list[BaseRoute] = [
    Route("/",                      pages.overview,         name="overview"),
    Route("/join",                  pages.show_join,        name="join"),
    Route("/join",                  pages.join,             methods=["POST"]),
    Route("/welcome",               pages.welcome,          name="welcome"),
    Route("/rewards",               pages.rewards,          name="rewards"),
    Route("/rewards/{id}",          pages.show_reward,      name="reward"),
    Route("/rewards/{id}",          pages.redeem,           methods=["POST"]),
    Route("/redemptions/{key}",     pages.show_redemption,  name="redemption"),
    Route("/refer",                 pages.show_refer,       name="refer"),
    Route("/refer",                 pages.refer,            methods=["POST"]),
    Route("/retailers",             retailers.show,         name="retailers"),
    Route("/retailers",             retailers.link,         methods=["POST"]),
    Route("/retailers/{id}/unlink", retailers.unlink,       name="unlink", methods=["POST"]),
    Route("/blocked",               pages.blocked,          name="blocked"),
    Route("/login",                 login.login,            name="login"),
    Route("/callback",              login.callback,         name="callback"),
    Route("/session/continue",      login.go_on,            name="session_continue"),
    Route("/logout",                login.logout,           name="logout", methods=["POST"]),
    Route("/signed-out",            login.signed_out,       name="signed_out"),
    *api.routes("visitor", "member", "server"),
]
# fmt: on


def create_from_environment() -> Starlette:
    """What the server runs; raises SettingsError when the environment is not fit."""
    settings = read_settings(os.environ)
    set_up(settings.log_level)
    return create_app(settings)


def create_app(settings: Settings, clock: Clock = time.time) -> Starlette:
    """The application. `clock` gives Unix seconds; tests move it."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[State]:
        async with built(settings, clock) as state:
            yield state

    # Routers of their own, since Starlette's default answers a trailing slash with a 307 that repeats the POST (F2).
    member_part = Router(MEMBER_ROUTES, redirect_slashes=False)
    inner = [*PUBLIC_ROUTES, Mount("", app=member_part, middleware=[Middleware(MemberPart)])]
    below: list[BaseRoute] = []
    if settings.base_path:
        below = [Route(settings.base_path, home), Mount(settings.base_path, app=Router(inner, redirect_slashes=False))]
    routes = HEALTH_ROUTES + (below or inner)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Edge, settings=settings, methods_at=_methods_at)],
        exception_handlers={Problem: _explain, HTTPException: _explain_http},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


@contextlib.asynccontextmanager
async def built(settings: Settings, clock: Clock = time.time) -> AsyncIterator[State]:
    """Everything a request may need, built once; on the way out redemptions under way are brought to their end."""
    keys = KeyRing(settings.secret_keys)
    valkey = connect(
        settings.valkey_url,
        verify_tls=settings.valkey_verify_tls,
        timeout_seconds=settings.valkey_timeout_seconds,
        connections=settings.valkey_connections,
    )
    upstream = Upstream(AioTransport(), clock=clock)
    database = Database(settings.database_url)
    consents = Consents(database)
    ledger = Ledger(database, check_seconds=settings.redemption_check_seconds)
    doubts = Doubts(database, check_seconds=settings.redemption_check_seconds)
    limits = Limits(
        idle_seconds=settings.session_idle_seconds,
        absolute_seconds=settings.session_absolute_seconds,
        per_customer=settings.sessions_per_customer,
    )
    sessions = Sessions(valkey, keys, limits, clock)
    okendo = Okendo(upstream, account_of(settings), rows_with_overrides(settings.okendo_overrides))
    shopify = Shopify(upstream, client_of(settings), clock)
    catalogue = Catalogue(okendo, Copies(valkey, keys, clock), clock)
    exchange = Exchange(okendo, shopify, sessions)
    deputy = Deputy(okendo, sessions, exchange, keys)
    parts = Parts(okendo, shopify, sessions, exchange, consents, catalogue)
    loyalty = Loyalty(parts)
    coupon_url = apply_url(settings)
    retail = retail_of(settings, upstream)
    inbox = Inbox(database, retry_seconds=settings.award_retry_seconds)
    awards = Awards(database, retry_seconds=settings.award_retry_seconds)
    merchant = Merchant(okendo, Pace(database, "okendo merchant", per_second=settings.okendo_merchant_per_second))
    terms = Terms(settings.subtotal_actions, settings.subtotal_simulated_events)
    redemptions = Redemptions(loyalty, parts, Books(ledger, doubts, deputy))
    state: State = {
        "settings": settings,
        "keys": keys,
        "sessions": sessions,
        "database": database,
        "consents": consents,
        "ledger": ledger,
        "doubts": doubts,
        "budgets": Budgets(valkey),
        "shopify": shopify,
        "tickets": Tickets(valkey, keys),
        "catalogue": catalogue,
        "answers": Answers(),
        "loyalty": loyalty,
        "redemptions": redemptions,
        "earning": Earning(loyalty, parts, coupon_url),
        "history": History(loyalty, parts, coupon_url),
        "reconciliation": Reconciliation(doubts, deputy, settling_seconds=settings.redemption_settling_seconds),
        "inbox": inbox,
        "awards": awards,
        "events": Events(inbox, awards, retail, terms),
        "paying": Paying(awards, merchant, retail, settling_seconds=settings.award_settling_seconds),
        "linking": Linking(retail, awards, sessions, retailers_of(settings.subtotal_actions)),
        "templates": make_templates(str(HERE / "templates")),
        "assets": assets.Assets(HERE / "static"),
    }
    await database.open()
    try:
        yield state
    finally:
        await redemptions.finish(DRAIN_SECONDS)
        await asyncio.gather(upstream.aclose(), database.close(), valkey.aclose(close_connection_pool=True))


def jobs_of(settings: Settings, state: State) -> Jobs:
    """What the worker does, over the same parts."""
    parts = (state["ledger"], state["reconciliation"], state["inbox"], state["events"], state["paying"])
    return Jobs(settings.database_url, Work(*parts, sessions=state["sessions"]))


def account_of(settings: Settings) -> Account:
    return Account(
        api_url=settings.okendo_api_url,
        user_id=settings.okendo_user_id,
        partner_id=settings.okendo_partner_id,
        timeout_seconds=settings.upstream_timeout_seconds,
        api_key=settings.okendo_api_key,
    )


def retail_of(settings: Settings, upstream: Upstream) -> Retail | None:
    """Subtotal's API, None without a key."""
    if settings.subtotal_api_key is None:
        return None
    account = SubtotalAccount(
        api_url=settings.subtotal_api_url,
        link_url=settings.subtotal_link_url,
        link_token_url=settings.subtotal_link_token_url,
        api_key=settings.subtotal_api_key,
        timeout_seconds=settings.upstream_timeout_seconds,
    )
    return Retail(upstream, account)


def client_of(settings: Settings) -> Client:
    return Client(
        shop_url=settings.shopify_shop_url,
        client_id=settings.shopify_client_id,
        client_secret=settings.shopify_client_secret,
        redirect_uri=f"{settings.base_url}/callback",
        origin=settings.origin,
        issuer=settings.shopify_issuer,
        storefront_token=settings.shopify_storefront_token,
        timeout_seconds=settings.upstream_timeout_seconds,
    )


async def healthz(_: Request[Any]) -> Response:
    """Alive: says nothing of what this depends on, so that a vendor's trouble never restarts a healthy process."""
    return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})


async def readyz(request: Request[Any]) -> Response:
    """Ready to be sent shoppers: both stores answer. The body never says which one does not."""
    ready = await asyncio.gather(request.state["sessions"].ping(), request.state["database"].ping())
    return PlainTextResponse("ok\n" if all(ready) else "not ready\n", 200 if all(ready) else 503)


async def show_metrics(request: Request[Any]) -> Response:
    """For Prometheus; without the token there is nothing at this address."""
    expected = request.state["settings"].metrics_token
    given = request.headers.get("authorization", "")
    if expected is None or not hmac.compare_digest(given.encode(), f"Bearer {expected}".encode()):
        raise Problem("not_found", "There is nothing at this address.")
    return Response(metrics.exposition(), headers={"content-type": metrics.CONTENT_TYPE, "cache-control": "no-store"})


async def home(request: Request[Any]) -> Response:
    """The base path without its slash."""
    return RedirectResponse(request.state["settings"].base_path + "/", 308)


# Outside the base path, since platforms look for them at the root.
HEALTH_ROUTES: list[BaseRoute] = [
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", show_metrics),
]


async def _explain(request: Request[Any], error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 (Starlette calls this for Problem alone)
    return explain(request, error)


async def _explain_http(request: Request[Any], error: Exception) -> Response:
    """Starlette's own 404 and 405, in our words; a path that takes other methods says which (RFC 9110 §15.5.6)."""
    methods = _methods_at(request.scope["path"].removeprefix(request.state["settings"].base_path))
    if not methods or request.method in methods:
        return explain(request, Problem("not_found", "There is nothing at this address."))
    problem = Problem("invalid_request", "This address does not take that method.", status=405)
    problem.headers["allow"] = ", ".join(sorted(methods))
    return explain(request, problem)


def _methods_at(path: str) -> frozenset[str]:
    """Which methods a path below the base path answers to; none when there is no such path."""
    routes = [route for route in HEALTH_ROUTES + PUBLIC_ROUTES + MEMBER_ROUTES if isinstance(route, Route)]
    matching = [route.methods or set() for route in routes if route.path_regex.match(path)]
    return frozenset().union(*matching)
