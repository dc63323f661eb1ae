"""Okendo's storefront API as it might be if every guess were wrong, and the file that tells the service so."""

from typing import Any

STORE = "/v1/stores/{subscriber_id}/program"
RULES = {"rules": "entries", "earningRuleId": "wayId", "action": "deed", "title": "label", "amount": "worth"}
GIFTS = {"rules": "entries", "redemptionRuleId": "giftId", "title": "label", "reward": "price", "points": "cost"}
PAID = {"coupon": "voucher", "code": "word", "storeCredit": "credit", "amount": "gained"}
PAGED = {"lastEvaluated": "after", "nextUrl": "more"}
LOCALE = {"languageCode": "lang", "countryCode": "land", "currencyCode": "money"}

# What the sandbox is told: how each operation is called and answered from now on.
DIALECT: dict[str, dict[str, Any]] = {
    "earning_rules": {"path": f"{STORE}/ways", "names": RULES, "envelope": "data"},
    "redemption_rules": {"path": f"{STORE}/gifts", "names": {**GIFTS, **LOCALE}, "envelope": "data"},
    "vip_program": {
        "path": f"{STORE}/ladder",
        "names": {"vipProgram": "ladder", "tiers": "steps", "name": "label", "spendRequirement": "from"},
    },
    "faqs": {"path": f"{STORE}/help", "names": {"faqs": "topics", "question": "ask", "answer": "say"}},
    "legal_policies": {"path": f"{STORE}/terms", "names": {"version": "edition", "html": "markup"}, "envelope": "data"},
    "login": {
        "path": f"{STORE}/passes",
        "names": {"customerAccessToken": "shopifyToken", "token": "pass", "status": "standing"},
        "envelope": "data",
    },
    "customer": {
        "path": "/v1/program/me",
        "names": {
            "loyaltyCustomer": "me", "status": "standing", "points": "purse", "balance": "available",
            "vipTierName": "rank", "birthday": "born",
        },
    },
    "customer_activation": {
        "method": "PUT",
        "path": "/v1/program/membership",
        "names": {"enrollmentChannel": "channel", "legalPoliciesVersionAccepted": "edition"},
    },
    "customer_earning_rules": {"path": "/v1/program/ways", "names": {**RULES, "isCompleted": "done"}},
    "trigger": {"method": "PUT", "path": "/v1/program/ways/{rule_id}/done", "names": {**PAID, "transaction": "entry"}},
    "birthday": {"method": "POST", "path": "/v1/program/birthdays", "names": {"day": "d", "month": "m"}},
    "customer_redemption_rules": {"path": "/v1/program/gifts", "names": {**GIFTS, **LOCALE}},
    "redeem": {"path": "/v1/program/claims", "names": {**PAID, "redemptionRuleId": "giftId"}, "envelope": "result"},
    "transactions": {
        "path": "/v1/program/history",
        "names": {
            **PAID, **PAGED, "transactions": "lines", "loyaltyTransactionId": "lineId", "limit": "size",
            "orderBy": "sort", "notificationText": "words", "redemptionRuleId": "giftId",
        },
    },
    "spend": {"path": "/v1/program/spending", "names": {"spend": "soFar"}},
    "referral_request": {
        "method": "PUT", "path": "/v1/program/invitations", "names": {"email": "friend", "referralSenderId": "from"},
    },
    "referrals": {"path": "/v1/program/invited", "names": {**PAGED, "referrals": "friends", "status": "standing"}},
    "referral_count": {"path": "/v1/program/invited/number", "names": {"count": "number"}},
    "referral_sender": {
        "path": "/v1/stores/{subscriber_id}/links",
        "names": {"email": "mail", "referralSenderId": "from", "shareableLinkUrl": "link"},
    },
}  # fmt: skip

# What the operator writes.
OVERRIDES = """
[earning_rules]
path = "/stores/{subscriberId}/program/ways"
envelope = ["data.entries"]
names = { id = ["wayId"], kind = ["deed"], name = ["label"], points = ["worth", "amountForReview"] }

[redemption_rules]
path = "/stores/{subscriberId}/program/gifts"
envelope = ["data.entries"]
sends = { language = "lang", country = "land", currency = "money" }
[redemption_rules.names]
id = ["giftId"]
name = ["label"]
points = ["price.cost"]
value = ["price.value"]
currency = ["price.money"]
award = ["price.rewardType"]
minimum_spend_currency = ["price.money"]

[vip_program]
path = "/stores/{subscriberId}/program/ladder"
envelope = ["ladder.steps"]
names = { name = ["label"], spend = ["from"] }

[faqs]
path = "/stores/{subscriberId}/program/help"
envelope = ["topics"]
names = { question = ["ask"], answer = ["say"] }

[legal_policies]
path = "/stores/{subscriberId}/program/terms"
envelope = ["data.legalPolicies"]
names = { version = ["edition"], sentence_html = ["policySentence.markup"] }

[login]
path = "/stores/{subscriberId}/program/passes"
envelope = ["data"]
names = { token = ["pass"], state = ["customer.standing"] }
sends = { customer_account = "shopifyToken" }

[customer]
path = "/program/me"
envelope = ["me"]
[customer.names]
state = ["standing"]
balance = ["purse.available"]
pending = ["purse.pending"]
tier = ["rank"]
birthday_day = ["born.day"]
birthday_month = ["born.month"]

[customer_activation]
method = "PUT"
path = "/program/membership"
sends = { channel = "channel", version = "edition" }

[customer_earning_rules]
path = "/program/ways"
envelope = ["entries"]
[customer_earning_rules.names]
id = ["wayId"]
kind = ["deed"]
name = ["label"]
points = ["worth", "amountForReview"]
completed = ["done"]

[trigger]
method = "PUT"
path = "/program/ways/{rule}/done"
[trigger.names]
points = ["entry.gained"]
code = ["voucher.word"]
store_credit = ["credit.gained"]
currency = ["credit.currencyCode"]

[birthday]
method = "POST"
path = "/program/birthdays"
sends = { day = "d", month = "m" }

[customer_redemption_rules]
path = "/program/gifts"
envelope = ["entries"]
sends = { language = "lang", country = "land", currency = "money" }
[customer_redemption_rules.names]
id = ["giftId"]
name = ["label"]
points = ["price.cost"]
value = ["price.value"]
currency = ["price.money"]
award = ["price.rewardType"]
minimum_spend_currency = ["price.money"]

[redeem]
path = "/program/claims"
envelope = ["result"]
names = { code = ["voucher.word"], description = ["voucher.description"], expires_at = ["voucher.expiryDate"] }
sends = { reward = "giftId" }

[transactions]
path = "/program/history"
envelope = ["lines"]
sends = { limit = "size", cursor = "after", order = "sort" }
next = ["more"]
[transactions.names]
id = ["lineId"]
points = ["gained"]
text = ["words"]
reward = ["giftId"]
code = ["voucher.word"]
description = ["voucher.description"]
expires_at = ["voucher.expiryDate"]

[spend]
path = "/program/spending"
names = { amount = ["soFar"] }

[referral_request]
method = "PUT"
path = "/program/invitations"
sends = { email = "friend", sender = "from" }

[referrals]
path = "/program/invited"
envelope = ["friends"]
names = { status = ["standing"] }
sends = { cursor = "after" }
next = ["more"]

[referral_count]
path = "/program/invited/number"
names = { count = ["number"] }

[referral_sender]
path = "/stores/{subscriberId}/links"
names = { id = ["from"], url = ["link"] }
sends = { email = "mail" }
"""
