"""Ways to earn and rewards with what pages show of them besides."""

from typing import Self

import msgspec

from bff.schemas.money import Money
from bff.schemas.program import CanRedeem, EarningRule, Reward
from bff.vendors.okendo import replies


class ShownRule(EarningRule, frozen=True):
    """A way to earn on a page, and the language of its name, None where nobody knows."""

    language: str | None = None

    @classmethod
    def of(cls, rule: EarningRule, language: str | None) -> Self:
        return cls(**msgspec.structs.asdict(rule), language=language)


class ShownReward(Reward, frozen=True):
    """A reward on a page, which says which tier it takes whoever looks, and what a member spends to get there; and the
    language of its words, None where nobody knows."""

    required_tier: str | None = None
    tier_spend: Money | None = None
    language: str | None = None

    @classmethod
    def of(
        cls,
        rule: replies.RedemptionRule,
        can_redeem: CanRedeem | None,
        tiers: list[replies.Tier],
        language: str | None,
    ) -> Self:
        tier = next((tier for tier in tiers if tier.name == rule.required_tier), None)
        spend = Money.of(tier.spend, tier.currency) if tier is not None else None
        if spend is not None and spend.value <= 0:
            spend = None
        reward = cls.from_okendo(rule, can_redeem)
        return msgspec.structs.replace(reward, required_tier=rule.required_tier, tier_spend=spend, language=language)
