"""What a shopper does in the shops of examples/, in every set-up: in Chromium, and in Firefox."""

import pytest
from support.carts import codes_in
from support.services import Vendors, Work
from support.shop_setups import BASE_PATH, CROSS_SITE, SAME_SITE, Shop
from support.shop_tabs import Tab, reads
from support.storefronts import EXAMPLES

pytest_plugins = ["support.chromium", "support.firefox", "support.shops"]
pytestmark = [pytest.mark.examples, pytest.mark.browser]
HOUR = 3700
REWARD = "$5 off your order"


def cases() -> list[object]:
    """Each set-up in each browser."""
    needs = {"firefox": [pytest.mark.firefox], BASE_PATH: [pytest.mark.nginx]}
    return [
        pytest.param(browser, setup, id=f"{setup}-{browser}", marks=[*needs.get(browser, ()), *needs.get(setup, ())])
        for browser in ("chromium", "firefox")
        for setup in (SAME_SITE, BASE_PATH, CROSS_SITE)
    ]


in_every_set_up = pytest.mark.parametrize(("open_tab", "shop"), cases(), indirect=True)


def sign_in(shop: Shop, persona: str) -> Tab:
    tab = shop.visit()
    tab.choose("Sign in as", persona)
    tab.press("Sign in")
    reads(tab, "Sign out")
    return tab


def fill_cart(tab: Tab) -> None:
    tab.press("Add Day cream to cart")
    reads(tab, "Total $24.00")
    tab.press("Add Night serum to cart")
    reads(tab, "Total $66.00")


def redeem(tab: Tab) -> None:
    tab.press(f"Redeem: {REWARD}")
    tab.press("Yes, redeem")


def cart_of_the_only_shopper(vendors: Vendors) -> str:
    (cart,) = vendors.state()["carts"]
    return str(cart)


@in_every_set_up
def test_a_shopper_signs_in_by_a_ticket_and_out_again(shop: Shop, vendors: Vendors) -> None:
    tab = sign_in(shop, "ella")
    reads(tab, "1,240 points", "Your codes")
    assert tab.run("document.cookie") == "", "no script can read a session"
    assert "shcat_" not in tab.run(
        "document.documentElement.outerHTML + JSON.stringify([localStorage, sessionStorage])"
    )
    tab.press("Sign out")
    reads(tab, "Sign in as")
    tab.open(shop.storefront.origin)
    reads(tab, "Sign in as", "Day cream")
    assert "points\n" not in tab.words().partition("Products")[0]
    assert tab.complaints == []


@in_every_set_up
def test_terms_that_change_under_the_shopper_are_shown_again(shop: Shop, vendors: Vendors) -> None:
    tab = sign_in(shop, "penny")
    reads(tab, "Accept terms & join")
    vendors.control("policies", version="2026-01-01")
    tab.press("Accept terms & join")
    reads(tab, "The terms have changed.")
    assert vendors.member("penny")["enrolments"] == []
    tab.press("Accept terms & join")
    reads(tab, "You are a member.", "260 points")
    assert [one["version"] for one in vendors.member("penny")["enrolments"]] == ["2026-01-01"]
    assert tab.complaints == []


@in_every_set_up
def test_a_lost_reply_takes_points_once_and_the_coupon_joins_the_other_code(
    shop: Shop, vendors: Vendors, work: Work
) -> None:
    work(BASE_PATH=shop.service.settings.get("BASE_PATH", ""), PUBLIC_URL=shop.service.url)
    vendors.control("discounts", code="SPRING", percent=10)
    tab = sign_in(shop, "ella")
    fill_cart(tab)
    tab.fill("Discount code", "SPRING")
    tab.press("Apply")
    reads(tab, "Discount −$6.60. Total $59.40")
    tab.press("Close")
    vendors.fault("redeem", "cut_after")
    redeem(tab)
    reads(tab, "It is in your cart.", "Discount −$11.60. Total $54.40", "740 points")
    (redemption,) = vendors.member("ella")["redemptions"]
    assert len(vendors.calls("redeem")) == 1
    assert codes_in(vendors, cart_of_the_only_shopper(vendors)) == ["SPRING", redemption["code"]]
    assert tab.complaints == []


@in_every_set_up
def test_an_hour_later_the_session_is_renewed_under_the_shoppers_hands(shop: Shop, vendors: Vendors) -> None:
    tab = sign_in(shop, "ella")
    fill_cart(tab)
    tab.press("Close")
    vendors.control("clock", advance=HOUR)
    shop.service.clock.advance(HOUR)
    redeem(tab)
    reads(tab, "Discount −$5.00. Total $61.00", "740 points")
    assert len(vendors.calls("redeem")) == 1
    assert tab.complaints == []


@in_every_set_up
def test_a_member_puts_a_code_into_the_cart_later_and_invites_a_friend(shop: Shop, vendors: Vendors) -> None:
    tab = sign_in(shop, "ella")
    redeem(tab)
    reads(tab, "Your code:")
    (redemption,) = vendors.member("ella")["redemptions"]
    fill_cart(tab)
    tab.press("Close")
    tab.press(f"Add to cart: {redemption['code']}")
    reads(tab, "Discount −$5.00. Total $61.00")
    tab.press("Close")
    tab.fill("Your friend’s e-mail address", "friend@example.com")
    tab.press("Send invitation")
    reads(tab, "If your friend can be invited, an e-mail is on its way.")
    assert len(vendors.calls("referral_request")) == 1
    assert tab.complaints == []


@pytest.mark.nginx
@pytest.mark.parametrize(("open_tab", "shop"), [("chromium", BASE_PATH)], ids=["chromium"], indirect=True)
def test_pages_below_the_path_come_bare_for_the_shops_own_frame(shop: Shop, vendors: Vendors) -> None:
    tab = sign_in(shop, "ella")
    reads(tab, "1,240 points")
    tab.open(f"{shop.storefront.origin}/loyalty/rewards")
    reads(tab, REWARD, "1,240")
    assert tab.run("document.querySelectorAll('header, footer').length") == 0
    assert tab.complaints == []


def test_every_example_is_in_the_table() -> None:

    listed = (EXAMPLES / "README.md").read_text("utf-8")
    folders = [folder.name for folder in EXAMPLES.iterdir() if (folder / "package.json").is_file()]
    assert [name for name in folders if f"| [{name}]({name}) |" not in listed] == []
    assert {SAME_SITE.example, BASE_PATH.example} <= set(folders)
