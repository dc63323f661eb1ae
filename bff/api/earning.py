"""JSON: a member's ways to earn, completing one, and the birthday."""

from starlette.responses import Response

from bff.members.member import Known
from bff.schemas.program import EarningRule, EarningRules
from bff.schemas.requests import BirthdayRequest, NoFields
from bff.sessions.store import Session
from bff.stores.rate_limits import BIRTHDAY, EARN
from bff.web.inputs import read_json
from bff.web.responses import reply
from bff.web.state import LoyaltyRequest
from bff.web.visitor import require_session, spend


async def earning_rules_of(request: LoyaltyRequest, session: Session, _: Known | None = None) -> list[EarningRule]:
    return await request.state["earning"].rules(session)


async def my_earning_rules(request: LoyaltyRequest) -> Response:
    return reply(EarningRules(await earning_rules_of(request, require_session(request))))


async def complete(request: LoyaltyRequest) -> Response:
    """A rule that is completed by a click, such as following on social media."""
    session = require_session(request)
    if await request.body():
        await read_json(request, NoFields)
    await spend(request, EARN, session.record.customer_id)
    return reply(await request.state["earning"].complete(session, request.path_params["id"]), 201)


async def birthday(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    given = await read_json(request, BirthdayRequest)
    await spend(request, BIRTHDAY, session.record.customer_id)
    return reply(await request.state["earning"].tell_birthday(session, given.day, given.month))
