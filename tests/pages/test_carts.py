"""The button that puts a coupon into the cart which the storefront keeps in its cookie, and what is said afterwards."""

from typing import Any
from urllib.parse import quote

import pytest
from support.carts import UNKNOWN, bare, cart_of, codes_in
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors
from support.shopper import Page, Shopper

from bff.languages.catalogues import Catalogues

WELCOME_BACK = "OKE-WELCOMEBACK"
GID = "gid://shopify/Cart/"
NO_TOKENS = {"SHOPIFY_STOREFRONT_TOKEN": "", "SHOPIFY_STOREFRONT_PRIVATE_TOKEN": ""}


def with_cart(shopper: Shopper, cart_id: str) -> Shopper:
    """As Hydrogen keeps it: what follows gid://shopify/Cart/, percent-encoded."""
    shopper.cookies["cart"] = quote(cart_id.removeprefix(GID), safe="")
    return shopper


@pytest.fixture
def service(start: Start) -> Service:
    return start(CART_COOKIE="cart")


@pytest.fixture
def ella(service: Service) -> Shopper:
    return service.signed_in("ella")


def press(shopper: Shopper, page: Page | None = None, **fields: str) -> Page:
    return shopper.submit(page or shopper.get("/coupons"), "/coupons", **fields)


def test_the_button_puts_the_coupon_into_the_cart_of_the_cookie(ella: Shopper, vendors: Vendors) -> None:
    cart = cart_of(vendors, codes=["SPRING"])
    page = press(with_cart(ella, cart))
    assert (page.status, page.path) == (200, "/coupons")
    assert "Your coupon is in your cart" in page.text
    assert codes_in(vendors, cart) == ["SPRING", WELCOME_BACK]
    assert "/discount/" not in " ".join(page.read.links)


def test_C9_the_cart_is_in_no_page_and_no_address(ella: Shopper, vendors: Vendors) -> None:
    cart = cart_of(vendors, subtotal=5)
    page = press(with_cart(ella, cart))
    assert page.status == 422
    token, _, key = cart.removeprefix(GID).partition("?key=")
    for reply in ella.replies:
        said = f"{reply.url} {reply.headers} {reply.text}"
        assert key not in said
        assert token not in said


@pytest.mark.parametrize(
    ("cart", "discount", "words"),
    [
        ({"subtotal": 17.5}, {}, "Add $12.50 more to your cart, and it counts."),
        ({"subtotal": 17.5, "currency": "EUR"}, {}, "Your cart does not come to enough for it yet."),
        ({}, {"ended": True}, "The shop does not take it any more."),
        ({"persona": "tara"}, {}, "The cart or the coupon belongs to another account."),
        ({"shop": "other"}, {}, "Your cart could not be found."),
        ({}, {"usedUp": True}, "The shop did not say why."),
        (
            {"codes": ["BIG"]},
            {"value": 1, "combines": False},
            "It does not go together with another code",
        ),
    ],
)
def test_why_a_coupon_does_not_count_is_said_in_words(
    ella: Shopper, vendors: Vendors, cart: dict[str, Any], discount: dict[str, Any], words: str
) -> None:
    vendors.control("discounts", code="BIG", value=9)
    if discount:
        vendors.control("discounts", code=WELCOME_BACK, **discount)
    page = press(with_cart(ella, cart_of(vendors, **cart)))
    assert page.status == 422
    assert words in page.text
    assert WELCOME_BACK in page.text
    assert 'role="alert"' in page.reply.text


def test_what_the_cart_lacks_is_said_before_points_are_spent(ella: Shopper, vendors: Vendors) -> None:
    reward = f"/rewards/{FIVE_OFF}"
    page = with_cart(ella, cart_of(vendors, subtotal=5)).get(reward)
    assert "Add $25 more to your cart, and it counts." in page.text
    assert "Redeem 500 points" in page.text
    assert "to your cart" not in with_cart(ella, cart_of(vendors, subtotal=50)).get(reward).text
    assert "to your cart" not in with_cart(ella, UNKNOWN).get(reward).text


@pytest.mark.parametrize("trouble", [{"kind": "status:503"}, {"kind": "delay", "seconds": 3}])
def test_a_cart_that_cannot_be_read_soon_is_not_waited_for(
    ella: Shopper, vendors: Vendors, trouble: dict[str, Any]
) -> None:
    with_cart(ella, cart_of(vendors, subtotal=5))
    vendors.fault("storefront_cart", **trouble)
    page = ella.get(f"/rewards/{FIVE_OFF}")
    assert (page.status, "to your cart" in page.text, "Redeem 500 points" in page.text) == (200, False, True)


