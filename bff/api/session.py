"""JSON: who is looking, and handing in a ticket or a Shopify customer token for a session."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import HAND_IN_FAILS, VISITOR_FAILS, Endpoint
from bff.api.hand_in import ONE_OF_THREE, HandInState, admitted, admitted_by_token
from bff.errors import Problem
from bff.schemas.base import Empty, SessionState, member_state
from bff.schemas.requests import HandIn, SessionTicket, TicketRequest
from bff.sessions.lifetime import expires_at
from bff.sessions.store import Session
from bff.sessions.tickets import TICKET_SECONDS, TicketPayload
from bff.stores.rate_limits import HAND_IN, TICKETS
from bff.web.inputs import read_json, storefront_in
from bff.web.limits import address_of, hit
from bff.web.responses import reply
from bff.web.servers import require_server
from bff.web.visitor import (
    end_previous_session,
    require_sign_in,
    session_of,
    with_session,
    without_cookies,
)

SIGN_OUT = (
    "The same answer whether or not there was a session. Shopify keeps a session of its own in the browser, with which "
    "the next `/login` signs in without a question. Where the customer signed in with `/login`, `Location` is the "
    "address that ends it: open it in the browser (`location.assign`) within five minutes, and it leads to this "
    "service's `/signed-out` in the end. Where your storefront handed a token in, there is none: your storefront signs "
    "out at Shopify itself."
)
ONE_TOKEN = Annotated[
    TicketRequest,
    msgspec.Meta(
        extra_json_schema={
            "oneOf": [{"required": ["customerAccessToken"]}, {"required": ["storefrontCustomerAccessToken"]}]
        }
    ),
]


async def get_session(request: Request[HandInState]) -> Response:
    """`GET /session`: the visitor's state, as far as it is known."""
    return reply(_state_of(request, session_of(request)))


async def create_session(request: Request[HandInState]) -> Response:
    """`POST /session`: a storefront page hands in a token or a ticket; a session replaces it."""
    if request.scope["by_handle"]:
        raise Problem("csrf_refused", "A server gets no session cookie: ask for a new handle.")
    await hit(request, HAND_IN, address_of(request))
    given, origin = await read_json(request, HandIn), request.headers.get("origin")
    admission = await admitted(request, given)
    if given.ticket is not UNSET:
        _check_bearer_of_ticket(request, admission, origin)
    storefront = storefront_in(request.state["settings"], origin)
    cookie = await request.state["sign_in"].begin(
        admission.tokens, admission.customer, storefront, begun_at=admission.begun_at, replaces=session_of(request)
    )
    await end_previous_session(request, admission.customer)
    session = await request.state["sessions"].load(cookie)
    return with_session(request, reply(_state_of(request, session), 201), cookie)


def _state_of(request: Request[HandInState], session: Session | None) -> SessionState:
    if session is None:
        return SessionState(state="anonymous")
    expires = expires_at(session.data, request.state["sessions"].limits, request.state["clock"]())
    return SessionState(state=member_state(session.data.state), expires_at=datetime.fromtimestamp(int(expires), UTC))


def _check_bearer_of_ticket(request: Request[HandInState], admission: TicketPayload, origin: str | None) -> None:
    """Whoever brings a ticket is a page of the storefront that it was made for, and makes nobody another customer: a
    script cannot be asked, as a browser is at `/session/continue`. The ticket is used up all the same (P6).

    Raises Problem `token_rejected`, and `csrf_refused` as a conflict (409).
    """
    if admission.origin not in {None, origin}:
        raise Problem("token_rejected", "This ticket is not for this storefront.")
    session = session_of(request)
    if session is not None and session.data.customer_id != admission.customer.id:
        raise Problem("csrf_refused", "Somebody else is signed in here. Sign them out first.", status=409)


async def create_session_ticket(request: Request[HandInState]) -> Response:
    """`POST /session-tickets`: the storefront's server hands in a customer's token, so that no page has to hold it."""
    await hit(request, TICKETS, address_of(request))
    require_server(request)
    given = await read_json(request, TicketRequest)
    origin = _origin_of_ticket(request, given)
    admission = await admitted_by_token(request, given)
    ticket = await request.state["tickets"].issue(msgspec.structs.replace(admission, origin=origin))
    return reply(SessionTicket(ticket, TICKET_SECONDS), 201)


