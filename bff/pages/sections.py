"""Sections that several pages share; each fails alone."""

from typing import TypeVar

from starlette.requests import Request

from bff.errors import Problem
from bff.members.partial import or_none
from bff.members.rewards import MemberRewards
from bff.program.catalogue import Catalogue
from bff.redemptions.redeem import Redemptions
from bff.schemas.member import Member
from bff.schemas.program import Reward
from bff.sessions.store import Session
from bff.web.state import WebState


class SectionsState(WebState):
    catalogue: Catalogue
    rewards: MemberRewards
    redemptions: Redemptions


SectionsT = TypeVar("SectionsT", bound=SectionsState)


async def rewards_section(
    request: Request[SectionsT], session: Session | None
) -> tuple[Member | None, list[Reward] | None]:
    if session is None:
        return None, await or_none(request.state["catalogue"].rewards())
    return await request.state["rewards"].for_page(session)


async def unsettled_redemption(request: Request[SectionsT], session: Session | None) -> str | None:
    """The key of a redemption that is still being checked: until then the points shown may change (L3)."""
    try:
        return await request.state["redemptions"].unsettled(session) if session else None
    except Problem:
        return None