def test_a_code_that_does_not_count_any_more_is_spoken_of(ella: Shopper, vendors: Vendors) -> None:
    vendors.control("discounts", code="SPRING", value=1)
    vendors.control("discounts", code=WELCOME_BACK, value=9, combines=False)
    page = press(with_cart(ella, cart_of(vendors, codes=["SPRING"])))
    assert "Another code in your cart does not go together with it" in page.text


@pytest.mark.parametrize("language", ["fr", "de", "es", "ar"])
def test_the_outcome_is_told_in_every_language(ella: Shopper, vendors: Vendors, language: str) -> None:
    ella.get(f"/coupons?lang={language}")
    words = Catalogues().words(language)
    page = press(with_cart(ella, cart_of(vendors)))
    assert words.text("Your coupon is in your cart") in page.text
    page = press(with_cart(ella, UNKNOWN))
    assert words.text("Your cart could not be found. Put something into it at the shop, then try again.") in page.text


def test_the_page_of_a_redemption_has_the_button_too(ella: Shopper, vendors: Vendors) -> None:
    cart, key = cart_of(vendors), new_key()
    code = redeem(ella, FIVE_OFF, key).json()["coupon"]["code"]
    page = press(ella, with_cart(ella, cart).get(f"/redemptions/{key}"))
    assert "Your coupon is in your cart" in page.text
    assert codes_in(vendors, cart) == [code]


def test_where_no_cart_comes_the_link_stays(service: Service, ella: Shopper, start: Start, vendors: Vendors) -> None:
    def links(page: Page) -> list[str]:
        return [link for link in page.read.links if "/discount/" in link]

    assert links(ella.get("/coupons"))
    for value in ("", "%00", "gid://shopify/Checkout/1", "x" * 500, '"><script>', "c1; cart=c2?key=1"):
        ella.cookies["cart"] = value
        assert links(ella.get("/coupons")), value
    ella.cookies["cart"] = quote(cart_of(vendors))
    assert not links(ella.get("/coupons"))


def test_A5_of_two_cart_cookies_neither_is_believed(ella: Shopper, vendors: Vendors) -> None:
    mine, planted = cart_of(vendors), cart_of(vendors)
    form = with_cart(ella, mine).get("/coupons").form("/coupons")
    ella.cookies["cart"] = f"{ella.cookies['cart']}; cart={quote(planted)}"
    page = ella.post("/coupons", form.fields)
    assert (page.status, "Your cart could not be found" in page.text) == (422, True)
    assert not vendors.calls("storefront_cart")


@pytest.mark.parametrize("changes", [{"CART_COOKIE": ""}, NO_TOKENS])
def test_without_the_cookies_name_or_a_token_the_link_stays(
    start: Start, vendors: Vendors, changes: dict[str, str]
) -> None:
    ella = with_cart(start(**({"CART_COOKIE": "cart"} | changes)).signed_in("ella"), cart_of(vendors))
    assert any("/discount/" in link for link in ella.get("/coupons").read.links)


def test_D5_a_form_of_another_sign_in_puts_nothing_into_a_cart(
    service: Service, vendors: Vendors, ella: Shopper
) -> None:
    cart = cart_of(vendors)
    form = with_cart(ella, cart).get("/coupons").form("/coupons")
    for token in ("", form.fields["csrf"] + "x"):
        assert press(ella, csrf=token).status == 403
    tara = with_cart(service.signed_in("tara"), cart)
    assert tara.post("/coupons", form.fields).status == 409
    assert codes_in(vendors, cart) == []


def test_H8_only_a_coupon_of_the_own_wallet_is_taken(ella: Shopper, vendors: Vendors) -> None:
    cart = cart_of(vendors)
    page = press(with_cart(ella, cart), code="SPRING")
    assert page.status == 404
    assert codes_in(vendors, cart) == []


def test_a_shop_that_cannot_be_asked_is_said_to_and_the_code_stays(ella: Shopper, vendors: Vendors) -> None:
    with_cart(ella, cart_of(vendors))
    vendors.fault("storefront_cart", "status:500")
    page = press(ella)
    assert page.status == 502
    assert "The cart cannot be reached right now. Your code stays good." in page.text
    assert WELCOME_BACK in page.text


def test_nobody_presses_it_who_is_not_signed_in(service: Service, vendors: Vendors) -> None:
    stranger = with_cart(service.shopper(), cart_of(vendors))
    assert stranger.post("/coupons", {"csrf": "x", "code": WELCOME_BACK}).status == 401
    assert bare(UNKNOWN) not in stranger.get("/coupons").text
