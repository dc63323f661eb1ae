"""Inviting friends by email."""

from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem
from bff.members.partial import or_none
from bff.members.referrals import MemberReferrals
from bff.web.inputs import read_email, read_form
from bff.web.limits import hit_invitation
from bff.web.responses import form_page, redirect_to
from bff.web.state import WebState
from bff.web.visitor import check_csrf, open_session, require_session


class ReferState(WebState):
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
        if problem.status == 401 or problem.code == "member_blocked":
            raise
        return await _refer_page(request, given, problem)
    response = redirect_to(request, "refer")
    response.headers["location"] += "?sent=1"
    return response


async def _refer_page(request: Request[ReferState], email: str = "", problem: Problem | None = None) -> Response:
    session = open_session(request)
    is_member = session is not None and session.data.state == "enrolled"
    referrals = await or_none(request.state["referrals"].history(session)) if session and is_member else None
    sent = problem is None and request.query_params.get("sent") == "1"
    return form_page(request, "refer.html", problem, referrals=referrals, email=email, sent=sent)
