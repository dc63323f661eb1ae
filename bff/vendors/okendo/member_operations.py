"""Okendo's operations for a member, each of which needs their JWT."""

from typing import Any

from bff.vendors.okendo.replies import (
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

NEXT = ("nextUrl", "lastEvaluated", "nextToken", "nextPageToken")
CUSTOMER = ForMember(
    name="customer",
    method="GET",
    path="/loyalty/customer",
    label="guessed",
    reply=Customer,
    envelope=("loyaltyCustomer", "customer", ""),
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
    may_send=tuple(LOCALISED),
    envelope=("rules", "earningRules", ""),
)
TRIGGER = ForMember(
    name="trigger",
    method="POST",
    path="/loyalty/earning_rules/{rule}/trigger",
    ids=("rule",),
    label="guessed",
    reply=Earned,
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
)
REDEEM = ForMember(
    name="redeem",
    method="POST",
    path="/loyalty/redemptions",
    label="guessed",
    reply=Redeemed,
    sends={"reward": "redemptionRuleId"},
    ids=("reward",),
)
TRANSACTIONS = ForMember(
    name="transactions",
    method="GET",
    path="/loyalty/transactions",
    label="guessed",
    reply=Page[Transaction],
    sends={"limit": "limit", "cursor": "lastEvaluated", "order": "orderBy"},
    envelope=("transactions", "loyaltyTransactions", "items", ""),
    next=NEXT,
)
SPEND = ForMember(
    name="spend",
    method="GET",
    path="/loyalty/customer_spend",
    label="guessed",
    reply=Spend,
)
REFERRAL_REQUEST = ForMember(
    name="referral_request",
    method="POST",
    path="/loyalty/referral_requests",
    label="guessed",
    reply=Nothing,
    sends={"email": "email", "sender": "referralSenderId"},
    ids=("sender",),
)
REFERRALS = ForMember(
    name="referrals",
    method="GET",
    path="/loyalty/referrals",
    label="guessed",
    reply=Page[Referral],
    sends={"cursor": "lastEvaluated"},
    envelope=("referrals", "items", ""),
    next=NEXT,
)
REFERRAL_COUNT = ForMember(
    name="referral_count",
    method="GET",
    path="/loyalty/referral_count",
    label="guessed",
    reply=ReferralCount,
)
MEMBER_OPERATIONS: tuple[ForMember[Any], ...] = (
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
)
