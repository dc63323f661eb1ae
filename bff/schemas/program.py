"""The public program: ways to earn, rewards, tiers, questions, policies."""

import hashlib
import html
from typing import Literal, Self

import msgspec
import nh3

from bff.errors import UpstreamFailed
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


def _name(rule: replies.EarningRule | replies.RedemptionRule) -> str:
    return rule.name or rule.kind.replace("-", " ").capitalize()


class Tier(Schema, frozen=True):
    """A rank among members, reached by spending."""

    name: str
    spend: float
    perks: tuple[str, ...]

    @classmethod
    def from_okendo(cls, tier: replies.Tier) -> Self:
        """A perk is a text, or an object with a title and a description; anything else is left out."""
        texts = (
            perk.get("title") or perk.get("description") if isinstance(perk, dict) else perk for perk in tier.perks
        )
        perks = tuple(strip_html(text) for text in texts if isinstance(text, str) and text)
        return cls(name=tier.name, spend=tier.spend, perks=perks)


class CanRedeem(Schema, frozen=True):
    state: Literal["ready", "insufficient_points", "tier_required", "not_enrolled", "limit_reached", "unavailable"]
    missing_points: int | None = None
    required_tier: str | None = None

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
            return cls(state="insufficient_points", missing_points=int(rule.points - customer.balance))
        return cls(state="unavailable" if rule.eligible is False else "ready")


def _reaches(tier: str | None, required: str, ladder: list[str]) -> bool:
    if tier in ladder and required in ladder:
        return ladder.index(tier) >= ladder.index(required)
    return tier == required


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


class Faq(Schema, frozen=True):
    question: str
    answer_html: str

    @classmethod
    def from_okendo(cls, faq: replies.Faq) -> Self:
        return cls(question=faq.question, answer_html=sanitize_html(faq.answer))


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

    @classmethod
    def from_okendo(cls, policies: replies.LegalPolicies) -> Self:
        """The digest covers version, button, words and links as the vendor sent them, before they are sanitised, so
        that any change of any of them is a change. Raises UpstreamFailed when there is nothing to show."""
        sentence = sanitize_html(policies.sentence_html or _from_template(policies))
        visible = html.unescape(nh3.clean(sentence, tags=set()))
        if not visible.strip() or not policies.button_text.strip():
            raise UpstreamFailed("Okendo's legal policies have no text.", sent=True)
        sent = msgspec.json.encode(policies, order="deterministic")
        return cls(
            version=policies.version,
            button_text=policies.button_text,
            sentence_html=sentence,
            digest=hashlib.sha256(sent).hexdigest(),
            privacy_policy_url=safe_link(policies.privacy_policy_url),
            terms_and_conditions_url=safe_link(policies.terms_and_conditions_url),
        )


def _from_template(policies: replies.LegalPolicies) -> str:
    """The template's placeholder syntax is not public: {{name}}, {name} and ${name} are filled."""
    words = html.escape(policies.sentence_template or "")
    links = {
        "privacyPolicyUrl": (policies.privacy_policy_url, "Privacy policy"),
        "termsAndConditionsUrl": (policies.terms_and_conditions_url, "Terms and conditions"),
    }
    for name, (url, label) in links.items():
        anchor = f'<a href="{html.escape(url or "")}">{label}</a>'
        for placeholder in (f"{{{{{name}}}}}", f"${{{name}}}", f"{{{name}}}"):
            words = words.replace(placeholder, anchor)
    return words
