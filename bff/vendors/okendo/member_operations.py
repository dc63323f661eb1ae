"""Operations that need a member's JWT."""

from bff.vendors.okendo.replies import (
    EARNING_RULE,
    NEXT,
    REDEMPTION_RULE,
    STATUS_NAMES,
    Customer,
    Earned,
    EarningRule,
    Nothing,
    Redeemed,
    RedemptionRule,
    Referral,
    ReferralCount,
    Spend,
    Transaction,
)
from bff.vendors.okendo.row import LOCALISED, ForMember, Page

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
