"""The overview, for members and strangers, and the one calm page of a blocked member."""

import asyncio

from starlette.responses import Response

from bff.members.activity import Latest
from bff.members.member import Climb, part, quiet
from bff.pages.sections import rewards_section, unsettled_redemption
from bff.schemas.member import tier_progress_of
from bff.schemas.program import Reward
from bff.sessions.store import Session
from bff.web.responses import page, see
from bff.web.state import LoyaltyRequest
from bff.web.visitor import open_session, session_of

# So much of the latest activity is on the overview.
LINES = 3


async def overview(request: LoyaltyRequest) -> Response:
    session = open_session(request)
    (member, found), earning_rules, unsettled, (climb, latest) = await asyncio.gather(
        rewards_section(request, session),
        part(request.state["loyalty"].earning_rules()),
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
        progress=tier_progress_of(member.tier, *climb) if member and climb else None,
        latest=latest,
    )


async def blocked(request: LoyaltyRequest) -> Response:
    """For those who are blocked; anybody else, whatever led them here, belongs on the overview."""
    session = session_of(request)
    if session is None or not await request.state["loyalty"].is_blocked(session):
        return see(request, "overview")
    return page(request, "blocked.html")


async def _of_a_member(request: LoyaltyRequest, session: Session | None) -> tuple[Climb | None, Latest | None]:
    """What only those who have joined have. The member is not among it: Okendo is asked for them once."""
    if session is None or session.record.state != "enrolled":
        return None, Latest(None, None)
    state = request.state
    return await asyncio.gather(quiet(state["loyalty"].climb(session)), quiet(state["history"].latest(session, LINES)))


def _next_best(found: list[Reward] | None) -> Reward | None:
    """The dearest reward that is ready, else the one with the fewest points to go."""
    judged = [reward for reward in found or () if reward.can_redeem]
    ready = [reward for reward in judged if reward.can_redeem and reward.can_redeem.state == "ready"]
    if ready:
        return max(ready, key=lambda reward: reward.points)
    return min((reward for reward in judged if _missing(reward)), key=_missing, default=None)


def _missing(reward: Reward) -> int:
    return reward.can_redeem.missing_points or 0 if reward.can_redeem else 0
