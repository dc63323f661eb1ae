"""The edge in front of every route: which requests may come in, and what becomes of an error.

Closed by default: a new route is guarded without asking for it (checklist D1).
"""

import asyncio
import ipaddress
import re
import secrets
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.errors import Problem
from bff.settings.settings import Settings
from bff.settings.sites import LOCAL_HOSTS
from bff.telemetry import timing, tracing
from bff.web.headers import SAFE, ResponseGuard
from bff.web.responses import explain
from bff.web.state import WebState

SINGLETONS = (
    "host", "origin", "content-type", "content-length", "authorization", "idempotency-key", "x-loyalty-csrf",
    "sec-fetch-site", "x-forwarded-proto", "x-subtotal-signature", "x-subtotal-timestamp", "svix-id", "svix-timestamp",
    "svix-signature", "webhook-id", "webhook-timestamp", "webhook-signature",
)  # fmt: skip
BODY_BYTES = 16_384
# A purchase comes with everything that was in the basket.
WEBHOOK_BYTES = 262_144
BODY_SECONDS = 15
PREFLIGHT_SECONDS = 7200
ALLOWED_HEADERS = "Content-Type, X-Loyalty-Csrf, Idempotency-Key, Accept-Language"
# What monitoring adds to every call of a page: allowed, so that the call is not refused, and not read from browsers.
TRACING_HEADERS = "Baggage, Sentry-Trace, Traceparent, Tracestate"
# Where platforms look, at the root and under whatever host they know us by.
FOR_PLATFORMS = frozenset({"/healthz", "/readyz", "/metrics"})
# A trace that somebody's browser began is not ours to go on with (M8).
BROWSERS_SEND = ("origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{20,200}")
# "same-site" may speak only with an Origin from the list, which is checked separately.
FETCH_SITES = {
    "form": {"same-origin"},
    "json": {"same-origin", "same-site"},
    "partitioned": {"same-origin", "cross-site"},
}
KNOWN_FETCH_SITES = {"same-origin", "same-site", "cross-site", "none"}
log = structlog.get_logger("request")
MethodsAt = Callable[[str], frozenset[str]]


class Edge:
    """`methods_at(path)` tells which methods a path below the base path answers to; none when there is no such."""

    def __init__(self, app: ASGIApp, settings: Settings, methods_at: MethodsAt) -> None:
        self._app = app
        self._settings = settings
        self._methods_at = methods_at
        self._api = f"{settings.base_path}/api/"
        self._webhooks = f"{settings.base_path}/webhooks/"
        # Called by the storefront's server, which has no cookie, sends no Origin, and brings a bearer token instead.
        self._by_server = f"{settings.base_path}/api/v1/session-tickets"
        self._origins = frozenset({settings.origin, *settings.storefront_origins})
        self._hosts = allowed_hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        timings = timing.begin()
        request = self._with_context(scope)
        guard = ResponseGuard(request, timings, self._settings, self._origins, send)
        try:
            await self._dispatch(request, receive, guard.send)
        except Exception as error:
            # Everything is caught here, and once more while it is rendered: the client gets an answer, we a log line.
            problem = _problem_of(error)
            guard.failure = type(error).__name__
            if not guard.started:
                await _rendered(request, problem)(scope, receive, guard.send)
        finally:
            guard.log()

    def _with_context(self, scope: Scope) -> Request[WebState]:
        """What every route may rely on: an id, a nonce, the client's address, and which kind of answer is expected."""
        request = Request[WebState](scope)
        given = request.headers.get("x-request-id", "")
        scope["request_id"] = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        is_browser = any(name in request.headers for name in BROWSERS_SEND)
        tracing.begin(scope["request_id"], None if is_browser else request.headers.get("traceparent"))
        scope["nonce"] = secrets.token_urlsafe(18)
        scope["is_api"] = scope["path"].startswith(self._api)
        scope["is_webhook"] = scope["path"].startswith(self._webhooks)
        scope["address"] = client_address(request, self._settings.trusted_hops)
        scope["secure"] = not self._settings.production or self._is_https(request)
        return request

    async def _dispatch(self, request: Request[WebState], receive: Receive, send: Send) -> None:
        async with asyncio.timeout(self._settings.request_seconds):
            response = self._check_request(request) or self._preflight(request)
            if response is None and request.method not in SAFE:
                self._check_origin(request)
                receive = _replay(await _read_body(request, receive))
            await (response or self._app)(request.scope, receive, send)

    def _check_request(self, request: Request[WebState]) -> Response | None:
        """Requests that no route should ever see; raises Problem, or answers plain http with the https address."""
        if any(len(request.headers.getlist(name)) > 1 for name in SINGLETONS):
            raise Problem("invalid_request", "A header was sent twice.")
        if request.scope["path"] in FOR_PLATFORMS:
            return None
        if normal_host(request.headers.get("host", "")) not in self._hosts:
            raise Problem("invalid_request", "This host name is not served here.")
        if request.scope["secure"]:
            return None
        if request.method in {"GET", "HEAD"} and not request.scope["is_api"]:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(self._settings.origin + request.scope["raw_path"].decode("ascii") + query, 308)
        raise Problem("invalid_request", "Use https.", status=403)

    def _is_https(self, request: Request[WebState]) -> bool:
        if self._settings.trusted_hops == 0:
            return bool(request.scope.get("scheme") == "https") or not request.headers.get("x-forwarded-proto")
        return request.headers.get("x-forwarded-proto", "").rpartition(",")[2].strip() == "https"

    def _preflight(self, request: Request[WebState]) -> Response | None:
        """CORS preflights are answered here: no session is read and no vendor called (E3)."""
        wanted = request.headers.get("access-control-request-method")
        if request.method != "OPTIONS" or wanted is None or not request.scope["is_api"]:
            return None
        methods = self._methods_at(request.scope["path"].removeprefix(self._settings.base_path))
        asked = {name.strip().lower() for name in request.headers.get("access-control-request-headers", "").split(",")}
        conditional = ", If-None-Match" if wanted == "GET" else ""
        allowed = f"{ALLOWED_HEADERS}, {TRACING_HEADERS}{conditional}"
        known = {name.strip().lower() for name in allowed.split(",")} | {""}
        if request.headers.get("origin") not in self._origins or wanted not in methods or not asked <= known:
            return Response(status_code=403)
        return Response(
            status_code=204,
            headers={
                "access-control-allow-methods": ", ".join(sorted(methods)),
                "access-control-allow-headers": allowed,
                "access-control-max-age": str(PREFLIGHT_SECONDS),
            },
        )

    def _check_origin(self, request: Request[WebState]) -> None:
        """Cross-site requests change nothing (D2-D4). Forms carry a token on top, checked by their routes (D5);
        webhooks come from no browser and carry a signature, checked by theirs."""
        if request.scope["is_webhook"]:
            return
        is_api = request.scope["is_api"]
        if request.scope["path"] == self._by_server:
            _require_json(request)
            return
        allowed = self._origins if is_api else {self._settings.origin}
        site = request.headers.get("sec-fetch-site")
        if request.headers.get("origin") not in allowed and not (_hides_origin(request) and not is_api):
            raise Problem("csrf_refused", "This request did not come from a page that may make it.")
        kind = "form" if not is_api else "partitioned" if self._settings.cross_site_mode else "json"
        if site in KNOWN_FETCH_SITES and site not in FETCH_SITES[kind]:
            raise Problem("csrf_refused", "This request did not come from a page that may make it.")
        if is_api and request.headers.get("x-loyalty-csrf") != "1":
            raise Problem("csrf_refused", "Send the header X-Loyalty-Csrf: 1.")
        if is_api:
            _require_json(request)


