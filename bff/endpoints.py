"""Every Okendo operation we use: the shapes of its answers and one row of data each.

A row says how a call is made and under which names its answer may come; `label` says how sure we are of that.
`okendo.py` turns rows into calls, OKENDO_OVERRIDES corrects any of them without code.
Sources: Okendo's Storefront API 2025-02-01, https://docs.okendo.io/on-site/storefront-rest-api/endpoints/loyalty
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

Reply = TypeVar("Reply")
Item = TypeVar("Item")
Label = Literal["documented", "inferred", "guessed"]
Names = Mapping[str, tuple[str, ...]]
# Text for us; a vendor may write a number.
Id = Annotated[str, "id"]
# Words to be shown as they are: whatever HTML a merchant's editor left in them is not part of them.
Text = Annotated[str, "text"]
# A day alone lasts until its end; any other time that is a day alone is its beginning.
Expiry = Annotated[datetime, "end"]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What we keep of a vendor's object; a field without default is one we cannot do without."""


class LegalPolicies(Shape, frozen=True):
    """The legal texts of the program, word for word; `version` is echoed to the vendor with its own type."""

    version: str | int | float
    button_text: str
    sentence_html: str | None = None
    sentence_template: str | None = None
    privacy_policy_url: str | None = None
    terms_and_conditions_url: str | None = None


class EarningRule(Shape, frozen=True):
    id: Id
    name: Text = ""
    kind: str = "custom"
    calculation: str | None = None
    points: float | None = None
    url: str | None = None
    completed: bool | Literal["completed", "complete", "incomplete", "pending"] | None = None


class RedemptionRule(Shape, frozen=True):
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


class Tier(Shape, frozen=True):
    name: Text
    spend: float = 0
    perks: tuple[Any, ...] = ()


class Faq(Shape, frozen=True):
    question: Text
    answer: str = ""


class Login(Shape, frozen=True):
    """`token` is the loyalty customer JWT: a secret."""

    token: Annotated[str, msgspec.Meta(min_length=1)]
    state: str = "pending"


class Customer(Shape, frozen=True):
    balance: float
    state: str = "pending"
    pending: float | None = None
    tier: Text | None = None
    birthday_day: int | None = None
    birthday_month: int | None = None
    referral_sender_id: Id | None = None
    referral_url: str | None = None
    email: str | None = None


class Redeemed(Shape, frozen=True):
    """A success with `code` is a coupon, one with `store_credit` is in the member's account already."""

    transaction_id: Id | None = None
    code: str | None = None
    description: Text | None = None
    expires_at: Expiry | None = None
    points: float | None = None
    store_credit: str | float | None = None
    currency: str | None = None


class Earned(Shape, frozen=True):
    """What a completed earning rule paid: a coupon with `code`, store credit, or else points."""

    points: float | None = None
    code: str | None = None
    description: Text | None = None
    expires_at: Expiry | None = None
    store_credit: str | float | None = None
    currency: str | None = None


class Spend(Shape, frozen=True):
    """Money spent in the period that decides about the tier."""

    amount: float
    currency: str | None = None


class Transaction(Shape, frozen=True):
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


class Referral(Shape, frozen=True):
    status: str = "sent"
    date: datetime | None = None


class ReferralCount(Shape, frozen=True):
    count: int = 0


class ReferralSender(Shape, frozen=True):
    id: Id
    url: str


class MerchantCustomer(Shape, frozen=True):
    """`pending` points count as soon as they are given, where the vendor tells them apart."""

    balance: float
    pending: float = 0


class Awarded(Shape, frozen=True):
    """What a custom earning rule gave."""

    points: float | None = None


class Nothing(Shape, frozen=True):
    """An answer whose body is empty or unknown: only its success counts."""


class Page(Shape, Generic[Item], frozen=True):
    """Some items of a list, and the token that asks for the next ones, None at the end."""

    items: list[Item]
    next: str | None = None


class Row(msgspec.Struct, Generic[Reply], frozen=True, kw_only=True):
    """One operation. An argument goes where `path` has {its name}, else where `sends` names it as the vendor does
    (query of a GET, JSON body otherwise);
    `envelope` lists where the answer may lie, "" being the whole body; `names` lists aliases of each field as
    dotted paths inside it, and `next` where the token of a page's next one may lie."""

    name: str
    method: str
    path: str
    label: Label
    reply: type[Reply]
    sends: Mapping[str, str] = {}
    envelope: tuple[str, ...] = ("",)
    names: Names = {}
    next: tuple[str, ...] = ()


class Public(Row[Reply], frozen=True, kw_only=True):
    """A row whose answer is the same for everyone, so that it may be kept and shared."""


class ForStore(Row[Reply], frozen=True, kw_only=True):
    """A row that needs no member's JWT either, but answers about whoever is named in it: never kept, never shared."""


class ForMember(Row[Reply], frozen=True, kw_only=True):
    """A row that needs a member's JWT; its answer belongs to that member alone."""


