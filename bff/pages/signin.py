"""Signing in with Shopify and out again: /login, /callback, /logout, and the hand-in of a token by the storefront."""

import secrets
from typing import NamedTuple

import structlog
from itsdangerous import BadData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.sessions.logins import LOGIN_SECONDS, PendingLogins
from bff.sessions.tickets import Tickets
from bff.stores.rate_limits import LOGIN
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import PendingLogin
from bff.web.cookies import cookies_named, login_cookie, set_cookie
from bff.web.inputs import read_form, read_return_to
from bff.web.limits import address_of, hit
from bff.web.responses import page, path_for, redirect_to, sign_in_url
from bff.web.state import WebState
from bff.web.visitor import check_csrf, end_previous_session, session_of, with_session, without_cookies

log = structlog.get_logger("login")
# A state that begins like this belongs to a sign-in that was restarted already; it is not restarted again.
SECOND_TRY = "again."
NO_COOKIES = (
    "Your browser did not keep our cookie, and nobody can be signed in without one. "
    "Allow cookies for this site, or leave private browsing, then try again."
)
NO_COOKIES_LOCALLY = (
    "Your browser did not keep our cookie, and nobody can be signed in without one. Safari keeps no secure cookies on "
    "http://localhost: use Chrome, Edge or Firefox there."
)
LOGIN_HINTS = ("locale", "region_country", "login_hint")
# Browsers and previews that only look ahead say so in one of these.
LOOKING_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")


class SignInState(WebState):
    logins: PendingLogins
    shopify: ShopifyClient
    tickets: Tickets


async def login(request: Request[SignInState]) -> Response:
    """Send the browser to Shopify. `return_to` and a few hints that Shopify documents may be given."""
    await hit(request, LOGIN, address_of(request))
    return_to = read_return_to(request.state["settings"], request.query_params.get("return_to"))
    return await _begin(request, return_to, prefix="")


async def callback(request: Request[SignInState]) -> Response:
    """Shopify sent the browser back: with a code, or with an error. Unknown parameters are ignored."""
    state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
    pending = await request.state["logins"].take(state) if 0 < len(state) <= 128 else None
    if pending is None or not _same_browser(request, pending):
        return await _restart(request, state)
    if "error" in request.query_params or not 0 < len(code) <= 1024:
        return _failed(request, "Shopify did not sign you in.", 400, pending.return_to)
    try:
        customer, cookie = await request.state["sign_in"].begin_with_code(code, pending)
    except VendorRefused:
        return _failed(request, "Signing in took too long or was done twice.", 400, pending.return_to)
    except UpstreamFailed as failure:
        return _failed(request, "Signing in is not possible right now.", failure.status, pending.return_to)
    except Problem as problem:
        return _failed(request, problem.detail, problem.status, pending.return_to)
    await end_previous_session(request, customer)
    # The login cookie stays for its ten minutes: another tab may be signing in as well.
    response = RedirectResponse(read_return_to(request.state["settings"], pending.return_to), 303)
    return with_session(request, response, cookie)


async def logout(request: Request[SignInState]) -> Response:
    """End the session here and at Shopify. Twice gives the same answer as once."""
    session = session_of(request)
    if session is not None:
        check_csrf(request, session, "logout", (await read_form(request)).get("csrf", ""))
        await request.state["sign_in"].end(session)
    response = without_cookies(request, redirect_to(request, "signed_out"))
    response.headers["clear-site-data"] = '"cache"'
    return response


async def signed_out(request: Request[SignInState]) -> Response:
    return page(request, "signed_out.html")


async def continue_with_ticket(request: Request[SignInState]) -> Response:
    """`GET /session/continue`: the shopper's browser brings its ticket and gets a session for it."""
    response = await _redeem_ticket(request)
    # Nobody is told where the browser comes from: the ticket is in that address.
    response.headers["referrer-policy"] = "no-referrer"
    return response


