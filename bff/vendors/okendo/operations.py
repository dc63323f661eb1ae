"""Every Okendo operation we use: the shapes of its answers and one row of data each.

A row says how a call is made and under which names its answer may come; `label` says how sure we are of that.
`okendo.py` turns rows into calls, OKENDO_OVERRIDES corrects any of them without code.
Sources: Okendo's Storefront API 2025-02-01, https://docs.okendo.io/on-site/storefront-rest-api/endpoints/loyalty
"""

from collections.abc import Mapping
from typing import Any

from bff.vendors.okendo.member_operations import (
    BIRTHDAY,
    CUSTOMER,
    CUSTOMER_ACTIVATION,
    CUSTOMER_EARNING_RULES,
    CUSTOMER_REDEMPTION_RULES,
    REDEEM,
    REFERRAL_COUNT,
    REFERRAL_REQUEST,
    REFERRALS,
    SPEND,
    TRANSACTIONS,
    TRIGGER,
)
from bff.vendors.okendo.replies import (
    EARNING_RULE,
    REDEMPTION_RULE,
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
OPERATIONS: Mapping[str, Operation[Any]] = {
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
