"""JSON for a member: themselves, and the parts that one request may ask for as well."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import LOCALE, OKENDO_FAILS, Endpoint
from bff.errors import Problem
from bff.members.activity import MemberActivity
from bff.members.earning import Earning
from bff.members.member import Members, MemberTask
from bff.members.rewards import MemberRewards
from bff.members.tiers import MemberTiers
from bff.schemas.member import (
    CouponsPart,
    EarningRulesPart,
    MemberAndParts,
    Part,
    RewardsPart,
    TierProgressPart,
)
from bff.sessions.store import Session
from bff.vendors.okendo.languages import Languages
from bff.vendors.okendo.member_operations import CUSTOMER_EARNING_RULES, CUSTOMER_REDEMPTION_RULES, TRANSACTIONS
from bff.vendors.okendo.operations import VIP_PROGRAM
from bff.vendors.okendo.replies import Customer
from bff.vendors.okendo.row import Operation
from bff.web.inputs import read_locale
from bff.web.responses import details_of, in_language_of, reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class MeState(WebState):
    members: Members
    rewards: MemberRewards
    earning: Earning
    tiers: MemberTiers
    activity: MemberActivity
    languages: Languages


async def get_member(request: Request[MeState]) -> Response:
    session, names = require_session(request), _included(request)
    # Read even when no part asks for it, so that a mistake does not show only later.
    locale = read_locale(request)
    customer, found = await _member_and_parts(request, session, names)
    shown = MemberAndParts.from_okendo(customer, session.data.name)
    fields = {PARTS[name].field: part for name, part in zip(names, found, strict=True)}
    response = reply(msgspec.structs.replace(shown, **fields))
    return in_language_of(response, request.state["languages"], locale, *(PARTS[name].words_of for name in names))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/me",
        handler=get_member,
        summary="The member, and the parts that include asks for, each of which may fail alone",
        description=(
            "Ask for parts with `include` and save requests; each comes under the name it was asked for by. A part "
            "that cannot be had brings its own `error`; the rest stands."
        ),
        who="member",
        answers={200: MemberAndParts},
        refuses=OKENDO_FAILS,
        query=("include", *LOCALE),
        repeatable=("include",),
        sends={200: ("Content-Language",)},
    ),
)


def _included(request: Request[MeState]) -> list[str]:
    """The names of the parts that `include` asks for, repeated or in one list; raises Problem `invalid_request`."""
    names = [name for given in request.query_params.getlist("include") if given for name in given.split(",")]
    if len(set(names)) < len(names) or not set(names) <= set(PARTS):
        raise Problem("invalid_request", "include takes a list of %(names)s.", values={"names": ", ".join(PARTS)})
    return names


class IncludedPart(NamedTuple):
    """`field` of the answer is of this type, and holds what `find` finds, in the words of
    `words_of`."""

    field: str
    type: type[Part[Any]]
    find: Callable[[Request[MeState], Session, MemberTask], Awaitable[Part[Any]]]
    words_of: Operation[Any]


async def _member_and_parts(
    request: Request[MeState], session: Session, names: Sequence[str]
) -> tuple[Customer, Sequence[Part[Any]]]:
    if not names:
        return await request.state["members"].customer(session), ()
    member = asyncio.ensure_future(request.state["members"].customer(session))
    parts = [_part_or_error(request, PARTS[name], session, member) for name in names]
    customer, found = await asyncio.gather(member, asyncio.gather(*parts))
    return customer, found


async def _part_or_error(
    request: Request[MeState], wanted: IncludedPart, session: Session, member: MemberTask
) -> Part[Any]:
    try:
        return await wanted.find(request, session, member)
    except Problem as problem:
        return wanted.type(error=details_of(request, problem))


async def _rewards(request: Request[MeState], session: Session, member: MemberTask) -> RewardsPart:
    _, rewards = await request.state["rewards"].offered(session, read_locale(request), member)
    return RewardsPart(data=rewards)


async def _earning_rules(request: Request[MeState], session: Session, _: MemberTask) -> EarningRulesPart:
    return EarningRulesPart(data=await request.state["earning"].rules(session, read_locale(request)))


async def _tier_progress(request: Request[MeState], session: Session, member: MemberTask) -> TierProgressPart:
    return TierProgressPart(data=await request.state["tiers"].progress(session, member))


async def _coupons(request: Request[MeState], session: Session, _: MemberTask) -> CouponsPart:
    wallet = await request.state["activity"].coupons(session)
    return CouponsPart(data=wallet.coupons, complete=wallet.complete)


# What `include` may ask for, by the name it comes under.
PARTS: Mapping[str, IncludedPart] = {
    "rewards": IncludedPart("rewards", RewardsPart, _rewards, CUSTOMER_REDEMPTION_RULES),
    "earningRules": IncludedPart("earning_rules", EarningRulesPart, _earning_rules, CUSTOMER_EARNING_RULES),
    "tierProgress": IncludedPart("tier_progress", TierProgressPart, _tier_progress, VIP_PROGRAM),
    "coupons": IncludedPart("coupons", CouponsPart, _coupons, TRANSACTIONS),
}
