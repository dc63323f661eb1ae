"""JSON: a member's ways to earn, completing one, and the birthday."""

from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import MEMBER_FAILS, WRITE_FAILS, Endpoint
from bff.members.earning import Earning
from bff.schemas.member import Member
from bff.schemas.program import EarningRules
from bff.schemas.redemption import Completion
from bff.schemas.requests import BirthdayRequest, NoFields
from bff.stores.rate_limits import BIRTHDAY, EARN
from bff.web.inputs import read_json
from bff.web.limits import hit
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class EarningState(WebState):
    earning: Earning


async def my_earning_rules(request: Request[EarningState]) -> Response:
    return reply(EarningRules(await request.state["earning"].rules(require_session(request))))


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


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/me/earning-rules",
        handler=my_earning_rules,
        summary="The ways to earn, each with whether it is completed",
        description="Like `GET /earning-rules`, with `completed` where the program tells.",
        who="member",
        answers={200: EarningRules},
        examples={200: EarningRules.example_for_member()},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="POST",
        path="/me/earning-rules/{id}/completions",
        handler=complete,
        summary="Complete a way to earn that takes a click",
        description=("For what takes a click, such as following on social media: call it, then open the rule's `url`."),
        who="member",
        reads=NoFields,
        answers={201: Completion},
        refuses=("not_found", "not_enrolled", "rule_already_completed", "request_in_progress", *WRITE_FAILS),
    ),
    Endpoint(
        method="PUT",
        path="/me/birthday",
        handler=birthday,
        summary="Tell the day and month of the birthday",
        description="Without a year. The 29th of February is a birthday.",
        who="member",
        reads=BirthdayRequest,
        answers={200: Member},
        refuses=("invalid_birthday", "not_enrolled", *WRITE_FAILS),
    ),
)
