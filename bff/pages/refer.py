"""Inviting friends by email."""

from starlette.responses import Response

from bff.errors import Problem
from bff.members.member import part
from bff.web.inputs import read_email, read_form
from bff.web.responses import again, see
from bff.web.state import LoyaltyRequest
from bff.web.visitor import check_csrf, open_session, require_session, spend_invitation


async def show_refer(request: LoyaltyRequest) -> Response:
    return await _refer_page(request)


async def refer(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    form = await read_form(request)
    given = form.get("email", "")
    try:
        check_csrf(request, session, "refer", form.get("csrf", ""))
        email = read_email(given)
        await spend_invitation(request, session, email)
        await request.state["loyalty"].refer(session, email)
    except Problem as problem:
        if problem.status == 401 or problem.code == "member_blocked":
            raise
        return await _refer_page(request, given, problem)
    response = see(request, "refer")
    response.headers["location"] += "?sent=1"
    return response


async def _refer_page(request: LoyaltyRequest, email: str = "", problem: Problem | None = None) -> Response:
    session = open_session(request)
    is_member = session is not None and session.record.state == "enrolled"
    referrals = await part(request.state["loyalty"].referrals(session)) if session and is_member else None
    sent = problem is None and request.query_params.get("sent") == "1"
    return again(request, "refer.html", problem, referrals=referrals, email=email, sent=sent)