class ForMerchant(Row[Reply], frozen=True, kw_only=True):
    """A row of the Merchant API, which takes the merchant's own key and no member's token. Its path is below
    `/enterprise`. https://docs.okendo.io/merchant-rest-api"""


LOCALISED = {"country": "countryCode", "language": "languageCode", "currency": "currencyCode"}

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

EARNING_RULES = Public(
    name="earning_rules",
    method="GET",
    path="/stores/{subscriberId}/loyalty/earning_rules",
    label="inferred",
    reply=list[EarningRule],
    envelope=("rules", "earningRules", ""),
    names=EARNING_RULE,
)
REDEMPTION_RULES = Public(
    name="redemption_rules",
    method="GET",
    path="/stores/{subscriberId}/loyalty/redemption_rules",
    label="inferred",
    reply=list[RedemptionRule],
    sends=LOCALISED,
    envelope=("rules", "redemptionRules", ""),
    names=REDEMPTION_RULE,
)
VIP_PROGRAM = Public(
    name="vip_program",
    method="GET",
    path="/stores/{subscriberId}/loyalty/vip_program",
    label="guessed",
    reply=list[Tier],
    envelope=("vipProgram.tiers", "vipTiers", "tiers", ""),
    names={"name": ("name", "title"), "spend": ("spendRequirement", "minimumSpend"), "perks": ("perks",)},
)
FAQS = Public(
    name="faqs",
    method="GET",
    path="/stores/{subscriberId}/loyalty/faqs",
    label="guessed",
    reply=list[Faq],
    envelope=("faqs", "faqItems", "items", ""),
    names={"question": ("question", "title"), "answer": ("answer", "content", "text")},
)
LEGAL_POLICIES = Public(
    name="legal_policies",
    method="GET",
    path="/stores/{subscriberId}/loyalty/legal_policies",
    label="documented",
    reply=LegalPolicies,
    envelope=("legalPolicies", ""),
    names={
        "version": ("version",),
        "button_text": ("acceptTermsAndJoinProgramButtonText",),
        "sentence_html": ("policySentence.html",),
        "sentence_template": ("policySentence.template",),
        "privacy_policy_url": ("privacyPolicyUrl",),
        "terms_and_conditions_url": ("termsAndConditionsUrl",),
    },
)
LOGIN = ForStore(
    name="login",
    method="POST",
    path="/stores/{subscriberId}/loyalty/login",
    label="documented",
    reply=Login,
    sends={
        "customer_account": "customerAccessToken",
        "storefront": "storefrontCustomerAccessToken",
        "storefront_public": "storefrontAccessToken",
    },
    names={
        "token": ("token", "accessToken", "customerToken", "jwt", "loyaltyToken"),
        "state": ("status", "customer.status", "loyaltyCustomer.status"),
    },
)
CUSTOMER = ForMember(
    name="customer",
    method="GET",
    path="/loyalty/customer",
    label="guessed",
    reply=Customer,
    envelope=("loyaltyCustomer", "customer", ""),
    names={
        "state": STATUS_NAMES,
        "balance": ("points.balance", "pointsBalance"),
        "pending": ("points.pending", "pointsPending"),
        "tier": ("vipTierName", "vipTier.name", "vipTier"),
        "birthday_day": ("birthday.day",),
        "birthday_month": ("birthday.month",),
        "referral_sender_id": ("referralSenderId",),
        "referral_url": ("shareableLinkUrl", "referralUrl", "referralSender.shareableLinkUrl"),
        "email": ("customer.email", "email"),
    },
)
CUSTOMER_ACTIVATION = ForMember(
    name="customer_activation",
    method="POST",
    path="/loyalty/customer_activation",
    label="documented",
    reply=Nothing,
    sends={"channel": "enrollmentChannel", "version": "legalPoliciesVersionAccepted"},
)
CUSTOMER_EARNING_RULES = ForMember(
    name="customer_earning_rules",
    method="GET",
    path="/loyalty/earning_rules",
    label="inferred",
    reply=list[EarningRule],
    envelope=("rules", "earningRules", ""),
    names=EARNING_RULE,
)
TRIGGER = ForMember(
    name="trigger",
    method="POST",
    path="/loyalty/earning_rules/{rule}/trigger",
    label="guessed",
    reply=Earned,
    names={
        "points": ("transaction.amount", "points", "amount"),
        "code": ("couponCode", "coupon.code", "reward.couponCode", "transaction.couponCode"),
        "description": ("coupon.description", "couponDescription"),
        "expires_at": ("coupon.expiryDate", "couponExpiryDate", "coupon.expiresAt"),
        "store_credit": ("storeCredit.amount", "storeCredit"),
        "currency": ("storeCredit.currencyCode",),
    },
)
BIRTHDAY = ForMember(
    name="birthday",
    method="PUT",
    path="/loyalty/customer_birthday",
    label="guessed",
    reply=Nothing,
    sends={"day": "day", "month": "month"},
)
CUSTOMER_REDEMPTION_RULES = ForMember(
    name="customer_redemption_rules",
    method="GET",
    path="/loyalty/redemption_rules",
    label="inferred",
    reply=list[RedemptionRule],
    sends=LOCALISED,
    envelope=("rules", "redemptionRules", ""),
    names=REDEMPTION_RULE,
)
REDEEM = ForMember(
    name="redeem",
    method="POST",
    path="/loyalty/redemptions",
    label="guessed",
    reply=Redeemed,
    sends={"reward": "redemptionRuleId"},
    names={
        "transaction_id": ("transaction.loyaltyTransactionId", "loyaltyTransactionId", "transaction.id"),
        "code": ("couponCode", "coupon.code", "reward.couponCode", "transaction.couponCode", "code"),
        "description": ("coupon.description", "couponDescription"),
        "expires_at": ("coupon.expiryDate", "couponExpiryDate", "coupon.expiresAt"),
        "points": ("pointsSpent", "transaction.amount"),
        "store_credit": ("storeCredit.amount", "storeCredit"),
        "currency": ("storeCredit.currencyCode",),
    },
)
TRANSACTIONS = ForMember(
    name="transactions",
    method="GET",
    path="/loyalty/transactions",
    label="guessed",
    reply=Page[Transaction],
    sends={"limit": "limit", "cursor": "lastEvaluated", "order": "orderBy"},
    envelope=("transactions", "loyaltyTransactions", "items", ""),
    names={
        "id": ("loyaltyTransactionId", "transactionId", "id"),
        "kind": ("type", "transactionType", "resourceType"),
        "points": ("amount", "points"),
        "date": ("date", "dateCreated", "createdAt"),
        "status": STATUS_NAMES,
        "text": ("notificationText", "description", "title"),
        "reward": ("redemptionRuleId", "redemptionRule.redemptionRuleId", "redemptionRule.id"),
        "code": ("couponCode", "coupon.code", "reward.couponCode"),
        "description": ("coupon.description", "couponDescription"),
        "expires_at": ("coupon.expiryDate", "couponExpiryDate", "coupon.expiresAt"),
        "store_credit": ("storeCredit.amount", "storeCredit"),
        "currency": ("storeCredit.currencyCode",),
    },
    next=NEXT,
)
SPEND = ForMember(
    name="spend",
    method="GET",
    path="/loyalty/customer_spend",
    label="guessed",
    reply=Spend,
    names={"amount": ("spend.amount", "spend", "amount"), "currency": ("spend.currencyCode", "currencyCode")},
)
REFERRAL_REQUEST = ForMember(
    name="referral_request",
    method="POST",
    path="/loyalty/referral_requests",
    label="guessed",
    reply=Nothing,
    sends={"email": "email", "sender": "referralSenderId"},
)
REFERRALS = ForMember(
    name="referrals",
    method="GET",
    path="/loyalty/referrals",
    label="guessed",
    reply=Page[Referral],
    sends={"cursor": "lastEvaluated"},
    envelope=("referrals", "items", ""),
    names={"status": STATUS_NAMES, "date": ("date", "dateCreated", "createdAt")},
    next=NEXT,
)
REFERRAL_COUNT = ForMember(
    name="referral_count",
    method="GET",
    path="/loyalty/referral_count",
    label="guessed",
    reply=ReferralCount,
    names={"count": ("count", "referralCount", "total")},
)
REFERRAL_SENDER = ForStore(
    name="referral_sender",
    method="POST",
    path="/stores/{subscriberId}/referral_senders",
    label="documented",
    reply=ReferralSender,
    sends={"email": "email"},
    names={"id": ("referralSenderId",), "url": ("shareableLinkUrl",)},
)
MERCHANT_CUSTOMER = ForMerchant(
    name="merchant_customer",
    method="GET",
    path="/loyalty/customers",
    label="documented",
    reply=MerchantCustomer,
    sends={"email": "email"},
    envelope=("loyaltyCustomer", ""),
    names={"balance": ("points.balance", "pointsBalance"), "pending": ("points.pending", "pointsPending")},
)
EARNING_TRANSACTIONS = ForMerchant(
    name="earning_transactions",
    method="POST",
    path="/loyalty/earning_transactions",
    label="guessed",
    reply=Awarded,
    sends={"email": "email", "rule": "earningRuleId", "value": "value"},
    names={"points": ("transaction.amount", "points", "amount")},
)

ROWS: Mapping[str, Row[Any]] = {
    row.name: row
    for row in (
        EARNING_RULES,
        REDEMPTION_RULES,
        VIP_PROGRAM,
        FAQS,
        LEGAL_POLICIES,
        LOGIN,
        CUSTOMER,
        CUSTOMER_ACTIVATION,
        CUSTOMER_EARNING_RULES,
        TRIGGER,
        BIRTHDAY,
        CUSTOMER_REDEMPTION_RULES,
        REDEEM,
        TRANSACTIONS,
        SPEND,
        REFERRAL_REQUEST,
        REFERRALS,
        REFERRAL_COUNT,
        REFERRAL_SENDER,
        MERCHANT_CUSTOMER,
        EARNING_TRANSACTIONS,
    )
}
