"""The public program: ways to earn, rewards, tiers, questions."""

import math
import re
from typing import Annotated, Any, Literal, Self

import msgspec

from bff.schemas.base import Schema, described, price
from bff.schemas.cart import CartFit, CartReading
from bff.schemas.money import Money
from bff.schemas.worth import Gives, Value
from bff.vendors.okendo import replies
from bff.vendors.sanitize import plain_words, safe_link, sanitize_html

# What Okendo calls the things a shopper does is not public; these are likely names, and any other is passed on.
KINDS = {
    "join-program": "join",
    "place-order": "order",
    "submit-review": "review",
    "refer-friend": "referral",
    "social-follow": "social_follow",
}
COLOUR = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.ASCII)


class EarningRule(Schema, frozen=True):
    """A way to earn points."""

    id: Annotated[str, described("Names it when it is completed")]
    name: Annotated[str, described("What to call it")]
    kind: Annotated[str, described("What the shopper does, such as `order` or `social_follow`; other words may come")]
    gives: Annotated[Gives | None, described("What the shopper gets for it, where the program tells")] = None
    points: Annotated[int | None, described("How many points, where it is so many at once")] = None
    url: Annotated[str | None, described("Where to do it, such as a profile to follow")] = None
    completed: Annotated[
        bool | None,
        described("Whether this member has done it; told to members only, and where the program tells"),
    ] = None

    @classmethod
    def from_okendo(cls, rule: replies.EarningRule) -> Self:
        gives = Gives.from_okendo(rule)
        return cls(
            id=rule.id,
            name=_name(rule),
            kind=KINDS.get(rule.kind, rule.kind),
            gives=gives,
            points=gives.points if gives is not None and gives.kind == "points" else None,
            url=safe_link(rule.url),
            completed=rule.is_completed,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05",
            name="Follow us",
            kind="social_follow",
            gives=Gives.example(),
            points=50,
            url="https://social.example/our-shop",
        )


def _name(rule: replies.EarningRule | replies.RedemptionRule) -> str:
    return rule.name or rule.kind.replace("-", " ").capitalize()


class Perk(Schema, frozen=True):
    """Something that comes with a tier."""

    name: Annotated[str, described("What to call it")]
    description: Annotated[str | None, described("More about it")] = None

    @classmethod
    def from_okendo(cls, perk: Any) -> Self | None:
        """It comes as a text, or as an object with a title, a description or both; None for anything else."""
        given = perk if isinstance(perk, dict) else {"title": perk}
        texts = (given.get("title") or given.get("name"), given.get("description"))
        words = [plain_words(text) for text in texts if isinstance(text, str) and plain_words(text)]
        return cls(name=words[0], description=words[1] if len(words) > 1 else None) if words else None


class Tier(Schema, frozen=True):
    """A rank among members, reached by spending."""

    id: Annotated[str, described("Names it; its name where the program has nothing else")]
    name: Annotated[str, described("What to call it")]
    perks: Annotated[list[Perk], described("What comes with it")]
    spend: Annotated[Money | None, described("What a member spends to get there, where the program tells")] = None
    colour: Annotated[
        str | None, described("The program's own, in hexadecimal digits", pattern="^#([0-9a-f]{3}|[0-9a-f]{6})$")
    ] = None
    icon_url: Annotated[str | None, described("Address of its icon")] = None
    multiplier: Annotated[float | None, described("Points are times as many, where the program tells")] = None

    @classmethod
    def from_okendo(cls, tier: replies.Tier) -> Self:
        colour = (tier.colour or "").lower()
        return cls(
            id=tier.id or tier.name,
            name=tier.name,
            perks=[perk for given in tier.perks if (perk := Perk.from_okendo(given))],
            spend=Money.of(tier.spend, tier.currency),
            colour=colour if COLOUR.fullmatch(colour) else None,
            icon_url=safe_link(tier.icon_url),
            multiplier=tier.multiplier if tier.multiplier is not None and tier.multiplier > 0 else None,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c02",
            name="Silver",
            perks=[Perk(name="Early access", description="Shop sales one day before everyone else.")],
            spend=Money(amount="300.00", currency_code="USD"),
            colour="#8d99a6",
            icon_url="https://shop.example.com/tiers/silver.png",
        )


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
    points: Annotated[int | None, described("What it costs, where the program tells")] = None
    value: Annotated[Value | None, described("What it is worth, where the program tells")] = None
    image_url: Annotated[str | None, described("Address of a picture of it")] = None
    description: Annotated[str | None, described("More about it")] = None
    minimum_spend: Annotated[Money | None, described("What an order has to come to")] = None
    expires_after_days: Annotated[int | None, described("Days that the coupon will be good for")] = None
    can_redeem: Annotated[
        CanRedeem | None,
        described("Whether this member can redeem it now; told to members only"),
    ] = None
    fits_cart: Annotated[
        CartFit | None,
        described("Whether its coupon would count in the cart that was asked about, where that is known"),
    ] = None

    @classmethod
    def from_okendo(cls, rule: replies.RedemptionRule, can_redeem: CanRedeem | None) -> Self:
        return cls(
            id=rule.id,
            name=_name(rule),
            kind=rule.kind,
            points=price(rule.points),
            value=Value.of(rule.kind, rule.value, rule.currency, award=rule.award, product=rule.product),
            image_url=safe_link(rule.image_url),
            description=rule.description,
            minimum_spend=Money.of(rule.minimum_spend, rule.minimum_spend_currency),
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
            value=Value.example(),
            minimum_spend=Money.example(),
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
    cart: Annotated[CartReading | None, described("With `cartId`: whether that cart could be read")] = None

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
        bronze = Tier(id="5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c01", name="Bronze", perks=[Perk(name="Birthday gift")])
        return cls([bronze, Tier.example()])


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
