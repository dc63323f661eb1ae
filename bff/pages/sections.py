"""Sections that several pages share; each fails alone."""

from bff.errors import Problem
from bff.members.member import part
from bff.schemas.member import Member
from bff.schemas.program import Reward
from bff.sessions.store import Session
from bff.web.state import LoyaltyRequest


async def rewards_section(
    request: LoyaltyRequest, session: Session | None
) -> tuple[Member | None, list[Reward] | None]:
    loyalty = request.state["loyalty"]
    if session is None:
        return None, await part(loyalty.public_rewards())
    return await loyalty.glance(session)


async def unsettled_redemption(request: LoyaltyRequest, session: Session | None) -> str | None:
    """The key of a redemption that is still being checked: until then the points shown may change (L3)."""
    try:
        return await request.state["redemptions"].unsettled(session) if session else None
    except Problem:
        return None
