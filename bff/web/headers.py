"""The headers every answer carries, and the log line about it."""

import logging
import secrets
from typing import NamedTuple

from starlette.requests import Request
from starlette.types import Message, Scope, Send

from bff.settings.settings import Settings
from bff.stores.rate_limits import fields_of
from bff.telemetry import metrics, spans, tracing
from bff.telemetry.logs import QuickLogger
from bff.telemetry.timing import Phase, Timings
from bff.web.cors import Callers, allowed_origin
from bff.web.state import WebState

log = QuickLogger()
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PAGE_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self'{pictures}; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'{form_target}; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'"
)
DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'; sandbox"
HEADERS = {
    b"x-content-type-options": b"nosniff",
    # "no-referrer" would make browsers send `Origin: null` with our own forms, which the gate refuses.
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    b"x-frame-options": b"DENY",
}


def nonce_of(scope: Scope) -> str:
    """The nonce of this answer's scripts, made when it is first asked for: most answers are not pages."""
    if "nonce" not in scope:
        scope["nonce"] = secrets.token_urlsafe(18)
    return str(scope["nonce"])


class Ended(NamedTuple):
    """What is told of a request: the route's template, never the path or the query (M4, M9)."""

    request_id: str
    method: str
    route: str | None
    status: int
    code: str | None
    failure: str | None


def tell_of(ended: Ended, timings: Timings, trace_id: str | None) -> None:
    """Count a request, and write its line."""
    seconds = timings.seconds
    metrics.observe_request(ended.route, ended.method, ended.status, seconds, ended.code)
    log.log(
        logging.WARNING if ended.status >= 500 else logging.INFO,
        "request",
        request_id=ended.request_id,
        method=ended.method,
        route=ended.route,
        status=ended.status,
        ms=round(seconds * 1000, 1),
        code=ended.code,
        failure=ended.failure,
        calls=timings.calls,
        trace_id=trace_id,
        **{f"{phase}_ms": spent for phase, spent in timings.milliseconds().items()},
    )


class ResponseGuard:
    """Watches one answer go out: completes its headers, and remembers its status for the log."""

    def __init__(
        self, request: Request[WebState], timings: Timings, settings: Settings, origins: Callers, send: Send
    ) -> None:
        self._request = request
        self._timings = timings
        self._settings = settings
        self._origins = origins
        self._send = send
        self.started = False
        self.status = 0
        self.failure: str | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: bytes | None = None

    @property
    def phases(self) -> tuple[Phase, ...]:
        return self._timings.phases

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            message["headers"] = self.headers = self._complete(list(message["headers"]))
        else:
            self.body = None if message.get("more_body") else message.get("body", b"")
        await self._send(message)

    def _complete(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The answer's own headers, and those that every answer has."""
        own = dict(given)
        common = HEADERS | {b"cache-control": b"private, no-store"}
        if usage := [each for each in self._request.scope.get("usage") or () if not each.limit.hidden]:
            common |= {name.encode(): value.encode() for name, value in fields_of(usage).items()}
        always = self._always(own.get(b"content-type", b"")) | self._vary(own.get(b"vary", b""))
        kept = [field for field in given if field[0] not in always]
        return [*kept, *(field for field in common.items() if field[0] not in own), *always.items()]

    def _always(self, content_type: bytes) -> dict[bytes, bytes]:
        """What nobody else says of an answer."""
        scope = self._request.scope
        # How long a write took where is told to nobody: it could tell whom the vendor knows (K5).
        timing = self._timings.header() if scope["method"] in SAFE else self._timings.total()
        always = {
            b"x-request-id": scope["request_id"].encode(),
            b"server-timing": timing.encode(),
        }
        if self.status != 304:
            # A browser puts the headers of a 304 in the place of those that its copy came with (RFC 9111 §3.2).
            always[b"content-security-policy"] = self._policy(content_type)
        if self.status in {408, 413}:
            # The rest of that body is not wanted on this connection (RFC 9110 §15.5.14).
            always[b"connection"] = b"close"
        if self._settings.production:
            always[b"strict-transport-security"] = b"max-age=31536000; includeSubDomains"
        return always | allowed_origin(scope, self._origins) if scope["is_api"] else always

    def _vary(self, given: bytes) -> dict[bytes, bytes]:
        """What of a request made a difference to its answer (RFC 9110 §12.5.5)."""
        scope, is_read = self._request.scope, self._request.method in SAFE
        names = [given] if given else []
        if "session" in scope:
            names.append(b"Cookie")
        if (scope["is_api"] and not scope["is_public"]) or not is_read:
            names.append(b"Origin")
        if not is_read:
            names.append(b"Sec-Fetch-Site")
        return {b"vary": b", ".join(names)} if names else {}

    def _policy(self, content_type: bytes) -> bytes:
        """A page whose form leads to a vendor names that vendor; no other form leads anywhere but here."""
        if not content_type.startswith(b"text/html"):
            return DATA_POLICY
        scope = self._request.scope
        target = scope.get("form_target")
        pictures = "".join(f" {host}" for host in self._settings.theme.picture_hosts)
        form_target = f" {target}" if target else ""
        return PAGE_POLICY.format(nonce=nonce_of(scope), form_target=form_target, pictures=pictures).encode()

    def log(self) -> None:
        scope = self._request.scope
        route = getattr(scope.get("route"), "path", None)
        self.ended = Ended(scope["request_id"], scope["method"], route, self.status, scope.get("code"), self.failure)
        spans.describe(f"{self.ended.method} {route or 'none'}", self.ended._asdict())
        tell_of(self.ended, self._timings, tracing.current())
