"""What a member can redeem and why not the rest, and what they get for it."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.enrolment_clients import Rows
from support.sandbox_catalogue import (
    FIVE_OFF,
    FREE_PRODUCT,
    FREE_SHIPPING,
    GOLD_ONLY,
    PRICES,
    STORE_CREDIT,
    TEN_PERCENT,
    code_of,
    new_key,
    redeem,
    redemptions_of,
    sends,
)
from support.services import Service, Start, Vendors
from support.shopper import Shopper

from bff.schemas.member import Member
from bff.schemas.program import CanRedeem
from bff.vendors.okendo import replies

KEY = "an-intent-of-ella-0001"
NOT_OFFERED = (
    "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b99",
    FIVE_OFF.upper(),
    f" {FIVE_OFF}",
    "..",
    "../redemptions",
    "%2e%2e",
    "a/b",
    "\\",
    "",
    "x" * 200,
    "'; DROP TABLE redemptions; --",
    "\0",
    "\N{PARTY POPPER}",
)


def test_L8_a_price_or_balance_from_the_client_counts_for_nothing(ella: Shopper, vendors: Vendors) -> None:
    for extra in ("points", "balance", "price", "canRedeem", "customerId"):
        reply = ella.api("POST", "/me/redemptions", {"rewardId": FIVE_OFF, extra: 1}, idempotency_key=new_key())
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request"), extra
    assert sends(vendors) == 0
    path = f"/rewards/{FIVE_OFF}"
    landed = ella.submit(ella.get(path), path, points="1", balance="99999")
    assert landed.path.startswith("/redemptions/")
    assert vendors.member("ella")["balance"] == 740


def test_L8_points_that_went_since_the_page_was_shown_are_noticed(ella: Shopper, vendors: Vendors) -> None:
    path = f"/rewards/{TEN_PERCENT}"
    page = ella.get(path)
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 201
    landed = ella.submit(page, path)
    assert (landed.status, landed.path) == (422, path)
    assert "260 points to go" in landed.text
    assert [redemption["rule"] for redemption in redemptions_of(vendors, "ella")] == [FIVE_OFF]


def test_H8_a_reward_that_is_not_offered_is_not_found_and_nothing_is_sent(ella: Shopper, vendors: Vendors) -> None:
    for reward in NOT_OFFERED:
        reply = redeem(ella, reward, new_key())
        assert (reply.status_code, code_of(reply)) == (404, "not_found"), reward
    form = ella.get(f"/rewards/{FIVE_OFF}").form(f"/rewards/{FIVE_OFF}").fields
    for reward in ("nothing", "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b99", "%2e%2e", "a%2fb", "%00"):
        assert ella.get(f"/rewards/{reward}").status == 404, reward
        assert ella.post(f"/rewards/{reward}", form).status == 404, reward
    assert sends(vendors) == 0


def test_each_member_is_told_what_they_can_redeem_and_why_not_the_rest(service: Service) -> None:
    tier: Any = {"state": "tier_required", "requiredTier": "Gold"}
    ready, locked, ids = {"state": "ready"}, {"state": "not_enrolled"}, list(PRICES)
    missing = {reward: {"state": "insufficient_points", "missingPoints": points} for reward, points in PRICES.items()}
    expected: dict[str, Any] = {
        "ella": dict.fromkeys(ids, ready) | {FREE_PRODUCT: missing[FREE_PRODUCT] | {"missingPoints": 760}},
        "zoe": dict(missing),
        "tara": dict.fromkeys(ids, ready),
        "penny": dict.fromkeys(ids, locked),
    }
    expected["ella"][GOLD_ONLY] = expected["zoe"][GOLD_ONLY] = tier
    for persona, states in expected.items():
        rewards = service.signed_in(persona).api("GET", "/me/rewards").json()["rewards"]
        assert {reward["id"]: reward["canRedeem"] for reward in rewards} == states, persona


def test_only_a_reward_that_is_ready_has_a_button_to_redeem_it(service: Service) -> None:
    for persona in ("ella", "zoe", "penny"):
        shopper = service.signed_in(persona)
        shelf = shopper.get("/rewards").reply.text
        for reward in shopper.api("GET", "/me/rewards").json()["rewards"]:
            path = f"/rewards/{reward['id']}"
            page = shopper.get(path)
            is_ready = reward["canRedeem"]["state"] == "ready"
            assert (path in [form.action for form in page.read.forms]) is is_ready, (persona, reward["name"])
            assert (f'aria-label="Redeem {reward["name"]}"' in shelf) is is_ready, (persona, reward["name"])


def test_a_locked_reward_says_how_to_close_the_gap(ella: Shopper, penny: Shopper) -> None:
    assert "760 points to go" in ella.get(f"/rewards/{FREE_PRODUCT}").text
    assert "Gold" in ella.get(f"/rewards/{GOLD_ONLY}").text
    assert "/join" in penny.get(f"/rewards/{FREE_SHIPPING}").read.links


@pytest.mark.parametrize(
    ("persona", "reward", "status", "code"),
    [
        ("ella", FREE_PRODUCT, 422, "insufficient_points"),
        ("ella", GOLD_ONLY, 422, "reward_ineligible"),
        ("penny", FIVE_OFF, 403, "not_enrolled"),
        ("blake", FIVE_OFF, 403, "member_blocked"),
    ],
)
def test_what_is_locked_cannot_be_redeemed_past_the_button(
    service: Service, vendors: Vendors, rows: Rows, persona: str, reward: str,
    status: int, code: str,
) -> None:  # fmt: skip
    reply = redeem(service.signed_in(persona), reward, new_key())
    assert (reply.status_code, code_of(reply)) == (status, code)
    assert sends(vendors) == 0
    assert rows.execute("SELECT * FROM redemptions").fetchall() == []


def test_a_coupon_comes_with_the_link_that_puts_it_into_the_cart(ella: Shopper, vendors: Vendors) -> None:
    redemption = redeem(ella, FIVE_OFF, KEY).json()
    (effect,) = redemptions_of(vendors, "ella")
    assert redemption["coupon"]["code"] == effect["code"]
    assert redemption["coupon"]["applyUrl"] == f"http://localhost:3000/discount/{effect['code']}?redirect=/"
    assert redemption["coupon"]["applyUrl"] in ella.get(f"/redemptions/{KEY}").read.links


def test_the_link_into_the_cart_is_the_merchants_choice(start: Start) -> None:
    ella = start(COUPON_APPLY_URL="https://shop.example.com/cart?discount={code}&again={code}").signed_in("ella")
    coupon = redeem(ella, FIVE_OFF, KEY).json()["coupon"]
    assert coupon["applyUrl"] == f"https://shop.example.com/cart?discount={coupon['code']}&again={coupon['code']}"


def test_store_credit_has_no_code(ella: Shopper, vendors: Vendors) -> None:
    reply = redeem(ella, STORE_CREDIT, KEY)
    redemption = reply.json()
    assert (reply.status_code, redemption["state"], redemption["points"]) == (201, "succeeded", 750)
    assert "coupon" not in redemption
    page = ella.get(f"/redemptions/{KEY}")
    assert "store credit" in page.text
    assert "OKE-" not in page.reply.text
    assert "/discount/" not in page.reply.text
    assert redemptions_of(vendors, "ella")[0]["code"] is None


def test_a_reward_that_was_redeemed_as_often_as_it_allows_says_so(ella: Shopper, vendors: Vendors) -> None:
    vendors.control("member", persona="ella", limits={FIVE_OFF: 1})
    path = f"/rewards/{FIVE_OFF}"
    page = ella.get(path)
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 201
    rewards = {reward["id"]: reward["canRedeem"] for reward in ella.api("GET", "/me/rewards").json()["rewards"]}
    assert rewards[FIVE_OFF] == {"state": "limit_reached"}
    assert rewards[TEN_PERCENT] == {"state": "insufficient_points", "missingPoints": 260}
    again = redeem(ella, FIVE_OFF, new_key())
    assert (again.status_code, code_of(again)) == (422, "reward_ineligible")
    assert "as often as" in ella.submit(page, path).text
    assert sends(vendors) == 1


points = st.floats(0, 1e7).map(lambda number: round(number, 2))


@given(balance=points, price=points)
@example(balance=499.5, price=500.0)
@example(balance=0.0, price=0.4)
def test_what_is_shown_never_promises_more_than_there_is(balance: float, price: float) -> None:
    """Balances are rounded down and what is missing up, so that whoever has earned it can redeem."""
    customer = replies.Customer(state="enrolled", balance=balance)
    rule = replies.RedemptionRule(id="r", points=price)
    shown, can_redeem = Member.from_okendo(customer, None), CanRedeem.from_okendo(rule, customer, [])
    assert shown.points.balance <= balance
    if can_redeem.state == "ready":
        assert balance >= price
    else:
        assert can_redeem.missing_points is not None
        assert can_redeem.missing_points >= 1
        assert balance + can_redeem.missing_points >= price
