"""What we keep of Okendo's replies, and under which names their fields may come."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from bff.vendors.okendo.row import Expiry, Id, Names, Reply, Text


class LegalPolicies(Reply, frozen=True):
    """The legal texts of the program, word for word; `version` is echoed to the vendor with its own type."""

    version: str | int | float
    button_text: str
    sentence_html: str | None = None
    sentence_template: str | None = None
    privacy_policy_url: str | None = None
    terms_and_conditions_url: str | None = None


class EarningRule(Reply, frozen=True):
    id: Id
    name: Text = ""
    kind: str = "custom"
    calculation: str | None = None
    points: float | None = None
    url: str | None = None
    completed: bool | Literal["completed", "complete", "incomplete", "pending"] | None = None


class RedemptionRule(Reply, frozen=True):
    id: Id
    name: Text = ""
    kind: str = "unknown"
    points: float | None = None
    description: Text | None = None
    minimum_spend: str | float | None = None
    expires_after_days: int | None = None
    required_tier: Text | None = None
    eligible: bool | None = None
    limit_reached: bool | None = None
    remaining: int | None = None


class Tier(Reply, frozen=True):
    name: Text
    spend: float = 0
    perks: tuple[Any, ...] = ()


class Faq(Reply, frozen=True):
    question: Text
    answer: str = ""


class Login(Reply, frozen=True):
    """`token` is the loyalty customer JWT: a secret."""

    token: Annotated[str, msgspec.Meta(min_length=1)]
    state: str = "pending"


class Customer(Reply, frozen=True):
    balance: float
    state: str = "pending"
    pending: float | None = None
    tier: Text | None = None
    birthday_day: int | None = None
    birthday_month: int | None = None
    referral_sender_id: Id | None = None
    referral_url: str | None = None
    email: str | None = None


class Redeemed(Reply, frozen=True):
    """A success with `code` is a coupon, one with `store_credit` is in the member's account already."""

    transaction_id: Id | None = None
    code: str | None = None
    description: Text | None = None
    expires_at: Expiry | None = None
    points: float | None = None
    store_credit: str | float | None = None
    currency: str | None = None


class Earned(Reply, frozen=True):
    """What a completed earning rule paid: a coupon with `code`, store credit, or else points."""

    points: float | None = None
    code: str | None = None
    description: Text | None = None
    expires_at: Expiry | None = None
    store_credit: str | float | None = None
    currency: str | None = None


class Spend(Reply, frozen=True):
    """Money spent in the period that decides about the tier."""

    amount: float
    currency: str | None = None


class Transaction(Reply, frozen=True):
    """Points that came or went. The sign of a redemption's `points` is not known: `kind` tells."""

    id: Id
    kind: str = ""
    points: float | None = None
    date: datetime | None = None
    status: str = "complete"
    text: Text = ""
    reward: Id | None = None
    code: str | None = None
    description: Text | None = None
    expires_at: Expiry | None = None
    store_credit: str | float | None = None
    currency: str | None = None


class Referral(Reply, frozen=True):
    status: str = "sent"
    date: datetime | None = None


class ReferralCount(Reply, frozen=True):
    count: int = 0


class ReferralSender(Reply, frozen=True):
    id: Id
    url: str


class MerchantCustomer(Reply, frozen=True):
    """`pending` points count as soon as they are given, where the vendor tells them apart."""

    balance: float
    pending: float = 0


class Awarded(Reply, frozen=True):
    """What a custom earning rule gave."""

    points: float | None = None


class Nothing(Reply, frozen=True):
    """An answer whose body is empty or unknown: only its success counts."""


EARNING_RULE: Names = {
    "id": ("earningRuleId", "ruleId", "id"),
    "name": ("title", "name"),
    "kind": ("action", "type"),
    "calculation": ("type",),
    "points": ("amount", "points", "amountForReview"),
    "url": ("url", "socialUrl"),
    "completed": ("isCompleted", "completed", "completionStatus", "status"),
}
REDEMPTION_RULE: Names = {
    "id": ("redemptionRuleId", "ruleId", "id"),
    "name": ("title", "name"),
    "kind": ("type",),
    "points": ("reward.points", "reward.pointsRequired", "reward.cost", "pointsRequired", "points"),
    "description": ("description", "reward.description"),
    "minimum_spend": ("minimumPurchase.amount", "minimumPurchase"),
    "expires_after_days": ("expiresAfterDays",),
    "required_tier": ("requiredVipTierName", "minimumVipTierName", "vipTierName", "vipTier.name"),
    "eligible": ("isEligible", "eligible"),
    "limit_reached": ("isLimitReached", "limitReached", "hasReachedLimit"),
    "remaining": ("remainingRedemptions", "redemptionsRemaining"),
}
STATUS_NAMES = ("status", "state")
NEXT = ("nextUrl", "lastEvaluated", "nextToken", "nextPageToken")
