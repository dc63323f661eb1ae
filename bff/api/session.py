"""JSON: who is looking, and handing in a Shopify customer token for a session."""

import hmac

from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem, VendorRefused
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
