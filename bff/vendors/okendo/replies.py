"""What we keep of Okendo's replies: each field beside the names under which Okendo may send it."""

from typing import Annotated, Any, Literal

import msgspec

from bff.vendors.okendo.fields import Expiry, Id, Names, ReadAs, Reply, Text, Time, Word

STATUS = Names("status", "state")
DATE = Names("date", "dateCreated", "createdAt")
COUPON_CODE = ("couponCode", "coupon.code", "reward.couponCode")


# The program ---------------------------------------------------------------------------------------------------------


class LegalPolicies(Reply, frozen=True):
    """The legal texts of the program, word for word; `version` is echoed to the vendor with its own type."""

    version: Annotated[str | int | float, Names("version")]
    button_text: Annotated[str, Names("acceptTermsAndJoinProgramButtonText")]
    sentence_html: Annotated[str | None, Names("policySentence.html")] = None
    sentence_template: Annotated[str | None, Names("policySentence.template")] = None
    privacy_policy_url: Annotated[str | None, Names("privacyPolicyUrl")] = None
    terms_and_conditions_url: Annotated[str | None, Names("termsAndConditionsUrl")] = None


class EarningRule(Reply, frozen=True):
    id: Annotated[Id, Names("earningRuleId", "ruleId", "id")]
    name: Annotated[Text, Names("title", "name")] = ""
    kind: Annotated[str, Names("action", "type")] = "custom"
    calculation: Annotated[str | None, Names("type")] = None
    points: Annotated[float | None, Names("amount", "points", "amountForReview")] = None
    url: Annotated[str | None, Names("url", "socialUrl")] = None
    completed: Annotated[
        bool | Literal["completed", "complete", "incomplete", "pending"] | None,
        ReadAs.WORD,
        Names("isCompleted", "completed", "completionStatus", "status"),
    ] = None

    @property
    def is_completed(self) -> bool | None:
        """Whether the member has done it; None where Okendo does not say."""
        return self.completed in {"completed", "complete"} if isinstance(self.completed, str) else self.completed


class RedemptionRule(Reply, frozen=True):
    id: Annotated[Id, Names("redemptionRuleId", "ruleId", "id")]
    name: Annotated[Text, Names("title", "name")] = ""
    kind: Annotated[str, Names("type")] = "unknown"
    points: Annotated[
        float | None,
        Names("reward.points", "reward.pointsRequired", "reward.cost", "pointsRequired", "points"),
    ] = None
    description: Annotated[Text | None, Names("description", "reward.description")] = None
    minimum_spend: Annotated[str | float | None, Names("minimumPurchase.amount", "minimumPurchase")] = None
    expires_after_days: Annotated[int | None, Names("expiresAfterDays")] = None
    required_tier: Annotated[
        Text | None,
        Names("requiredVipTierName", "minimumVipTierName", "vipTierName", "vipTier.name"),
    ] = None
    eligible: Annotated[bool | None, Names("isEligible", "eligible")] = None
    limit_reached: Annotated[bool | None, Names("isLimitReached", "limitReached", "hasReachedLimit")] = None
    remaining: Annotated[int | None, Names("remainingRedemptions", "redemptionsRemaining")] = None


class Tier(Reply, frozen=True):
    name: Annotated[Text, Names("name", "title")]
    spend: Annotated[float, Names("spendRequirement", "minimumSpend")] = 0
    perks: Annotated[tuple[Any, ...], Names("perks")] = ()


class Faq(Reply, frozen=True):
    question: Annotated[Text, Names("question", "title")]
    answer: Annotated[str, Names("answer", "content", "text")] = ""


# A member ------------------------------------------------------------------------------------------------------------


class Login(Reply, frozen=True):
    """`token` is the loyalty customer JWT: a secret."""

    token: Annotated[
        str, msgspec.Meta(min_length=1), Names("token", "accessToken", "customerToken", "jwt", "loyaltyToken")
    ]
    state: Annotated[Word, Names("status", "customer.status", "loyaltyCustomer.status")] = "pending"


