"""A coupon goes into the shopper's cart, beside the codes that are in it, or the answer says why not."""

import json
from functools import partial
from typing import Any

import pytest
from support.carts import UNKNOWN, apply, bare, cart_of, codes_in, redeem_into
from support.concurrency import at_once
from support.sandbox_catalogue import FIVE_OFF, STORE_CREDIT, TEN_PERCENT, code_of, new_key, redeem, sends
from support.services import Log, Service, Start, Vendors
from support.shopper import Shopper

WELCOME_BACK = "OKE-WELCOMEBACK"
NO_TOKENS = {"SHOPIFY_STOREFRONT_TOKEN": "", "SHOPIFY_STOREFRONT_PRIVATE_TOKEN": ""}
KEY = "an-intent-with-a-cart-01"
MALFORMED = (
    "",
    " ",
    "c1-0123456789abcdef",
    "gid://shopify/Cart/",
    "gid://shopify/Cart/?key=1",
    "gid://shopify/Checkout/c1-0123?key=1",
    "gid://shopify/Cart/c1/../x?key=1",
    "gid://shopify/Cart/c1 0123?key=1",
    "gid://shopify/Cart/c1-0123?key=1\n",
    "gid://shopify/Cart/c1-0123?key=1?key=2",
    'gid://shopify/Cart/c1"){id}}#?key=1',
    "gid://shopify/Cart/" + "x" * 201 + "?key=1",
    "gid://shopify/Cart/c1-0123?key=" + "x" * 201,
    "gid://shopify/Cart/cl\u00e9?key=1",
    "GID://SHOPIFY/CART/c1-0123?key=1",
)


def coupon_of(shopper: Shopper, reward: str = FIVE_OFF) -> str:
    reply = redeem(shopper, reward, new_key())
    assert reply.status_code == 201, reply.text
    return str(reply.json()["coupon"]["code"])


def not_applied(reason: str, **more: Any) -> dict[str, Any]:
    return {"result": "not_applied", "reason": reason, **more}


# What goes in -------------------------------------------------------------------------------------------------------


def test_a_coupon_joins_the_codes_that_are_in_the_cart(ella: Shopper, vendors: Vendors) -> None:
    for code in ("SPRING", "Friends"):
        vendors.control("discounts", code=code)
    cart, code = cart_of(vendors, codes=["SPRING", "Friends"]), coupon_of(ella)
    reply = apply(ella, code, cart)
    assert (reply.status_code, reply.json()) == (200, {"result": "applied"})
    assert codes_in(vendors, cart) == ["SPRING", "Friends", code]


def test_a_coupon_that_counts_already_is_not_sent_again(ella: Shopper, vendors: Vendors) -> None:
    cart, code = cart_of(vendors), coupon_of(ella)
    assert apply(ella, code, cart).json() == {"result": "applied"}
    assert apply(ella, code.lower(), cart).json() == {"result": "already_applied"}
    assert len(vendors.calls("storefront_cart_codes")) == 1


def test_a_code_is_the_same_in_upper_and_lower_case(ella: Shopper, vendors: Vendors) -> None:
    code = coupon_of(ella)
    cart = cart_of(vendors, subtotal=10, codes=[code.lower(), "SPRING"])
    vendors.control("discounts", code="SPRING")
    assert apply(ella, code, cart).json()["reason"] == "minimum_spend"
    assert codes_in(vendors, cart) == ["SPRING", code]


def test_a_coupon_of_the_history_goes_in_as_well(ella: Shopper, vendors: Vendors) -> None:
    cart = cart_of(vendors)
    assert apply(ella, WELCOME_BACK, cart).json() == {"result": "applied"}
    assert codes_in(vendors, cart) == [WELCOME_BACK]


