"""The headers every answer carries, and the log line about it."""

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import Message, Send

from bff.settings.settings import Settings
from bff.stores.rate_limits import fields_of
from bff.telemetry import metrics
from bff.telemetry.timing import Timings
from bff.web.state import WebState

log = structlog.get_logger("headers")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
EXPOSED_HEADERS = (
    "Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, Location, X-Request-Id, ETag, Age, Cache-Status"
)
PAGE_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' https:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'{form_target}; base-uri 'none'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
HEADERS = {
    "x-content-type-options": "nosniff",
    # "no-referrer" would make browsers send `Origin: null` with our own forms, which the gate refuses.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
}


class ResponseGuard:
    """Watches one answer go out: completes its headers, and remembers its status for the log."""

    def __init__(
        self, request: Request[WebState], timings: Timings, settings: Settings, origins: frozenset[str], send: Send
    ) -> None:
        self._request = request
        self._timings = timings
        self._settings = settings
        self._origins = origins
        self._send = send
        self.started = False
        self.status = 0
        self.failure: str | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            self._complete(MutableHeaders(scope=message))
        await self._send(message)

    def _complete(self, headers: MutableHeaders) -> None:
        scope = self._request.scope
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers["content-security-policy"] = self._policy(headers.get("content-type", ""))
        headers.setdefault("cache-control", "private, no-store")
        headers["x-request-id"] = scope["request_id"]
        # How long a write took where is told to nobody: it could tell whom the vendor knows (K5).
        is_read = self._request.method in SAFE
        headers["server-timing"] = self._timings.header() if is_read else self._timings.total()
        if self.status in {408, 413}:
            # The rest of that body is not wanted on this connection (RFC 9110 §15.5.14).
            headers["connection"] = "close"
        if self._settings.production:
            headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        usage = [each for each in scope.get("usage") or () if not each.limit.hidden]
        if usage and "ratelimit" not in headers:
            headers.update(fields_of(usage))
        if scope["is_api"]:
            self._allow_origin(headers)
        self._vary(headers)

    def _vary(self, headers: MutableHeaders) -> None:
        """What else of a request made a difference to its answer (RFC 9110 §12.5.5)."""
        scope, is_read = self._request.scope, self._request.method in SAFE
        if "session" in scope:
            headers.add_vary_header("Cookie")
        if scope["is_api"] or not is_read:
            headers.add_vary_header("Origin")
        if not is_read:
            headers.add_vary_header("Sec-Fetch-Site")

    def _policy(self, content_type: str) -> str:
        """A page whose form leads to a vendor names that vendor; no other form leads anywhere but here."""
        if not content_type.startswith("text/html"):
            return DATA_POLICY
        target = self._request.scope.get("form_target")
        return PAGE_POLICY.format(nonce=self._request.scope["nonce"], form_target=f" {target}" if target else "")

    def _allow_origin(self, headers: MutableHeaders) -> None:
        """The same for errors, so that storefront JavaScript can read what went wrong (E5)."""
        origin = self._request.headers.get("origin")
        if origin in self._origins:
            headers["access-control-allow-origin"] = origin
            headers["access-control-allow-credentials"] = "true"
            headers["access-control-expose-headers"] = EXPOSED_HEADERS
            headers["timing-allow-origin"] = origin

    def log(self) -> None:
        """One line a request: the route's template, never the path or the query (M4, M9)."""
        scope, seconds = self._request.scope, self._timings.seconds
        route = getattr(scope.get("route"), "path", None)
        metrics.observe_request(route, self._request.method, self.status, seconds, scope.get("code"))
        log.info(
            "request",
            request_id=scope["request_id"],
            method=self._request.method,
            route=route,
            status=self.status,
            ms=round(seconds * 1000, 1),
            code=scope.get("code"),
            failure=self.failure,
            calls=self._timings.calls,
            **{f"{phase}_ms": spent for phase, spent in self._timings.milliseconds().items()},
        )
