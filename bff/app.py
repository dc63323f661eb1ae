"""The whole service on one page: what is built once, which routes there are, and what a request meets first."""

import contextlib
import os
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from bff import webhooks
from bff.api.endpoint import PREFIX
from bff.api.routes import routes_for
from bff.clock import Clock
from bff.errors import Problem
from bff.languages.catalogues import Catalogues
from bff.openapi import page, problems
from bff.ops.exports import exporting
from bff.ops.garbage import leave_the_lasting_alone
from bff.ops.health import healthz, readyz, show_metrics
from bff.ops.presence import present
from bff.ops.publishing import published
from bff.pages import (
    accessibility,
    activity,
    birthday,
    coupons,
    earn,
    faq,
    join,
    overview,
    refer,
    retailers,
    rewards,
    signin,
    signout,
    tickets,
    tiers,
)
from bff.services import Services, build
from bff.settings.production import log_weaknesses
from bff.settings.read import read_settings
from bff.settings.settings import Settings
from bff.telemetry.logs import set_up
from bff.web import assets
from bff.web.admission import Admission
from bff.web.cors import Callers
from bff.web.edge import Edge
from bff.web.fields import field
from bff.web.flood import Flood
from bff.web.forwarded import Proxies
from bff.web.paths import Paths
from bff.web.ready import Ready
from bff.web.refusals import Refusals
from bff.web.repeatable import Repeatable
from bff.web.responses import explain
from bff.web.routing import RouteTable, methods_at
from bff.web.state import WebState
from bff.web.templates import make_templates
from bff.web.visitor import SessionMiddleware

# fmt: off
HEALTH_ROUTES = [
    Route("/healthz",                healthz),
    Route("/readyz",                 readyz),
    Route("/metrics",                show_metrics),
]
PUBLIC_ROUTES = [
    Route("/static/{name}",          assets.static,                name="static"),
    *(Route(f"/{name}", assets.newest) for name in assets.SHARED),
    Route("/api/v1/openapi.json",    page.show_openapi,            name="openapi"),
    Route("/api/v1/docs",            page.show_docs,               name="docs"),
    Route("/problems/{code}",        problems.show_problem,        name="problem"),
    Route("/webhooks/subtotal",      webhooks.from_subtotal,       methods=["POST"]),
    Route("/webhooks/okendo",        webhooks.from_okendo,         methods=["POST"]),
    Route("/webhooks/shopify",       webhooks.from_shopify,        methods=["POST"]),
    *routes_for("anyone"),
]
MEMBER_ROUTES = [
    Route("/",                       overview.overview,            name="overview"),
    Route("/join",                   join.show_join,               name="join"),
    Route("/join",                   join.join,                    methods=["POST"]),
    Route("/welcome",                join.welcome,                 name="welcome"),
    Route("/earn",                   earn.earn,                    name="earn"),
    Route("/earn/birthday",          birthday.show_birthday,       name="birthday"),
    Route("/earn/birthday",          birthday.tell_birthday,       methods=["POST"]),
    Route("/earn/{id}",              earn.show_way,                name="way"),
    Route("/earn/{id}",              earn.complete,                methods=["POST"]),
    Route("/tiers",                  tiers.tiers,                  name="tiers"),
    Route("/faq",                    faq.faq,                      name="faq"),
    Route("/rewards",                rewards.rewards,              name="rewards"),
    Route("/rewards/{id}",           rewards.show_reward,          name="reward"),
    Route("/rewards/{id}",           rewards.redeem,               methods=["POST"]),
    Route("/redemptions/{key}",      rewards.show_redemption,      name="redemption"),
    Route("/coupons",                coupons.coupons,              name="coupons"),
    Route("/coupons",                coupons.into_cart,            methods=["POST"]),
    Route("/activity",               activity.activity,            name="activity"),
    Route("/activity.csv",           activity.download,            name="activity_csv"),
    Route("/refer",                  refer.show_refer,             name="refer"),
    Route("/refer",                  refer.refer,                  methods=["POST"]),
    Route("/retailers",              retailers.show,               name="retailers"),
    Route("/retailers",              retailers.link,               methods=["POST"]),
    Route("/retailers/{id}/unlink",  retailers.back,               name="unlink"),
    Route("/retailers/{id}/unlink",  retailers.unlink,             methods=["POST"]),
    Route("/blocked",                overview.blocked,             name="blocked"),
    Route("/accessibility",          accessibility.show_accessibility, name="accessibility"),
    Route("/login",                  signin.login,                 name="login"),
    Route("/callback",               signin.callback,              name="callback"),
    Route("/session/continue",       tickets.continue_with_ticket, name="session_continue"),
    Route("/session/continue",       tickets.confirm,              methods=["POST"]),
    Route("/logout",                 signout.logout,               name="logout", methods=["POST"]),
    Route("/logout/everywhere",      signout.show_logout_everywhere, name="logout_everywhere"),
    Route("/logout/everywhere",      signout.logout_everywhere,    methods=["POST"]),
    Route("/logout/continue",        signout.continue_at_shopify,  name="logout_continue"),
    Route("/signed-out",             signout.signed_out,           name="signed_out"),
    *routes_for("visitor", "member", "server"),
]
ALL_ROUTES = [*HEALTH_ROUTES, *PUBLIC_ROUTES, *MEMBER_ROUTES]
METHODS_AT = methods_at(ALL_ROUTES)
# fmt: on


