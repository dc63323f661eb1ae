"""Signing in with Shopify: /login, /callback."""

import secrets
from typing import Literal, NamedTuple

import structlog
from itsdangerous import BadData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.sentences import N_
from bff.sessions.logins import LOGIN_SECONDS, PendingLogins
from bff.settings.sites import is_same_site
from bff.stores.rate_limits import LOGIN
from bff.telemetry import metrics
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import AuthorizationResponse, PendingLogin
from bff.web.cookies import cookies_named, login_cookie, set_cookie
from bff.web.inputs import read_return_to, storefront_in
from bff.web.language import words_for
from bff.web.limits import address_of, hit
from bff.web.responses import page, path_for, sign_in_url
from bff.web.state import StateT, WebState
from bff.web.visitor import end_previous_session, with_session

log = structlog.get_logger("login")
# A state that begins like this belongs to a sign-in that was restarted already; it is not restarted again.
SECOND_TRY = "again."
NO_COOKIES = N_(
    "Your browser did not keep our cookie, and nobody can be signed in without one. "
    "Allow cookies for this site, or leave private browsing, then try again."
)
NO_COOKIES_LOCALLY = N_(
    "Your browser did not keep our cookie, and nobody can be signed in without one. Safari keeps no secure cookies on "
    "http://localhost: use Chrome, Edge or Firefox there."
)
# Across sites a cookie that is set here is one that the storefront's own pages never send.
ANOTHER_SITE = N_(
    "Your browser keeps the shop and this page apart, so signing in here does not sign you in at the shop. You can go "
    "back and sign in there, or sign in here and see your points on these pages."
)
# A failed sign-in's outcome for the metrics; what is not listed is the shopper's own doing, or a vendor's or store's.
OUTCOMES: dict[int, Literal["unverified"]] = {401: "unverified"}
# What Shopify sends when the shopper goes back instead of signing in (RFC 6749 §4.1.2.1).
CANCELLED = "access_denied"
LOGIN_HINTS = ("locale", "region_country", "login_hint")


class SignInState(WebState):
    logins: PendingLogins
    shopify: ShopifyClient


async def login(request: Request[SignInState]) -> Response:
    """Send the browser to Shopify. `return_to` and a few hints that Shopify documents may be given."""
    await hit(request, LOGIN, address_of(request))
    return_to = read_return_to(request.state["settings"], request.query_params.get("return_to"))
    return refused_across_sites(request, return_to) or await _begin(request, return_to, prefix="")


async def callback(request: Request[SignInState]) -> Response:
    """Shopify sent the browser back: with a code, or with an error. Unknown parameters are ignored."""
    state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
    pending = await request.state["logins"].take(state) if 0 < len(state) <= 128 else None
    if pending is None or not _same_browser(request, pending):
        return await _restart(request, state)
    if request.query_params.get("error") == CANCELLED:
        return sign_in_failed(
            request, "You cancelled signing in, so nothing has changed.", 400, pending.return_to, cancelled=True
        )
    if "error" in request.query_params or not 0 < len(code) <= 1024:
        return sign_in_failed(request, "Shopify did not sign you in.", 400, pending.return_to)
    try:
        storefront = storefront_in(request.state["settings"], pending.return_to)
        response = AuthorizationResponse(code, request.query_params.get("iss"))
        customer, cookie = await request.state["sign_in"].begin_with_code(response, pending, storefront)
    except VendorRefused:
        return sign_in_failed(request, "Signing in took too long or was done twice.", 400, pending.return_to)
    except UpstreamFailed as failure:
        return sign_in_failed(request, "Signing in is not possible right now.", failure.status, pending.return_to)
    except Problem as problem:
        return sign_in_failed(request, problem.detail, problem.status, pending.return_to)
    await end_previous_session(request, customer)
    # The login cookie stays for its ten minutes: another tab may be signing in as well.
    redirect = RedirectResponse(read_return_to(request.state["settings"], pending.return_to), 303)
    return with_session(request, redirect, cookie)


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
        begun_at=request.state["clock"](),
    )
    hints = {name: request.query_params[name][:128] for name in LOGIN_HINTS if request.query_params.get(name)}
    try:
        url = await request.state["shopify"].authorization_url(pending, **hints)
    except UpstreamFailed as failure:
        return sign_in_failed(request, "Signing in is not possible right now.", failure.status, return_to)
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
        return sign_in_failed(request, NO_COOKIES if settings.production else NO_COOKIES_LOCALLY, 400, return_to)
    return sign_in_failed(request, "This sign-in was begun in another browser or too long ago.", 400, return_to)


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


def refused_across_sites(request: Request[StateT], return_to: str) -> Response | None:
    """The page that says why nobody is signed in here for a storefront on another site; None for every other place.

    What a page of ours sets is partitioned under our own site (CHIPS), so signing in would succeed in vain.
    """
    settings = request.state["settings"]
    storefront = storefront_in(settings, return_to)
    if storefront is None or is_same_site(storefront, settings.public_url):
        return None
    return sign_in_failed(request, ANOTHER_SITE, 400, back=return_to)


def sign_in_failed(
    request: Request[StateT],
    failure: str,
    status: int,
    return_to: str | None = None,
    back: str | None = None,
    *,
    cancelled: bool = False,
) -> Response:
    """The page that says why nobody was signed in, with a way to begin anew, or `back` to where that is possible."""
    metrics.count_sign_in("unavailable" if status >= 500 else OUTCOMES.get(status, "not_completed"))
    log.warning("sign_in_failed", status=status, reason=failure)
    again = sign_in_url(request, return_to) if return_to else path_for(request, "login")
    words = words_for(request).text(failure)
    told = {"failure": words, "again": again, "back": back, "cancelled": cancelled}
    return page(request, "login_failed.html", status, **told)
