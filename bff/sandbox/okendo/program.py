"""What the pretended merchant has set up at Okendo: ways to earn, rewards, tiers, questions and legal policies.

Vocabulary: support.okendo.io articles 8914628 (rules), 9690320 (custom rules), 8915126 (VIP tiers).
"""

from dataclasses import dataclass, field
from decimal import Decimal

from bff.sandbox.json import Json
from bff.sandbox.okendo.translations import POLICY_SENTENCE, POLICY_TEMPLATE

CURRENCY = "USD"
SIGN_UP_POINTS = 200
# Ids are fixed so that settings such as SUBTOTAL_ACTIONS can name them.
JOIN = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a01"
ORDER = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a02"
REVIEW = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a03"
INSTAGRAM = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a04"
TIKTOK = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05"
YOUTUBE = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a06"
BIRTHDAY = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a07"
REFERRAL = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a08"
LINK_RETAILER = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a09"
RETAIL_PURCHASE = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a10"
FIVE_OFF = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
TEN_PERCENT = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b02"
FREE_SHIPPING = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b03"
FREE_PRODUCT = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b04"
GOLD_ONLY = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b05"
STORE_CREDIT = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b06"


@dataclass(frozen=True)
class EarningRule:
    """A way to earn. `calculation` is Okendo's `type`; `pays` is what it gives: points, coupon or store-credit."""

    id: str
    action: str
    calculation: str
    title: str
    amount: Decimal = Decimal(0)
    url: str = ""
    pays: str = "points"


@dataclass(frozen=True)
class Reward:
    """A redemption rule; `award` is coupon or store-credit, `value` is money or per cent by kind."""

    id: str
    kind: str
    title: str
    points: int
    value: int | None = None
    award: str = "coupon"
    minimum_purchase: int | None = None
    expires_after_days: int | None = None
    minimum_tier: str | None = None


@dataclass(frozen=True)
class Tier:
    id: str
    name: str
    spend: int
    color: str
    order_points: Decimal
    perks: tuple[Json, ...]
    icon_url: str = ""


@dataclass
class Policies:
    """The legal policies in force; the control API changes version and sentence."""

    version: Json = "2025-03-01"
    html: str = POLICY_SENTENCE
    # By language, where the control API has changed it there.
    html_in: dict[str, str] = field(default_factory=dict)
    template: str = POLICY_TEMPLATE
    button: str = "Accept terms & join"
    privacy_url: str = "https://shop.example.com/policies/privacy-policy"
    terms_url: str = "https://shop.example.com/policies/terms-of-service"


EARNING_RULES = {
    rule.id: rule
    for rule in (
        EarningRule(JOIN, "join-program", "fixed-amount", "Join the program", Decimal(SIGN_UP_POINTS)),
        EarningRule(ORDER, "place-order", "points-per-spend", "Place an order", Decimal(1)),
        EarningRule(REVIEW, "submit-review", "submit-review", "Leave a review", Decimal(50)),
        EarningRule(
            INSTAGRAM, "social-follow", "fixed-amount", "Follow us on Instagram", Decimal(50),
            "https://www.instagram.com/okendo",
        ),
        EarningRule(
            TIKTOK, "social-follow", "coupon", "Follow us on TikTok", Decimal(5),
            "https://www.tiktok.com/@okendo", "coupon",
        ),
        EarningRule(
            YOUTUBE, "social-follow", "store-credit", "Subscribe on YouTube", Decimal(2),
            "https://www.youtube.com/@okendo", "store-credit",
        ),
        EarningRule(BIRTHDAY, "birthday", "fixed-amount", "Celebrate your birthday", Decimal(100)),
        EarningRule(REFERRAL, "refer-friend", "fixed-amount", "Refer a friend", Decimal(150)),
        EarningRule(LINK_RETAILER, "custom", "fixed-amount", "Link a retailer account", Decimal(150)),
        EarningRule(RETAIL_PURCHASE, "custom", "points-per", "Shop at a linked retailer", Decimal(2)),
    )
}  # fmt: skip
REWARDS = {
    reward.id: reward
    for reward in (
        Reward(FIVE_OFF, "fixed-value", "$5 off your order", 500, 5, minimum_purchase=30, expires_after_days=90),
        Reward(TEN_PERCENT, "percentage-coupon", "10% off your order", 1000, 10, expires_after_days=90),
        Reward(FREE_SHIPPING, "free-shipping", "Free shipping", 1200, expires_after_days=60),
        Reward(FREE_PRODUCT, "free-product", "A free travel-size cleanser", 2000, expires_after_days=30),
        Reward(GOLD_ONLY, "percentage-coupon", "15% off for Gold members", 800, 15, minimum_tier="Gold"),
        Reward(STORE_CREDIT, "fixed-value", "$8 store credit", 750, 8, "store-credit"),
    )
}
TIERS = (
    Tier("5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c01", "Bronze", 0, "#a86b32", Decimal(1), ("Birthday gift",)),
    Tier(
        "5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c02", "Silver", 300, "#8d99a6", Decimal("1.25"),
        ("Birthday gift", {"title": "Early access", "description": "Shop sales one day before everyone else."}),
    ),
    Tier(
        "5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c03", "Gold", 1000, "#c9a227", Decimal("1.5"),
        ("Birthday gift", "Free returns", {"title": "A stylist", "description": "Two personal sessions a year."}),
        "https://cdn.shop.example.com/tiers/gold.png",
    ),
)  # fmt: skip
FAQS = (
    (
        "How do I earn points?",
        "<p>Place orders, leave reviews and <strong>follow us</strong>. See all ways to earn.</p>",
    ),
    (
        "When do points from an order arrive?",
        "<p>Order points are pending for <em>14 days</em>, then they are yours.</p>",
    ),
    ("Do points expire?", "<p>After one year without earning, redeeming or ordering.</p>"),
    (
        "How do I use a reward?",
        '<p>Redeem it, then enter the code at checkout:</p><ul><li>one code per order</li><li><a href="'
        'https://shop.example.com/pages/rewards">see the details</a></li></ul>',
    ),
)


def tier_rank(name: str | None) -> int:
    """Where a tier stands on the ladder; -1 for a customer in no tier."""
    return next((rank for rank, tier in enumerate(TIERS) if tier.name == name), -1)
