"""The rewards a member is offered, each with whether and why not it can be redeemed now."""

import asyncio

from bff.members.member import Members, MemberTask
from bff.members.partial import or_none, or_none_unless_signed_out
from bff.program.catalogue import Catalogue
from bff.schemas.member import Member
from bff.schemas.program import CanRedeem, Reward
from bff.schemas.shown import ShownReward
from bff.sessions.exchange import Exchange
from bff.sessions.store import Session
from bff.vendors.okendo.languages import NO_LOCALE
from bff.vendors.okendo.member_operations import CUSTOMER_REDEMPTION_RULES
from bff.vendors.okendo.operations import REDEMPTION_RULES
from bff.vendors.okendo.replies import RedemptionRule, Tier
from bff.vendors.okendo.row import Locale


class MemberRewards:
    """Every method raises UpstreamFailed when Okendo fails, and Problem `session_expired`, `member_blocked`."""

    def __init__(self, *, members: Members, exchange: Exchange, catalogue: Catalogue) -> None:
        self._members = members
        self._exchange = exchange
        self._catalogue = catalogue

    async def offered(
        self, session: Session, locale: Locale = NO_LOCALE, member: MemberTask | None = None
    ) -> tuple[Member, list[Reward]]:
        """The member and the rewards they are offered, each with whether and why not it can be redeemed now.

        `member` is the member as this request has asked for them already, so that all of it speaks of one moment.
        """
        customer, rules, tiers = await asyncio.gather(
            member or self._members.customer(session), self._rules(session, locale), self._tiers()
        )
        offered = [Reward.from_okendo(rule, CanRedeem.from_okendo(rule, customer, _ladder(tiers))) for rule in rules]
        return Member.from_okendo(customer, session.data.name), offered

    async def for_page(
        self, session: Session, locale: Locale = NO_LOCALE
    ) -> tuple[Member | None, list[ShownReward] | None]:
        """The same for a page: whichever of the two Okendo fails to tell is None, and the other is there. Where it does
        not tell what this member is offered, the rewards are those that everybody sees, of which nobody knows whether
        this member can redeem them."""
        customer, rules, tiers = await asyncio.gather(
            or_none(self._members.customer(session)),
            or_none_unless_signed_out(self._rules(session, locale)),
            self._tiers(),
        )
        member = None if customer is None else Member.from_okendo(customer, session.data.name)
        if rules is None:
            return member, await self.for_everybody(locale)
        language, ladder = self._catalogue.languages.of_answer(CUSTOMER_REDEMPTION_RULES, locale), _ladder(tiers)
        can = [None if customer is None else CanRedeem.from_okendo(rule, customer, ladder) for rule in rules]
        return member, [ShownReward.of(rule, one, tiers, language) for rule, one in zip(rules, can, strict=True)]

    async def for_everybody(self, locale: Locale = NO_LOCALE) -> list[ShownReward] | None:
        """The rewards as the program shows them to everybody; None when they cannot be read."""
        asked = self._catalogue.languages.asked_of(REDEMPTION_RULES, locale)
        cached, tiers = await asyncio.gather(or_none(self._catalogue.cached(REDEMPTION_RULES, **asked)), self._tiers())
        if cached is None:
            return None
        language = self._catalogue.language_of(REDEMPTION_RULES, locale, cached)
        return [ShownReward.of(rule, None, tiers, language) for rule in cached.value]

    async def _rules(self, session: Session, locale: Locale = NO_LOCALE) -> list[RedemptionRule]:
        return await self._exchange.as_member(session, CUSTOMER_REDEMPTION_RULES, **locale)

    async def _tiers(self) -> list[Tier]:
        """Lowest first; empty when Okendo does not say, since rewards are worth showing without them."""
        return await or_none(self._catalogue.tiers()) or []


def _ladder(tiers: list[Tier]) -> list[str]:
    return [tier.name for tier in tiers]
