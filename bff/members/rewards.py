"""The rewards a member is offered, each with whether and why not it can be redeemed now."""

import asyncio

from bff.errors import UpstreamFailed, VendorRefused
from bff.members.member import Members, MemberTask
from bff.members.partial import or_none, or_none_unless_signed_out
from bff.program.catalogue import Catalogue
from bff.schemas.member import Member
from bff.schemas.program import CanRedeem, Reward
from bff.sessions.exchange import Exchange
from bff.sessions.store import Session
from bff.vendors.okendo.member_operations import CUSTOMER_REDEMPTION_RULES
from bff.vendors.okendo.replies import Customer, RedemptionRule
from bff.vendors.okendo.row import Locale


class MemberRewards:
    """Every method raises UpstreamFailed when Okendo fails, and Problem `session_expired`, `member_blocked`."""

    def __init__(self, *, members: Members, exchange: Exchange, catalogue: Catalogue) -> None:
        self._members = members
        self._exchange = exchange
        self._catalogue = catalogue

    async def offered(
        self, session: Session, locale: Locale | None = None, member: MemberTask | None = None
    ) -> tuple[Member, list[Reward]]:
        """The member and the rewards they are offered, each with whether and why not it can be redeemed now.

        `member` is the member as this request has asked for them already, so that all of it speaks of one moment.
        """
        customer, rules, ladder = await asyncio.gather(
            member or self._members.customer(session), self._rules(session, locale), self._ladder()
        )
        return Member.from_okendo(customer, session.data.name), _with_can_redeem(rules, customer, ladder)

    async def for_page(self, session: Session) -> tuple[Member | None, list[Reward] | None]:
        """The same for a page: whichever of the two Okendo fails to tell is None, and the other is there."""
        customer, rules, ladder = await asyncio.gather(
            or_none(self._members.customer(session)), or_none_unless_signed_out(self._rules(session)), self._ladder()
        )
        member = None if customer is None else Member.from_okendo(customer, session.data.name)
        if rules is None or customer is None:
            return member, None if rules is None else [Reward.from_okendo(rule, None) for rule in rules]
        return member, _with_can_redeem(rules, customer, ladder)

    async def _rules(self, session: Session, locale: Locale | None = None) -> list[RedemptionRule]:
        return await self._exchange.as_member(session, CUSTOMER_REDEMPTION_RULES, **(locale or {}))

    async def _ladder(self) -> list[str]:
        """Tier names, lowest first; empty when Okendo does not say, since rewards are worth showing without it."""
        try:
            return [tier.name for tier in await self._catalogue.tiers()]
        except (UpstreamFailed, VendorRefused):
            return []


def _with_can_redeem(rules: list[RedemptionRule], customer: Customer, ladder: list[str]) -> list[Reward]:
    """The rewards, each with whether this member can redeem it now."""
    return [Reward.from_okendo(rule, CanRedeem.from_okendo(rule, customer, ladder)) for rule in rules]