async def _redeem_ticket(request: Request[SignInState]) -> Response:
    if not _is_a_visit(request):
        return _failed(request, "This address works when it is opened.", 400)
    await hit(request, LOGIN, address_of(request))
    admission = await request.state["tickets"].take(request.query_params.get("ticket", ""))
    if admission is None:
        return _failed(request, "This link has been used already, or is too old.", 400)
    try:
        cookie = await request.state["sign_in"].begin(admission.tokens, admission.customer)
    except Problem as problem:
        return _failed(request, problem.detail, problem.status)
    await end_previous_session(request, admission.customer)
    return_to = read_return_to(request.state["settings"], request.query_params.get("return_to"))
    return with_session(request, RedirectResponse(return_to, 303), cookie)


def _is_a_visit(request: Request[SignInState]) -> bool:
    """Somebody goes there, in a window of their own: not a preview, a prefetch, a frame, or a picture (D6, L6)."""
    ahead = any(word in request.headers.get(name, "") for name in LOOKING_AHEAD for word in ("prefetch", "preview"))
    return request.method == "GET" and not ahead and request.headers.get("sec-fetch-dest", "document") == "document"


async def _begin(request: Request[SignInState], return_to: str, prefix: str) -> Response:
    settings = request.state["settings"]
    known = _browser_of(request)
    browser = known.id if known else secrets.token_urlsafe(16)
    pending = PendingLogin(
        state=prefix + secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        return_to=return_to,
        browser=request.state["keys"].hmac("login", browser),
    )
    hints = {name: request.query_params[name][:128] for name in LOGIN_HINTS if request.query_params.get(name)}
    try:
        url = await request.state["shopify"].authorization_url(pending, **hints)
    except UpstreamFailed as failure:
        return _failed(request, "Signing in is not possible right now.", failure.status, return_to)
    await request.state["logins"].begin(pending)
    response = RedirectResponse(url, 302)
    value = request.state["keys"].serialiser("login").dumps([browser, return_to])
    set_cookie(response, settings, login_cookie(settings), str(value), LOGIN_SECONDS)
    return response


async def _restart(request: Request[SignInState], state: str) -> Response:
    """A sign-in this browser did not begin, or began too long ago: begin anew, once, then explain."""
    settings, browser = request.state["settings"], _browser_of(request)
    return_to = browser.return_to if browser else None
    if state and not state.startswith(SECOND_TRY):
        return await _begin(request, return_to or settings.base_path + "/", SECOND_TRY)
    if not cookies_named(request, login_cookie(settings)):
        return _failed(request, NO_COOKIES if settings.production else NO_COOKIES_LOCALLY, 400, return_to)
    return _failed(request, "This sign-in was begun in another browser or too long ago.", 400, return_to)


class _Browser(NamedTuple):
    """Which browser began a sign-in, and where its shopper wanted to go when it last did."""

    id: str
    return_to: str


def _browser_of(request: Request[SignInState]) -> _Browser | None:
    """What the login cookie says; None when there is none, or none of ours."""
    given = cookies_named(request, login_cookie(request.state["settings"]))
    if len(given) != 1:
        return None
    try:
        browser, return_to = request.state["keys"].serialiser("login").loads(given[0])
    except (BadData, ValueError, TypeError):
        return None
    # It was checked when it was signed; what may be returned to can have changed since.
    return _Browser(str(browser), read_return_to(request.state["settings"], str(return_to)))


def _same_browser(request: Request[SignInState], pending: PendingLogin) -> bool:
    browser = _browser_of(request)
    return browser is not None and request.state["keys"].verify("login", pending.browser, browser.id)


def _failed(request: Request[SignInState], failure: str, status: int, return_to: str | None = None) -> Response:
    again = sign_in_url(request, return_to) if return_to else path_for(request, "login")
    return page(request, "login_failed.html", status, failure=failure, again=again)
