"""A storefront fills carts at the pretended shop as it does at Shopify, from its server and from any page."""

from typing import Any

import pytest
from support.carts import Storefront, bare, cart_of
from support.sandbox_catalogue import FIVE_OFF, TEN_PERCENT, new_key, redeem
from support.services import Vendors
from support.shopper import Shopper

from bff.sandbox.config import Config

SHOWN = """fragment Shown on Cart {
  id checkoutUrl totalQuantity discountCodes { code applicable }
  lines(first: $most) { nodes { id quantity merchandise { ... on ProductVariant { id product { handle title } } } } }
  lines(first: $most) { edges { node { cost { totalAmount { amount } }
    discountAllocations(lineLevelOnly: false) { discountedAmount { amount } } } } }
  cost { ...Costs } buyerIdentity { email customer { id } }
  discountAllocations { ... on CartCodeDiscountAllocation { code } discountedAmount { amount } }
}
fragment Costs on CartCost { subtotalAmount { amount currencyCode } totalAmount { amount currencyCode } }"""
PAYLOAD = "{ cart { ...Shown } userErrors { code field message } warnings { code } } }"
CREATE = f"mutation ($input: CartInput!, $most: Int = 9) {{ cartCreate(input: $input) {PAYLOAD} {SHOWN}"
ADD = (
    "mutation ($cartId: ID!, $lines: [CartLineInput!]!, $most: Int = 9) "
    f"{{ cartLinesAdd(cartId: $cartId, lines: $lines) {PAYLOAD} {SHOWN}"
)
UPDATE = (
    "mutation ($cartId: ID!, $lines: [CartLineUpdateInput!]!, $most: Int = 9) "
    f"{{ cartLinesUpdate(cartId: $cartId, lines: $lines) {PAYLOAD} {SHOWN}"
)
REMOVE = (
    "mutation ($cartId: ID!, $lineIds: [ID!]!, $most: Int = 9) "
    f"{{ cartLinesRemove(cartId: $cartId, lineIds: $lineIds) {PAYLOAD} {SHOWN}"
)
IDENTIFY = (
    "mutation ($cartId: ID!, $buyer: CartBuyerIdentityInput!, $most: Int = 9) "
    f"{{ cartBuyerIdentityUpdate(cartId: $cartId, buyerIdentity: $buyer) {PAYLOAD} {SHOWN}"
)
READ = f"query ($id: ID!, $most: Int = 9) {{ cart(id: $id) {{ ...Shown }} }} {SHOWN}"
CODES = (
    "mutation ($cartId: ID!, $codes: [String!]!, $most: Int = 9) "
    f"{{ cartDiscountCodesUpdate(cartId: $cartId, discountCodes: $codes) {PAYLOAD} {SHOWN}"
)
CREAM = "gid://shopify/ProductVariant/8100000000002"
SERUM = "gid://shopify/ProductVariant/8100000000003"
ELLA = "gid://shopify/Customer/7000000000001"
TOKEN = {"x-shopify-storefront-access-token": Config().storefront_token}
ORIGIN = {"origin": "https://shop.example.com"}


@pytest.fixture
def shop(vendors: Vendors) -> Storefront:
    return Storefront(vendors, TOKEN)


def filled(shop: Storefront, *variants: str, **more: Any) -> Any:
    lines = [{"merchandiseId": variant, "quantity": 1} for variant in variants]
    return shop.ask(CREATE, input={"lines": lines, **more})["cartCreate"]["cart"]


def test_the_shop_has_products_that_can_be_put_into_a_cart(shop: Storefront) -> None:
    query = """{ products(first: 2) { nodes { handle variants(first: 1) { nodes { id price { amount } } } }
      pageInfo { hasNextPage } } product(handle: "day-cream") { title } missing: product(handle: "none") { title } }"""
    found = shop.ask(query)
    assert [one["handle"] for one in found["products"]["nodes"]] == ["cleanser", "day-cream"]
    assert found["products"]["pageInfo"]["hasNextPage"] is True
    assert (found["product"], found["missing"]) == ({"title": "Day cream"}, None)


def test_a_cart_begins_with_lines_and_its_buyer(shop: Storefront, vendors: Vendors) -> None:
    cart = filled(shop, CREAM, CREAM, SERUM, buyerIdentity={"customerAccessToken": vendors.token("ella")})
    assert [(line["quantity"], line["merchandise"]["product"]["handle"]) for line in cart["lines"]["nodes"]] == [
        (2, "day-cream"),
        (1, "night-serum"),
    ]
    assert cart["cost"] == {
        "subtotalAmount": {"amount": "90.00", "currencyCode": "USD"},
        "totalAmount": {"amount": "90.00", "currencyCode": "USD"},
    }
    assert (cart["totalQuantity"], cart["buyerIdentity"]["customer"]["id"]) == (3, ELLA)
    assert shop.ask(READ, id=cart["id"])["cart"] == cart
    assert vendors.http.get(cart["checkoutUrl"]).status_code == 200


