"""What we keep of Okendo's replies: each field beside the names under which Okendo may send it."""

from typing import Annotated, Any, Literal

import msgspec

from bff.vendors.okendo.fields import Amount, Currency, Expiry, Html, Id, Names, ReadAs, Reply, Text, Time, Word

STATUS = Names("status", "state")
# Documented, in any capitals. A member of whom anything else is said, or nothing, may do nothing.
Status = Annotated[Literal["pending", "enrolled", "blocked"], ReadAs.WORD]
DATE = Names("date", "dateCreated", "createdAt")
COUPON_CODE = ("couponCode", "coupon.code", "reward.couponCode")


# The program ---------------------------------------------------------------------------------------------------------


class LegalPolicies(Reply, frozen=True):
    """The legal texts of the program, word for word; `version` is echoed to the vendor with its own type."""

    version: Annotated[str | int | float, ReadAs.EXACT, Names("version")]
    button_text: Annotated[str, Names("acceptTermsAndJoinProgramButtonText")]
    sentence_html: Annotated[Html | None, Names("policySentence.html")] = None
    sentence_template: Annotated[Html | None, Names("policySentence.template")] = None
    privacy_policy_url: Annotated[str | None, Names("privacyPolicyUrl")] = None
    terms_and_conditions_url: Annotated[str | None, Names("termsAndConditionsUrl")] = None


class EarningRule(Reply, frozen=True):
    id: Annotated[Id, Names("earningRuleId", "ruleId", "id")]
    name: Annotated[Text, Names("title", "name")] = ""
    kind: Annotated[Word, Names("action", "type")] = "custom"
    calculation: Annotated[Word | None, Names("type")] = None
    points: Annotated[float | None, Names("amount", "points", "amountForReview")] = None
    points_for_image: Annotated[float | None, Names("amountForImage")] = None
    points_for_video: Annotated[float | None, Names("amountForVideo")] = None
    cap_per_order: Annotated[float | None, Names("capPerOrder")] = None
    # What is given instead of points, and how much of it; `value_kind` is a kind of reward.
    pays: Annotated[Word | None, Names("reward.rewardType", "rewardType")] = None
    value_kind: Annotated[Word | None, Names("reward.type", "reward.discountType")] = None
    value: Annotated[Amount | None, Names("reward.value.amount", "reward.value", "reward.amount")] = None
    currency: Annotated[Currency | None, Names("reward.value.currencyCode", "reward.currencyCode", "currencyCode")] = (
        None
    )
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
    kind: Annotated[Word, Names("type")] = "unknown"
    points: Annotated[
        float | None,
        Names("reward.points", "reward.pointsRequired", "reward.cost", "pointsRequired", "points"),
    ] = None
    description: Annotated[Text | None, Names("description", "reward.description")] = None
    # How it is awarded, as a coupon or as store credit, and how much it is: money, or per cent, by its kind.
    award: Annotated[Word | None, Names("reward.rewardType", "rewardType")] = None
    value: Annotated[Amount | None, Names("reward.value.amount", "reward.value", "reward.amount")] = None
    currency: Annotated[Currency | None, Names("reward.value.currencyCode", "reward.currencyCode", "currencyCode")] = (
        None
    )
    product: Annotated[Text | None, Names("product.title", "reward.product.title")] = None
    image_url: Annotated[str | None, Names("imageUrl", "image.url", "reward.imageUrl")] = None
    minimum_spend: Annotated[Amount | None, Names("minimumPurchase.amount", "minimumPurchase")] = None
    minimum_spend_currency: Annotated[
        Currency | None,
        Names("minimumPurchase.currencyCode", "reward.currencyCode", "currencyCode"),
    ] = None
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
    id: Annotated[Id | None, Names("vipTierId", "tierId", "id")] = None
    spend: Annotated[
        Amount | None,
        Names("spendRequirement.amount", "spendRequirement", "minimumSpend.amount", "minimumSpend"),
    ] = None
    currency: Annotated[
        Currency | None,
        Names("spendRequirement.currencyCode", "minimumSpend.currencyCode", "currencyCode"),
    ] = None
    perks: Annotated[tuple[Any, ...], Names("perks")] = ()
    colour: Annotated[str | None, Names("color", "colour", "hexColor")] = None
    icon_url: Annotated[str | None, Names("iconUrl", "icon.url", "icon")] = None
    multiplier: Annotated[float | None, Names("multiplier", "pointsMultiplier", "earningMultiplier")] = None


