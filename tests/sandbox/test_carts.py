"""The pretended shop's carts follow what Shopify says of them."""

from typing import Any

import pytest
from support.carts import UNKNOWN, bare, cart_of
from support.services import Vendors

from bff.sandbox.config import Config

CONFIG = Config()
READ = """query Cart($id: ID!) { cart(id: $id) {
  id discountCodes { code applicable } cost { subtotalAmount { amount currencyCode } } buyerIdentity { customer { id } }
} }"""
UPDATE = """mutation ($cartId: ID!, $discountCodes: [String!]!) {
  cartDiscountCodesUpdate(cartId: $cartId, discountCodes: $discountCodes) {
    cart { discountCodes { code applicable } } userErrors { code field message } warnings { code message target }
  }
}"""
OPEN = {"shopify-storefront-private-token": CONFIG.storefront_private_token}


def ask(vendors: Vendors, query: str, headers: dict[str, str] = OPEN, **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    return vendors.http.post(f"{vendors.url}/api/2026-07/graphql.json", json=body, headers=headers).json()


def update(vendors: Vendors, cart: str, *codes: str) -> Any:
    return ask(vendors, UPDATE, cartId=cart, discountCodes=list(codes))["data"]["cartDiscountCodesUpdate"]


def test_a_cart_is_shown_to_whoever_has_its_key(vendors: Vendors) -> None:
    cart = cart_of(vendors, subtotal=20, persona="ella")
    shown = ask(vendors, READ, id=cart)["data"]["cart"]
    assert shown["id"] == cart
    assert shown["cost"]["subtotalAmount"] == {"amount": "20.00", "currencyCode": "USD"}
    assert shown["buyerIdentity"]["customer"]["id"] == "gid://shopify/Customer/7000000000001"


@pytest.mark.parametrize("key", ["", "?key=wrong"])
def test_without_its_key_a_cart_keeps_its_buyer_to_itself_and_is_not_changed(vendors: Vendors, key: str) -> None:
    cart = cart_of(vendors, persona="ella")
    shown = ask(vendors, READ, id=bare(cart) + key)["data"]["cart"]
    assert (shown["id"], shown["buyerIdentity"]["customer"]) == (bare(cart), None)
    changed = update(vendors, bare(cart) + key, "SPRING")
    assert (changed["cart"], changed["userErrors"][0]["code"]) == (None, "INVALID")


def test_there_is_no_cart_of_another_shop(vendors: Vendors) -> None:
    for cart in (UNKNOWN, cart_of(vendors, shop="other")):
        assert ask(vendors, READ, id=cart) == {"data": {"cart": None}}
        assert update(vendors, cart, "SPRING")["cart"] is None


def test_a_list_of_codes_replaces_the_one_before(vendors: Vendors) -> None:
    cart = cart_of(vendors, codes=["OLD"])
    for code in ("SPRING", "SUMMER"):
        vendors.control("discounts", code=code)
        assert update(vendors, cart, code)["cart"]["discountCodes"] == [{"code": code, "applicable": True}]
    assert update(vendors, cart)["cart"]["discountCodes"] == []


def test_a_code_that_does_not_count_stays_with_a_warning_that_names_the_cart(vendors: Vendors) -> None:
    cart = cart_of(vendors)
    changed = update(vendors, cart, "NOTHING")
    assert changed["cart"]["discountCodes"] == [{"code": "NOTHING", "applicable": False}]
    [warning] = changed["warnings"]
    assert (warning["code"], warning["target"]) == ("DISCOUNT_NOT_FOUND", cart)


def test_of_codes_that_do_not_go_together_the_better_one_counts(vendors: Vendors) -> None:
    vendors.control("discounts", code="SMALL", value=1)
    vendors.control("discounts", code="LARGE", value=9, combines=False)
    changed = update(vendors, cart_of(vendors), "SMALL", "LARGE")
    assert [one["applicable"] for one in changed["cart"]["discountCodes"]] == [False, True]
    assert [one["code"] for one in changed["warnings"]] == ["DISCOUNT_CODE_NOT_HONOURED"]


def test_at_most_250_codes_are_taken(vendors: Vendors) -> None:
    codes = [f"C{number}" for number in range(251)]
    assert "250" in ask(vendors, UPDATE, cartId=cart_of(vendors), discountCodes=codes)["errors"][0]["message"]


def test_a_storefront_token_is_asked_for(vendors: Vendors) -> None:
    for headers in (
        {},
        {"shopify-storefront-private-token": "wrong"},
        OPEN | {"x-shopify-storefront-access-token": "no"},
    ):
        assert "errors" in ask(vendors, READ, headers, id=cart_of(vendors))
    public = {"x-shopify-storefront-access-token": CONFIG.storefront_token}
    assert ask(vendors, READ, public, id=cart_of(vendors))["data"]["cart"]


def test_faults_find_each_operation_at_the_one_address(vendors: Vendors) -> None:
    cart = cart_of(vendors)
    vendors.fault("storefront_cart_codes", "status:500")
    assert ask(vendors, READ, id=cart)["data"]["cart"]
    reply = vendors.http.post(
        f"{vendors.url}/api/2026-07/graphql.json",
        json={"query": UPDATE, "variables": {"cartId": cart, "discountCodes": []}},
        headers=OPEN,
    )
    assert reply.status_code == 500
    operations = [call["operation"] for call in vendors.state()["calls"]]
    assert operations == ["storefront_cart", "storefront_cart_codes"]
