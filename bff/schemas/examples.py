"""One true-to-life value of every shape, so that the documentation shows what a storefront will see."""

from datetime import UTC, datetime
from typing import Any

from bff.schemas import member, program, requests
from bff.schemas.activity import Activity, Coupon, Referral, Referrals, Transaction, Wallet
from bff.schemas.base import SessionState
from bff.schemas.member import Member, NextTier, Points, TierProgress
from bff.schemas.program import CanRedeem, EarningRule, Faq, LegalPolicies, Program, Reward, Tier
from bff.schemas.redemption import Completion, RedeemedReward, Redemption, Result
from bff.schemas.retailers import LinkAddress, LinkedAccount, RetailAward, Retailer, Retailers

REQUEST_ID = "5f0c9d3a7b1e4c68a2d4f6b80e913c57"
CONNECTION_ID = "01HZX3K7B2M9QW4T6V8Y0A1C3E"
REWARD_ID = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
RULE_ID = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05"
KEY = "0b6c2f9e-3d51-4c0e-8a27-5e9f1d7c4b83"
DIGEST = "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184"
SOCIAL_URL = "https://social.example/our-shop"
# What stands in the braces of a path.
PATHS = {"id": RULE_ID, "key": KEY}
MEMBER = Member(state="enrolled", points=Points(balance=1240, pending=80), tier="Silver", name="Ella")
BRONZE = Tier(name="Bronze", spend=0, perks=("Birthday gift",))
SILVER = Tier(name="Silver", spend=300, perks=("Birthday gift", "Early access"))
COUPON = Coupon(
    code="LOYAL-7KQ2M",
    apply_url="https://shop.example.com/discount/LOYAL-7KQ2M?redirect=/",
    description="$5 off your order",
    expires_at=datetime(2026, 6, 1, 12, tzinfo=UTC),
)
POLICIES = LegalPolicies(
    version="2025-03-01",
    button_text="Accept terms & join",
    sentence_html='By joining, you agree to the <a href="https://shop.example.com/terms">program terms</a>.',
    digest=DIGEST,
    privacy_policy_url="https://shop.example.com/privacy",
    terms_and_conditions_url="https://shop.example.com/terms",
)
REWARD = Reward(
    id=REWARD_ID, name="$5 off your order", kind="fixed-value", points=500, minimum_spend="30", expires_after_days=90
)


def _rule(completed: bool | None = None) -> EarningRule:
    return EarningRule(
        id=RULE_ID, name="Follow us", kind="social_follow", points=50, url=SOCIAL_URL, completed=completed
    )


def _reward_for_a_member() -> Reward:
    return Reward(id=REWARD_ID, name=REWARD.name, kind=REWARD.kind, points=500, can_redeem=CanRedeem(state="ready"))


def _redemption(**outcome: Any) -> Redemption:
    return Redemption(key=KEY, reward=RedeemedReward(id=REWARD_ID, name=REWARD.name), points=500, **outcome)


WALMART = Retailer(id="walmart", name="Walmart")
# By shape; where one route shows something else, by its name and status.
EXAMPLES: dict[Any, Any] = {
    Program: Program(earning_rules=[_rule()], rewards=[REWARD], tiers=[BRONZE, SILVER]),
    program.EarningRules: program.EarningRules([_rule()]),
    program.Rewards: program.Rewards([REWARD]),
    program.Tiers: program.Tiers([BRONZE, SILVER]),
    program.Faqs: program.Faqs([Faq(question="Do points expire?", answer_html="<p>After one year.</p>")]),
    LegalPolicies: POLICIES,
    SessionState: SessionState(state="enrolled"),
    requests.HandIn: requests.HandIn(customer_access_token="the-token-that-your-storefront-holds"),  # noqa: S106
    requests.SessionTicket: requests.SessionTicket("pX3vM0o6c1JmT2y8hQzK4wU7sLdE9aBgRfNiVtYkCjHr", 60),
    member.MemberAndParts: member.MemberAndParts(
        state="enrolled",
        points=MEMBER.points,
        tier="Silver",
        rewards=member.Part(data=[_reward_for_a_member()]),
        coupons=member.Part(data=[COUPON]),
    ),
    requests.EnrolmentRequest: requests.EnrolmentRequest(policies_version=POLICIES.version, policies_digest=DIGEST),
    Member: MEMBER,
    ("my_earning_rules", 200): program.EarningRules([_rule(completed=False)]),
    requests.NoFields: requests.NoFields(),
    Completion: Completion(result=Result(kind="points", points=50), member=MEMBER),
    requests.BirthdayRequest: requests.BirthdayRequest(day=29, month=2),
    ("my_rewards", 200): program.Rewards([_reward_for_a_member()]),
    requests.RedemptionRequest: requests.RedemptionRequest(reward_id=REWARD_ID),
    Redemption: _redemption(state="succeeded", coupon=COUPON),
    ("redeem", 202): _redemption(state="unknown", support_reference="R-7KQ2MX9B"),
    Wallet: Wallet(coupons=[COUPON]),
    TierProgress: TierProgress(
        tier="Silver", spend="640", currency="USD", next_tier=NextTier(name="Gold", spend=1000, missing_spend="360")
    ),
    Activity: Activity(
        activity=[
            Transaction(
                id="8c0d7a11-52f3-4b6e-9d10-6a7b8c9d0e1f",
                kind="earning",
                description="Follow us",
                status="complete",
                points=50,
                date=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
            )
        ],
        next=None,
    ),
    Referrals: Referrals(
        referrals=[Referral(status="pending", date=datetime(2026, 3, 2, 18, 5, tzinfo=UTC))],
        next=None,
        count=1,
        url="https://shop.example.com/refer/ab12cd34",
    ),
    requests.ReferralRequest: requests.ReferralRequest(email="friend@example.com"),
    Retailers: Retailers(
        retailers=[LinkedAccount(id=CONNECTION_ID, retailer=WALMART, state="active")],
        awards=[
            RetailAward(
                event="purchase.created",
                name="Purchases at Walmart",
                retailer=WALMART,
                state="given",
                date=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
                points=85,
                spend="42.50",
            )
        ],
    ),
    requests.LinkRequest: requests.LinkRequest(retailer_id="walmart"),
    LinkAddress: LinkAddress(link_url="https://link.subtotal.example/tWGE4TJM"),
}