class Faq(Reply, frozen=True):
    question: Annotated[Text, Names("question", "title")]
    answer: Annotated[Html, Names("answer", "content", "text")] = ""


# A member ------------------------------------------------------------------------------------------------------------


class Login(Reply, frozen=True):
    """`token` is the loyalty customer JWT: a secret."""

    token: Annotated[
        str,
        msgspec.Meta(min_length=1),
        ReadAs.EXACT,
        Names("token", "accessToken", "customerToken", "jwt", "loyaltyToken"),
    ]
    state: Annotated[Status | None, Names("status", "customer.status", "loyaltyCustomer.status")] = None

    def __repr__(self) -> str:
        return "<Login>"


class Customer(Reply, frozen=True):
    balance: Annotated[float, Names("points.balance", "pointsBalance")]
    state: Annotated[Status, STATUS]
    pending: Annotated[float | None, Names("points.pending", "pointsPending")] = None
    points_expire_at: Annotated[Expiry | None, Names("pointsExpiryDate", "points.expiryDate", "points.expiresAt")] = (
        None
    )
    tier: Annotated[Text | None, Names("vipTierName", "vipTier.name", "vipTier")] = None
    tier_entered_at: Annotated[Time | None, Names("vipTierEntryDate", "vipTier.entryDate")] = None
    tier_expires_at: Annotated[Expiry | None, Names("vipTierExpiryDate", "vipTier.expiryDate")] = None
    enrolled_at: Annotated[Time | None, Names("dateEnrolled", "enrolledAt")] = None
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

    amount: Annotated[Amount, Names("spend.amount", "spend", "amount")]
    currency: Annotated[Currency | None, Names("spend.currencyCode", "currencyCode")] = None


# What points were given or taken for ----------------------------------------------------------------------------------


class Payout(Reply, frozen=True):
    """What was given besides points: with `code` a coupon, with `store_credit` something in the member's account."""

    code: Annotated[str | None, Names(*COUPON_CODE)] = None
    description: Annotated[Text | None, Names("coupon.description", "couponDescription")] = None
    expires_at: Annotated[Expiry | None, Names("coupon.expiryDate", "couponExpiryDate", "coupon.expiresAt")] = None
    store_credit: Annotated[Amount | None, Names("storeCredit.amount", "storeCredit")] = None
    currency: Annotated[Currency | None, Names("storeCredit.currencyCode")] = None


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
    kind: Annotated[Word, Names("type", "transactionType", "resourceType")] = ""
    points: Annotated[float | None, Names("amount", "points")] = None
    date: Annotated[Time | None, DATE] = None
    status: Annotated[Word | None, STATUS] = None
    text: Annotated[Text, Names("notificationText", "description", "title")] = ""
    reward: Annotated[
        Id | None,
        Names("redemptionRuleId", "redemptionRule.redemptionRuleId", "redemptionRule.id"),
    ] = None

    # Of its coupon.
    value_kind: Annotated[Word | None, Names("coupon.type", "coupon.discountType")] = None
    value: Annotated[Amount | None, Names("coupon.value.amount", "coupon.value")] = None
    value_currency: Annotated[Currency | None, Names("coupon.value.currencyCode", "coupon.currencyCode")] = None
    minimum_spend: Annotated[Amount | None, Names("coupon.minimumPurchase.amount", "coupon.minimumPurchase")] = None
    used: Annotated[
        bool | Literal["used", "redeemed", "unused", "active", "available"] | None,
        ReadAs.WORD,
        Names("coupon.isUsed", "coupon.used", "coupon.status"),
    ] = None

    @property
    def is_used(self) -> bool | None:
        """Whether its coupon was; None where Okendo does not say."""
        return self.used in {"used", "redeemed"} if isinstance(self.used, str) else self.used

    @property
    def is_redemption(self) -> bool:
        """Whether points were spent: by its kind, or where Okendo does not say, by what was given for them."""
        given = self.code is not None or self.store_credit is not None
        return "redempt" in self.kind or "redeem" in self.kind or (not self.kind and given)


# Friends --------------------------------------------------------------------------------------------------------------


class Referral(Reply, frozen=True):
    status: Annotated[Word | None, STATUS] = None
    date: Annotated[Time | None, DATE] = None


class ReferralCount(Reply, frozen=True):
    count: Annotated[int | None, Names("count", "referralCount", "total")] = None


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
