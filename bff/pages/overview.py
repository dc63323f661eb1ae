"""The overview, for members and strangers, and the one calm page of a blocked member."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.members.activity import Latest, MemberActivity
from bff.members.member import Members
from bff.members.partial import or_none, or_none_unless_signed_out
from bff.members.tiers import MemberTiers, TierInputs, is_highest, reached
from bff.pages.faq import few_questions
from bff.pages.joining import steps_of, sum_of
from bff.pages.sections import SectionsState, rewards_section, unsettled_redemption
from bff.schemas.member import Member, TierProgress
from bff.schemas.program import Reward
from bff.schemas.shown import ShownRule
from bff.sessions.store import Session
from bff.web.language import locale_of
from bff.web.responses import page, redirect_to
from bff.web.visitor import open_session, session_of

# So many lines of activity, coupons, ways to earn and, for who has not joined, rewards and questions are here.
FEW = 3
# Points that end so soon are what needs attention.
SOON_SECONDS = 30 * 86_400


class OverviewState(SectionsState):
    members: Members
    tiers: MemberTiers
    activity: MemberActivity


async def overview(request: Request[OverviewState]) -> Response:
    session = open_session(request)
    offered = asyncio.ensure_future(rewards_section(request, session))
    (member, found), earning_rules, questions, unsettled, (inputs, latest) = await asyncio.gather(
        offered,
        or_none(request.state["catalogue"].earning_rules(locale_of(request))),
        few_questions(request, FEW if session is None else 0),
        unsettled_redemption(request, session),
        _of_a_member(request, session, offered),
    )
    # What Okendo says of the member now counts, else what the session last heard, if it has heard anything.
    state = "anonymous" if session is None else member.state if member is not None else session.data.told_state
    joined = state == "enrolled"
    return page(
        request,
        "overview.html",
        member=member,
        signed_in=session is not None,
        joined=joined,
        rewards=found,
        ready=_ready(found),
        following=_following(found),
        sum=sum_of(member, earning_rules, found),
        steps=steps_of(earning_rules, found),
        questions=questions,
        earning_rules=_ways(earning_rules, member) if earning_rules and state in {"enrolled", None} else earning_rules,
        unsettled=unsettled,
        ends_soon=_ends_soon(member, request.state["clock"]()),
        progress=TierProgress.from_okendo(member.tier, *inputs) if member and inputs else None,
        is_top=member is not None and inputs is not None and is_highest(member.tier, inputs.tiers),
        has_reached=reached(member, request.state["clock"]()),
        latest=latest,
    )


async def blocked(request: Request[OverviewState]) -> Response:
    """For those who are blocked; anybody else, whatever led them here, belongs on the overview."""
    session = session_of(request)
    if session is None or not await request.state["members"].is_blocked(session):
        return redirect_to(request, "overview")
    return page(request, "blocked.html")


async def _of_a_member(
    request: Request[OverviewState], session: Session | None, offered: Awaitable[tuple[Member | None, Any]]
) -> tuple[TierInputs | None, Latest | None]:
    """What only those who have joined have. The member is not among it: Okendo is asked for them once, and whoever has
    joined as far as the session knows is not waited for."""
    nothing = None, Latest(None, False, None)
    if session is None:
        return nothing
    if session.data.state != "enrolled":
        member, _ = await offered
        if member is None or member.state != "enrolled":
            return nothing
    state = request.state
    return await asyncio.gather(
        or_none_unless_signed_out(state["tiers"].inputs(session)),
        or_none_unless_signed_out(state["activity"].latest(session, lines=FEW, coupons=FEW)),
    )


def _ready(found: Sequence[Reward] | None) -> Reward | None:
    """The dearest that can be redeemed now."""
    ready = [reward for reward in found or () if reward.can_redeem and reward.can_redeem.state == "ready"]
    return max(ready, key=lambda reward: reward.points or 0, default=None)


def _following(found: Sequence[Reward] | None) -> Reward | None:
    """The one with the fewest points to go."""
    gaps = [(reward, reward.can_redeem.missing_points) for reward in found or () if reward.can_redeem]
    return min(((reward, gap) for reward, gap in gaps if gap is not None), key=lambda pair: pair[1], default=(None,))[0]


def _ways(rules: list[ShownRule], member: Member | None) -> list[ShownRule]:
    """A few that a member may not have done yet. The public list does not tell, so what can be done again and again
    comes first. Joining is done, or it is not known whether it is; so is telling a birthday that is known."""
    done = {"join", "birthday"} if member is not None and member.birthday else {"join"}
    left = [_without_rate(rule) for rule in rules if rule.kind not in done]
    return sorted(left, key=lambda rule: rule.kind.startswith("social_"))[:FEW]


def _without_rate(rule: ShownRule) -> ShownRule:
    """A tier may have another rate than the one that everybody sees."""
    gives = rule.gives
    if gives is None or gives.kind != "points_per_spend":
        return rule
    return msgspec.structs.replace(rule, gives=msgspec.structs.replace(gives, points=None, spend=None))


def _ends_soon(member: Member | None, now: float) -> datetime | None:
    """When the points end, where that is soon."""
    ends_at = member.points.expires_at if member is not None and member.points.balance > 0 else None
    is_soon = ends_at is not None and now < ends_at.timestamp() < now + SOON_SECONDS
    return ends_at if is_soon else None