def test_a_legacy_token_names_the_buyer_as_well_and_null_forgets_them(shop: Storefront, vendors: Vendors) -> None:
    cart = filled(shop, CREAM)
    legacy = {"customerAccessToken": vendors.token("ella", kind="storefront")}
    named = shop.ask(IDENTIFY, cartId=cart["id"], buyer=legacy)["cartBuyerIdentityUpdate"]["cart"]
    assert named["buyerIdentity"]["customer"]["id"] == ELLA
    nobody = shop.ask(IDENTIFY, cartId=cart["id"], buyer={"customerAccessToken": None})
    assert nobody["cartBuyerIdentityUpdate"]["cart"]["buyerIdentity"]["customer"] is None


@pytest.mark.parametrize("token", ["wrong", "other shop", "expired"])
def test_no_cart_begins_with_a_token_that_is_no_good(shop: Storefront, vendors: Vendors, token: str) -> None:
    given = {
        "wrong": "shcat_wrong",
        "other shop": vendors.token("ella", shop="other"),
        "expired": vendors.token("ella"),
    }
    if token == "expired":
        vendors.control("clock", advance=3700)
    answer = shop.ask(CREATE, input={"buyerIdentity": {"customerAccessToken": given[token]}})["cartCreate"]
    assert (answer["cart"], answer["userErrors"][0]["field"][-1]) == (None, "customerAccessToken")
    assert vendors.state()["carts"] == {}


def test_lines_are_added_changed_and_removed(shop: Storefront) -> None:
    cart = filled(shop, CREAM)
    line = {"merchandiseId": SERUM}
    more = shop.ask(ADD, cartId=cart["id"], lines=[line])["cartLinesAdd"]["cart"]
    assert more["cost"]["subtotalAmount"]["amount"] == "66.00"
    first, second = (one["id"] for one in more["lines"]["nodes"])
    fewer = shop.ask(UPDATE, cartId=cart["id"], lines=[{"id": second, "quantity": 0}])["cartLinesUpdate"]["cart"]
    assert [one["id"] for one in fewer["lines"]["nodes"]] == [first]
    assert shop.ask(REMOVE, cartId=cart["id"], lineIds=[first])["cartLinesRemove"]["cart"]["totalQuantity"] == 0


@pytest.mark.parametrize(
    "lines",
    [
        [{"merchandiseId": SERUM}, {"merchandiseId": "gid://shopify/ProductVariant/1"}],
        [{"merchandiseId": SERUM, "quantity": -1}],
        [{"merchandiseId": SERUM, "quantity": "2"}],
    ],
)
def test_of_lines_that_are_wrong_none_is_added(shop: Storefront, lines: Any) -> None:
    cart = filled(shop, CREAM)
    answer = shop.ask(ADD, cartId=cart["id"], lines=lines)["cartLinesAdd"]
    assert (answer["cart"], answer["userErrors"][0]["code"]) == (None, "INVALID")
    assert shop.ask(READ, id=cart["id"])["cart"]["totalQuantity"] == 1


def test_without_its_key_a_cart_is_not_changed(shop: Storefront, vendors: Vendors) -> None:
    cart = filled(shop, CREAM, buyerIdentity={"customerAccessToken": vendors.token("ella")})
    answer = shop.ask(ADD, cartId=bare(cart["id"]), lines=[{"merchandiseId": SERUM}])["cartLinesAdd"]
    assert answer["cart"] is None
    shown = shop.ask(READ, id=bare(cart["id"]))["cart"]
    assert (shown["buyerIdentity"], shown["totalQuantity"]) == ({"email": None, "customer": None}, 1)
    assert "key=" not in shown["checkoutUrl"]


def test_codes_that_count_come_off_what_is_to_be_paid(shop: Storefront, vendors: Vendors) -> None:
    vendors.control("discounts", code="SPRING", percent=10)
    vendors.control("discounts", code="MINUS", value=5)
    cart = filled(shop, CREAM, SERUM, discountCodes=["SPRING", "GONE"])
    assert cart["cost"]["totalAmount"]["amount"] == "59.40"
    assert cart["discountCodes"] == [{"code": "SPRING", "applicable": True}, {"code": "GONE", "applicable": False}]
    both = shop.ask(CODES, cartId=cart["id"], codes=["SPRING", "MINUS"])["cartDiscountCodesUpdate"]["cart"]
    assert both["discountAllocations"] == [
        {"code": "SPRING", "discountedAmount": {"amount": "6.60"}},
        {"code": "MINUS", "discountedAmount": {"amount": "5.00"}},
    ]
    assert both["cost"]["totalAmount"]["amount"] == "54.40"
    of_lines = [line["node"]["discountAllocations"][0] for line in both["lines"]["edges"]]
    assert [one["discountedAmount"]["amount"] for one in of_lines] == ["2.40", "4.20"]


