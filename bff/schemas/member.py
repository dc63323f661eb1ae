"""A member, and what belongs to them alone."""

from typing import Annotated, Generic, Self, TypeVar

from bff.schemas.activity import Coupon
from bff.schemas.base import MemberState, ProblemDetails, Schema, amount, described, member_state, whole
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
            points=Points(balance=whole(customer.balance) or 0, pending=whole(customer.pending)),
            tier=customer.tier,
            name=name,
            referral_url=safe_link(customer.referral_url),
            birthday=birthday,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(state="enrolled", points=Points(balance=1240, pending=80), tier="Silver", name="Ella")


class NextTier(Schema, frozen=True):
    name: Annotated[str, described("What to call it")]
    spend: Annotated[float, described("What a member spends to get there")]
    missing_spend: Annotated[str | None, described("What is still to be spent, where the program tells")] = None

    @classmethod
    def from_okendo(cls, tier: replies.Tier, spend: replies.Spend | None) -> Self:
        missing = None if spend is None else amount(max(0.0, tier.spend - spend.amount))
        return cls(name=tier.name, spend=tier.spend, missing_spend=missing)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Gold", spend=1000, missing_spend="360")


class TierProgress(Schema, frozen=True):
    """How far the member has come, and how far it is to the next tier."""

    tier: Annotated[str | None, described("Name of the member's tier")] = None
    spend: Annotated[str | None, described("What counts in the current period")] = None
    currency: Annotated[str | None, described("Of `spend` (ISO 4217)")] = None
    next_tier: Annotated[NextTier | None, described("Absent at the top")] = None

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

    @classmethod
    def example(cls) -> Self:
        return cls(tier="Silver", spend="640", currency="USD", next_tier=NextTier.example())


class PolicyProblem(ProblemDetails, frozen=True, kw_only=True):
    """Why a shopper could not join, with the policies to agree to instead."""

    legal_policies: Annotated[LegalPolicies | None, described("Those in force now, with `policies_outdated`")] = None


class Part(Schema, Generic[Data], frozen=True):
    """One part of `GET /me`: what was asked for, or why it is missing."""

    data: Annotated[Data | None, described("What was asked for")] = None
    error: Annotated[ProblemDetails | None, described("Why it is missing")] = None


class MemberAndParts(Member, frozen=True):
    """The member, with the parts that `include` asked for; each part fails alone."""

    rewards: Annotated[Part[list[Reward]] | None, described("With `include=rewards`")] = None
    earning: Annotated[Part[list[EarningRule]] | None, described("With `include=earning`")] = None
    tier_progress: Annotated[Part[TierProgress] | None, described("With `include=tier`")] = None
    coupons: Annotated[Part[list[Coupon]] | None, described("With `include=coupons`")] = None

    @classmethod
    def example(cls) -> Self:
        return cls(
            state="enrolled",
            points=Member.example().points,
            tier="Silver",
            rewards=Part(data=[Reward.example_for_member()]),
            coupons=Part(data=[Coupon.example()]),
        )
