"""A member's accounts at other retailers: the page and the JSON routes. What they do is in `linking`."""

import asyncio
from typing import Any

import msgspec
from starlette.responses import RedirectResponse, Response

from bff.budgets import LINK
from bff.errors import Problem
from bff.inputs import read_form, read_json, safe_return_to
from bff.linking import Wanted
from bff.loyalty import part
from bff.sessions import Session
from bff.shapes import EarningRule, LinkAddress, RetailAward, Retailers
from bff.state import LoyaltyRequest
from bff.values import origin_of
from bff.visitor import check_csrf, require_session, session_of, spend
from bff.web import again, reply, see


class LinkRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """With neither `retailerId` nor `connectionId` the shopper chooses at Subtotal."""

    retailer_id: str | msgspec.UnsetType = msgspec.UNSET
    connection_id: str | msgspec.UnsetType = msgspec.UNSET
    return_to: str | msgspec.UnsetType = msgspec.UNSET


# JSON ---------------------------------------------------------------------------------------------------------------


async def my_retailers(request: LoyaltyRequest) -> Response:
    session, linking = require_session(request), request.state["linking"]
    accounts, awards = await asyncio.gather(linking.accounts(session), linking.awards(session))
    return reply(Retailers(retailers=accounts, available=linking.available(), awards=awards))


async def link_retailer(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    wish = await read_json(request, LinkRequest)
    wanted = Wanted(wish.retailer_id or None, wish.connection_id or None)
    return_url = _return_url(request, wish.return_to or None)
    await spend(request, LINK, session.record.customer_id)
    return reply(LinkAddress(link_url=await request.state["linking"].link(session, wanted, return_url)), 201)


async def unlink_retailer(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    await spend(request, LINK, session.record.customer_id)
    await request.state["linking"].unlink(session, request.path_params["id"])
    return Response(status_code=204)


def _return_url(request: LoyaltyRequest, given: str | None) -> str:
    """Absolute, since Subtotal sends the browser there; never a foreign address (F1)."""
    settings = request.state["settings"]
    if given is None:
        return f"{settings.base_url}/retailers?linked=1"
    accepted = safe_return_to(settings, given)
    return accepted if "://" in accepted else settings.origin + accepted


# The page -----------------------------------------------------------------------------------------------------------


async def show(request: LoyaltyRequest) -> Response:
    return await _page(request)


async def link(request: LoyaltyRequest) -> Response:
    """Off to Subtotal's page, which comes back here."""
    session = require_session(request)
    form = await read_form(request)
    try:
        check_csrf(request, session, "link", form.get("csrf", ""))
        await spend(request, LINK, session.record.customer_id)
        wanted = Wanted(form.get("retailer") or None, form.get("account") or None)
        address = await request.state["linking"].link(session, wanted, _return_url(request, None))
    except Problem as problem:
        return await _again(request, problem)
    return RedirectResponse(address, 303)


async def unlink(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    form = await read_form(request)
    try:
        check_csrf(request, session, "unlink", form.get("csrf", ""))
        await spend(request, LINK, session.record.customer_id)
        await request.state["linking"].unlink(session, request.path_params["id"])
    except Problem as problem:
        return await _again(request, problem)
    response = see(request, "retailers")
    response.headers["location"] += "?unlinked=1"
    return response


async def _again(request: LoyaltyRequest, problem: Problem) -> Response:
    if problem.status == 401 or problem.code in {"member_blocked", "feature_unavailable"}:
        raise problem
    return await _page(request, problem)


async def _page(request: LoyaltyRequest, problem: Problem | None = None) -> Response:
    settings = request.state["settings"]
    if settings.subtotal_api_key is None:
        raise Problem("not_found", "There is nothing at this address.")
    session = require_session(request) if session_of(request) else None
    accounts, awards, rules = await asyncio.gather(
        part(request.state["linking"].accounts(session)) if session else _nothing(),
        _awards(request, session) if session else _nothing(),
        part(_rules(request)),
    )
    # Chromium asks the policy of the page with the form where that form may lead in the end.
    request.scope["form_target"] = origin_of(settings.subtotal_link_url)
    return again(
        request,
        "retailers.html",
        problem,
        accounts=accounts,
        awards=awards,
        available=request.state["linking"].available(),
        earning_rules=rules or [],
        came_back=problem is None and "linked" in request.query_params,
        unlinked=problem is None and "unlinked" in request.query_params,
    )


async def _awards(request: LoyaltyRequest, session: Session) -> list[RetailAward] | None:
    try:
        return await request.state["linking"].awards(session)
    except Problem:
        return None


async def _rules(request: LoyaltyRequest) -> list[EarningRule]:
    """The ways to earn that the table of actions pays, as the program words them."""
    paid = {action.earning_rule_id for action in request.state["settings"].subtotal_actions}
    return [rule for rule in await request.state["loyalty"].earning_rules() if rule.id in paid]


async def _nothing() -> Any:
    return None