def _origin_of_ticket(request: Request[HandInState], given: TicketRequest) -> str | None:
    if not isinstance(given.origin, str):
        return None
    if not request.state["settings"].is_storefront(given.origin):
        raise Problem("invalid_request", "The origin is none of STOREFRONT_ORIGINS or PREVIEW_ORIGINS.")
    return given.origin


async def end_session(request: Request[HandInState]) -> Response:
    """`DELETE /session`: the same answer whether or not there was one."""
    session = session_of(request)
    ticket = await request.state["sign_in"].end(session) if session is not None else None
    return _ended(request, ticket)


async def end_sessions(request: Request[HandInState]) -> Response:
    """`DELETE /me/sessions`: every session of this customer. Without one there is nobody whose sessions could end, so
    that is told apart."""
    return _ended(request, await request.state["sign_in"].end_everywhere(require_sign_in(request)))


def _ended(request: Request[HandInState], ticket: str | None) -> Response:
    """Without a session; `Location` is where the browser goes to end Shopify's too, if we know of one."""
    response = reply(Empty())
    if not request.scope["by_handle"]:
        without_cookies(request, response)
    if ticket is not None:
        response.headers["location"] = (
            f"{request.state['settings'].base_url}/logout/continue?{urlencode({'next': ticket})}"
        )
    return response


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/session",
        handler=get_session,
        summary="Who is looking",
        description=(
            "Cheap: it asks no vendor, unless the program has just told that the member was changed, or a legacy token "
            "is to be tried. Call it first to decide what to show, and hand in a token or ticket anew before "
            "`expiresAt`: that needs no navigation."
        ),
        who="visitor",
        answers={200: SessionState},
        refuses=VISITOR_FAILS,
    ),
    Endpoint(
        method="POST",
        path="/session",
        handler=create_session,
        summary="Hand in a ticket or a Shopify customer token for a session",
        description=(
            "Best with a ticket that your server got by `POST /session-tickets` and gave to its own page: then no page "
            "holds a token. A ticket works once, within a minute, and never replaces another customer's session: sign "
            "that one out first. Or with a Customer Account API token that the page holds: Shopify vouches for it, and "
            "whoever was signed in before is signed out. Legacy Storefront tokens need a setting. The answer sets the "
            "session cookie."
        ),
        who="visitor",
        reads=ONE_OF_THREE,
        answers={201: SessionState},
        refuses=("session_expired", "program_not_launched", "not_found", *HAND_IN_FAILS),
        sends={201: ("Set-Cookie",)},
    ),
    Endpoint(
        method="POST",
        path="/session-tickets",
        handler=create_session_ticket,
        summary="Hand in a Shopify customer token, server to server",
        description=(
            "So that no page has to hold the token: your server sends it here, with the token of "
            "`SESSION_TICKETS_TOKEN`, and gives the ticket to its own page, whose script brings it to `POST /session`. "
            "Or it redirects the browser to `/session/continue?ticket=…&return_to=…` (no JSON, and not below `/api`); "
            "from there the browser goes on to `return_to`: a page of this service or of an allowed storefront, but "
            "of none on another site, where the cookie would not be seen. Either way the ticket becomes the session "
            "cookie, once, within a minute."
        ),
        who="server",
        reads=ONE_TOKEN,
        answers={201: SessionTicket},
        refuses=HAND_IN_FAILS,
    ),
    Endpoint(
        method="DELETE",
        path="/session",
        handler=end_session,
        summary="Sign out",
        description=SIGN_OUT,
        who="visitor",
        answers={200: Empty},
        refuses=VISITOR_FAILS,
        sends={200: ("Set-Cookie", "Location")},
    ),
    Endpoint(
        method="DELETE",
        path="/me/sessions",
        handler=end_sessions,
        summary="Sign out everywhere",
        description=(
            "Ends every session of this customer in every browser, this one too, at once, and every sign-in of theirs "
            "that is under way, tickets among them. Who has no session is told so, since then nothing was ended. "
            "Neither Shopify nor the storefront signs the customer out anywhere else; for this browser there is "
            "`Location`, as with `DELETE /session`."
        ),
        who="member",
        answers={200: Empty},
        refuses=("session_expired", *VISITOR_FAILS),
        sends={200: ("Set-Cookie", "Location")},
    ),
)