def create_from_environment() -> Starlette:
    """What the server runs; raises SettingsError when the environment is not fit."""
    settings = read_settings(os.environ)
    set_up(settings.log_level)
    log_weaknesses(settings)
    app = create_app(settings)
    leave_the_lasting_alone()
    return app


def create_app(settings: Settings, clock: Clock = time.time) -> Starlette:
    """The application. `clock` gives Unix seconds; tests move it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Services]:
        with exporting(settings):
            async with build(settings, clock) as services, published(services, "web"), present(services, "web"):
                app.state.templates = make_templates(
                    settings, app.state.paths, services["assets"], services["catalogues"]
                )
                yield services

    refusals, base = Refusals(), settings.base_path
    public = frozenset(base + route.path for route in PUBLIC_ROUTES if route.path.startswith("/api/"))
    tags = Catalogues(settings.locale_dir).tags
    admission, areas = Admission(settings.requests_at_once), (f"{base}/api/", f"{base}/webhooks/")
    flood = Flood(admission, *areas, public, Callers(settings), tags)
    ready = Ready(flood, Proxies(settings), METHODS_AT, base)
    at_edge: dict[str, Any] = {"methods_at": METHODS_AT, "refusals": refusals, "flood": flood, "ready": ready}
    app = Starlette(
        routes=[Mount("", app=_root(settings.base_path))],
        middleware=[Middleware(Edge, settings=settings, public=public, **at_edge)],
        exception_handlers={Problem: _explain, HTTPException: _explain_http},
        lifespan=lifespan,
    )
    app.state.refusals, app.state.flood, app.state.ready = refusals, flood, ready
    app.state.paths = Paths(ALL_ROUTES, settings.base_path)
    return app


def _root(base_path: str) -> RouteTable:
    """Only the member part, placed last, may know who is asking. What platforms look for stays above the base path."""
    table = RouteTable(MEMBER_ROUTES)
    visitors = Middleware(SessionMiddleware, has_route=table.has, members_only=f"{base_path}{PREFIX}/me")
    member_part = Mount("", app=table, middleware=[visitors])
    if not base_path:
        return RouteTable([*HEALTH_ROUTES, *PUBLIC_ROUTES, member_part])
    below = RouteTable([*PUBLIC_ROUTES, member_part])
    return RouteTable([*HEALTH_ROUTES, Route(base_path, home), Mount(base_path, app=below)])


async def home(request: Request[WebState]) -> Response:
    """The base path without its slash."""
    return RedirectResponse(request.state["settings"].base_path + "/", 308)


async def _explain(request: Request[Any], error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 (Starlette calls this for Problem alone)
    if error.code == "session_required" and request.scope["is_api"] and _is_stranger(request):
        request.scope["repeatable"] = Repeatable(ids=1)
    return explain(request, error)


async def _explain_http(request: Request[Any], error: Exception) -> Response:
    """Starlette's own 404 and 405, in our words; a path that takes other methods says which (RFC 9110 §15.5.6)."""
    methods = METHODS_AT(_path_of(request))
    if not methods or request.method in methods:
        if without_slash := _without_slash(request):
            return RedirectResponse(without_slash, 308)
        not_found = Problem("not_found", "There is nothing at this address.")
        if request.scope.get("presented"):
            return explain(request, not_found)
        refusals: Refusals = request.app.state.refusals
        response = refusals.explain(request, not_found)
        if _is_stranger(request):
            request.scope["repeatable"] = Repeatable(ids=refusals.ids_in(request, not_found), any_address=True)
        return response
    problem = Problem("invalid_request", "This address does not take that method.", status=405)
    problem.headers["allow"] = ", ".join(sorted(methods))
    return explain(request, problem)


def _is_stranger(request: Request[Any]) -> bool:
    """Whether nobody was counted or looked for, so that whoever asks the same is answered the same."""
    return field(request.scope, b"cookie") is None and not request.scope.get("usage")


def _path_of(request: Request[Any]) -> str:
    return str(request.scope["path"]).removeprefix(request.state["settings"].base_path)


def _without_slash(request: Request[Any]) -> str | None:
    """The address that is meant by one with a slash too many; None for writes, which are never sent on (F2)."""
    raw: str = request.scope["raw_path"].decode("ascii")
    is_read = request.method in {"GET", "HEAD"}
    if not is_read or not raw.endswith("/") or "GET" not in METHODS_AT(_path_of(request).removesuffix("/")):
        return None
    return raw.removesuffix("/") + (f"?{request.url.query}" if request.url.query else "")