@pytest.mark.parametrize(("reward", "total"), [(FIVE_OFF, "37.00"), (TEN_PERCENT, "37.80")])
def test_a_redeemed_coupon_takes_off_what_its_reward_says(
    shop: Storefront, ella: Shopper, reward: str, total: str
) -> None:
    code = redeem(ella, reward, new_key()).json()["coupon"]["code"]
    cart = filled(shop, SERUM, discountCodes=[code.lower()])
    assert cart["cost"]["totalAmount"]["amount"] == total


def test_no_more_comes_off_than_there_is(shop: Storefront, vendors: Vendors) -> None:
    vendors.control("discounts", code="HUGE", value=500)
    cart = cart_of(vendors, subtotal=20, codes=["HUGE"])
    assert shop.ask(READ, id=cart)["cart"]["cost"]["totalAmount"]["amount"] == "0.00"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ('{ cart(id: "x") { id } } { shop { name } }', "operation"),
        ("{ cartCreate(input: {}) { cart { id } } }", "QueryRoot"),
        ('mutation { cart(id: "x") { id } }', "Mutation"),
        ("{ products { nodes { id } } }", "first or last"),
        ("{ shop { ...Missing } }", "Missing"),
        ("{ shop { ... @live { name } } }", "@live"),
        ("{ shop }", "selections"),
        ("{ shop { name }", "early"),
        ("fragment A on Shop { name }", "operation"),
    ],
)
def test_a_document_that_shopify_would_not_take_is_not_taken(shop: Storefront, query: str, says: str) -> None:
    assert says in shop.reply(query).json()["errors"][0]["message"]


def test_what_may_come_later_comes_at_once(shop: Storefront, vendors: Vendors) -> None:
    """Hydrogen's cart handler defers the cart, when it changes the codes; whoever answers need not."""
    query = """mutation ($cartId: ID!, $codes: [String!]!) {
      cartDiscountCodesUpdate(cartId: $cartId, discountCodes: $codes) {
        ... @defer(label: "cart") { cart { ...Codes @defer ... on Cart @defer { totalQuantity } } }
        userErrors { code }
      }
    } fragment Codes on Cart { discountCodes { code } }"""
    done = shop.ask(query, cartId=cart_of(vendors), codes=["SPRING"])["cartDiscountCodesUpdate"]
    assert done["cart"] == {"discountCodes": [{"code": "SPRING"}], "totalQuantity": 0}
    assert done["userErrors"] == []


def test_values_may_stand_in_the_document_itself(shop: Storefront) -> None:
    query = """#graphql
      mutation New @inContext(country: US, language: EN) {
        made: cartCreate(input: {lines: [{merchandiseId: "CREAM", quantity: 3}]}) {
          cart { __typename totalQuantity ... on Cart { note } ... on Shop { name } }
        }
      }""".replace("CREAM", CREAM)
    made = shop.ask(query)["made"]["cart"]
    assert made == {"__typename": "Cart", "totalQuantity": 3, "note": None}


def test_a_page_of_any_origin_may_ask_with_the_public_token(shop: Storefront, vendors: Vendors) -> None:
    wanted = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-shopify-storefront-access-token",
    }
    preflight = vendors.http.options(shop.url, headers=ORIGIN | wanted)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    allowed = preflight.headers["access-control-allow-headers"].lower().split(", ")
    assert {"content-type", "x-shopify-storefront-access-token"} <= set(allowed)
    assert "shopify-storefront-private-token" not in allowed
    reply = vendors.http.post(shop.url, json={"query": "{ shop { name } }"}, headers=ORIGIN | TOKEN)
    assert (reply.json(), reply.headers["access-control-allow-origin"]) == ({"data": {"shop": {"name": "Shop"}}}, "*")
    assert "access-control-allow-credentials" not in reply.headers


def test_a_page_reads_that_its_token_is_wrong_and_nothing_else_of_the_shop(shop: Storefront, vendors: Vendors) -> None:
    refused = vendors.http.post(shop.url, json={"query": "{ shop { name } }"}, headers=ORIGIN)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")
    assert (
        "access-control-allow-origin" not in vendors.http.get(f"{vendors.url}/_control/state", headers=ORIGIN).headers
    )