def test_codes_that_count_no_more_beside_it_are_told(ella: Shopper, vendors: Vendors) -> None:
    code = coupon_of(ella)
    vendors.control("discounts", code="SPRING", value=1)
    vendors.control("discounts", code=code, value=9, combines=False)
    cart = cart_of(vendors, codes=["SPRING"])
    assert apply(ella, code, cart).json() == {"result": "applied", "displaced": ["SPRING"]}
    assert codes_in(vendors, cart) == ["SPRING", code]


def test_two_coupons_at_once_lose_none_of_each_other(service: Service, vendors: Vendors) -> None:
    tara = service.signed_in("tara")
    codes = [coupon_of(tara, reward) for reward in (FIVE_OFF, TEN_PERCENT, FIVE_OFF)]
    cart = cart_of(vendors)
    vendors.fault("storefront_cart_codes", "delay", times=2, seconds=0.3)
    replies = at_once([partial(apply, tara, code, cart) for code in codes])
    assert [reply.json() for reply in replies] == [{"result": "applied"}] * 3
    assert sorted(codes_in(vendors, cart)) == sorted(codes)


def test_shopify_hears_of_the_shopper_and_gets_the_private_token(start: Start, vendors: Vendors) -> None:
    ella = start(SHOPIFY_STOREFRONT_TOKEN="").signed_in("ella")
    reply = ella.api(
        "POST", f"/me/coupons/{WELCOME_BACK}/cart", {"cartId": cart_of(vendors)}, x_forwarded_for="198.51.100.7"
    )
    assert reply.json() == {"result": "applied"}
    for call in (*vendors.calls("storefront_cart"), *vendors.calls("storefront_cart_codes")):
        assert call["headers"]["shopify-storefront-buyer-ip"] == "198.51.100.7"
        assert call["headers"]["shopify-storefront-private-token"]
        assert "x-shopify-storefront-access-token" not in call["headers"]


def test_the_public_token_alone_will_do_and_tells_no_address(start: Start, vendors: Vendors) -> None:
    ella = start(SHOPIFY_STOREFRONT_PRIVATE_TOKEN="").signed_in("ella")
    assert apply(ella, WELCOME_BACK, cart_of(vendors)).json() == {"result": "applied"}
    [call] = vendors.calls("storefront_cart")
    assert call["headers"]["x-shopify-storefront-access-token"]
    assert not {"shopify-storefront-private-token", "shopify-storefront-buyer-ip"} & call["headers"].keys()


def test_the_storefronts_server_is_not_taken_for_the_shopper(service: Service, vendors: Vendors) -> None:
    handle = service.handle(vendors.token("ella"))
    headers = {
        "authorization": f"Bearer {service.settings['SESSION_TICKETS_TOKEN']}",
        "x-loyalty-session": handle,
        "content-type": "application/json",
    }
    body = {"cartId": cart_of(vendors)}
    path = f"/api/v1/me/coupons/{WELCOME_BACK}/cart"
    reply = service.shopper().request("POST", path, json=body, headers=headers)
    assert (reply.status_code, reply.json()) == (200, {"result": "applied"})
    assert "shopify-storefront-buyer-ip" not in vendors.calls("storefront_cart")[0]["headers"]


# Why it does not ----------------------------------------------------------------------------------------------------


def test_a_cart_below_the_minimum_is_told_how_much_is_missing(ella: Shopper, vendors: Vendors) -> None:
    cart, code = cart_of(vendors, subtotal=17.5), coupon_of(ella)
    missing = {"amount": "12.50", "currencyCode": "USD"}
    assert apply(ella, code, cart).json() == not_applied("minimum_spend", missing=missing)
    # It stays in the list, and counts as soon as the cart has come to enough.
    assert codes_in(vendors, cart) == [code]


def test_a_minimum_in_another_currency_is_not_subtracted(ella: Shopper, vendors: Vendors) -> None:
    cart, code = cart_of(vendors, subtotal=17.5, currency="EUR"), coupon_of(ella)
    assert apply(ella, code, cart).json() == not_applied("minimum_spend")


