"""Signing out here, and at Shopify: /logout, /logout/everywhere, /logout/continue, /signed-out.

Why it takes a page in between: docs/decisions/sign-out.md.
"""

from typing import Any
from urllib.parse import urlencode

from itsdangerous import BadData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bff.errors import STORE_FAILS, Problem, UpstreamFailed
from bff.sessions.signouts import SIGN_OUT_SECONDS, SignOut, SignOuts
from bff.vendors.shopify.client import ShopifyClient
from bff.web.inputs import read_form
from bff.web.responses import page, path_for, redirect_to
from bff.web.state import WebState
from bff.web.visitor import check_csrf, require_sign_in, session_of, without_cookies

EVERYWHERE = "signed out everywhere"


class SignOutState(WebState):
    sign_outs: SignOuts
    shopify: ShopifyClient


async def logout(request: Request[SignOutState]) -> Response:
    """End the session here, then have the browser end Shopify's. Twice ends the same as once."""
    session, ticket = session_of(request), None
    if session is not None:
        check_csrf(request, session, "logout", (await read_form(request)).get("csrf", ""))
        ticket = await request.state["sign_in"].end(session)
    return _to_signed_out(request, {"next": ticket})


async def show_logout_everywhere(request: Request[SignOutState]) -> Response:
    """What signing out everywhere does, and the button."""
    require_sign_in(request)
    return page(request, "sign_out_everywhere.html")


async def logout_everywhere(request: Request[SignOutState]) -> Response:
    """End every session of this customer. Who has none is asked to sign in: nothing was ended, and nobody is told so
    falsely."""
    session = require_sign_in(request)
    check_csrf(request, session, "logout everywhere", (await read_form(request)).get("csrf", ""))
    ticket = await request.state["sign_in"].end_everywhere(session)
    signed = str(request.state["keys"].serialiser(EVERYWHERE).dumps(int(request.state["clock"]())))
    return _to_signed_out(request, {"everywhere": signed, "next": ticket})


def _to_signed_out(request: Request[SignOutState], query: dict[str, str | None]) -> Response:
    response = without_cookies(request, redirect_to(request, "signed_out"))
    if given := {name: value for name, value in query.items() if value is not None}:
        response.headers["location"] += "?" + urlencode(given)
    response.headers["clear-site-data"] = '"cache"'
    return response


async def signed_out(request: Request[SignOutState]) -> Response:
    """What is so: signed out here and about to be at Shopify, at both, or here alone; or not at all, where somebody
    comes by hand."""
    if session_of(request) is not None:
        return _page(request, "not at all", everywhere=False)
    ticket = request.query_params.get("next", "")
    if await _find(request, ticket) is not None:
        return _leaving(request, ticket)
    came_back = _read_state(request, request.query_params.get("state", ""))
    if came_back is not None:
        return _page(request, "done", everywhere=came_back)
    return _page(request, "here", everywhere=_is_everywhere(request))


def _leaving(request: Request[SignOutState], ticket: str) -> Response:
    """The page that goes on by itself, without script too: a browser follows this header outside of the form's
    navigation, of which `form-action` would refuse every redirect to another site (CSP 3 §6.3.1)."""
    onward = _continue_url(request, ticket)
    response = _page(request, "leaving", everywhere=_is_everywhere(request), continue_url=onward)
    response.headers["refresh"] = f"0; url={onward}"
    return response


def _continue_url(request: Request[SignOutState], ticket: str) -> str:
    return f"{path_for(request, 'logout_continue')}?{urlencode({'next': ticket})}"


async def continue_at_shopify(request: Request[SignOutState]) -> Response:
    """Send the browser to Shopify's end-session endpoint, once. Only this answer ever holds the ID token."""
    ticket = request.query_params.get("next", "")
    sign_out = await request.state["sign_outs"].find(ticket)
    if sign_out is None:
        return redirect_to(request, "signed_out")
    try:
        url = await request.state["shopify"].end_session_url(sign_out.id_token, _state(request, sign_out))
    except UpstreamFailed as failure:
        again = _continue_url(request, ticket)
        return _page(request, "failed", failure.status, everywhere=sign_out.everywhere, continue_url=again)
    taken = await request.state["sign_outs"].take(ticket)
    if url is None or not taken:
        return _page(request, "here", everywhere=sign_out.everywhere)
    return RedirectResponse(url, 303)


async def _find(request: Request[SignOutState], ticket: str) -> SignOut | None:
    """The sign-out that is still to be made known to Shopify; None also while Valkey does not answer."""
    try:
        return await request.state["sign_outs"].find(ticket)
    except Problem as problem:
        if problem.code not in STORE_FAILS:
            raise
        return None


def _state(request: Request[SignOutState], sign_out: SignOut) -> str:
    """What Shopify sends back: that we sent somebody, when, and whether they were signed out everywhere."""
    now = int(request.state["clock"]())
    return str(request.state["keys"].serialiser("sign-out").dumps([now, sign_out.everywhere]))


def _read_state(request: Request[SignOutState], state: str) -> bool | None:
    """Whether everywhere; None when it is none of ours, or too old to say that somebody has just come back."""
    try:
        sent_at, everywhere = request.state["keys"].serialiser("sign-out").loads(state)
    except (BadData, ValueError, TypeError):
        return None
    return bool(everywhere) if abs(request.state["clock"]() - sent_at) <= SIGN_OUT_SECONDS else None


def _is_everywhere(request: Request[SignOutState]) -> bool:
    """Whether we have just said so ourselves: no link of a stranger's makes anybody believe it."""
    try:
        said_at = request.state["keys"].serialiser(EVERYWHERE).loads(request.query_params.get("everywhere", ""))
    except (BadData, ValueError, TypeError):
        return False
    return bool(abs(request.state["clock"]() - said_at) <= SIGN_OUT_SECONDS)


def _page(request: Request[SignOutState], shop: str, status: int = 200, **values: Any) -> Response:
    """`shop` says how it stands there: "leaving", "done", "here" (we cannot tell, or not signed out), "failed"; "not at
    all" where they are still signed in here."""
    return page(request, "signed_out.html", status, shop=shop, **({"continue_url": None} | values))
