"""A member, and what belongs to them alone."""

from typing import Generic, Self, TypeVar

from bff.schemas.activity import Coupon
from bff.schemas.base import MemberState, ProblemDetails, Schema, amount, member_state, whole
from bff.schemas.program import EarningRule, LegalPolicies, Reward
from bff.vendors.okendo import replies
from bff.vendors.sanitize import safe_link

Data = TypeVar("Data")


class Points(Schema, frozen=True):
    balance: int
    pending: int | None = None


class Birthday(Schema, frozen=True):
    day: int
    month: int


class Member(Schema, frozen=True):
    """A shopper, as the program knows them."""

    state: MemberState
    points: Points
    tier: str | None = None
    name: str | None = None
    referral_url: str | None = None
    birthday: Birthday | None = None

    @classmethod
    def from_okendo(cls, customer: replies.Customer, name: str | None) -> Self:
        """`name` is what the session knows to greet with."""
        birthday = None
        if customer.birthday_day is not None and customer.birthday_month is not None:
            birthday = Birthday(day=customer.birthday_day, month=customer.birthday_month)
        return cls(
            state=member_state(customer.state),
            points=Points(balance=whole(customer.balance) or 0, pending=whole(customer.pending)),
            tier=customer.tier,
            name=name,
            referral_url=safe_link(customer.referral_url),
            birthday=birthday,
        )


class NextTier(Schema, frozen=True):
    name: str
    spend: float
    missing_spend: str | None = None

    @classmethod
    def from_okendo(cls, tier: replies.Tier, spend: replies.Spend | None) -> Self:
        missing = None if spend is None else amount(max(0.0, tier.spend - spend.amount))
        return cls(name=tier.name, spend=tier.spend, missing_spend=missing)


class TierProgress(Schema, frozen=True):
    """How far the member has come, and how far it is to the next tier."""

    tier: str | None = None
    spend: str | None = None
    currency: str | None = None
    next_tier: NextTier | None = None

    @classmethod
    def from_okendo(cls, tier: str | None, tiers: list[replies.Tier], spend: replies.Spend | None) -> Self:
        """`tiers` are lowest first; what was spent is told as far as the vendor tells it."""
        names = [one.name for one in tiers]
        above = tiers[names.index(tier) + 1 :] if tier in names else tiers
        return cls(
            tier=tier,
            spend=None if spend is None else amount(spend.amount),
            currency=None if spend is None else spend.currency,
            next_tier=NextTier.from_okendo(above[0], spend) if above else None,
        )


class PolicyProblem(ProblemDetails, frozen=True, kw_only=True):
    """Why a shopper could not join, with the policies to agree to instead."""

    legal_policies: LegalPolicies | None = None


class Part(Schema, Generic[Data], frozen=True):
    """One part of `GET /me`: what was asked for, or why it is missing."""

    data: Data | None = None
    error: ProblemDetails | None = None


class MemberAndParts(Member, frozen=True):
    """The member, with the parts that `include` asked for; each part fails alone."""

    rewards: Part[list[Reward]] | None = None
    earning: Part[list[EarningRule]] | None = None
    tier_progress: Part[TierProgress] | None = None
    coupons: Part[list[Coupon]] | None = None
