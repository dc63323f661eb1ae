"""What rewards, coupons, tiers and ways to earn are worth, as far as Okendo tells: the rest is absent, never 0."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.fixed_vendor import fixed_vendor
from support.sandbox_catalogue import STORE_CREDIT, new_key, redeem
from support.services import Start

from bff.schemas.activity import Coupon
from bff.schemas.money import Money
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.reading import ReplyReader

APPLY = "https://shop.example.com/discount/{code}"


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "USD"}


def told(start: Start, path: str, body: Any, **settings: str) -> Any:
    """What the service makes of it when Okendo answers so."""
    with fixed_vendor(json.dumps(body).encode()) as okendo:
        reply = start(OKENDO_API_URL=okendo, **settings).shopper().api("GET", path)
        assert reply.status_code == 200, reply.text
        (items,) = reply.json().values()
        return items


REWARDS: list[tuple[Any, Any]] = [
    ({"type": "fixed-value", "reward": {"value": 5}}, {"kind": "amount", "amount": usd("5.00")}),
    ({"type": "fixed-value", "reward": {"value": "7.5"}}, {"kind": "amount", "amount": usd("7.50")}),
    (
        {"type": "fixed-value", "reward": {"value": 8, "rewardType": "store-credit"}},
        {"kind": "store_credit", "amount": usd("8.00")},
    ),
    ({"type": "fixed-value", "reward": {}}, {"kind": "amount"}),
    ({"type": "percentage-coupon", "reward": {"value": 10}}, {"kind": "percentage", "percentage": 10}),
    ({"type": "percentage-coupon", "reward": {"value": 1000}}, {"kind": "percentage"}),
    ({"type": "free-shipping"}, {"kind": "shipping"}),
    ({"type": "free-product", "product": {"title": "A balm"}}, {"kind": "product", "product": "A balm"}),
    ({"type": "variable-value", "reward": {"value": 1}}, {"kind": "variable"}),
    ({"type": "gift-card", "reward": {"value": 5}}, None),
]


def test_a_reward_is_worth_what_its_kind_says(start: Start) -> None:
    rules = [{"id": f"r{number}", **rule} for number, (rule, _) in enumerate(REWARDS)]
    rewards = told(start, "/rewards", {"rules": rules})
    assert [reward.get("value") for reward in rewards] == [value for _, value in REWARDS]


def test_a_price_that_is_not_told_is_absent_and_not_nothing(start: Start) -> None:
    prices: list[Any] = [None, "", "many", False, {}, [], {"amount": None}, "NaN"]
    rules = [{"id": f"r{number}", "reward": {"points": price}} for number, price in enumerate(prices)]
    rewards = told(start, "/rewards", {"rules": [*rules, {"id": "free", "reward": {"points": 0}}]})
    assert [reward.get("points") for reward in rewards] == [*[None] * len(prices), 0]
    assert [name for reward in rewards[:-1] for name in reward if name not in {"id", "name", "kind"}] == []


@pytest.mark.parametrize(
    ("shop", "query", "silent"),
    [
        ("KWD", "", {"amount": "30.000", "currencyCode": "KWD"}),
        ("KWD", "?currency=cad", {"amount": "30.00", "currencyCode": "CAD"}),
        ("", "", None),
    ],
)
def test_an_amount_comes_with_its_currency_or_not_at_all(start: Start, shop: str, query: str, silent: Any) -> None:
    rules = [
        {"id": "own", "minimumPurchase": {"amount": 30, "currencyCode": "EUR"}},
        {"id": "beside", "minimumPurchase": 30, "reward": {"currencyCode": "jpy"}},
        {"id": "silent", "minimumPurchase": 30},
    ]
    rewards = told(start, f"/rewards{query}", {"rules": rules}, SHOP_CURRENCY=shop)
    euros, yen = {"amount": "30.00", "currencyCode": "EUR"}, {"amount": "30", "currencyCode": "JPY"}
    assert [reward.get("minimumSpend") for reward in rewards] == [euros, yen, silent]


EARNING: list[tuple[Any, Any]] = [
    ({"type": "fixed-amount", "amount": 50}, {"kind": "points", "points": 50}),
    ({"type": "fixed-amount"}, {"kind": "points"}),
    ({"type": "points-per-spend", "amount": 1}, {"kind": "points_per_spend", "points": 1, "spend": usd("1.00")}),
    ({"type": "points-per-spend", "amount": 1.25}, {"kind": "points_per_spend", "points": 5, "spend": usd("4.00")}),
    ({"type": "points-per-spend", "amount": 0.1}, {"kind": "points_per_spend", "points": 1, "spend": usd("10.00")}),
    ({"type": "points-per-spend"}, {"kind": "points_per_spend"}),
    ({"type": "points-per-spend", "capPerOrder": 500.5}, {"kind": "points_per_spend", "maximumPointsPerOrder": 500}),
    ({"type": "points-per-spend", "capPerOrder": 0}, {"kind": "points_per_spend"}),
    ({"type": "points-per-spend", "capPerOrder": None}, {"kind": "points_per_spend"}),
    ({"type": "points-per-spend", "capPerOrder": {"points": 5}}, {"kind": "points_per_spend"}),
    (
        {"type": "submit-review", "amountForReview": 50, "amountForImage": 20, "amountForVideo": 40},
        {"kind": "points", "points": 50, "pointsForImage": 20, "pointsForVideo": 40},
    ),
    ({"reward": {"rewardType": "coupon"}}, {"kind": "coupon"}),
    (
        {"reward": {"rewardType": "coupon", "type": "percentage-coupon", "value": 10}},
        {"kind": "coupon", "value": {"kind": "percentage", "percentage": 10}},
    ),
    ({"reward": {"rewardType": "store-credit", "value": 2}}, {"kind": "store_credit", "storeCredit": usd("2.00")}),
    ({"action": "walk-the-dog"}, None),
]


def test_a_way_to_earn_says_what_it_gives(start: Start) -> None:
    rules = [{"id": f"e{number}", **rule} for number, (rule, _) in enumerate(EARNING)]
    found = told(start, "/earning-rules", {"rules": rules})
    assert [rule.get("gives") for rule in found] == [gives for _, gives in EARNING]
    at_once = [gives.get("points") if gives and gives["kind"] == "points" else None for _, gives in EARNING]
    assert [rule.get("points") for rule in found] == at_once


def test_points_for_money_of_an_unknown_currency_say_no_number(start: Start) -> None:
    rules = [{"id": "e", "type": "points-per-spend", "amount": 1.25}]
    (rule,) = told(start, "/earning-rules", {"rules": rules}, SHOP_CURRENCY="")
    assert rule["gives"] == {"kind": "points_per_spend"}


TIERS: list[tuple[Any, Any]] = [
    ({"name": "Bronze", "spendRequirement": 0}, {"id": "Bronze", "name": "Bronze", "spend": usd("0.00"), "perks": []}),
    (
        {"vipTierId": "t-2", "name": "Silver", "spendRequirement": 10, "color": "#C9A227", "multiplier": 1.5},
        {"id": "t-2", "name": "Silver", "spend": usd("10.00"), "perks": [], "colour": "#c9a227", "multiplier": 1.5},
    ),
    (
        {
            "name": "Gold", "spendRequirement": 20, "color": "red", "iconUrl": "javascript:alert(1)", "multiplier": 0,
            "perks": [7, {}, {"title": "<b>A"}],
        },
        {"id": "Gold", "name": "Gold", "spend": usd("20.00"), "perks": [{"name": "A"}]},
    ),
    (
        {"name": "Star", "iconUrl": "https://cdn.example/star.png"},
        {"id": "Star", "name": "Star", "perks": [], "iconUrl": "https://cdn.example/star.png"},
    ),
    ({"name": "Moon", "iconUrl": 7}, {"id": "Moon", "name": "Moon", "perks": []}),
    (
        {"name": "Top", "spendRequirement": 30.005, "perks": [{"description": "Only words"}]},
        {"id": "Top", "name": "Top", "spend": usd("30.01"), "perks": [{"name": "Only words"}]},
    ),
]  # fmt: skip


def test_a_tier_has_what_okendo_tells_of_it(start: Start) -> None:
    assert told(start, "/tiers", {"tiers": [tier for tier, _ in TIERS]}) == [shown for _, shown in TIERS]


def test_a_coupon_of_the_history_says_what_okendo_tells_of_it() -> None:
    coupon = {"code": "A", "type": "fixed-value", "value": 5, "minimumPurchase": 30, "isUsed": False}
    lines = [{"id": "1", "redemptionRuleId": "r-1", "coupon": coupon}, {"id": "2", "coupon": {"code": "B"}}]
    page: Any = ReplyReader(OPERATIONS["transactions"]).read({"transactions": lines}, "USD")
    told, silent = (Coupon.of_transaction(one, APPLY) for one in page.items)
    assert told.value is not None
    assert (told.value.kind, told.value.amount) == ("amount", Money(amount="5.00", currency_code="USD"))
    assert (told.reward_id, told.used) == ("r-1", False)
    assert told.minimum_spend == Money(amount="30.00", currency_code="USD")
    assert (silent.reward_id, silent.value, silent.minimum_spend, silent.used) == (None, None, None, None)


def test_a_store_credit_of_which_no_currency_is_known_is_one_all_the_same(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "overrides.toml"
    file.write_text('[redeem.names]\ncurrency = ["nowhere"]', "utf-8")
    ella = start(OKENDO_OVERRIDES=str(file), SHOP_CURRENCY="").signed_in("ella")
    redemption = redeem(ella, STORE_CREDIT, new_key()).json()
    assert redemption["state"] == "succeeded"
    assert not redemption.keys() & {"coupon", "storeCredit"}
    page = ella.get(f"/redemptions/{redemption['key']}").text
    assert "Store credit" in page
    assert "got lost" not in page


@pytest.mark.parametrize(
    ("currency", "amount"), [("USD", "1234.50"), ("JPY", "1235"), ("KWD", "1234.500"), ("CLF", "1234.5000")]
)
def test_money_has_the_digits_of_its_currency(currency: str, amount: str) -> None:
    assert Money.of("1234.5", currency) == Money(amount=amount, currency_code=currency)
    assert Money.of(None, currency) is None
    assert Money.of("1234.5", None) is None
