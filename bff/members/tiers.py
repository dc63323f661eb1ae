"""How far a member has come on the ladder of tiers."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from bff.errors import Problem
from bff.members.member import Members, MemberTask
from bff.program.catalogue import Catalogue
from bff.schemas.member import Member, TierProgress
from bff.sessions.exchange import Exchange
from bff.sessions.store import Session
from bff.vendors.okendo.member_operations import SPEND
from bff.vendors.okendo.replies import Spend, Tier

# So long a tier is news.
NEWS_SECONDS = 7 * 86_400
A_DAY = timedelta(days=1)


class TierInputs(NamedTuple):
    """The tiers, lowest first, and what a member has spent towards them, where Okendo tells."""

    tiers: list[Tier]
    spend: Spend | None


def is_highest(tier: str | None, tiers: Sequence[Tier]) -> bool:
    """Whether there is nothing above it; `tiers` are lowest first, and tell nothing where there are none."""
    return bool(tiers) and tiers[-1].name == tier


def reached(member: Member | None, now: float) -> bool:
    """Whether the tier is one that the member has come to lately, in seconds of `now`, as far as Okendo tells. The one
    that is given for joining is not."""
    if member is None or member.tier_entered_at is None or member.enrolled_at is None:
        return False
    since = now - member.tier_entered_at.timestamp()
    return 0 <= since < NEWS_SECONDS and member.tier_entered_at - member.enrolled_at > A_DAY


class MemberTiers:
    """Every method raises UpstreamFailed when Okendo fails, and Problem `session_expired`, `member_blocked`."""

    def __init__(self, *, members: Members, exchange: Exchange, catalogue: Catalogue) -> None:
        self._members = members
        self._exchange = exchange
        self._catalogue = catalogue

    async def progress(self, session: Session, member: MemberTask | None = None) -> TierProgress:
        """How far it is to the next tier; without what was spent where Okendo does not tell."""
        customer, inputs = await asyncio.gather(member or self._members.customer(session), self.inputs(session))
        return TierProgress.from_okendo(customer.tier, *inputs)

    async def inputs(self, session: Session) -> TierInputs:
        """What the way to the next tier is reckoned from, for whoever has asked for the member already."""
        tiers, spend = await asyncio.gather(self._catalogue.tiers(), self._spend(session))
        return TierInputs(tiers, spend)

    async def _spend(self, session: Session) -> Spend | None:
        try:
            return await self._exchange.as_member(session, SPEND)
        except Problem as problem:
            if problem.code not in {"not_enrolled", "feature_unavailable"}:
                raise
            return None
