"""A shopper comes with a ticket of the storefront's: /session/continue.

Why it asks at times: docs/decisions/session-tickets.md.
"""

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bff.errors import Problem
from bff.pages.signin import refused_across_sites, sign_in_failed
from bff.sentences import N_
from bff.sessions.tickets import TicketPayload, Tickets
from bff.stores.rate_limits import LOGIN
from bff.web.inputs import read_form, read_return_to, storefront_in
from bff.web.limits import address_of, hit
from bff.web.responses import page
from bff.web.state import WebState
from bff.web.visitor import check_csrf, end_previous_session, session_of, with_session

log = structlog.get_logger("login")
# Browsers and previews that only look ahead say so in one of these.
LOOKING_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
TOO_LATE = N_("This link has been used already, or is too old.")


class TicketState(WebState):
    tickets: Tickets


async def continue_with_ticket(request: Request[TicketState]) -> Response:
    """The shopper's browser brings its ticket and gets a session for it, or a page that asks first."""
    return _without_referrer(await _redeem_ticket(request))


async def confirm(request: Request[TicketState]) -> Response:
    """They have clicked on "Continue as …"."""
    form = await read_form(request)
    if session := session_of(request):
        check_csrf(request, session, "continue", form.get("csrf", ""))
    await hit(request, LOGIN, address_of(request))
    admission = await request.state["tickets"].take(form.get("ticket", ""), "question")
    if admission is None:
        return _without_referrer(sign_in_failed(request, TOO_LATE, 400))
    return_to = read_return_to(request.state["settings"], form.get("return_to"))
    return _without_referrer(await _signed_in(request, admission, return_to))


async def _redeem_ticket(request: Request[TicketState]) -> Response:
    if not _is_a_visit(request):
        return sign_in_failed(request, "This address works when it is opened.", 400)
    return_to = read_return_to(request.state["settings"], request.query_params.get("return_to"))
    if refusal := refused_across_sites(request, return_to):
        return refusal
    await hit(request, LOGIN, address_of(request))
    admission = await request.state["tickets"].take(request.query_params.get("ticket", ""))
    # One that is for the pages of a storefront is for their scripts alone.
    if admission is None or admission.origin is not None:
        return sign_in_failed(request, TOO_LATE, 400)
    if _must_ask(request, admission):
        return await _asked(request, admission, return_to)
    return await _signed_in(request, admission, return_to)


def _is_a_visit(request: Request[TicketState]) -> bool:
    """Somebody goes there, in a window of their own: not a preview, a prefetch, a frame, or a picture (D6, L6)."""
    ahead = any(word in request.headers.get(name, "") for name in LOOKING_AHEAD for word in ("prefetch", "preview"))
    return request.method == "GET" and not ahead and request.headers.get("sec-fetch-dest", "document") == "document"


def _must_ask(request: Request[TicketState], admission: TicketPayload) -> bool:
    """Nobody becomes somebody else without a click, nor anybody at another site's wish (P6)."""
    session = session_of(request)
    if session is not None:
        return session.data.customer_id != admission.customer.id
    return request.headers.get("sec-fetch-site") == "cross-site"


async def _asked(request: Request[TicketState], admission: TicketPayload, return_to: str) -> Response:
    ticket = await request.state["tickets"].issue(admission, "question")
    log.info("ticket_questioned", what="another customer" if session_of(request) else "another site")
    return page(request, "continue_as.html", name=admission.customer.name, ticket=ticket, return_to=return_to)


async def _signed_in(request: Request[TicketState], admission: TicketPayload, return_to: str) -> Response:
    storefront = storefront_in(request.state["settings"], return_to)
    try:
        cookie = await request.state["sign_in"].begin(
            admission.tokens,
            admission.customer,
            storefront,
            begun_at=admission.begun_at,
            replaces=session_of(request),
        )
    except Problem as problem:
        return sign_in_failed(request, problem.detail, problem.status)
    await end_previous_session(request, admission.customer)
    return with_session(request, RedirectResponse(return_to, 303), cookie)


def _without_referrer(response: Response) -> Response:
    """Nobody is told where the browser comes from: the ticket is in that address."""
    response.headers["referrer-policy"] = "no-referrer"
    return response
