"""JSON: a member's ways to earn, completing one, and the birthday."""

from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import LOCALE, OKENDO_FAILS, Endpoint
from bff.members.earning import Earning
from bff.schemas.member import Member
from bff.schemas.program import EarningRules
from bff.schemas.redemption import Completion
from bff.schemas.requests import BirthdayRequest, NoFields
from bff.stores.rate_limits import BIRTHDAY, EARN
from bff.vendors.okendo.languages import Languages
from bff.vendors.okendo.member_operations import CUSTOMER_EARNING_RULES
from bff.web.inputs import read_json, read_locale
from bff.web.limits import hit
from bff.web.responses import in_language_of, reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class EarningState(WebState):
    earning: Earning
    languages: Languages


async def list_my_earning_rules(request: Request[EarningState]) -> Response:
    session, locale = require_session(request), read_locale(request)
    response = reply(EarningRules(await request.state["earning"].rules(session, locale)))
    return in_language_of(response, request.state["languages"], locale, CUSTOMER_EARNING_RULES)


async def complete_earning_rule(request: Request[EarningState]) -> Response:
    """A rule that is completed by a click, such as following on social media."""
    session = require_session(request)
    if await request.body():
        await read_json(request, NoFields)
    await hit(request, EARN, session.data.customer_id)
    return reply(await request.state["earning"].complete(session, request.path_params["id"]), 201)


async def set_birthday(request: Request[EarningState]) -> Response:
    session = require_session(request)
    given = await read_json(request, BirthdayRequest)
    await hit(request, BIRTHDAY, session.data.customer_id)
    return reply(await request.state["earning"].tell_birthday(session, given.day, given.month))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/me/earning-rules",
        handler=list_my_earning_rules,
        summary="The ways to earn, each with whether it is completed",
        description="Like `GET /earning-rules`, with `completed` where the program tells.",
        who="member",
        answers={200: EarningRules},
        examples={200: EarningRules.example_for_member()},
        refuses=OKENDO_FAILS,
        query=LOCALE,
        sends={200: ("Content-Language",)},
    ),
    Endpoint(
        method="POST",
        path="/me/earning-rules/{id}/completions",
        handler=complete_earning_rule,
        summary="Complete a way to earn that takes a click",
        description=("For what takes a click, such as following on social media: call it, then open the rule's `url`."),
        who="member",
        reads=NoFields,
        answers={201: Completion},
        refuses=("not_enrolled", "rule_already_completed", "request_in_progress", "feature_unavailable", *OKENDO_FAILS),
    ),
    Endpoint(
        method="PUT",
        path="/me/birthday",
        handler=set_birthday,
        summary="Tell the day and month of the birthday",
        description=(
            "Without a year; the 29th of February is a birthday. It is told once: the day that is known already is "
            "answered with the member, another one with `rule_already_completed`, and nothing is changed."
        ),
        who="member",
        reads=BirthdayRequest,
        answers={200: Member},
        refuses=(
            "invalid_birthday",
            "not_enrolled",
            "rule_already_completed",
            "request_in_progress",
            "feature_unavailable",
            *OKENDO_FAILS,
        ),
    ),
)
