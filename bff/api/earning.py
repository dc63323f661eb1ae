"""JSON: a member's ways to earn, completing one, and the birthday."""

from starlette.requests import Request
from starlette.responses import Response

from bff.members.earning import Earning
from bff.members.member import MemberTask
from bff.schemas.program import EarningRule, EarningRules
from bff.schemas.requests import BirthdayRequest, NoFields
from bff.sessions.store import Session
from bff.stores.rate_limits import BIRTHDAY, EARN
from bff.web.inputs import read_json
from bff.web.limits import hit
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class EarningState(WebState):
    earning: Earning


async def earning_rules_of(
    request: Request[EarningState], session: Session, _: MemberTask | None = None
) -> list[EarningRule]:
    return await request.state["earning"].rules(session)


async def my_earning_rules(request: Request[EarningState]) -> Response:
    return reply(EarningRules(await earning_rules_of(request, require_session(request))))


async def complete(request: Request[EarningState]) -> Response:
    """A rule that is completed by a click, such as following on social media."""
    session = require_session(request)
    if await request.body():
        await read_json(request, NoFields)
    await hit(request, EARN, session.data.customer_id)
    return reply(await request.state["earning"].complete(session, request.path_params["id"]), 201)


async def birthday(request: Request[EarningState]) -> Response:
    session = require_session(request)
    given = await read_json(request, BirthdayRequest)
    await hit(request, BIRTHDAY, session.data.customer_id)
    return reply(await request.state["earning"].tell_birthday(session, given.day, given.month))
