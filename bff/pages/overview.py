"""The overview, for members and strangers, and the one calm page of a blocked member."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from bff.members.activity import Latest, MemberActivity
from bff.members.member import Members
from bff.members.partial import or_none, or_none_unless_signed_out
from bff.members.tiers import MemberTiers, TierInputs
from bff.pages.sections import SectionsState, rewards_section, unsettled_redemption
from bff.schemas.member import TierProgress
from bff.schemas.program import Reward
from bff.sessions.store import Session
from bff.web.responses import page, redirect_to
from bff.web.visitor import open_session, session_of

# So much of the latest activity is on the overview.
LINES = 3


class OverviewState(SectionsState):
    members: Members
    tiers: MemberTiers
    activity: MemberActivity


async def overview(request: Request[OverviewState]) -> Response:
    session = open_session(request)
    (member, found), earning_rules, unsettled, (inputs, latest) = await asyncio.gather(
        rewards_section(request, session),
        or_none(request.state["catalogue"].earning_rules()),
        unsettled_redemption(request, session),
        _of_a_member(request, session),
    )
    return page(
        request,
        "overview.html",
        member=member,
        member_failed=session is not None and member is None,
        rewards=found,
        next_reward=_next_best(found),
        earning_rules=earning_rules,
        unsettled=unsettled,
        progress=TierProgress.from_okendo(member.tier, *inputs) if member and inputs else None,
        latest=latest,
    )


async def blocked(request: Request[OverviewState]) -> Response:
    """For those who are blocked; anybody else, whatever led them here, belongs on the overview."""
    session = session_of(request)
    if session is None or not await request.state["members"].is_blocked(session):
        return redirect_to(request, "overview")
    return page(request, "blocked.html")


async def _of_a_member(
    request: Request[OverviewState], session: Session | None
) -> tuple[TierInputs | None, Latest | None]:
    """What only those who have joined have. The member is not among it: Okendo is asked for them once."""
    if session is None or session.data.state != "enrolled":
        return None, Latest(None, None)
    state = request.state
    return await asyncio.gather(
        or_none_unless_signed_out(state["tiers"].inputs(session)),
        or_none_unless_signed_out(state["activity"].latest(session, LINES)),
    )


def _next_best(found: list[Reward] | None) -> Reward | None:
    """The dearest reward that is ready, else the one with the fewest points to go."""
    judged = [reward for reward in found or () if reward.can_redeem]
    ready = [reward for reward in judged if reward.can_redeem and reward.can_redeem.state == "ready"]
    if ready:
        return max(ready, key=lambda reward: reward.points)
    gaps = {reward.id: missing for reward in judged if (missing := _missing_points(reward)) is not None}
    return min((reward for reward in judged if reward.id in gaps), key=lambda reward: gaps[reward.id], default=None)


def _missing_points(reward: Reward) -> int | None:
    return reward.can_redeem.missing_points if reward.can_redeem else None
