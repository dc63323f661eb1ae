"""The public program: ways to earn, rewards, tiers, questions."""

import math
from typing import Annotated, Literal, Self

import msgspec

from bff.schemas.base import Schema, amount, described, whole
from bff.vendors.okendo import replies
from bff.vendors.sanitize import safe_link, sanitize_html, strip_html

# What Okendo calls the things a shopper does is not public; these are likely names, and any other is passed on.
KINDS = {
    "join-program": "join",
    "place-order": "order",
    "submit-review": "review",
    "refer-friend": "referral",
    "social-follow": "social_follow",
}


class EarningRule(Schema, frozen=True):
    """A way to earn points."""

    id: Annotated[str, described("Names it when it is completed")]
    name: Annotated[str, described("What to call it")]
    kind: Annotated[str, described("What the shopper does, such as `order` or `social_follow`; other words may come")]
    points: Annotated[int | None, described("What it pays, where that is points")] = None
    per_spend: Annotated[bool | None, described("True where the points are for each unit of money spent")] = None
    url: Annotated[str | None, described("Where to do it, such as a profile to follow")] = None
    completed: Annotated[
        bool | None,
        described("Whether this member has done it; told to members only, and where the program tells"),
    ] = None

    @classmethod
    def from_okendo(cls, rule: replies.EarningRule) -> Self:
        return cls(
            id=rule.id,
            name=_name(rule),
            kind=KINDS.get(rule.kind, rule.kind),
            points=whole(rule.points),
            per_spend=rule.calculation in {"points-per-spend", "points-per"} or None,
            url=safe_link(rule.url),
            completed=rule.is_completed,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05",
            name="Follow us",
            kind="social_follow",
            points=50,
            url="https://social.example/our-shop",
        )


def _name(rule: replies.EarningRule | replies.RedemptionRule) -> str:
    return rule.name or rule.kind.replace("-", " ").capitalize()


class Tier(Schema, frozen=True):
    """A rank among members, reached by spending."""

    name: Annotated[str, described("What to call it")]
    spend: Annotated[float, described("What a member spends to get there")]
    perks: Annotated[tuple[str, ...], described("What comes with it, each in words")]

    @classmethod
    def from_okendo(cls, tier: replies.Tier) -> Self:
        """A perk is a text, or an object with a title and a description; anything else is left out."""
        texts = (
            perk.get("title") or perk.get("description") if isinstance(perk, dict) else perk for perk in tier.perks
        )
        perks = tuple(strip_html(text) for text in texts if isinstance(text, str) and text)
        return cls(name=tier.name, spend=tier.spend, perks=perks)

    @classmethod
    def example(cls) -> Self:
        return cls(name="Bronze", spend=0, perks=("Birthday gift",))


class CanRedeem(Schema, frozen=True):
    state: Annotated[
        Literal["ready", "insufficient_points", "tier_required", "not_enrolled", "limit_reached", "unavailable"],
        described("`ready`: it can be redeemed. Any other word says why it cannot"),
    ]
    missing_points: Annotated[int | None, described("How many more points it takes, with `insufficient_points`")] = None
    required_tier: Annotated[str | None, described("Name of the tier it takes, with `tier_required`")] = None

    @classmethod
    def from_okendo(cls, rule: replies.RedemptionRule, customer: replies.Customer, ladder: list[str]) -> Self:
        """`ladder` are the names of the tiers, lowest first."""
        if customer.state != "enrolled":
            return cls(state="not_enrolled")
        if rule.points is None:
            return cls(state="unavailable")
        if rule.limit_reached or (rule.remaining is not None and rule.remaining <= 0):
            return cls(state="limit_reached")
        if rule.required_tier and not _reaches(customer.tier, rule.required_tier, ladder):
            return cls(state="tier_required", required_tier=rule.required_tier)
        if customer.balance < rule.points:
            return cls(state="insufficient_points", missing_points=math.ceil(rule.points - customer.balance))
        return cls(state="unavailable" if rule.eligible is False else "ready")


def _reaches(tier: str | None, required: str, ladder: list[str]) -> bool:
    if tier in ladder and required in ladder:
        return ladder.index(tier) >= ladder.index(required)
    return tier == required


class Reward(Schema, frozen=True):
    """Something that points can buy."""

    id: Annotated[str, described("Names it when it is redeemed")]
    name: Annotated[str, described("What to call it")]
    kind: Annotated[str, described("The program's word for what it gives, such as `fixed-value`; other words may come")]
    points: Annotated[int, described("What it costs")]
    description: Annotated[str | None, described("More about it")] = None
    minimum_spend: Annotated[
        str | None,
        described("What an order has to come to; an amount without its currency"),
    ] = None
    expires_after_days: Annotated[int | None, described("Days that the coupon will be good for")] = None
    can_redeem: Annotated[
        CanRedeem | None,
        described("Whether this member can redeem it now; told to members only"),
    ] = None

    @classmethod
    def from_okendo(cls, rule: replies.RedemptionRule, can_redeem: CanRedeem | None) -> Self:
        return cls(
            id=rule.id,
            name=_name(rule),
            kind=rule.kind,
            points=whole(rule.points) or 0,
            description=rule.description,
            minimum_spend=amount(rule.minimum_spend),
            expires_after_days=rule.expires_after_days,
            can_redeem=can_redeem,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01",
            name="$5 off your order",
            kind="fixed-value",
            points=500,
            minimum_spend="30",
            expires_after_days=90,
        )

    @classmethod
    def example_for_member(cls) -> Self:
        ready = CanRedeem(state="ready")
        return msgspec.structs.replace(cls.example(), minimum_spend=None, expires_after_days=None, can_redeem=ready)


class Faq(Schema, frozen=True):
    question: Annotated[str, described("Plain text")]
    answer_html: Annotated[str, described("HTML, sanitised")]

    @classmethod
    def from_okendo(cls, faq: replies.Faq) -> Self:
        return cls(question=faq.question, answer_html=sanitize_html(faq.answer))

    @classmethod
    def example(cls) -> Self:
        return cls(question="Do points expire?", answer_html="<p>After one year.</p>")


class Rewards(Schema, frozen=True):
    rewards: Annotated[list[Reward], described("What points can buy")]

    @classmethod
    def example(cls) -> Self:
        return cls([Reward.example()])

    @classmethod
    def example_for_member(cls) -> Self:
        return cls([Reward.example_for_member()])


class EarningRules(Schema, frozen=True):
    earning_rules: Annotated[list[EarningRule], described("The ways to earn points")]

    @classmethod
    def example(cls) -> Self:
        return cls([EarningRule.example()])

    @classmethod
    def example_for_member(cls) -> Self:
        return cls([msgspec.structs.replace(EarningRule.example(), completed=False)])


class Tiers(Schema, frozen=True):
    tiers: Annotated[list[Tier], described("Lowest first")]

    @classmethod
    def example(cls) -> Self:
        return cls([Tier.example(), Tier(name="Silver", spend=300, perks=("Birthday gift", "Early access"))])


class Faqs(Schema, frozen=True):
    faqs: Annotated[list[Faq], described("In the program's order")]

    @classmethod
    def example(cls) -> Self:
        return cls([Faq.example()])


class Program(Schema, frozen=True):
    earning_rules: Annotated[list[EarningRule], described("The ways to earn points")]
    rewards: Annotated[list[Reward], described("What points can buy")]
    tiers: Annotated[list[Tier], described("Lowest first")]

    @classmethod
    def example(cls) -> Self:
        return cls(earning_rules=[EarningRule.example()], rewards=[Reward.example()], tiers=Tiers.example().tiers)