class Customer(Reply, frozen=True):
    balance: Annotated[float, Names("points.balance", "pointsBalance")]
    state: Annotated[Word, STATUS] = "pending"
    pending: Annotated[float | None, Names("points.pending", "pointsPending")] = None
    tier: Annotated[Text | None, Names("vipTierName", "vipTier.name", "vipTier")] = None
    birthday_day: Annotated[int | None, Names("birthday.day")] = None
    birthday_month: Annotated[int | None, Names("birthday.month")] = None
    referral_sender_id: Annotated[Id | None, Names("referralSenderId")] = None
    referral_url: Annotated[
        str | None,
        Names("shareableLinkUrl", "referralUrl", "referralSender.shareableLinkUrl"),
    ] = None
    email: Annotated[str | None, Names("customer.email", "email")] = None


class Spend(Reply, frozen=True):
    """Money spent in the period that decides about the tier."""

    amount: Annotated[float, Names("spend.amount", "spend", "amount")]
    currency: Annotated[str | None, Names("spend.currencyCode", "currencyCode")] = None


# What points were given or taken for ----------------------------------------------------------------------------------


class Payout(Reply, frozen=True):
    """What was given besides points: with `code` a coupon, with `store_credit` something in the member's account."""

    code: Annotated[str | None, Names(*COUPON_CODE)] = None
    description: Annotated[Text | None, Names("coupon.description", "couponDescription")] = None
    expires_at: Annotated[Expiry | None, Names("coupon.expiryDate", "couponExpiryDate", "coupon.expiresAt")] = None
    store_credit: Annotated[str | float | None, Names("storeCredit.amount", "storeCredit")] = None
    currency: Annotated[str | None, Names("storeCredit.currencyCode")] = None


class Redeemed(Payout, frozen=True):
    """What a redemption gave."""

    transaction_id: Annotated[
        Id | None,
        Names("transaction.loyaltyTransactionId", "loyaltyTransactionId", "transaction.id"),
    ] = None
    points: Annotated[float | None, Names("pointsSpent", "transaction.amount")] = None
    code: Annotated[str | None, Names(*COUPON_CODE, "transaction.couponCode", "code")] = None


class Earned(Payout, frozen=True):
    """What a completed earning rule paid, where that is no payout, points."""

    points: Annotated[float | None, Names("transaction.amount", "points", "amount")] = None
    code: Annotated[str | None, Names(*COUPON_CODE, "transaction.couponCode")] = None


class Transaction(Payout, frozen=True, kw_only=True):
    """Points that came or went. The sign of a redemption's `points` is not known: `kind` tells."""

    id: Annotated[Id, Names("loyaltyTransactionId", "transactionId", "id")]
    kind: Annotated[str, Names("type", "transactionType", "resourceType")] = ""
    points: Annotated[float | None, Names("amount", "points")] = None
    date: Annotated[Time | None, DATE] = None
    status: Annotated[str, STATUS] = "complete"
    text: Annotated[Text, Names("notificationText", "description", "title")] = ""
    reward: Annotated[
        Id | None,
        Names("redemptionRuleId", "redemptionRule.redemptionRuleId", "redemptionRule.id"),
    ] = None

    @property
    def is_redemption(self) -> bool:
        """Whether points were spent: by its kind, or where Okendo does not say, by what was given for them."""
        kind = self.kind.casefold()
        given = self.code is not None or self.store_credit is not None
        return "redempt" in kind or "redeem" in kind or (not kind and given)


# Friends --------------------------------------------------------------------------------------------------------------


class Referral(Reply, frozen=True):
    status: Annotated[str, STATUS] = "sent"
    date: Annotated[Time | None, DATE] = None


class ReferralCount(Reply, frozen=True):
    count: Annotated[int, Names("count", "referralCount", "total")] = 0


class ReferralSender(Reply, frozen=True):
    id: Annotated[Id, Names("referralSenderId")]
    url: Annotated[str, Names("shareableLinkUrl")]


# The Merchant API -----------------------------------------------------------------------------------------------------


class MerchantCustomer(Reply, frozen=True):
    """`pending` points count as soon as they are given, where the vendor tells them apart."""

    balance: Annotated[float, Names("points.balance", "pointsBalance")]
    pending: Annotated[float, Names("points.pending", "pointsPending")] = 0


class Awarded(Reply, frozen=True):
    """What a custom earning rule gave."""

    points: Annotated[float | None, Names("transaction.amount", "points", "amount")] = None


class Nothing(Reply, frozen=True):
    """An answer whose body is empty or unknown: only its success counts."""