def test_a_coupon_that_loses_to_another_code_is_not_combinable(ella: Shopper, vendors: Vendors) -> None:
    vendors.control("discounts", code="SPRING", value=20, combines=False)
    cart, code = cart_of(vendors, codes=["SPRING"]), coupon_of(ella)
    assert apply(ella, code, cart).json() == not_applied("not_combinable")


def test_a_coupon_that_has_ended_is_expired(ella: Shopper, vendors: Vendors) -> None:
    code = coupon_of(ella)
    vendors.control("discounts", code=code, ended=True)
    assert apply(ella, code, cart_of(vendors)).json() == not_applied("expired")


@pytest.mark.parametrize("buyer", [{}, {"persona": "ella"}])
def test_a_coupon_for_somebody_else_is_of_the_wrong_customer(
    ella: Shopper, vendors: Vendors, buyer: dict[str, str]
) -> None:
    code = coupon_of(ella)
    vendors.control("discounts", code=code, persona="tara")
    assert apply(ella, code, cart_of(vendors, **buyer)).json() == not_applied("wrong_customer")


def test_nothing_goes_into_the_cart_of_another_customer(ella: Shopper, vendors: Vendors) -> None:
    cart, code = cart_of(vendors, persona="tara", codes=["SPRING"]), coupon_of(ella)
    assert apply(ella, code, cart).json() == not_applied("wrong_customer")
    assert codes_in(vendors, cart) == ["SPRING"]
    assert not vendors.calls("storefront_cart_codes")


@pytest.mark.parametrize("everything", [False, True])
def test_whose_cart_it_is_need_not_be_told(ella: Shopper, vendors: Vendors, everything: bool) -> None:
    code = coupon_of(ella)
    vendors.control("denied", fields=["customer"], all=everything)
    assert apply(ella, code, cart_of(vendors, persona="ella")).json() == {"result": "applied"}


def test_a_cart_that_this_shop_does_not_have_is_not_found(ella: Shopper, vendors: Vendors) -> None:
    code = coupon_of(ella)
    here = cart_of(vendors)
    for cart in (UNKNOWN, cart_of(vendors, shop="other"), here + "0", bare(here)):
        assert apply(ella, code, cart).json() == not_applied("cart_not_found"), cart
    assert codes_in(vendors, here) == []


def test_what_shopify_says_no_more_of_is_other(ella: Shopper, vendors: Vendors) -> None:
    code = coupon_of(ella)
    vendors.control("discounts", code=code, usedUp=True)
    assert apply(ella, code, cart_of(vendors)).json() == not_applied("other")
    vendors.control("discounts", code=code)
    assert apply(ella, code, cart_of(vendors, subtotal=0)).json() == not_applied("other")


def test_a_warning_about_another_code_is_not_taken_for_ours(ella: Shopper, vendors: Vendors) -> None:
    code = coupon_of(ella)
    vendors.control("discounts", code="BIG", minimum=900)
    vendors.control("discounts", code=code, ended=True)
    assert apply(ella, code, cart_of(vendors, codes=["BIG"])).json() == not_applied("expired")


def test_warnings_that_may_be_about_either_code_say_nothing(ella: Shopper, vendors: Vendors) -> None:
    code = coupon_of(ella)
    vendors.control("discounts", code="OLD", usedUp=True)
    vendors.control("discounts", code=code, ended=True)
    assert apply(ella, code, cart_of(vendors, codes=["OLD"])).json() == not_applied("other")


def test_a_cart_that_holds_as_many_codes_as_it_can_takes_no_more(ella: Shopper, vendors: Vendors) -> None:
    cart, code = cart_of(vendors, codes=[f"C{number}" for number in range(250)]), coupon_of(ella)
    assert apply(ella, code, cart).json() == not_applied("other")
    assert len(codes_in(vendors, cart)) == 250
    assert not vendors.calls("storefront_cart_codes")


# Whose coupon -------------------------------------------------------------------------------------------------------


