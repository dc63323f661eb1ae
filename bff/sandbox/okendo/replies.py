"""Okendo's JSON of members, rules, rewards, tiers and transactions.

Most names are not public. Documented ones come from docs.okendo.io/merchant-rest-api/endpoints/loyalty and
docs.okendo.io/webhooks/topics; the rest follow their style. `minimumVipTierName` on a reward, `isEligible`,
`remainingRedemptions` and the `reward` of an earning rule that pays no points are this sandbox's guesses.
"""

from collections.abc import Collection
from datetime import timedelta

from bff.sandbox.clock import iso
from bff.sandbox.json import Json, JsonObject
from bff.sandbox.okendo.members import Member, Transaction
from bff.sandbox.okendo.program import CURRENCY, FAQS, TIERS, EarningRule, Policies, Reward, tier_rank

ONE_YEAR = timedelta(days=365)


def customer(member: Member) -> JsonObject:
    """Customer details; dates and tier only for those who have joined."""
    fields: dict[str, Json] = {
        "loyaltyCustomerId": member.uuid("loyalty"),
        "status": member.state,
        "points": {"balance": member.balance, "pending": member.pending},
        "customer": {"customerId": member.uuid("customer"), "email": member.email},
        "referralSenderId": member.referral_sender_id,
    }
    if member.birthday:
        fields["birthday"] = {"day": member.birthday[0], "month": member.birthday[1]}
    if member.enrolled_at:
        fields |= {
            "vipTierName": member.tier,
            "dateEnrolled": iso(member.enrolled_at),
            "vipTierEntryDate": iso(member.tier_entered_at or member.enrolled_at),
            "vipTierExpiryDate": iso(member.enrolled_at + 2 * ONE_YEAR),
        }
    if member.history:
        fields["pointsExpiryDate"] = iso(member.history[-1].date + ONE_YEAR)
    return fields


def merchant_customer(member: Member) -> JsonObject:
    """The documented five fields of the Merchant API."""
    fields: dict[str, Json] = {
        "loyaltyCustomerId": member.uuid("loyalty"),
        "points": {"balance": member.balance},
        "status": member.state,
    }
    return fields | ({"vipTierName": member.tier} if member.tier else {})


def earning_rule(rule: EarningRule, member: Member | None = None) -> JsonObject:
    """A storefront rule: the Merchant fields, an id, and for a customer whether it is completed."""
    fields: dict[str, Json] = {"earningRuleId": rule.id, "action": rule.action, "title": rule.title}
    fields |= merchant_earning_rule(rule, member)
    if rule.url:
        fields["url"] = rule.url
    if rule.pays != "points":
        kind: JsonObject = {"type": "fixed-value"} if rule.pays == "coupon" else {}
        fields["reward"] = {"rewardType": rule.pays, **kind, "value": int(rule.amount), "currencyCode": CURRENCY}
    if member:
        fields["isCompleted"] = _completed(rule, member)
    return fields


def merchant_earning_rule(rule: EarningRule, member: Member | None = None) -> dict[str, Json]:
    """The Merchant API's fields; its list has no ids. A better tier earns more per order."""
    if rule.calculation == "submit-review":
        amounts: dict[str, Json] = {"amountForReview": int(rule.amount), "amountForImage": 20, "amountForVideo": 40}
        return {"type": rule.calculation, **amounts, "earnEachAmountOncePer": "order"}
    if rule.calculation == "points-per-spend":
        tier = TIERS[max(0, tier_rank(member.tier if member else None))]
        return {"type": rule.calculation, "amount": tier.order_points, "waitTimeDays": 14, "capPerOrder": 1000}
    return {"type": rule.calculation} | ({"amount": int(rule.amount)} if rule.pays == "points" else {})


def _completed(rule: EarningRule, member: Member) -> bool:
    if rule.action == "join-program":
        return member.state == "enrolled"
    if rule.action == "birthday":
        return member.birthday is not None
    return rule.id in member.completed


def reward(rule: Reward, member: Member | None = None) -> JsonObject:
    """A redemption rule, and for a customer whether their tier may have it."""
    worth = {} if rule.value is None else {"value": rule.value}
    fields: dict[str, Json] = {
        "redemptionRuleId": rule.id,
        "type": rule.kind,
        "title": rule.title,
        "reward": {"points": rule.points, **worth, "currencyCode": CURRENCY, "rewardType": rule.award},
        "purchaseType": "both",
    }
    limits: dict[str, Json] = {
        "minimumPurchase": rule.minimum_purchase,
        "expiresAfterDays": rule.expires_after_days,
        "minimumVipTierName": rule.minimum_tier,
        "isEligible": tier_rank(member.tier) >= tier_rank(rule.minimum_tier) if member else None,
        "remainingRedemptions": member.remaining(rule) if member else None,
    }
    return fields | {name: value for name, value in limits.items() if value is not None}


def transaction(member: Member, entry: Transaction) -> JsonObject:
    """One line of the points history; a redemption brings its coupon or store credit."""
    fields: dict[str, Json] = {
        "loyaltyTransactionId": entry.id,
        "loyaltyCustomerId": member.uuid("loyalty"),
        "type": entry.kind,
        "amount": entry.amount,
        "date": iso(entry.date),
        "status": entry.status,
        "notificationText": entry.text,
    }
    if entry.rule:
        fields["redemptionRuleId" if entry.kind == "redemption" else "earningRuleId"] = entry.rule
    return {**fields, **paid_out(entry)}


def paid_out(entry: Transaction) -> JsonObject:
    """`coupon` or `storeCredit`, whichever the transaction gave."""
    if entry.store_credit is not None:
        return {"storeCredit": {"amount": entry.store_credit, "currencyCode": CURRENCY}}
    if entry.coupon is None:
        return {}
    expiry: JsonObject = {"expiryDate": iso(entry.coupon.expires)} if entry.coupon.expires else {}
    return {"coupon": {"code": entry.coupon.code, "description": entry.coupon.description, **expiry}}


def vip_program(told: Collection[str]) -> JsonObject:
    """With these tiers of the program."""
    tiers: list[JsonObject] = [
        {
            "vipTierId": tier.id,
            "name": tier.name,
            "spendRequirement": tier.spend,
            "color": tier.color,
            "perks": list(tier.perks),
            **({"iconUrl": tier.icon_url} if tier.icon_url else {}),
        }
        for tier in TIERS
        if tier.name in told
    ]
    return {"vipProgram": {"isEnabled": True, "eligibilityPeriod": "rolling-12-months", "tiers": tiers}}


def faqs() -> JsonObject:
    return {"faqs": [{"question": question, "answer": text} for question, text in FAQS]}


def legal_policies(policies: Policies, language: str) -> JsonObject:
    """All six documented fields."""
    sentence = policies.html_in.get(language, policies.html)
    return {
        "legalPolicies": {
            "acceptTermsAndJoinProgramButtonText": policies.button,
            "policySentence": {"html": sentence, "template": policies.template},
            "privacyPolicyUrl": policies.privacy_url,
            "termsAndConditionsUrl": policies.terms_url,
            "version": policies.version,
        }
    }
