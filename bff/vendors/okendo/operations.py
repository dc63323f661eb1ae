"""Every Okendo operation we use, a row of data each.

A row says how a call is made and where its answer may lie; `label` says how sure we are of that. The client turns rows
into calls, OKENDO_OVERRIDES corrects any of them without code.
Sources: Okendo's Storefront API 2025-02-01, https://docs.okendo.io/on-site/storefront-rest-api/endpoints/loyalty
"""

from collections.abc import Mapping
from typing import Any

from bff.vendors.okendo.member_operations import MEMBER_OPERATIONS
from bff.vendors.okendo.replies import (
    Awarded,
    EarningRule,
    Faq,
    LegalPolicies,
    Login,
    MerchantCustomer,
    RedemptionRule,
    ReferralSender,
    Tier,
)
from bff.vendors.okendo.row import LOCALISED, ForMerchant, ForStore, Operation, Public

EARNING_RULES = Public(
    name="earning_rules",
    method="GET",
    path="/stores/{subscriberId}/loyalty/earning_rules",
    label="inferred",
    reply=list[EarningRule],
    may_send=tuple(LOCALISED),
    envelope=("rules", "earningRules", ""),
)
REDEMPTION_RULES = Public(
    name="redemption_rules",
    method="GET",
    path="/stores/{subscriberId}/loyalty/redemption_rules",
    label="inferred",
    reply=list[RedemptionRule],
    sends=LOCALISED,
    envelope=("rules", "redemptionRules", ""),
)
VIP_PROGRAM = Public(
    name="vip_program",
    method="GET",
    path="/stores/{subscriberId}/loyalty/vip_program",
    label="guessed",
    reply=list[Tier],
    may_send=tuple(LOCALISED),
    envelope=("vipProgram.tiers", "vipTiers", "tiers", ""),
)
FAQS = Public(
    name="faqs",
    method="GET",
    path="/stores/{subscriberId}/loyalty/faqs",
    label="guessed",
    reply=list[Faq],
    may_send=tuple(LOCALISED),
    envelope=("faqs", "faqItems", "items", ""),
)
LEGAL_POLICIES = Public(
    name="legal_policies",
    method="GET",
    path="/stores/{subscriberId}/loyalty/legal_policies",
    label="documented",
    reply=LegalPolicies,
    may_send=tuple(LOCALISED),
    envelope=("legalPolicies", ""),
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
)
REFERRAL_SENDER = ForStore(
    name="referral_sender",
    method="POST",
    path="/stores/{subscriberId}/referral_senders",
    label="documented",
    reply=ReferralSender,
    sends={"email": "email"},
)
MERCHANT_CUSTOMER = ForMerchant(
    name="merchant_customer",
    method="GET",
    path="/loyalty/customers",
    label="documented",
    reply=MerchantCustomer,
    sends={"email": "email"},
    envelope=("loyaltyCustomer", ""),
)
EARNING_TRANSACTIONS = ForMerchant(
    name="earning_transactions",
    method="POST",
    path="/loyalty/earning_transactions",
    label="guessed",
    reply=Awarded,
    sends={"email": "email", "rule": "earningRuleId", "value": "value"},
)
ALL: tuple[Operation[Any], ...] = (
    EARNING_RULES,
    REDEMPTION_RULES,
    VIP_PROGRAM,
    FAQS,
    LEGAL_POLICIES,
    LOGIN,
    *MEMBER_OPERATIONS,
    REFERRAL_SENDER,
    MERCHANT_CUSTOMER,
    EARNING_TRANSACTIONS,
)
OPERATIONS: Mapping[str, Operation[Any]] = {row.name: row for row in ALL}
