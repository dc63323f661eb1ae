"""The public program: ways to earn, rewards, tiers, questions, policies."""

from typing import Any, Literal

import msgspec

from bff.schemas.base import Schema, amount, whole
from bff.vendors.okendo import replies
from bff.vendors.sanitize import safe_link, sanitize_html, strip_html

# Okendo's words for what a shopper does are not public; these are likely ones, and any other is passed on.
KINDS = {
    "join-program": "join",
    "place-order": "order",
    "submit-review": "review",
    "refer-friend": "referral",
    "social-follow": "social_follow",
}


class EarningRule(Schema, frozen=True):
    """A way to earn points."""

    id: str
    name: str
    kind: str
    points: int | None = None
    per_spend: bool | None = None
    url: str | None = None
    completed: bool | None = None


def earning_rule_of(rule: replies.EarningRule) -> EarningRule:
    return EarningRule(
        id=rule.id,
        name=rule.name or rule.kind.replace("-", " ").capitalize(),
        kind=KINDS.get(rule.kind, rule.kind),
        points=whole(rule.points),
        per_spend=rule.calculation in {"points-per-spend", "points-per"} or None,
        url=safe_link(rule.url),
        completed=is_completed(rule),
    )


def is_completed(rule: replies.EarningRule) -> bool | None:
    """Whether the member has done it; None where the vendor does not say."""
    return rule.completed in {"completed", "complete"} if isinstance(rule.completed, str) else rule.completed


class Tier(Schema, frozen=True):
    """A rank among members, reached by spending."""

    name: str
    spend: float
    perks: tuple[str, ...]


def tier_of(tier: replies.Tier) -> Tier:
    return Tier(name=tier.name, spend=tier.spend, perks=perks_of(tier.perks))


def perks_of(given: tuple[Any, ...]) -> tuple[str, ...]:
    """A perk is a text, or an object with a title and a description; anything else is left out."""
    texts = (perk.get("title") or perk.get("description") if isinstance(perk, dict) else perk for perk in given)
    return tuple(strip_html(text) for text in texts if isinstance(text, str) and text)


class CanRedeem(Schema, frozen=True):
    state: Literal["ready", "insufficient_points", "tier_required", "not_enrolled", "limit_reached", "unavailable"]
    missing_points: int | None = None
    required_tier: str | None = None


class Reward(Schema, frozen=True):
    """Something that points can buy."""

    id: str
    name: str
    kind: str
    points: int
    description: str | None = None
    minimum_spend: str | None = None
    expires_after_days: int | None = None
    can_redeem: CanRedeem | None = None


def reward_of(rule: replies.RedemptionRule, can_redeem: CanRedeem | None) -> Reward:
    return Reward(
        id=rule.id,
        name=rule.name or rule.kind.replace("-", " ").capitalize(),
        kind=rule.kind,
        points=whole(rule.points) or 0,
        description=rule.description,
        minimum_spend=amount(rule.minimum_spend),
        expires_after_days=rule.expires_after_days,
        can_redeem=can_redeem,
    )


def can_redeem_of(rule: replies.RedemptionRule, customer: replies.Customer, ladder: list[str]) -> CanRedeem:
    if customer.state != "enrolled":
        return CanRedeem(state="not_enrolled")
    if rule.points is None:
        return CanRedeem(state="unavailable")
    if rule.limit_reached or (rule.remaining is not None and rule.remaining <= 0):
        return CanRedeem(state="limit_reached")
    if rule.required_tier and not _reaches(customer.tier, rule.required_tier, ladder):
        return CanRedeem(state="tier_required", required_tier=rule.required_tier)
    if customer.balance < rule.points:
        return CanRedeem(state="insufficient_points", missing_points=int(rule.points - customer.balance))
    return CanRedeem(state="unavailable" if rule.eligible is False else "ready")


def _reaches(tier: str | None, required: str, ladder: list[str]) -> bool:
    if tier in ladder and required in ladder:
        return ladder.index(tier) >= ladder.index(required)
    return tier == required


class Faq(Schema, frozen=True):
    question: str
    answer_html: str


def faq_of(faq: replies.Faq) -> Faq:
    return Faq(question=faq.question, answer_html=sanitize_html(faq.answer))


class Rewards(msgspec.Struct, frozen=True):
    rewards: list[Reward]


class EarningRules(msgspec.Struct, frozen=True, rename="camel"):
    earning_rules: list[EarningRule]


class Tiers(msgspec.Struct, frozen=True):
    tiers: list[Tier]


class Faqs(msgspec.Struct, frozen=True):
    faqs: list[Faq]


class Program(Schema, frozen=True):
    earning_rules: list[EarningRule]
    rewards: list[Reward]
    tiers: list[Tier]


class LegalPolicies(Schema, frozen=True):
    """What a shopper agrees to by joining."""

    version: str | int | float
    button_text: str
    sentence_html: str
    digest: str
    privacy_policy_url: str | None = None
    terms_and_conditions_url: str | None = None
