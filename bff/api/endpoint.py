"""A JSON route as a row of data, and the rules that every row obeys."""

import functools
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Code, Problem
from bff.web.state import Handler

PREFIX = "/api/v1"
Who = Literal["anyone", "visitor", "member", "server"]

# What several rows refuse, take and send alike.
PUBLIC_FAILS: tuple[Code, ...] = ("invalid_request", "upstream_unavailable", "upstream_timeout")
MEMBER_FAILS: tuple[Code, ...] = (
    "session_required",
    "csrf_refused",
    "session_expired",
    "member_blocked",
    "program_not_launched",
    "feature_unavailable",
    "store_unavailable",
    *PUBLIC_FAILS,
)
WRITE_FAILS: tuple[Code, ...] = ("csrf_refused", "rate_limited", *MEMBER_FAILS)
LOCALE = ("locale", "country", "currency")


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A route, its documentation and its law: who may call it, what it reads, answers and refuses.

    `who` is "anyone" (public data, cacheable), "visitor" (reads the session), "member" (needs one) or "server"
    (no browser, but a program with a bearer token).

    `sends` names headers by status, besides those that every answer has; `examples` are the answers that show something
    else than their schema's own example, by status.
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
    sends: Mapping[int, tuple[str, ...]] = {}
    examples: Mapping[int, Any] = {}

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def writes(self) -> bool:
        return self.method != "GET"


def checked_handler(endpoint: Endpoint) -> Handler:
    """The endpoint's handler behind the laws of its row: only known query parameters, each once (H5), and nothing that
    loads a member's answer as a picture or a script (D9)."""

    @functools.wraps(endpoint.handler)
    async def handle(request: Request[Any]) -> Response:
        names = [name for name, _ in request.query_params.multi_items()]
        if len(set(names)) < len(names) or not set(names) <= set(endpoint.query):
            raise Problem("invalid_request", "A query parameter is unknown or was sent twice.")
        if endpoint.who != "anyone" and request.headers.get("sec-fetch-dest", "empty") != "empty":
            raise Problem("csrf_refused", "This address is for scripts only.")
        return await endpoint.handler(request)

    return handle
