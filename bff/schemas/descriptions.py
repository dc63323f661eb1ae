"""What every field of every shape means, by the names that the OpenAPI document has for them."""

from collections.abc import Mapping
from typing import Any

Words = Mapping[str, str]
BIRTHDAY: Words = {"day": "Day of the month; the 29th of February is one", "month": "1 is January"}
MEMBER: Words = {
    "state": "`pending`: has not joined yet. `enrolled`: a member. `blocked`: shut out by the merchant",
    "points": "What the member has",
    "tier": "Name of the member's tier",
    "name": "A name to greet with",
    "referralUrl": "The member's own link for friends",
    "birthday": "Once it was told",
}
PROBLEM: Words = {
    "type": "The `code` as a URI",
    "title": "The `code` in words",
    "status": "The same as the HTTP status",
    "detail": "A sentence about it; with 409 and 422 fit to be shown to the shopper",
    "code": "What to decide by",
    "requestId": "`X-Request-Id` of this answer; quote it when you ask about it",
    "retryable": "Whether the same request may succeed later",
}
MONEY = "An amount, with its currency where the program tells, such as `5 USD`"
NEXT = "`cursor` of the older ones; null at the end"
DESCRIPTIONS: Mapping[str, Words] = {
    # What requests bring
    "BirthdayRequest": BIRTHDAY,
    "EnrolmentRequest": {
        "policiesVersion": "`version` of the policies that were shown, unchanged",
        "policiesDigest": "`digest` of the policies that were shown, unchanged",
    },
    "HandIn": {
        "customerAccessToken": "Of the Customer Account API",
        "storefrontCustomerAccessToken": "Of the Storefront API, the legacy kind",
    },
    "LinkRequest": {
        "retailerId": "`id` of one of `available`, to link it",
        "connectionId": "`id` of an account to sign in to again; it goes before `retailerId`",
        "returnTo": "Where the shopper comes back to: a path here or an address of an allowed storefront; any other "
        "leads to the overview",
    },
    "NoFields": {},
    "RedemptionRequest": {"rewardId": "`id` of the reward"},
    "ReferralRequest": {"email": "The friend's address"},
    # The program
    "Program": {
        "earningRules": "The ways to earn points",
        "rewards": "What points can buy",
        "tiers": "Lowest first",
    },
    "EarningRules": {"earningRules": "The ways to earn points"},
    "EarningRule": {
        "id": "Names it when it is completed",
        "name": "What to call it",
        "kind": "What the shopper does, such as `order` or `social_follow`; other words may come",
        "points": "What it pays, where that is points",
        "perSpend": "True where the points are for each unit of money spent",
        "url": "Where to do it, such as a profile to follow",
        "completed": "Whether this member has done it; told to members only, and where the program tells",
    },
    "Rewards": {"rewards": "What points can buy"},
    "Reward": {
        "id": "Names it when it is redeemed",
        "name": "What to call it",
        "kind": "The program's word for what it gives, such as `fixed-value`; other words may come",
        "points": "What it costs",
        "description": "More about it",
        "minimumSpend": "What an order has to come to; an amount without its currency",
        "expiresAfterDays": "Days that the coupon will be good for",
        "canRedeem": "Whether this member can redeem it now; told to members only",
    },
    "CanRedeem": {
        "state": "`ready`: it can be redeemed. Any other word says why it cannot",
        "missingPoints": "How many more points it takes, with `insufficient_points`",
        "requiredTier": "Name of the tier it takes, with `tier_required`",
    },
    "Tiers": {"tiers": "Lowest first"},
    "Tier": {
        "name": "What to call it",
        "spend": "What a member spends to get there",
        "perks": "What comes with it, each in words",
    },
    "Faqs": {"faqs": "In the program's order"},
    "Faq": {"question": "Plain text", "answerHtml": "HTML, sanitised"},
    "LegalPolicies": {
        "version": "Send it back as `policiesVersion`, unchanged",
        "buttonText": "What the button has to say, exactly",
        "sentenceHtml": "What has to stand beside the button: HTML, sanitised",
        "digest": "Send it back as `policiesDigest`, unchanged",
        "privacyPolicyUrl": "Address of the privacy policy",
        "termsAndConditionsUrl": "Address of the terms",
    },
    # Who is looking
    "SessionState": {
        "state": "`anonymous`: nobody is signed in. `pending`: signed in, but has not joined. `enrolled`: a member. "
        "`blocked`: shut out by the merchant",
    },
    "SessionTicket": {
        "ticket": "For `/session/continue?ticket=…`; it works once",
        "expiresIn": "Seconds that it is good for",
    },
    # The member
    "Member": MEMBER,
    "MemberAndParts": {
        **MEMBER,
        "rewards": "With `include=rewards`",
        "earning": "With `include=earning`",
        "tierProgress": "With `include=tier`",
        "coupons": "With `include=coupons`",
    },
    "Part": {"data": "What was asked for", "error": "Why it is missing"},
    "Points": {"balance": "What can be spent", "pending": "What is on its way, where the program tells"},
    "Birthday": BIRTHDAY,
    "Completion": {"result": "What it paid", "member": "The member as they are now"},
    "Result": {
        "kind": "What was paid",
        "points": "How many, where the program told",
        "coupon": "Which one, where the program told",
        "storeCredit": MONEY,
    },
    "Wallet": {"coupons": "Newest first; those that have expired are left out"},
    "Coupon": {
        "code": "What the shopper enters at the checkout",
        "applyUrl": "Puts the code into the cart: send the shopper there",
        "description": "What it is worth, in words",
        "expiresAt": "When it ends, where the program tells",
    },
    "Redemption": {
        "key": "The `Idempotency-Key` it was redeemed under",
        "state": "`working`: on its way. `unknown`: it may have worked, so it must not be redeemed again; quote the "
        "reference. The other two are final",
        "reward": "What was redeemed",
        "points": "What it costs",
        "coupon": "What was given, unless it was store credit",
        "storeCredit": MONEY,
        "supportReference": "What the shopper quotes when they write to the shop",
        "reason": "The `code` of the problem, when it failed",
    },
    "RedeemedReward": {"id": "As in the list of rewards", "name": "What it was called then"},
    "TierProgress": {
        "tier": "Name of the member's tier",
        "spend": "What counts in the current period",
        "currency": "Of `spend` (ISO 4217)",
        "nextTier": "Absent at the top",
    },
    "NextTier": {
        "name": "What to call it",
        "spend": "What a member spends to get there",
        "missingSpend": "What is still to be spent, where the program tells",
    },
    "Activity": {"activity": "Newest first", "next": NEXT},
    "Transaction": {
        "id": "Names this line",
        "kind": "The program's word for what happened, such as `earning`; other words may come",
        "description": "What happened, in words",
        "status": "The program's word for how far it is, such as `complete`; other words may come",
        "points": "What the balance gained or, below zero, lost",
        "date": "When it happened",
        "coupon": "The one that came of it",
        "storeCredit": MONEY,
    },
    "Referrals": {
        "referrals": "Newest first",
        "next": NEXT,
        "count": "How many there are, on all pages",
        "url": "The member's own link for friends",
    },
    "Referral": {
        "status": "The program's word for how far it is, such as `pending`; other words may come",
        "date": "When the friend was invited",
    },
    # Other retailers
    "Retailers": {
        "retailers": "The member's accounts",
        "available": "Those that can be linked and earn something; absent when the shopper may choose any",
        "awards": "The latest, newest first",
    },
    "LinkedAccount": {
        "id": "Names the account when it is unlinked or signed in to again",
        "retailer": "Where it is",
        "state": "`active`: purchases are collected. `initialized`: signing in there was not finished. "
        "`unauthenticated`: the shopper has to sign in there again. `disconnected`: it was unlinked",
    },
    "Retailer": {"id": "Names it when it is linked", "name": "What to call it"},
    "RetailAward": {
        "event": "What is rewarded",
        "name": "The same in words",
        "retailer": "Where it happened",
        "state": "`working`: the points are on their way. `given`: they are there",
        "date": "When this service heard of it",
        "points": "How many, once somebody has told",
        "spend": "What was spent; an amount without its currency",
    },
    "LinkAddress": {"linkUrl": "Send the browser there, and tell nobody else"},
    # What went wrong
    "ProblemDetails": PROBLEM,
    "PolicyProblem": {**PROBLEM, "legalPolicies": "Those in force now, with `policies_outdated`"},
}


def with_descriptions(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """The same schemas, with the words of every field. What a generic shape is made for makes no difference to them."""
    return {name: schema | {"properties": _properties(schema)} for name, schema in schemas.items()}


def _properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    words = DESCRIPTIONS[schema["title"].partition("[")[0]]
    return {field: inner | {"description": words[field]} for field, inner in schema["properties"].items()}
