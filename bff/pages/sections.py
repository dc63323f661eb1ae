"""Sections that several pages share; each fails alone."""

from typing import TypeVar

from starlette.requests import Request

from bff.errors import Problem
from bff.members.partial import or_none
from bff.members.rewards import MemberRewards
from bff.program.catalogue import Catalogue
from bff.redemptions.carts import CouponCarts
from bff.redemptions.redeem import Redemptions
from bff.schemas.member import Member
from bff.schemas.program import EarningRule, Reward
from bff.schemas.shown import ShownReward, ShownRule
from bff.sessions.store import Session
from bff.vendors.okendo.member_operations import CUSTOMER_EARNING_RULES
from bff.web.language import locale_of
from bff.web.state import WebState


class SectionsState(WebState):
    catalogue: Catalogue
    rewards: MemberRewards
    redemptions: Redemptions
    coupon_carts: CouponCarts


SectionsT = TypeVar("SectionsT", bound=SectionsState)


async def rewards_section(
    request: Request[SectionsT], session: Session | None
) -> tuple[Member | None, list[ShownReward] | None]:
    """The member, and the rewards: theirs, else those that everybody sees. Each is None when it cannot be read."""
    rewards, locale = request.state["rewards"], locale_of(request)
    if session is None:
        return None, await rewards.for_everybody(locale)
    return await rewards.for_page(session, locale)


async def unsettled_redemption(request: Request[SectionsT], session: Session | None) -> str | None:
    """The key of a redemption that is still being checked: until then the points shown may change (L3)."""
    try:
        return await request.state["redemptions"].unsettled(session) if session else None
    except Problem:
        return None


class ProgramPageState(WebState):
    catalogue: Catalogue


ProgramT = TypeVar("ProgramT", bound=ProgramPageState)


def own_rules(request: Request[ProgramT], rules: list[EarningRule] | None) -> list[ShownRule] | None:
    """A member's own ways to earn for a page that asked for them in its language."""
    languages = request.state["catalogue"].languages
    language = languages.of_answer(CUSTOMER_EARNING_RULES, locale_of(request))
    return None if rules is None else [ShownRule.of(rule, language) for rule in rules]


async def rewards_by_id(request: Request[ProgramT]) -> dict[str, Reward]:
    """What the program offers today, by id; nothing when that cannot be read."""
    found = await or_none(request.state["catalogue"].rewards(locale_of(request)))
    return {reward.id: reward for reward in found or ()}
