"""CORS: which pages of other origins may call the JSON routes, and what their browsers are told (Fetch, checklist E).

What is the same for everybody may be read by everybody, without cookies: its answers name no origin, so that a cache
keeps one copy. What depends on who asks is for the storefronts alone, each by its own name, with cookies.

Why: docs/decisions/origins.md
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from bff.settings.settings import Settings
from bff.web.fields import field
from bff.web.state import WebState

PREFLIGHT_SECONDS = 7200
ALLOWED_HEADERS = "Content-Type, X-Loyalty-Csrf, Idempotency-Key, Accept-Language"
# What monitoring adds to every call of a page: allowed, so that the call is not refused, and not read from browsers.
TRACING_HEADERS = "Baggage, Sentry-Trace, Traceparent, Tracestate"
EXPOSED_HEADERS = (
    b"Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, Location, X-Request-Id, ETag, Age, Cache-Status, "
    b"Deprecation, Sunset, Link"
)
FOR_EVERYBODY = {
    b"access-control-allow-origin": b"*",
    b"access-control-expose-headers": EXPOSED_HEADERS,
}
# So much of what a stranger's page asks for is told in the log: names as headers have them, and not many.
NAME = re.compile(r"[a-z0-9-]{1,40}")
NAMES_TOLD = 5
MethodsAt = Callable[[str], frozenset[str]]
log = structlog.get_logger("cors")


class Callers:
    """The origins whose pages may call the JSON routes with cookies: ours, and those of the storefronts."""

    def __init__(self, settings: Settings) -> None:
        self._exact = frozenset({settings.origin, *settings.storefront_origins})
        self._is_storefront = settings.is_storefront

    def __contains__(self, origin: object) -> bool:
        return origin in self._exact or (isinstance(origin, str) and self._is_storefront(origin))


class Refused(NamedTuple):
    """Why a preflight is refused: `reason` is "origin_unknown", "method" or "header", `what` which headers."""

    reason: str
    what: str | None = None


class Preflights:
    """Answers CORS preflights: no session is read and no vendor called (E3). `methods_at(path)` tells which methods a
    path below the base path answers to; none when there is no such."""

    def __init__(self, settings: Settings, methods_at: MethodsAt, callers: Callers) -> None:
        self._base_path = settings.base_path
        self._methods_at = methods_at
        self._callers = callers

    def answer_to(self, request: Request[WebState]) -> Response | None:
        """None when it is no preflight of a JSON route."""
        scope = request.scope
        wanted = field(scope, b"access-control-request-method")
        if request.method != "OPTIONS" or wanted is None or not scope["is_api"]:
            return None
        methods = self._methods_at(scope["path"].removeprefix(self._base_path))
        conditional = ", If-None-Match" if wanted == "GET" else ""
        allowed = f"{ALLOWED_HEADERS}, {TRACING_HEADERS}{conditional}"
        refused = self._refused(scope, wanted, methods, allowed)
        if refused is not None:
            log.warning("preflight_refused", reason=refused.reason, what=refused.what)
            return Response(status_code=403)
        return Response(
            status_code=204,
            headers={
                "access-control-allow-methods": ", ".join(sorted(methods)),
                "access-control-allow-headers": allowed,
                "access-control-max-age": str(PREFLIGHT_SECONDS),
            },
        )

    def _refused(self, scope: Scope, wanted: str, methods: frozenset[str], allowed: str) -> Refused | None:
        if not scope["is_public"] and field(scope, b"origin") not in self._callers:
            return Refused("origin_unknown")
        if wanted not in methods:
            return Refused("method")
        unknown = _names(field(scope, b"access-control-request-headers") or "") - _names(allowed)
        return Refused("header", _told(unknown)) if unknown else None


def allowed_origin(scope: Scope, callers: Callers) -> dict[bytes, bytes]:
    """The same for errors, so that storefront JavaScript can read what went wrong (E5)."""
    if scope["is_public"]:
        return FOR_EVERYBODY
    origin = field(scope, b"origin")
    if origin is None or origin not in callers:
        return {}
    return {
        b"access-control-allow-origin": origin.encode(),
        b"access-control-allow-credentials": b"true",
        b"access-control-expose-headers": EXPOSED_HEADERS,
        b"timing-allow-origin": origin.encode(),
    }


def _names(listed: str) -> set[str]:
    return {name.strip().lower() for name in listed.split(",")} - {""}


def _told(names: Iterable[str]) -> str:
    return ", ".join(sorted(filter(NAME.fullmatch, names))[:NAMES_TOLD])
