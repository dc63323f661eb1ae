"""Ways to earn: all of them, one of them, and completing one by a click."""

import asyncio
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem, UpstreamFailed
from bff.members.earning import Earning
from bff.members.member import Members
from bff.members.partial import or_none, or_none_unless_signed_out
from bff.pages.sections import own_rules
from bff.pages.ways import Way, rules_at_retailers, way_of
from bff.program.catalogue import Catalogue
from bff.schemas.base import VisitorState
from bff.schemas.member import Member
from bff.schemas.shown import ShownRule
from bff.sentences import N_
from bff.sessions.store import Session
from bff.stores.rate_limits import EARN
from bff.web.inputs import read_form
from bff.web.language import locale_of
from bff.web.limits import hit
from bff.web.responses import form_page, page, redirect_to
from bff.web.state import WebState
from bff.web.visitor import check_csrf, open_session, require_session


class EarnState(WebState):
    catalogue: Catalogue
    earning: Earning
    members: Members


class Found(NamedTuple):
    """Who looks, and the ways to earn; each is None when it cannot be read. `is_own`: it says what this member did."""

    state: VisitorState | None
    member: Member | None
    rules: list[ShownRule] | None
    is_own: bool


async def earn(request: Request[EarnState]) -> Response:
    found = await _found(request, open_session(request))
    ways = None if found.rules is None else _ways(request, found)
    return page(request, "earn.html", state=found.state, member=found.member, ways=ways, is_own=found.is_own)


async def show_way(request: Request[EarnState]) -> Response:
    return await _way_page(request)


async def complete(request: Request[EarnState]) -> Response:
    """The click; a second one ends where the first did. What it earned is on the page that it leads to."""
    session, rule_id = require_session(request), request.path_params["id"]
    form = await read_form(request)
    try:
        check_csrf(request, session, "earn", form.get("csrf", ""))
        await hit(request, EARN, session.data.customer_id)
        await request.state["earning"].complete(session, rule_id)
    except Problem as problem:
        if problem.status == 401 or problem.code in {"member_blocked", "not_found"}:
            raise
        if problem.code != "rule_already_completed":
            return await _way_page(request, problem)
    return redirect_to(request, "way", id=rule_id)


async def _way_page(request: Request[EarnState], problem: Problem | None = None) -> Response:
    session = open_session(request)
    found = await _found(request, session)
    if found.rules is None:
        words = N_("The ways to earn cannot be loaded right now. Please try again.")
        raise UpstreamFailed("The ways to earn could not be read.", sent=False, words=words)
    way = next((way for way in _ways(request, found) if way.rule.id == request.path_params["id"]), None)
    if way is None:
        raise Problem("not_found", "There is no such way to earn.")
    earned = await request.state["earning"].earned(session, way.rule.id) if session and way.group == "done" else None
    return form_page(request, "way.html", problem, way=way, member=found.member, earned=earned)


async def _found(request: Request[EarnState], session: Session | None) -> Found:
    """A member's own, and where that is away the public ones, which do not say what they have done."""
    locale = locale_of(request)
    public = or_none(request.state["catalogue"].earning_rules(locale))
    if session is None:
        return Found("anonymous", None, await public, is_own=False)
    member, own, open_to_all = await asyncio.gather(
        or_none(request.state["members"].member(session)),
        or_none_unless_signed_out(request.state["earning"].rules(session, locale)),
        public,
    )
    rules = own_rules(request, own) if own is not None else open_to_all
    return Found(member.state if member else None, member, rules, is_own=own is not None)


def _ways(request: Request[EarnState], found: Found) -> list[Way]:
    subtotal = request.state["settings"].subtotal
    at_retailers = rules_at_retailers(subtotal.actions) if subtotal.api_key is not None else {}
    return [way_of(rule, found.state, at_retailers, is_sure=found.is_own) for rule in found.rules or ()]
