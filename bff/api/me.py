"""JSON for a member: themselves, what they may do, and doing it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.activity import ActivityState, coupons_of, tier_progress_of_member
from bff.api.earning import EarningState, earning_rules_of
from bff.api.rewards import RewardsState, rewards_of
from bff.errors import Problem
from bff.members.member import Members, MemberTask
from bff.schemas.member import Data, Member, MemberAndParts, Part
from bff.sessions.store import Session
from bff.web.inputs import read_locale
from bff.web.responses import details_of, in_language, reply
from bff.web.visitor import require_session


class MeState(ActivityState, EarningState, RewardsState):
    members: Members


async def me(request: Request[MeState]) -> Response:
    session = require_session(request)
    names = _included(request)
    # Checked even when no part asks for it, so that a mistake does not show only later.
    read_locale(request)
    member = asyncio.ensure_future(request.state["members"].customer(session))
    parts = [_part(request, PARTS[name][1](request, session, member)) for name in names]
    customer, *found = await asyncio.gather(member, *parts)
    fields = {PARTS[name][0]: part for name, part in zip(names, found, strict=True)}
    shown = Member.from_okendo(customer, session.data.name)
    response = reply(MemberAndParts(**msgspec.structs.asdict(shown), **fields))
    return in_language(request, response, read_locale(request)) if "rewards" in names else response


PartOf = Callable[[Request[Any], Session, MemberTask], Awaitable[Any]]
# What `include` may ask for: the field it comes in, and where it comes from.
PARTS: dict[str, tuple[str, PartOf]] = {
    "rewards": ("rewards", rewards_of),
    "earning": ("earning", earning_rules_of),
    "tier": ("tier_progress", tier_progress_of_member),
    "coupons": ("coupons", coupons_of),
}


def _included(request: Request[MeState]) -> list[str]:
    names = request.query_params.get("include", "").split(",") if request.query_params.get("include") else []
    if len(set(names)) < len(names) or not set(names) <= set(PARTS):
        raise Problem("invalid_request", f"include takes a list of {', '.join(PARTS)}.")
    return names


async def _part(request: Request[MeState], wanted: Awaitable[Data]) -> Part[Data]:
    try:
        return Part(data=await wanted)
    except Problem as problem:
        return Part(error=details_of(request, problem))
