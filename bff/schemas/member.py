"""A member, and what belongs to them alone."""

import math
from datetime import UTC, datetime
from decimal import ROUND_UP, Decimal
from typing import Annotated, Generic, Self, TypeVar

from bff.schemas.activity import COMPLETE, Coupon
from bff.schemas.base import MemberState, Moment, ProblemDetails, Schema, described, member_state, whole
from bff.schemas.money import Money
from bff.schemas.policies import LegalPolicies
from bff.schemas.program import EarningRule, Reward
from bff.vendors.okendo import replies
from bff.vendors.sanitize import safe_link

Data = TypeVar("Data")
Day = Annotated[int, described("Day of the month; the 29th of February is one")]
Month = Annotated[int, described("1 is January")]


class Points(Schema, frozen=True):
    balance: Annotated[int, described("What can be spent")]
    pending: Annotated[int | None, described("What is on its way, where the program tells")] = None
    expires_at: Annotated[Moment | None, described("When they end, where the program tells")] = None


class Birthday(Schema, frozen=True):
    day: Day
    month: Month


class Member(Schema, frozen=True):
    """A shopper, as the program knows them."""

    state: Annotated[
        MemberState,
        described("`pending`: has not joined yet. `enrolled`: a member. `blocked`: shut out by the merchant"),
    ]
    points: Annotated[Points, described("What the member has")]
    tier: Annotated[str | None, described("Name of the member's tier")] = None
    tier_entered_at: Annotated[Moment | None, described("Since when it is theirs, where the program tells")] = None
    tier_expires_at: Annotated[Moment | None, described("Until when it is theirs, where the program tells")] = None
    enrolled_at: Annotated[Moment | None, described("When they joined, where the program tells")] = None
    name: Annotated[str | None, described("A name to greet with")] = None
    referral_url: Annotated[str | None, described("The member's own link for friends")] = None
    birthday: Annotated[Birthday | None, described("Once it was told")] = None

    @classmethod
    def from_okendo(cls, customer: replies.Customer, name: str | None) -> Self:
        """`name` is what the session knows to greet with."""
        birthday = None
        if customer.birthday_day is not None and customer.birthday_month is not None:
            birthday = Birthday(day=customer.birthday_day, month=customer.birthday_month)
        return cls(
            state=member_state(customer.state),
            points=Points(
                balance=math.floor(customer.balance),
                pending=whole(customer.pending),
                expires_at=customer.points_expire_at,
            ),
            tier=customer.tier,
            tier_entered_at=customer.tier_entered_at,
            tier_expires_at=customer.tier_expires_at,
            enrolled_at=customer.enrolled_at,
            name=name,
            referral_url=safe_link(customer.referral_url),
            birthday=birthday,
        )

    @classmethod
    def example(cls) -> Self:
        until = datetime(2027, 3, 1, tzinfo=UTC)
        points = Points(balance=1240, pending=80, expires_at=until)
        return cls(state="enrolled", points=points, tier="Silver", tier_expires_at=until, name="Ella")


class NextTier(Schema, frozen=True):
    id: Annotated[str, described("As in the list of tiers")]
    name: Annotated[str, described("What to call it")]
    spend: Annotated[Money | None, described("What a member spends to get there, where the program tells")] = None
    missing_spend: Annotated[Money | None, described("What is still to be spent, where the program tells")] = None

    @classmethod
    def from_okendo(cls, tier: replies.Tier, spend: replies.Spend | None) -> Self:
        """Okendo reckons both in one currency; where it tells two, the one says nothing of the other."""
        currency = tier.currency or (spend.currency if spend is not None else None)
        missing = None
        if spend is not None and tier.spend is not None and spend.currency in {None, currency}:
            # To the last digit that it takes: with less nobody gets there.
            missing = Money.of(max(Decimal(0), tier.spend - spend.amount), currency, ROUND_UP)
        return cls(id=tier.id or tier.name, name=tier.name, spend=Money.of(tier.spend, currency), missing_spend=missing)

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c03",
            name="Gold",
            spend=Money(amount="1000.00", currency_code="USD"),
            missing_spend=Money(amount="360.00", currency_code="USD"),
        )


class TierProgress(Schema, frozen=True):
    """How far the member has come, and how far it is to the next tier."""

    tier: Annotated[str | None, described("Name of the member's tier")] = None
    spend: Annotated[Money | None, described("What counts in the current period")] = None
    next_tier: Annotated[NextTier | None, described("Absent at the top, and where the tiers do not tell it")] = None

    @classmethod
    def from_okendo(cls, tier: str | None, tiers: list[replies.Tier], spend: replies.Spend | None) -> Self:
        """`tiers` are lowest first; what was spent is told as far as the vendor tells it."""
        names = [one.name for one in tiers]
        # Above a tier that is none of the ladder's nobody knows what is.
        above = tiers if tier is None else tiers[names.index(tier) + 1 :] if tier in names else []
        return cls(
            tier=tier,
            spend=None if spend is None else Money.of(spend.amount, spend.currency),
            next_tier=NextTier.from_okendo(above[0], spend) if above else None,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(tier="Silver", spend=Money(amount="640.00", currency_code="USD"), next_tier=NextTier.example())


class PolicyProblem(ProblemDetails, frozen=True, kw_only=True):
    """Why a shopper could not join, with the policies to agree to instead."""

    legal_policies: Annotated[LegalPolicies | None, described("Those in force now, with `policies_outdated`")] = None


class Part(Schema, Generic[Data], frozen=True):
    """One part of `GET /me`: what was asked for, or why it is missing."""

    data: Annotated[Data | None, described("What was asked for")] = None
    error: Annotated[ProblemDetails | None, described("Why it is missing")] = None


class RewardsPart(Part[list[Reward]], frozen=True):
    """The rewards, or why they are missing."""


class EarningRulesPart(Part[list[EarningRule]], frozen=True):
    """The ways to earn, or why they are missing."""


class TierProgressPart(Part[TierProgress], frozen=True):
    """The way to the next tier, or why it is missing."""


class CouponsPart(Part[list[Coupon]], frozen=True):
    """The coupons, or why they are missing."""

    complete: Annotated[bool | None, described(COMPLETE)] = None


class MemberAndParts(Member, frozen=True):
    """The member, with the parts that `include` asked for, each under its name there; each part fails alone."""

    rewards: Annotated[RewardsPart | None, described("With `include=rewards`")] = None
    earning_rules: Annotated[EarningRulesPart | None, described("With `include=earningRules`")] = None
    tier_progress: Annotated[TierProgressPart | None, described("With `include=tierProgress`")] = None
    coupons: Annotated[CouponsPart | None, described("With `include=coupons`")] = None

    @classmethod
    def example(cls) -> Self:
        return cls(
            state="enrolled",
            points=Member.example().points,
            tier="Silver",
            rewards=RewardsPart(data=[Reward.example_for_member()]),
            coupons=CouponsPart(data=[Coupon.example()], complete=True),
        )
