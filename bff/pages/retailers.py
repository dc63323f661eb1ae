"""A member's accounts at other retailers: the page and the JSON routes. What they do is in `linking`."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bff.errors import Problem
from bff.members.partial import or_none
from bff.members.retailers import LinkedRetailers, LinkTarget
from bff.pages.ways import rules_at_retailers
from bff.program.catalogue import Catalogue
from bff.schemas.retailers import RetailAward
from bff.schemas.shown import ShownRule
from bff.sessions.store import Session
from bff.settings.sites import origin_of
from bff.stores.rate_limits import LINK
from bff.web.inputs import absolute_return_to, read_form
from bff.web.language import locale_of
from bff.web.limits import hit
from bff.web.responses import form_page, redirect_to
from bff.web.state import WebState
from bff.web.visitor import check_csrf, require_session, session_of

# The page -----------------------------------------------------------------------------------------------------------


class RetailersState(WebState):
    catalogue: Catalogue
    retailers: LinkedRetailers


async def show(request: Request[RetailersState]) -> Response:
    return await _page(request)


async def link(request: Request[RetailersState]) -> Response:
    """Off to Subtotal's page, which comes back here."""
    session = require_session(request)
    form = await read_form(request)
    try:
        check_csrf(request, session, "link", form.get("csrf", ""))
        await hit(request, LINK, session.data.customer_id)
        wanted = LinkTarget(form.get("retailer") or None, form.get("account") or None)
        address = await request.state["retailers"].link(session, wanted, absolute_return_to(request, None))
    except Problem as problem:
        return await _again(request, problem)
    return RedirectResponse(address, 303)


async def unlink(request: Request[RetailersState]) -> Response:
    session = require_session(request)
    form = await read_form(request)
    try:
        check_csrf(request, session, "unlink", form.get("csrf", ""))
        await hit(request, LINK, session.data.customer_id)
        await request.state["retailers"].unlink(session, request.path_params["id"])
    except Problem as problem:
        return await _again(request, problem)
    response = redirect_to(request, "retailers")
    response.headers["location"] += "?unlinked=1"
    return response


async def back(request: Request[RetailersState]) -> Response:
    """Signing in leads back to where the form was sent; what was asked there is asked anew on the page."""
    return redirect_to(request, "retailers")


async def _again(request: Request[RetailersState], problem: Problem) -> Response:
    if problem.status == 401 or problem.code in {"member_blocked", "feature_unavailable"}:
        raise problem
    return await _page(request, problem)


async def _page(request: Request[RetailersState], problem: Problem | None = None) -> Response:
    settings = request.state["settings"]
    if settings.subtotal.api_key is None:
        raise Problem("not_found", "There is nothing at this address.")
    session = require_session(request) if session_of(request) else None
    accounts, awards, rules = await asyncio.gather(
        or_none(request.state["retailers"].accounts(session)) if session else _nothing(),
        _awards(request, session) if session else _nothing(),
        or_none(_rules(request)),
    )
    # Chromium asks the policy of the page with the form where that form may lead in the end.
    request.scope["form_target"] = origin_of(settings.subtotal.link_url)
    return form_page(
        request,
        "retailers.html",
        problem,
        accounts=accounts,
        awards=awards,
        available=request.state["retailers"].available(),
        earning_rules=rules or [],
        came_back=problem is None and "linked" in request.query_params,
        unlinked=problem is None and "unlinked" in request.query_params,
    )


async def _awards(request: Request[RetailersState], session: Session) -> list[RetailAward] | None:
    try:
        return await request.state["retailers"].awards(session)
    except Problem:
        return None


async def _rules(request: Request[RetailersState]) -> list[ShownRule]:
    """The ways to earn that the table of actions pays, as the program words them."""
    paid = rules_at_retailers(request.state["settings"].subtotal.actions)
    return [rule for rule in await request.state["catalogue"].earning_rules(locale_of(request)) if rule.id in paid]


async def _nothing() -> Any:
    return None
