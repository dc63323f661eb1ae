"""What the storefront and the templates see: our own shapes, from which the OpenAPI document is made as well.

Points are whole numbers, times ISO 8601 in UTC, absent fields are left out. What each field means is in `wording`.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from bff.errors import Code

VisitorState = Literal["anonymous", "pending", "enrolled", "blocked"]
MemberState = Literal["pending", "enrolled", "blocked"]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Shown(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of every shape that leaves the service as JSON."""


class SessionState(Shown, frozen=True):
    state: VisitorState


class Points(Shown, frozen=True):
    balance: int
    pending: int | None = None


class Birthday(Shown, frozen=True):
    day: int
    month: int


class Member(Shown, frozen=True):
    """A shopper, as the program knows them."""

    state: MemberState
    points: Points
    tier: str | None = None
    name: str | None = None
    referral_url: str | None = None
    birthday: Birthday | None = None


class EarningRule(Shown, frozen=True):
    """A way to earn points."""

    id: str
    name: str
    kind: str
    points: int | None = None
    per_spend: bool | None = None
    url: str | None = None
    completed: bool | None = None


class CanRedeem(Shown, frozen=True):
    state: Literal["ready", "insufficient_points", "tier_required", "not_enrolled", "limit_reached", "unavailable"]
    missing_points: int | None = None
    required_tier: str | None = None


class Reward(Shown, frozen=True):
    """Something that points can buy."""

    id: str
    name: str
    kind: str
    points: int
    description: str | None = None
    minimum_spend: str | None = None
    expires_after_days: int | None = None
    can_redeem: CanRedeem | None = None


class Tier(Shown, frozen=True):
    """A rank among members, reached by spending."""

    name: str
    spend: float
    perks: tuple[str, ...]


class Faq(Shown, frozen=True):
    question: str
    answer_html: str


class Program(Shown, frozen=True):
    earning_rules: list[EarningRule]
    rewards: list[Reward]
    tiers: list[Tier]


class LegalPolicies(Shown, frozen=True):
    """What a shopper agrees to by joining."""

    version: str | int | float
    button_text: str
    sentence_html: str
    digest: str
    privacy_policy_url: str | None = None
    terms_and_conditions_url: str | None = None


class RedeemedReward(Shown, frozen=True):
    id: str
    name: str


class Coupon(Shown, frozen=True):
    """A code that makes an order cheaper."""

    code: str
    apply_url: str
    description: str | None = None
    expires_at: Moment | None = None


class Result(Shown, frozen=True):
    """What a completed way to earn paid: points, a coupon, or store credit. How much, or which coupon, is absent where
    the program did not say; the member's activity has it."""

    kind: Literal["points", "coupon", "store_credit"]
    points: int | None = None
    coupon: Coupon | None = None
    store_credit: str | None = None


class Completion(Shown, frozen=True):
    result: Result
    member: Member


class Wallet(Shown, frozen=True):
    coupons: list[Coupon]


class Transaction(Shown, frozen=True):
    id: str
    kind: str
    description: str
    status: str
    points: int | None = None
    date: Moment | None = None
    coupon: Coupon | None = None
    store_credit: str | None = None


class Activity(Shown, frozen=True, omit_defaults=False):
    activity: list[Transaction]
    next: str | None


class NextTier(Shown, frozen=True):
    name: str
    spend: float
    missing_spend: str | None = None


class TierProgress(Shown, frozen=True):
    """How far the member has come, and how far it is to the next tier."""

    tier: str | None = None
    spend: str | None = None
    currency: str | None = None
    next_tier: NextTier | None = None


class Redemption(Shown, frozen=True):
    """A reward that was asked for under one key, and what came of it."""

    key: str
    state: Literal["working", "succeeded", "failed", "unknown"]
    reward: RedeemedReward
    points: int
    coupon: Coupon | None = None
    store_credit: str | None = None
    support_reference: str | None = None
    reason: str | None = None


class Referral(Shown, frozen=True):
    status: str
    date: Moment | None = None


class Referrals(Shown, frozen=True):
    referrals: list[Referral]
    next: str | None
    count: int | None = None
    url: str | None = None


class Retailer(Shown, frozen=True):
    id: str
    name: str


class LinkedAccount(Shown, frozen=True):
    id: str
    retailer: Retailer
    state: Literal["initialized", "active", "unauthenticated", "disconnected"]


class RetailAward(Shown, frozen=True):
    event: Literal["account.linked", "purchase.created"]
    name: str
    retailer: Retailer
    state: Literal["working", "given"]
    date: Moment
    points: int | None = None
    spend: str | None = None


class Retailers(Shown, frozen=True):
    retailers: list[LinkedAccount]
    available: list[Retailer] | None = None
    awards: list[RetailAward] = []


class LinkAddress(Shown, frozen=True):
    link_url: str


class Visitor(Shown, frozen=True):
    """Who is looking. `name` is for greeting only."""

    state: VisitorState
    name: str | None = None


class ProblemDetails(Shown, frozen=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: Code
    request_id: str
    retryable: bool
