"""A JSON route as a row of data, and the rules that every row obeys."""

import functools
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.deprecation import Deprecation
from bff.errors import Code, Problem
from bff.web.copies import told_once
from bff.web.fields import field
from bff.web.state import Handler

PREFIX = "/api/v1"
Who = Literal["anyone", "visitor", "member", "server"]

# What several rows refuse, take and send alike. Each lists what it may answer, and nothing else.
ALWAYS_FAILS: tuple[Code, ...] = ("invalid_request", "internal_error", "overloaded")
VENDOR_FAILS: tuple[Code, ...] = ("upstream_unavailable", "upstream_timeout")
PUBLIC_FAILS: tuple[Code, ...] = ("rate_limited", *VENDOR_FAILS, *ALWAYS_FAILS)
# Whatever looks for a session, or for the token of the storefront's server.
VISITOR_FAILS: tuple[Code, ...] = (
    "session_required",
    "csrf_refused",
    "rate_limited",
    "store_unavailable",
    *ALWAYS_FAILS,
)
HAND_IN_FAILS: tuple[Code, ...] = ("token_rejected", "feature_unavailable", *VENDOR_FAILS, *VISITOR_FAILS)
MEMBER_FAILS: tuple[Code, ...] = ("session_expired", "member_blocked", *VISITOR_FAILS)
# Whoever asks Okendo as a member exchanges a token for that, and may be told that there is no such member any more.
OKENDO_FAILS: tuple[Code, ...] = ("program_not_launched", "not_found", *VENDOR_FAILS, *MEMBER_FAILS)
LOCALE = ("locale", "country", "currency")


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A route, its documentation and its law: who may call it, what it reads, answers and refuses.

    `who` is "anyone" (public data, cacheable), "visitor" (reads the session), "member" (needs one) or "server"
    (no browser, but a program with a bearer token). Of `query`, `repeatable` may come more than once.

    `sends` names headers by status, besides those that every answer has; `examples` are the answers that show something
    else than their schema's own example, by status. `deprecated` says that it will go.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    description: str = ""
    who: Who
    reads: Any = None
    answers: dict[int, Any]
    refuses: tuple[Code, ...] = ()
    query: tuple[str, ...] = ()
    repeatable: tuple[str, ...] = ()
    sends: Mapping[int, tuple[str, ...]] = {}
    examples: Mapping[int, Any] = {}
    deprecated: Deprecation | None = None

    @property
    def name(self) -> str:
        """Names its route, below `api_`."""
        return self.handler.__name__

    @property
    def operation_id(self) -> str:
        """The same as clients call it that are generated: a verb and a noun, in camel case."""
        verb, *words = self.name.split("_")
        return verb + "".join(word.capitalize() for word in words)

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def needs_csrf(self) -> bool:
        """Whether a browser calls it that carries cookies (D1)."""
        return self.writes and self.who != "server"

    @property
    def takes_handle(self) -> bool:
        """Whether the storefront's server may call it for a customer, by a session handle: whatever neither begins a
        session nor is the same for everybody (P13)."""
        return self.who == "member" or (self.who == "visitor" and self.reads is None)

    @property
    def is_tagged(self) -> bool:
        """Whether a copy of its answer may be asked about."""
        return not self.writes and self.who in {"anyone", "member"}


def checked_handler(endpoint: Endpoint) -> Handler:
    """The endpoint's handler behind the laws of its row: only known query parameters, each as often as it may come
    (H5), and nothing that loads a member's answer as a picture or a script (D9)."""

    @functools.wraps(endpoint.handler)
    async def handle(request: Request[Any]) -> Response:
        names = [name for name, _ in request.query_params.multi_items()] if request.scope["query_string"] else []
        once = [name for name in names if name not in endpoint.repeatable]
        if len(set(once)) < len(once) or not set(names) <= set(endpoint.query):
            raise Problem("invalid_request", "A query parameter is unknown or was sent twice.")
        if endpoint.who != "anyone" and field(request.scope, b"sec-fetch-dest") not in {None, "empty"}:
            raise Problem("csrf_refused", "This address is for scripts only.")
        response = await endpoint.handler(request)
        return told_once(request, response) if endpoint.who == "member" and not endpoint.writes else response

    return handle if endpoint.deprecated is None else _announcing(endpoint.deprecated, handle)


def _announcing(deprecation: Deprecation, handler: Handler) -> Handler:
    """Every answer says that the endpoint will go, whether it went well or not."""

    @functools.wraps(handler)
    async def handle(request: Request[Any]) -> Response:
        headers = deprecation.headers(f"{request.state['settings'].base_url}{PREFIX}/docs")
        try:
            response = await handler(request)
        except Problem as problem:
            problem.headers.update(headers)
            raise
        response.headers.update(headers)
        return response

    return handle
