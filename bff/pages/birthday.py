"""The birthday, a day and a month: asked for once, and shown from then on."""

from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem
from bff.members.earning import Earning
from bff.members.member import Members
from bff.members.partial import or_none
from bff.stores.rate_limits import BIRTHDAY
from bff.web.inputs import read_form
from bff.web.limits import hit
from bff.web.responses import form_page, redirect_to
from bff.web.state import WebState
from bff.web.visitor import check_csrf, open_session, require_session

NO_DAY = 0


class BirthdayState(WebState):
    members: Members
    earning: Earning


async def show_birthday(request: Request[BirthdayState]) -> Response:
    return await _page(request)


async def tell_birthday(request: Request[BirthdayState]) -> Response:
    """Once: whoever has told it is shown it, whatever another tab says."""
    session = require_session(request)
    form = await read_form(request)
    try:
        check_csrf(request, session, "birthday", form.get("csrf", ""))
        await hit(request, BIRTHDAY, session.data.customer_id)
        day, month = _number(form.get("day", "")), _number(form.get("month", ""))
        await request.state["earning"].tell_birthday(session, day, month)
    except Problem as problem:
        if problem.status == 401 or problem.code in {"member_blocked", "not_found"}:
            raise
        if problem.code == "rule_already_completed":
            return redirect_to(request, "birthday")
        return await _page(request, form, problem)
    response = redirect_to(request, "birthday")
    response.headers["location"] += "?saved=1"
    return response


async def _page(
    request: Request[BirthdayState], given: dict[str, str] | None = None, problem: Problem | None = None
) -> Response:
    session = open_session(request)
    member = await or_none(request.state["members"].member(session)) if session else None
    values = {
        "state": "anonymous" if session is None else member.state if member else None,
        "birthday": member.birthday if member else None,
        "day": (given or {}).get("day", ""),
        "month": _number((given or {}).get("month", "")),
        "saved": problem is None and request.query_params.get("saved") == "1",
    }
    return form_page(request, "birthday.html", problem, **values)


def _number(text: str) -> int:
    """A day or a month as people write it; 0, which is neither, for anything else."""
    bare = text.strip()
    return int(bare) if bare.isascii() and bare.isdigit() and len(bare) <= 2 else NO_DAY
