"""JSON for a member: themselves, and the parts that one request may ask for as well."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import LOCALE, MEMBER_FAILS, Endpoint
from bff.errors import Problem
from bff.members.activity import MemberActivity
from bff.members.earning import Earning
from bff.members.member import Members, MemberTask
from bff.members.rewards import MemberRewards
from bff.members.tiers import MemberTiers
from bff.schemas.activity import Coupon
from bff.schemas.member import Data, Member, MemberAndParts, Part, TierProgress
from bff.schemas.program import EarningRule, Reward
from bff.sessions.store import Session
from bff.web.inputs import read_locale
from bff.web.responses import details_of, in_language, reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class MeState(WebState):
    members: Members
    rewards: MemberRewards
    earning: Earning
    tiers: MemberTiers
    activity: MemberActivity


async def me(request: Request[MeState]) -> Response:
    session, names = require_session(request), _included(request)
    # Read even when no part asks for it, so that a mistake does not show only later.
    locale = read_locale(request)
    member = asyncio.ensure_future(request.state["members"].customer(session))
    parts = [_part_or_error(request, PARTS[name].find(request, session, member)) for name in names]
    customer, found = await asyncio.gather(member, asyncio.gather(*parts))
    shown = MemberAndParts(**msgspec.structs.asdict(Member.from_okendo(customer, session.data.name)))
    fields = {PARTS[name].field: part for name, part in zip(names, found, strict=True)}
    response = reply(msgspec.structs.replace(shown, **fields))
    return in_language(request, response, locale) if "rewards" in names else response


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/me",
        handler=me,
        summary="The member, and the parts that include asks for, each of which may fail alone",
        description=(
            "Ask for parts with `include` and save requests. A part that cannot be had brings its own `error`; "
            "the rest stands."
        ),
        who="member",
        answers={200: MemberAndParts},
        refuses=MEMBER_FAILS,
        query=("include", *LOCALE),
        sends={200: ("Content-Language",)},
    ),
)


def _included(request: Request[MeState]) -> list[str]:
    """The names of the parts that `include` asks for; raises Problem `invalid_request`."""
    names = request.query_params.get("include", "").split(",") if request.query_params.get("include") else []
    if len(set(names)) < len(names) or not set(names) <= set(PARTS):
        raise Problem("invalid_request", f"include takes a list of {', '.join(PARTS)}.")
    return names


async def _part_or_error(request: Request[MeState], wanted: Awaitable[Data]) -> Part[Data]:
    try:
        return Part(data=await wanted)
    except Problem as problem:
        return Part(error=details_of(request, problem))


async def _rewards(request: Request[MeState], session: Session, member: MemberTask) -> list[Reward]:
    _, rewards = await request.state["rewards"].offered(session, read_locale(request), member)
    return rewards


async def _earning_rules(request: Request[MeState], session: Session, _: MemberTask) -> list[EarningRule]:
    return await request.state["earning"].rules(session)


async def _tier_progress(request: Request[MeState], session: Session, member: MemberTask) -> TierProgress:
    return await request.state["tiers"].progress(session, member)


async def _coupons(request: Request[MeState], session: Session, _: MemberTask) -> list[Coupon]:
    return await request.state["activity"].coupons(session)


class IncludedPart(NamedTuple):
    """`field` of the answer holds what `find` finds."""

    field: str
    find: Callable[[Request[MeState], Session, MemberTask], Awaitable[object]]


# What `include` may ask for.
PARTS = {
    "rewards": IncludedPart("rewards", _rewards),
    "earning": IncludedPart("earning", _earning_rules),
    "tier": IncludedPart("tier_progress", _tier_progress),
    "coupons": IncludedPart("coupons", _coupons),
}
