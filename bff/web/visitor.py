"""Who is asking: the cookies, the session behind them, and the token that binds a form to a sign-in."""

from collections.abc import Callable

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.errors import Problem
from bff.schemas.base import Visitor, member_state
from bff.sessions.lifetime import is_doubtful
from bff.sessions.store import Session
from bff.stores.keyring import KeyRing
from bff.telemetry import metrics
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
from bff.web.fields import field
from bff.web.headers import SAFE
from bff.web.limits import CountedBeside, count_request
from bff.web.servers import handle_of, require_server
from bff.web.state import StateT, WebState

log = structlog.get_logger("visitor")
COOKIE_LONGEST = 128


class SessionMiddleware:
    """Wraps the routes that may know who is asking; nothing outside of it can read a session.

    Whoever has no cookie is not counted where that is all there is to say: below `members_only`, and where there is no
    route.
    """

    def __init__(self, app: ASGIApp, has_route: Callable[[Scope], bool], members_only: str) -> None:
        self._app = app
        self._has_route = has_route
        self._members_only = members_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request[WebState](scope)
        settings = request.state["settings"]
        name = session_cookie(settings)
        given = cookies_named(request, name)
        # Two of them mean that somebody planted one: neither is believed (A5).
        value = given[0] if len(given) == 1 and 0 < len(given[0]) <= COOKIE_LONGEST else None
        handle, beside = handle_of(request), CountedBeside(request)
        if handle is not None:
            await _require_server(request, beside)
        session = await _loaded(request, value, handle, beside)
        if session is not None:
            session.storefront = storefront_of(request, session)
        scope["session"], scope["presented"], scope["usage"] = session, bool(given or handle), []
        scope["by_handle"] = handle is not None
        if scope["presented"] or not self._turns_strangers_away(scope):
            await count_request(request, beside)
        lines = list(expiries_of_other_mode(request, settings))
        if session and value and (renewed := request.state["sessions"].resign_cookie(value)):
            lines.append(cookie_header(settings, name, renewed, settings.sessions.absolute_seconds))
        await self._app(scope, receive, _with_cookies(lines, send) if lines else send)

    def _turns_strangers_away(self, scope: Scope) -> bool:
        return bool(scope["path"].startswith(self._members_only)) or not self._has_route(scope)


async def _require_server(request: Request[WebState], beside: CountedBeside) -> None:
    """Whoever tries tokens with a handle is counted by their address, as one who tries cookies is.

    Raises Problem `session_required`, and `rate_limited` beyond the limit.
    """
    try:
        require_server(request)
    except Problem:
        await count_request(request, beside)
        raise


async def _loaded(
    request: Request[WebState], cookie: str | None, handle: str | None, beside: CountedBeside
) -> Session | None:
    """The session behind a server's handle, else behind the browser's cookie; where somebody has to be asked whether it
    still is as it was, they are."""
    with spent_on("session"):
        if handle is not None:
            return await request.state["handles"].load(handle)
        session = await _session_behind(request, cookie, beside) if cookie and _is_secure(request) else None
    if session is not None and (session.is_stale or is_doubtful(session.data, request.state["clock"]())):
        return await _refreshed(request, session)
    return session


async def _session_behind(request: Request[StateT], cookie: str, beside: CountedBeside) -> Session | None:
    return await request.state["sessions"].load(cookie, beside, writes=request.method not in SAFE)


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


def storefront_of(request: Request[StateT], session: Session | None) -> str:
    """The storefront that this visit belongs to: the one whose page asks, else the one through which the visitor signed
    in, else the first. Only one that is allowed counts."""
    settings = request.state["settings"]
    asking, before = field(request.scope, b"origin"), session.data.storefront if session else None
    return next(filter(settings.is_storefront, (asking, before)), None) or settings.storefront_url


def page_origin(request: Request[StateT], session: Session) -> str | None:
    """The origin of the page whose script asks; of the storefront through which the visitor signed in where a program
    asks that names none. Only one that is known counts, and nothing is assumed."""
    settings, asking = request.state["settings"], field(request.scope, b"origin")
    found = (origin for origin in (asking, session.data.storefront) if origin)
    return next((origin for origin in found if origin == settings.origin or settings.is_storefront(origin)), None)


def session_of(request: Request[StateT]) -> Session | None:
    session: Session | None = request.scope.get("session")
    return session


def require_sign_in(request: Request[StateT]) -> Session:
    """The session, even of a blocked member. Raises Problem `session_required`, or `session_expired` when a cookie was
    sent."""
    session = session_of(request)
    if session is None and request.scope.get("presented"):
        raise Problem("session_expired", "Your session has ended. Please sign in again.")
    if session is None:
        raise Problem("session_required", "Please sign in first.")
    return session


def require_session(request: Request[StateT]) -> Session:
    """Raises Problem `session_required`, or `session_expired` when a cookie was sent; `member_blocked`."""
    session = require_sign_in(request)
    if session.data.state == "blocked":
        raise Problem("member_blocked", "This account cannot take part in the program.")
    return session


def visitor_of(request: Request[StateT]) -> Visitor:
    session = session_of(request)
    if session is None:
        return Visitor(state="anonymous")
    told = session.data.told_state
    return Visitor(state=None if told is None else member_state(told), name=session.data.name)


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
    before, sessions = session_of(request), request.state["sessions"]
    metrics.count_sign_in("signed_in")
    log.info("signed_in", what=_whose(before, customer), who=sessions.pseudonym(customer.id))
    if before is not None:
        await sessions.end(before.key)


def _whose(before: Session | None, customer: ShopifyCustomer) -> str:
    """Whose session a sign-in replaces, for the log."""
    if before is None:
        return "first"
    return "again" if before.data.customer_id == customer.id else "another customer"


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
