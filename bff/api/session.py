"""JSON: who is looking, and handing in a Shopify customer token for a session."""

import hmac
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import PUBLIC_FAILS, WRITE_FAILS, Endpoint
from bff.errors import Problem, VendorRefused
from bff.schemas.base import SessionState
from bff.schemas.requests import HandIn, SessionTicket
from bff.sessions.tickets import TICKET_SECONDS, TicketPayload, Tickets
from bff.stores.rate_limits import HAND_IN, TICKETS
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import ShopifyCustomer, ShopifyTokens
from bff.web.inputs import read_json
from bff.web.limits import address_of, hit
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import end_previous_session, session_of, visitor_of, with_session, without_cookies

HAND_IN_SECONDS = 3600
ONE_TOKEN = Annotated[HandIn, msgspec.Meta(extra_json_schema={"minProperties": 1, "maxProperties": 1})]


class HandInState(WebState):
    shopify: ShopifyClient
    tickets: Tickets


async def show_session(request: Request[HandInState]) -> Response:
    """`GET /session`: the visitor's state, as far as it is known."""
    return reply({"state": visitor_of(request).state})


async def hand_in(request: Request[HandInState]) -> Response:
    """`POST /session`: a storefront page hands in the customer token it holds; a session replaces it."""
    await hit(request, HAND_IN, address_of(request))
    tokens, customer = await _verify_customer_token(request, await read_json(request, HandIn))
    cookie = await request.state["sign_in"].begin(tokens, customer)
    await end_previous_session(request, customer)
    session = await request.state["sessions"].load(cookie)
    response = reply({"state": session.data.state if session else "anonymous"}, 201)
    return with_session(request, response, cookie)


async def session_ticket(request: Request[HandInState]) -> Response:
    """`POST /session-tickets`: the storefront's server hands in a customer's token, so that no page has to hold it."""
    expected = request.state["settings"].sessions.tickets_token
    if expected is None:
        raise Problem("feature_unavailable", "Session tickets are not given here.")
    await hit(request, TICKETS, address_of(request))
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {expected}".encode()):
        refusal = Problem("session_required", "Send the bearer token of session tickets.")
        refusal.headers["www-authenticate"] = "Bearer"
        raise refusal
    tokens, customer = await _verify_customer_token(request, await read_json(request, HandIn))
    ticket = await request.state["tickets"].issue(TicketPayload(tokens, customer))
    return reply(SessionTicket(ticket, TICKET_SECONDS), 201)


async def end_session(request: Request[HandInState]) -> Response:
    """`DELETE /session`: 204 whether or not there was one."""
    session = session_of(request)
    if session is not None:
        await request.state["sign_in"].end(session)
    return without_cookies(request, Response(status_code=204))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/session",
        handler=show_session,
        summary="Who is looking",
        description=(
            "Cheap: it asks no vendor, unless the program has just told that the member was changed. Call it first to "
            "decide what to show."
        ),
        who="visitor",
        answers={200: SessionState},
        refuses=("invalid_request", "csrf_refused", "store_unavailable"),
    ),
    Endpoint(
        method="POST",
        path="/session",
        handler=hand_in,
        summary="Hand in a Shopify customer token for a session",
        description=(
            "For a storefront whose page holds a Customer Account API token. Shopify vouches for it, and the "
            "answer sets the session cookie; whoever was signed in before is signed out. Legacy Storefront tokens "
            "need a setting."
        ),
        who="visitor",
        reads=ONE_TOKEN,
        answers={201: SessionState},
        refuses=WRITE_FAILS,
        sends={201: ("Set-Cookie",)},
    ),
    Endpoint(
        method="POST",
        path="/session-tickets",
        handler=session_ticket,
        summary="Hand in a Shopify customer token, server to server",
        description=(
            "So that no page has to hold the token: your server sends it here, with the token of "
            "`SESSION_TICKETS_TOKEN`, and redirects the browser to `/session/continue?ticket=…&return_to=…` (no JSON, "
            "and not below `/api`). There the ticket becomes the session cookie, once, within a minute, and the "
            "browser goes on to `return_to`: a page of this service or of an allowed storefront."
        ),
        who="server",
        reads=ONE_TOKEN,
        answers={201: SessionTicket},
        refuses=(
            "session_required",
            "feature_unavailable",
            "rate_limited",
            "csrf_refused",
            "store_unavailable",
            *PUBLIC_FAILS,
        ),
        sends={401: ("WWW-Authenticate",)},
    ),
    Endpoint(
        method="DELETE",
        path="/session",
        handler=end_session,
        summary="Sign out",
        description="The same answer whether or not there was a session.",
        who="visitor",
        answers={204: None},
        refuses=("invalid_request", "csrf_refused", "store_unavailable"),
        sends={204: ("Set-Cookie",)},
    ),
)


async def _verify_customer_token(request: Request[HandInState], given: HandIn) -> tuple[ShopifyTokens, ShopifyCustomer]:
    """Shopify itself says whose token this is; nothing else the client claims is believed."""
    shopify, settings = request.state["shopify"], request.state["settings"]
    tokens = (given.customer_access_token, given.storefront_customer_access_token)
    account, legacy = (token if isinstance(token, str) else None for token in tokens)
    token = account or legacy or ""
    if (account is None) is (legacy is None) or not 8 <= len(token) <= 4096 or not token.isascii() or " " in token:
        raise Problem("invalid_request", "Send either customerAccessToken or storefrontCustomerAccessToken.")
    if legacy is not None and not settings.shopify.legacy_tokens:
        raise Problem("feature_unavailable", "Legacy Storefront tokens are not accepted here.")
    expires_at = request.state["clock"]() + HAND_IN_SECONDS
    kind = "storefront" if legacy else "customer_account"
    try:
        customer = await (shopify.customer_of_legacy(token) if legacy else shopify.customer_of(token))
    except VendorRefused:
        raise Problem("session_required", "Shopify does not accept this token.") from None
    return ShopifyTokens(kind=kind, access_token=token, expires_at=expires_at), customer
