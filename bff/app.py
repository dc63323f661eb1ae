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
from starlette.routing import BaseRoute, Mount, Route, Router

from bff import webhooks
from bff.api.routes import routes_for
from bff.clock import Clock
from bff.errors import Problem
from bff.openapi import page, problems
from bff.ops.health import healthz, readyz, show_metrics
from bff.pages import join, overview, refer, retailers, rewards, signin
from bff.services import Services, build
from bff.settings.read import read_settings
from bff.settings.settings import Settings
from bff.telemetry.logs import set_up
from bff.web import assets
from bff.web.edge import Edge
from bff.web.responses import explain
from bff.web.state import WebState
from bff.web.visitor import SessionMiddleware

# fmt: off
HEALTH_ROUTES = [
    Route("/healthz",                healthz),
    Route("/readyz",                 readyz),
    Route("/metrics",                show_metrics),
]
PUBLIC_ROUTES = [
    Route("/static/{name}",          assets.static,                name="static"),
    Route("/api/v1/openapi.json",    page.show_openapi,            name="openapi"),
    Route("/api/v1/docs",            page.show_docs,               name="docs"),
    Route("/problems/{code}",        problems.show_problem,        name="problem"),
    Route("/webhooks/subtotal",      webhooks.from_subtotal,       methods=["POST"]),
    Route("/webhooks/okendo",        webhooks.from_okendo,         methods=["POST"]),
    *routes_for("anyone"),
]
MEMBER_ROUTES = [
    Route("/",                       overview.overview,            name="overview"),
    Route("/join",                   join.show_join,               name="join"),
    Route("/join",                   join.join,                    methods=["POST"]),
    Route("/welcome",                join.welcome,                 name="welcome"),
    Route("/rewards",                rewards.rewards,              name="rewards"),
    Route("/rewards/{id}",           rewards.show_reward,          name="reward"),
    Route("/rewards/{id}",           rewards.redeem,               methods=["POST"]),
    Route("/redemptions/{key}",      rewards.show_redemption,      name="redemption"),
    Route("/refer",                  refer.show_refer,             name="refer"),
    Route("/refer",                  refer.refer,                  methods=["POST"]),
    Route("/retailers",              retailers.show,               name="retailers"),
    Route("/retailers",              retailers.link,               methods=["POST"]),
    Route("/retailers/{id}/unlink",  retailers.unlink,             name="unlink", methods=["POST"]),
    Route("/blocked",                overview.blocked,             name="blocked"),
    Route("/login",                  signin.login,                 name="login"),
    Route("/callback",               signin.callback,              name="callback"),
    Route("/session/continue",       signin.continue_with_ticket,  name="session_continue"),
    Route("/logout",                 signin.logout,                name="logout", methods=["POST"]),
    Route("/signed-out",             signin.signed_out,            name="signed_out"),
    *routes_for("visitor", "member", "server"),
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
    async def lifespan(_: Starlette) -> AsyncIterator[Services]:
        async with build(settings, clock) as services:
            yield services

    app = Starlette(
        routes=[*HEALTH_ROUTES, *_routes_below(settings.base_path)],
        middleware=[Middleware(Edge, settings=settings, methods_at=_methods_at)],
        exception_handlers={Problem: _explain, HTTPException: _explain_http},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _routes_below(base_path: str) -> list[BaseRoute]:
    """All but those that platforms look for at the root. Only the member part, placed last, may know who is asking."""
    # Routers of their own, since Starlette's default answers a trailing slash with a 307 that repeats the POST (F2).
    member_part = Router(MEMBER_ROUTES, redirect_slashes=False)
    inner = [*PUBLIC_ROUTES, Mount("", app=member_part, middleware=[Middleware(SessionMiddleware)])]
    if not base_path:
        return inner
    return [Route(base_path, home), Mount(base_path, app=Router(inner, redirect_slashes=False))]


async def home(request: Request[WebState]) -> Response:
    """The base path without its slash."""
    return RedirectResponse(request.state["settings"].base_path + "/", 308)


async def _explain(request: Request[Any], error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 (Starlette calls this for Problem alone)
    return explain(request, error)


async def _explain_http(request: Request[Any], error: Exception) -> Response:
    """Starlette's own 404 and 405, in our words; a path that takes other methods says which (RFC 9110 §15.5.6)."""
    methods = _methods_at(_path_of(request))
    if not methods or request.method in methods:
        if without_slash := _without_slash(request):
            return RedirectResponse(without_slash, 308)
        return explain(request, Problem("not_found", "There is nothing at this address."))
    problem = Problem("invalid_request", "This address does not take that method.", status=405)
    problem.headers["allow"] = ", ".join(sorted(methods))
    return explain(request, problem)


def _path_of(request: Request[Any]) -> str:
    return str(request.scope["path"]).removeprefix(request.state["settings"].base_path)


def _without_slash(request: Request[Any]) -> str | None:
    """The address that is meant by one with a slash too many; None for writes, which are never sent on (F2)."""
    raw: str = request.scope["raw_path"].decode("ascii")
    is_read = request.method in {"GET", "HEAD"}
    if not is_read or not raw.endswith("/") or "GET" not in _methods_at(_path_of(request).removesuffix("/")):
        return None
    return raw.removesuffix("/") + (f"?{request.url.query}" if request.url.query else "")


def _methods_at(path: str) -> frozenset[str]:
    """Which methods a path below the base path answers to; none when there is no such path."""
    routes = (route for route in HEALTH_ROUTES + PUBLIC_ROUTES + MEMBER_ROUTES if route.path_regex.match(path))
    return frozenset().union(*(route.methods or () for route in routes))
