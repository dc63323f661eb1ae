"""From Okendo's shapes to ours: what is shown of a member, a reward, a way to earn. Nothing else passes through."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from bff import endpoints
from bff.catalogue import safe_link
from bff.shapes import (
    Birthday,
    CanRedeem,
    Coupon,
    EarningRule,
    Faq,
    Member,
    MemberState,
    NextTier,
    Points,
    Reward,
    Tier,
    TierProgress,
    Transaction,
)
from bff.words import plain, sanitised

# Okendo's words for what a shopper does are not public; these are likely ones, and any other is passed on.
KINDS = {
    "join-program": "join",
    "place-order": "order",
    "submit-review": "review",
    "refer-friend": "referral",
    "social-follow": "social_follow",
}


def earning_rule_of(rule: endpoints.EarningRule) -> EarningRule:
    return EarningRule(
        id=rule.id,
        name=rule.name or rule.kind.replace("-", " ").capitalize(),
        kind=KINDS.get(rule.kind, rule.kind),
        points=whole(rule.points),
        per_spend=rule.calculation in {"points-per-spend", "points-per"} or None,
        url=safe_link(rule.url),
        completed=is_completed(rule),
    )


def is_completed(rule: endpoints.EarningRule) -> bool | None:
    """Whether the member has done it; None where the vendor does not say."""
    return rule.completed in {"completed", "complete"} if isinstance(rule.completed, str) else rule.completed


def tier_of(tier: endpoints.Tier) -> Tier:
    return Tier(name=tier.name, spend=tier.spend, perks=perks_of(tier.perks))


def perks_of(given: tuple[Any, ...]) -> tuple[str, ...]:
    """A perk is a text, or an object with a title and a description; anything else is left out."""
    texts = (perk.get("title") or perk.get("description") if isinstance(perk, dict) else perk for perk in given)
    return tuple(plain(text) for text in texts if isinstance(text, str) and text)


def member_of(customer: endpoints.Customer, name: str | None) -> Member:
    birthday = None
    if customer.birthday_day is not None and customer.birthday_month is not None:
        birthday = Birthday(day=customer.birthday_day, month=customer.birthday_month)
    return Member(
        state=member_state(customer.state),
        points=Points(balance=whole(customer.balance) or 0, pending=whole(customer.pending)),
        tier=customer.tier,
        name=name,
        referral_url=safe_link(customer.referral_url),
        birthday=birthday,
    )


def member_state(state: str) -> MemberState:
    """Unknown words count as `pending`: nothing that needs a member is offered, and Okendo decides about joining."""
    return "enrolled" if state == "enrolled" else "blocked" if state == "blocked" else "pending"


def whole(points: float | None) -> int | None:
    return None if points is None else int(points)


def amount(money: str | float | None) -> str | None:
    """An amount to the last cent, without idle zeros; the vendor does not say in which currency."""
    if not isinstance(money, int | float):
        return money
    return f"{money:.3f}".rstrip("0").rstrip(".")


def reward_of(rule: endpoints.RedemptionRule, can_redeem: CanRedeem | None) -> Reward:
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


def can_redeem_of(rule: endpoints.RedemptionRule, customer: endpoints.Customer, ladder: list[str]) -> CanRedeem:
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


def faq_of(faq: endpoints.Faq) -> Faq:
    return Faq(question=faq.question, answer_html=sanitised(faq.answer))


def coupon_of(found: endpoints.Earned | endpoints.Transaction, apply_url: str) -> Coupon:
    """The coupon of something that has a code; `apply_url` has {code} in it."""
    return coupon(found.code or "", apply_url, found.description, found.expires_at)


def coupon(code: str, apply_url: str, description: str | None, expires_at: datetime | None) -> Coupon:
    address = apply_url.replace("{code}", quote(code, safe=""))
    return Coupon(code=code, apply_url=address, description=description, expires_at=expires_at)


def is_redemption(transaction: endpoints.Transaction) -> bool:
    """Whether points were spent: by its kind, or where the vendor does not say, by what was given for them."""
    kind = transaction.kind.casefold()
    given = transaction.code is not None or transaction.store_credit is not None
    return "redempt" in kind or "redeem" in kind or (not kind and given)


def transaction_of(transaction: endpoints.Transaction, apply_url: str) -> Transaction:
    """The sign of a redemption's points is not public, so it follows from the kind."""
    points = whole(transaction.points)
    if points is not None and is_redemption(transaction):
        points = -abs(points)
    credit = amount(transaction.store_credit)
    return Transaction(
        id=transaction.id,
        kind=transaction.kind or "other",
        description=transaction.text,
        status=transaction.status,
        points=points,
        date=transaction.date,
        coupon=coupon_of(transaction, apply_url) if transaction.code else None,
        store_credit=None if credit is None else f"{credit} {transaction.currency or ''}".strip(),
    )


def tier_progress_of(tier: str | None, tiers: list[endpoints.Tier], spend: endpoints.Spend | None) -> TierProgress:
    """How far it is to the next tier of the ladder (lowest first), as far as the vendor tells what was spent."""
    names = [one.name for one in tiers]
    above = tiers[names.index(tier) + 1 :] if tier in names else tiers
    following = next(iter(above), None)
    next_tier = None
    if following is not None:
        missing = None if spend is None else amount(max(0.0, following.spend - spend.amount))
        next_tier = NextTier(name=following.name, spend=following.spend, missing_spend=missing)
    return TierProgress(
        tier=tier,
        spend=None if spend is None else amount(spend.amount),
        currency=None if spend is None else spend.currency,
        next_tier=next_tier,
    )
