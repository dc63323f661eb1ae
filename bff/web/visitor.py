"""Who is asking: the cookies, the session behind them, and the token that binds a form to a sign-in."""

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.errors import Problem
from bff.schemas.base import Visitor, member_state
from bff.sessions.store import Session
from bff.settings.settings import Settings
from bff.stores.keyring import KeyRing
from bff.telemetry.timing import spent_on
from bff.vendors.shopify.tokens import ShopifyCustomer
from bff.web.limits import count_request
from bff.web.state import StateT, WebState

log = structlog.get_logger("visitor")
COOKIE = "__Host-Http-loyalty"
LOGIN_COOKIE = "__Host-Http-loyalty-login"
COOKIE_LONGEST = 128


class SessionMiddleware:
    """Wraps the routes that may know who is asking; nothing outside of it can read a session."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request[WebState](scope)
        given = cookies_named(request, COOKIE)
        # Two of them mean that somebody planted one: neither is believed (A5).
        value = given[0] if len(given) == 1 and 0 < len(given[0]) <= COOKIE_LONGEST else None
        with spent_on("session"):
            session = await request.state["sessions"].load(value) if value and _is_secure(request) else None
        if session is not None and session.is_stale:
            session = await _refreshed(request, session)
        scope["session"], scope["presented"] = session, bool(given)
        await count_request(request)
        renewed = request.state["sessions"].resign_cookie(value) if session and value else None
        await self._app(scope, receive, _with_cookie(request, renewed, send) if renewed else send)


async def _refreshed(request: Request[StateT], session: Session) -> Session | None:
    try:
        await request.state["sign_in"].refresh_member(session)
    except Problem as problem:
        # Whatever else Okendo says of this member, it says again to the route that asks.
        return None if problem.code == "session_expired" else session
    return session


def _with_cookie(request: Request[StateT], value: str, send: Send) -> Send:
    """A cookie signed by a key that is about to go is signed anew, unless the answer sets or clears it anyway (C4)."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if not any(header.startswith(f"{COOKIE}=") for header in headers.getlist("set-cookie")):
                settings = request.state["settings"]
                headers.append("set-cookie", cookie_header(settings, COOKIE, value, settings.sessions.absolute_seconds))
        await send(message)

    return sending


def cookies_named(request: Request[StateT], name: str) -> list[str]:
    """Every value sent under this name, so that a second one is seen."""
    header = "; ".join(request.headers.getlist("cookie"))
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [value for key, _, value in pairs if key == name]


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


def set_cookie(response: Response, settings: Settings, name: str, value: str, max_age_seconds: int) -> None:
    """The one form every cookie of ours has; an empty value with 0 seconds clears it (A1, A2)."""
    response.headers.append("set-cookie", cookie_header(settings, name, value, max_age_seconds))


def cookie_header(settings: Settings, name: str, value: str, max_age_seconds: int) -> str:
    same_site = "None; Partitioned" if settings.cross_site_mode else "Lax"
    return f"{name}={value}; Max-Age={max_age_seconds}; Path=/; Secure; HttpOnly; SameSite={same_site}"


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
    for name in (COOKIE, LOGIN_COOKIE):
        set_cookie(response, request.state["settings"], name, "", 0)
    return response


def with_session(request: Request[StateT], response: Response, cookie: str) -> Response:
    settings = request.state["settings"]
    set_cookie(response, settings, COOKIE, cookie, settings.sessions.absolute_seconds)
    return response


def open_session(request: Request[StateT]) -> Session | None:
    """The session, if there is one; a blocked member is sent to their one calm page."""
    return require_session(request) if session_of(request) else None
