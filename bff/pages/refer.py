"""Inviting friends by email."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem
from bff.members.member import Members
from bff.members.partial import or_none, or_none_unless_signed_out
from bff.members.referrals import MemberReferrals
from bff.pages.months import by_month
from bff.program.catalogue import Catalogue
from bff.schemas.activity import Referrals
from bff.schemas.program import EarningRule
from bff.sessions.store import Session
from bff.web.cursors import read_cursor, sign_cursor
from bff.web.inputs import read_email, read_form
from bff.web.language import locale_of
from bff.web.limits import hit_invitation
from bff.web.responses import form_page, redirect_to
from bff.web.state import WebState
from bff.web.visitor import check_csrf, open_session, require_session


class ReferState(WebState):
    catalogue: Catalogue
    members: Members
    referrals: MemberReferrals


async def show_refer(request: Request[ReferState]) -> Response:
    return await _refer_page(request)


async def refer(request: Request[ReferState]) -> Response:
    session = require_session(request)
    form = await read_form(request)
    given = form.get("email", "")
    try:
        check_csrf(request, session, "refer", form.get("csrf", ""))
        email = read_email(given)
        await hit_invitation(request, session, email)
        await request.state["referrals"].invite(session, email)
    except Problem as problem:
        if problem.status == 401 or problem.code in {"member_blocked", "not_found"}:
            raise
        return await _refer_page(request, given, problem)
    response = redirect_to(request, "refer")
    response.headers["location"] += "?sent=1"
    return response


async def _refer_page(request: Request[ReferState], email: str = "", problem: Problem | None = None) -> Response:
    session = open_session(request)
    state, referrals = await _member_and_history(request, session) if session else ("anonymous", None)
    sent = problem is None and request.query_params.get("sent") == "1"
    following = referrals.next if referrals else None
    return form_page(
        request,
        "refer.html",
        problem,
        state=state,
        rules=await _referral_rules(request),
        referrals=referrals,
        months=by_month(referrals.referrals, lambda one: one.created_at) if referrals else [],
        older=sign_cursor(request, session, "referrals", following) if session else None,
        is_first="cursor" not in request.query_params,
        email=email,
        sent=sent,
    )


async def _referral_rules(request: Request[ReferState]) -> list[EarningRule]:
    """The ways to earn that are about friends, as far as they can be read."""
    rules = await or_none(request.state["catalogue"].earning_rules(locale_of(request)))
    return [rule for rule in rules or () if rule.kind == "referral"]


async def _member_and_history(request: Request[ReferState], session: Session) -> tuple[str | None, Referrals | None]:
    """The member's state, None when it cannot be read, and so nobody may invite; and what a member has invited."""
    if session.data.state != "enrolled":
        return await request.state["members"].state_now(session), None
    history = request.state["referrals"].history(session, read_cursor(request, session, "referrals"))
    return await asyncio.gather(request.state["members"].state_now(session), or_none_unless_signed_out(history))
