"""The storefront's server: it proves itself with `SESSION_TICKETS_TOKEN`, as a bearer token (RFC 6750), and acts for a
customer by a session handle."""

import hmac

from starlette.requests import Request

from bff.errors import Problem
from bff.web.fields import field
from bff.web.state import StateT

# What a browser says of itself, or keeps. `Sec-Fetch-Mode` alone says nothing: the fetch of Node sends it as well.
OF_BROWSERS = frozenset({b"origin", b"cookie", b"sec-fetch-site", b"sec-fetch-dest", b"sec-fetch-user"})


def require_server(request: Request[StateT]) -> None:
    """Raises Problem `session_required` for everybody else.

    Without the setting nobody holds the token, and no stranger is told whether it is set.
    """
    expected, given = request.state["settings"].sessions.tickets_token, request.headers.get("authorization", "")
    if expected is None or not hmac.compare_digest(given.encode(), f"Bearer {expected}".encode()):
        refusal = Problem("session_required", "Send the bearer token of SESSION_TICKETS_TOKEN, if it is set.")
        refusal.headers["www-authenticate"] = "Bearer"
        raise refusal


def handle_of(request: Request[StateT]) -> str | None:
    """The session handle of this request, which no browser has sent; None when there is none. It opens nothing without
    the server's own token: `require_server` (P13).

    Raises Problem `csrf_refused` where a browser sends one.
    """
    handle = field(request.scope, b"x-loyalty-session")
    if handle is None:
        return None
    if not request.scope["is_api"] or not OF_BROWSERS.isdisjoint(request.scope["fields"]):
        raise Problem("csrf_refused", "A session handle is for calls from server to server.")
    return handle