def _hides_origin(request: Request[WebState]) -> bool:
    """Whether a form comes from a page of ours whose browser keeps its origin to itself (a privacy extension, a page
    without a referrer). No page can write `Sec-Fetch-Site`, and every form carries a token besides."""
    return request.headers.get("origin") == "null" and request.headers.get("sec-fetch-site") == "same-origin"


def _rendered(request: Request[WebState], problem: Problem) -> Response:
    """The problem in full; in a few plain words when even that fails, since nobody comes after us."""
    try:
        return explain(request, problem)
    except Exception as error:
        log.error("not_explained", failure=type(error).__name__)
        return PlainTextResponse("Something went wrong on our side.\n", 500)


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, TimeoutError):
        return Problem("upstream_timeout", "This took too long. Please try again.")
    where = error.__traceback__
    while where and where.tb_next:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_filename.rpartition('/')[2]}:{where.tb_lineno}" if where else ""
    log.error("unexpected", failure=type(error).__name__, where=place)
    return Problem("upstream_unavailable", "Something went wrong on our side.", status=500)


def _require_json(request: Request[WebState]) -> None:
    if not _is_json(request):
        raise Problem("invalid_request", "Send Content-Type: application/json.", status=415)


def _is_json(request: Request[WebState]) -> bool:
    given = request.headers.get("content-type")
    if given is None:
        # What is not there is of no type.
        return request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    kind, _, parameters = given.lower().partition(";")
    return kind.strip() == "application/json" and parameters.replace(" ", "") in {
        "",
        "charset=utf-8",
        'charset="utf-8"',
    }


async def _read_body(request: Request[WebState], receive: Receive) -> bytes:
    """The whole body, small and soon (H1, H9); raises Problem with 413 or 408."""
    most = WEBHOOK_BYTES if request.scope["is_webhook"] else BODY_BYTES
    length = request.headers.get("content-length", "0")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = not length.isdigit() or int(length) <= most
            if not more:
                raise Problem("invalid_request", "The body is too large.", status=413)
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    # What was announced did not all arrive: to act on a part of it could be wrong.
                    raise Problem("invalid_request", "The body broke off.")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > most:
                    raise Problem("invalid_request", "The body is too large.", status=413)
    except TimeoutError:
        raise Problem("invalid_request", "The body did not arrive in time.", status=408) from None
    return bytes(body)


def _replay(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def client_address(request: Request[WebState], trusted_hops: int) -> str:
    """The address our own proxy saw: what it appended on the right, never what a client wrote on the left (K1).
    IPv6 addresses count by their /64."""
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    peer = request.client.host if request.client else ""
    address = hops[-trusted_hops].strip() if 0 < trusted_hops <= len(hops) and hops[-trusted_hops].strip() else peer
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return peer
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else address


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """The hosts we answer to: PUBLIC_URL's, the storefronts' when they proxy to us, and localhost in development."""
    hosts = {url.partition("://")[2] for url in (settings.origin, *settings.storefront_origins)}
    if not settings.production:
        hosts |= {f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}" for host in LOCAL_HOSTS}
    return frozenset(map(normal_host, hosts))


def normal_host(given: str) -> str:
    """One spelling of a host: lower case, without the DNS root's dot, without a default port (RFC 3986 §6.2)."""
    name, colon, port = given.lower().rpartition(":")
    if not colon or not port.isdigit():
        return given.lower().removesuffix(".")
    is_whole = ":" not in name or (name.startswith("[") and name.endswith("]"))
    if not is_whole:
        return given.lower()
    name = name.removesuffix(".")
    return name if port in {"80", "443"} else f"{name}:{port}"
