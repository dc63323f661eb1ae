"""Who is asking: the cookies, the session behind them, and the token that binds a form to a sign-in."""

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.errors import Problem
from bff.schemas.base import Visitor, member_state
from bff.sessions.store import Session
from bff.stores.keyring import KeyRing
from bff.telemetry.timing import spent_on
from bff.vendors.shopify.tokens import ShopifyCustomer
from bff.web.cookies import (
    cookie_header,
    cookies_named,
    expiries_of_other_mode,
    login_cookie,
    session_cookie,
    set_cookie,
)
from bff.web.limits import count_request
from bff.web.state import StateT, WebState

log = structlog.get_logger("visitor")
COOKIE_LONGEST = 128


class SessionMiddleware:
    """Wraps the routes that may know who is asking; nothing outside of it can read a session."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request[WebState](scope)
        settings = request.state["settings"]
        name = session_cookie(settings)
        given = cookies_named(request, name)
        # Two of them mean that somebody planted one: neither is believed (A5).
        value = given[0] if len(given) == 1 and 0 < len(given[0]) <= COOKIE_LONGEST else None
        with spent_on("session"):
            session = await request.state["sessions"].load(value) if value and _is_secure(request) else None
        if session is not None and session.is_stale:
            session = await _refreshed(request, session)
        scope["session"], scope["presented"] = session, bool(given)
        await count_request(request)
        lines = list(expiries_of_other_mode(request, settings))
        if session and value and (renewed := request.state["sessions"].resign_cookie(value)):
            lines.append(cookie_header(settings, name, renewed, settings.sessions.absolute_seconds))
        await self._app(scope, receive, _with_cookies(lines, send) if lines else send)


async def _refreshed(request: Request[StateT], session: Session) -> Session | None:
    try:
        await request.state["sign_in"].refresh_member(session)
    except Problem as problem:
        # Whatever else Okendo says of this member, it says again to the route that asks.
        return None if problem.code == "session_expired" else session
    return session


def _with_cookies(lines: list[str], send: Send) -> Send:
    """Add these Set-Cookie lines, each unless the answer sets that cookie anyway: one that is signed by an older key is
    signed anew (C4), one of the other mode ends."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            answered = {header.partition("=")[0] for header in headers.getlist("set-cookie")}
            for line in lines:
                if line.partition("=")[0] not in answered:
                    headers.append("set-cookie", line)
        await send(message)

    return sending


def _is_secure(request: Request[StateT]) -> bool:
    return bool(request.scope.get("secure", True))


def session_of(request: Request[StateT]) -> Session | None:
    session: Session | None = request.scope.get("session")
    return session


def require_session(request: Request[StateT]) -> Session:
    """Raises Problem `session_required`, or `session_expired` when a cookie was sent; `member_blocked`."""
    session = session_of(request)
    if session is None and request.scope.get("presented"):
        raise Problem("session_expired", "Your session has ended. Please sign in again.")
    if session is None:
        raise Problem("session_required", "Please sign in first.")
    if session.data.state == "blocked":
        raise Problem("member_blocked", "This account cannot take part in the program.")
    return session


def visitor_of(request: Request[StateT]) -> Visitor:
    session = session_of(request)
    if session is None:
        return Visitor(state="anonymous")
    return Visitor(state=member_state(session.data.state), name=session.data.name)


def csrf_token(keys: KeyRing, session: Session, purpose: str) -> str:
    """Binds a form to this customer, this sign-in and this purpose (D5, B16)."""
    customer_id = session.data.customer_id
    return f"{_who(keys, session)}.{keys.hmac('csrf', customer_id, session.data.session_nonce, purpose)}"


def check_csrf(request: Request[StateT], session: Session, purpose: str, token: str) -> None:
    """Raises Problem `csrf_refused`, as a conflict (409) when the page was made for another customer."""
    keys = request.state["keys"]
    who, _, mark = token.partition(".")
    if keys.verify("csrf", mark, session.data.customer_id, session.data.session_nonce, purpose):
        return
    if mark and who != _who(keys, session):
        raise Problem("csrf_refused", "This page was opened for another account. Please reload it.", status=409)
    raise Problem("csrf_refused", "This page is out of date, so nothing was done. Please try again.")


def _who(keys: KeyRing, session: Session) -> str:
    return keys.hmac("customer index", session.data.customer_id)[:16]


async def end_previous_session(request: Request[StateT], customer: ShopifyCustomer) -> None:
    """Whoever was signed in here before is signed out: the old id is dead at once (B2)."""
    before = session_of(request)
    switched = before is not None and before.data.customer_id != customer.id
    log.info("signed_in", what="another customer" if switched else "same or new customer")
    if before is not None:
        await request.state["sessions"].end(before.key)


def without_cookies(request: Request[StateT], response: Response) -> Response:
    settings = request.state["settings"]
    for name in (session_cookie(settings), login_cookie(settings)):
        set_cookie(response, settings, name, "", 0)
    return response


def with_session(request: Request[StateT], response: Response, cookie: str) -> Response:
    settings = request.state["settings"]
    set_cookie(response, settings, session_cookie(settings), cookie, settings.sessions.absolute_seconds)
    return response


def open_session(request: Request[StateT]) -> Session | None:
    """The session, if there is one; a blocked member is sent to their one calm page."""
    return require_session(request) if session_of(request) else None
