"""The edge in front of every route: which requests may come in, and what becomes of an error.

Closed by default: a new route is guarded without asking for it (checklist D1).
"""

import asyncio

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.errors import Problem
from bff.settings.settings import Settings
from bff.settings.sites import LOCAL_HOSTS
from bff.telemetry import spans, timing, tracing
from bff.telemetry.causes import origin
from bff.web.cors import Callers, MethodsAt, Preflights
from bff.web.csrf import WriteGate
from bff.web.fields import RAW_SINGLETONS, field
from bff.web.flood import FOR_PLATFORMS, REQUEST_ID, Flood
from bff.web.forwarded import Proxies
from bff.web.headers import SAFE, ResponseGuard
from bff.web.language import spoken_by
from bff.web.ready import Ready
from bff.web.refusals import Refusals
from bff.web.responses import explain
from bff.web.state import WebState

BODY_BYTES = 16_384
# A purchase comes with everything that was in the basket.
WEBHOOK_BYTES = 262_144
BODY_SECONDS = 15
# A trace that somebody's browser began is not ours to go on with (M8).
BROWSERS_SEND = frozenset({b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest"})
log = structlog.get_logger("request")


class Edge:
    """`public` are the paths of JSON that is the same for everybody."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        methods_at: MethodsAt,
        public: frozenset[str],
        refusals: Refusals,
        flood: Flood,
        ready: Ready,
    ) -> None:
        self._app = app
        self._settings = settings
        self._public = public
        self._api = f"{settings.base_path}/api/"
        self._webhooks = f"{settings.base_path}/webhooks/"
        self._origins = Callers(settings)
        self._gate = WriteGate(settings, self._origins)
        self._preflights = Preflights(settings, methods_at, self._origins)
        self._hosts = allowed_hosts(settings)
        self._proxies = Proxies(settings)
        self._refusals = refusals
        self._flood = flood
        self._ready = ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        timings = timing.begin()
        self._flood.admission.begin()
        request = self._with_context(scope)
        with spans.span("server"):
            await self._admit(request, receive, send, timings)

    async def _admit(self, request: Request[WebState], receive: Receive, send: Send, timings: timing.Timings) -> None:
        """Answer it, or refuse it where there are too many others."""
        scope, admission = request.scope, self._flood.admission
        is_refused = admission.is_full() and scope["path"] not in FOR_PLATFORMS
        send = self._flood.keeping(scope, send) if is_refused else send
        guard = ResponseGuard(request, timings, self._settings, self._origins, send)
        if is_refused:
            # The server reads on from a refused connection after those that are served.
            scope["refused"], scope["spoken"] = True, spoken_by(request)
            await self._refusals.explain(request, admission.refusal())(scope, receive, guard.send)
        elif scope["path"] in FOR_PLATFORMS:
            await self._answer(request, receive, guard)
        else:
            with admission.place():
                await self._answer(request, receive, guard)

    async def _answer(self, request: Request[WebState], receive: Receive, guard: ResponseGuard) -> None:
        """Everything is caught here, and once more while it is rendered: the client gets an answer, we a log line."""
        try:
            await self._dispatch(request, receive, guard.send)
        except Exception as error:
            problem = _problem_of(error)
            guard.failure = type(error).__name__
            if not guard.started:
                await _rendered(request, problem)(request.scope, receive, guard.send)
        finally:
            guard.log()
            self._ready.keep(request.scope, guard)

    def _with_context(self, scope: Scope) -> Request[WebState]:
        """What every answer needs: an id, and which kind of answer is expected."""
        request = Request[WebState](scope)
        given = field(scope, b"x-request-id") or ""
        scope["request_id"] = given if REQUEST_ID.fullmatch(given) else tracing.new_id()
        is_browser = not BROWSERS_SEND.isdisjoint(scope["fields"])
        tracing.begin(scope["request_id"], None if is_browser else field(scope, b"traceparent"))
        scope["is_api"] = scope["path"].startswith(self._api)
        scope["is_public"] = scope["path"] in self._public
        scope["is_webhook"] = scope["path"].startswith(self._webhooks)
        return request

    async def _dispatch(self, request: Request[WebState], receive: Receive, send: Send) -> None:
        request.scope["address"] = self._proxies.client_of(request)
        request.scope["secure"] = not self._settings.production or self._proxies.says_https(request)
        async with asyncio.timeout(self._settings.request_seconds):
            response = self._check_request(request) or self._preflights.answer_to(request)
            if response is None and request.method not in SAFE:
                self._gate.check(request)
                receive = _replay(await _read_body(request, receive))
            await (response or self._app)(request.scope, receive, send)

    def _check_request(self, request: Request[WebState]) -> Response | None:
        """Requests that no route should ever see; raises Problem, or answers plain http with the https address."""
        singletons = [name for name, _ in request.scope["headers"] if name in RAW_SINGLETONS]
        if len(singletons) > len(set(singletons)):
            raise Problem("invalid_request", "A header was sent twice.")
        if request.scope["path"] in FOR_PLATFORMS:
            return None
        if normal_host(field(request.scope, b"host") or "") not in self._hosts:
            raise Problem("invalid_request", "This host name is not served here.")
        if request.scope["secure"]:
            return None
        if request.method in {"GET", "HEAD"} and not request.scope["is_api"]:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(self._settings.origin + request.scope["raw_path"].decode("ascii") + query, 308)
        raise Problem("invalid_request", "Use https.", status=403)


def _rendered(request: Request[WebState], problem: Problem) -> Response:
    """The problem in full; in a few plain words when even that fails, since nobody comes after us."""
    try:
        return explain(request, problem)
    except Exception as error:
        log.error("not_explained", **origin(error))
        return PlainTextResponse("Something went wrong on our side.\n", 500)


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, TimeoutError):
        return Problem("upstream_timeout", "This took too long. Please try again.")
    log.error("unexpected", **origin(error))
    return Problem("internal_error", "Something went wrong on our side.")


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