def test_H8_a_code_that_is_not_in_the_wallet_is_not_found(service: Service, vendors: Vendors) -> None:
    ella, tara = service.signed_in("ella"), service.signed_in("tara")
    cart, theirs = cart_of(vendors), coupon_of(tara)
    vendors.control("discounts", code="SPRING")
    for code in (theirs, "SPRING", "x" * 255, "x" * 256, "%00", "%0d%0aX", "%22%7D%29", "%F0%9F%8E%81", "..%2f", "%25"):
        reply = apply(ella, code, cart)
        assert (reply.status_code, code_of(reply)) == (404, "not_found"), code
    assert not vendors.calls("storefront_cart")


def test_a_code_nobody_can_look_up_is_not_said_to_be_unknown(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("transactions", "status:500", times=2)
    reply = apply(ella, WELCOME_BACK, cart_of(vendors))
    assert (reply.status_code, code_of(reply)) == (502, "upstream_unavailable")


def test_who_is_not_signed_in_puts_nothing_into_a_cart(service: Service, vendors: Vendors) -> None:
    reply = apply(service.shopper(), WELCOME_BACK, cart_of(vendors))
    assert (reply.status_code, code_of(reply)) == (401, "session_required")


@pytest.mark.parametrize("cart", [*MALFORMED, None, 5, ["gid://shopify/Cart/c1?key=1"]])
def test_C9_what_is_no_id_of_a_cart_is_refused_and_repeated_nowhere(ella: Shopper, vendors: Vendors, cart: Any) -> None:
    for reply in (apply(ella, WELCOME_BACK, cart), redeem_into(ella, FIVE_OFF, KEY, cart)):
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request")
        assert not isinstance(cart, str) or len(cart) <= len("gid://shopify/Cart/") or cart not in reply.text
    assert sends(vendors) == 0
    assert not vendors.calls("storefront_cart")


def test_without_a_token_of_the_shops_the_link_is_left(start: Start, vendors: Vendors) -> None:
    ella = start(**NO_TOKENS).signed_in("ella")
    reply = apply(ella, WELCOME_BACK, cart_of(vendors))
    assert (reply.status_code, code_of(reply)) == (404, "feature_unavailable")
    done = redeem_into(ella, FIVE_OFF, KEY, cart_of(vendors))
    assert (done.status_code, done.json()["cart"]) == (201, not_applied("other"))
    assert "/discount/" in done.json()["coupon"]["applyUrl"]
    assert ella.api("GET", f"/me/rewards?cartId={bare(UNKNOWN)}").json()["cart"] == {"state": "unreadable"}


def test_M4_the_key_of_a_cart_is_in_no_log_and_no_answer(ella: Shopper, vendors: Vendors, log: Log) -> None:
    carts = [cart_of(vendors), cart_of(vendors, persona="tara"), UNKNOWN]
    for cart in carts:
        apply(ella, WELCOME_BACK, cart)
        redeem_into(ella, FIVE_OFF, KEY, cart)
    vendors.fault("storefront_cart", "status:500")
    apply(ella, WELCOME_BACK, carts[0])
    said = log.getvalue() + "".join(reply.text + str(reply.headers) for reply in ella.replies)
    for cart in carts:
        token, _, key = cart.removeprefix("gid://shopify/Cart/").partition("?key=")
        assert key not in said
        assert token not in said
    assert WELCOME_BACK not in log.getvalue()


# With a redemption --------------------------------------------------------------------------------------------------


def test_a_redemption_puts_its_code_into_the_cart(ella: Shopper, vendors: Vendors) -> None:
    cart = cart_of(vendors)
    reply = redeem_into(ella, FIVE_OFF, KEY, cart)
    assert (reply.status_code, reply.json()["cart"]) == (201, {"result": "applied"})
    assert codes_in(vendors, cart) == [reply.json()["coupon"]["code"]]


def test_a_redemption_repeated_tries_the_cart_again_and_spends_nothing(ella: Shopper, vendors: Vendors) -> None:
    cart = cart_of(vendors, subtotal=5)
    first = redeem_into(ella, FIVE_OFF, KEY, cart)
    assert first.json()["cart"]["reason"] == "minimum_spend"
    roomy = cart_of(vendors)
    again, once_more = redeem_into(ella, FIVE_OFF, KEY, roomy), redeem_into(ella, FIVE_OFF, KEY, roomy)
    assert [reply.json()["cart"]["result"] for reply in (again, once_more)] == ["applied", "already_applied"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "cart" not in redeem(ella, FIVE_OFF, KEY).json()
    assert sends(vendors) == 1
    assert vendors.member("ella")["balance"] == 740


def test_what_has_no_code_goes_into_no_cart(service: Service, vendors: Vendors) -> None:
    reply = redeem_into(service.signed_in("tara"), STORE_CREDIT, KEY, cart_of(vendors))
    assert reply.status_code == 201
    assert "cart" not in reply.json()
    assert not vendors.calls("storefront_cart")


def test_a_cart_that_does_not_fit_keeps_nobody_from_redeeming(ella: Shopper, vendors: Vendors) -> None:
    reply = redeem_into(ella, FIVE_OFF, KEY, UNKNOWN)
    assert (reply.status_code, reply.json()["cart"]) == (201, not_applied("cart_not_found"))
    assert reply.json()["coupon"]["code"]
    assert ella.api("GET", f"/me/redemptions/{KEY}").json()["state"] == "succeeded"


# Beforehand ---------------------------------------------------------------------------------------------------------


def fits(shopper: Shopper, cart: str) -> dict[str, Any]:
    answer = shopper.api("GET", f"/me/rewards?cartId={cart}").json()
    assert answer["cart"] == {"state": "read"}
    return {reward["name"]: reward.get("fitsCart") for reward in answer["rewards"]}


def test_rewards_say_beforehand_whether_they_would_fit_the_cart(ella: Shopper, vendors: Vendors) -> None:
    found = fits(ella, bare(cart_of(vendors, subtotal=17.5, persona="tara")))
    missing = {"amount": "12.50", "currencyCode": "USD"}
    assert found["$5 off your order"] == {"fits": False, "reason": "minimum_spend", "missing": missing}
    assert found["10% off your order"] == {"fits": True}
    # Of store credit there is no code, and a product has to be in the cart: nobody knows.
    assert found["$8 store credit"] is None
    assert found["A free travel-size cleanser"] is None
    assert fits(ella, bare(cart_of(vendors, subtotal=30)))["$5 off your order"] == {"fits": True}


def test_a_cart_in_another_currency_or_empty_is_not_guessed_at(ella: Shopper, vendors: Vendors) -> None:
    assert fits(ella, bare(cart_of(vendors, currency="EUR")))["$5 off your order"] is None
    empty = fits(ella, bare(cart_of(vendors, subtotal=0)))
    assert empty["10% off your order"] == {"fits": False, "reason": "other"}
    assert empty["$5 off your order"]["reason"] == "minimum_spend"


def test_C9_the_key_of_a_cart_is_refused_in_an_address(ella: Shopper, vendors: Vendors, log: Log) -> None:
    cart = cart_of(vendors)
    for given in (cart.replace("?", "%3F"), bare(cart) + "?x", "gid://shopify/Cart/", "c1"):
        reply = ella.api("GET", f"/me/rewards?cartId={given}")
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request")
    assert not vendors.calls("storefront_cart")
    assert cart.partition("key=")[2] not in log.getvalue()


def test_a_cart_that_cannot_be_read_refuses_no_reward(ella: Shopper, vendors: Vendors) -> None:
    without = ella.api("GET", "/me/rewards").json()
    assert "cart" not in without
    vendors.fault("storefront_cart", "status:500")
    for state, cart in (("unreadable", cart_of(vendors)), ("not_found", UNKNOWN)):
        answer = ella.api("GET", f"/me/rewards?cartId={bare(cart)}").json()
        assert answer == {**without, "cart": {"state": state}}
    assert "fitsCart" not in json.dumps(without)
