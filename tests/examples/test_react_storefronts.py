"""Storefronts with React, as they are built, in a browser: one that is a page alone, behind a proxy, and one that a
server renders, beside the service. A shopper sees the same in both."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect
from support.browser_visits import Visit
from support.carts import codes_in
from support.concurrency import until
from support.react_storefronts import react_storefront
from support.services import Service, Start, Vendors, Work
from support.storefronts import Storefront

pytest_plugins = ["support.chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.examples]
REWARD = "$5 off your order"
HOUR = 3700
# What a page that is loaded anew asks of the service.
ASKED = {"next": set[str](), "react-vite": {"/session", "/me/rewards?locale=en", "/me?locale=en"}}


@pytest.fixture(scope="module", params=["react-vite", "next"])
def shop(
    request: pytest.FixtureRequest, urls: list[str], sandbox: Vendors, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Storefront]:
    folder = tmp_path_factory.mktemp("storefront")
    with react_storefront(request.param, urls[0], sandbox.url, folder) as shop:
        yield shop


@pytest.fixture
def service(start: Start, shop: Storefront) -> Service:
    return start(STOREFRONT_ORIGINS=shop.origin)


def awake(visit: Visit) -> None:
    """Wait until React has taken over what the server has rendered: until then forms are sent as without a script."""
    visit.page.wait_for_function(
        "Object.keys(document.querySelector('header > button') ?? {}).some((name) => name.startsWith('__reactProps'))"
    )


def follow(visit: Visit, name: str) -> None:
    """A link of the shop's, to the page of that heading."""
    visit.page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()


def status(visit: Visit) -> Locator:
    return visit.page.get_by_role("main").get_by_role("status")


def balance(visit: Visit) -> Locator:
    return visit.page.get_by_role("banner").get_by_role("status")


def sign_in(visit: Visit, shop: Storefront, persona: str) -> None:
    visit.page.goto(f"{shop.origin}/sign-in")
    visit.page.get_by_label("Customer").select_option(persona)
    visit.press("Sign in")
    expect(visit.page.get_by_role("heading", name="Rewards", exact=True)).to_be_visible()
    expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()
    awake(visit)


def fill_cart(visit: Visit, shop: Storefront, code: str) -> None:
    """With something that costs enough, and a code of the shop's own."""
    visit.page.goto(shop.origin)
    awake(visit)
    visit.press("Add Night serum to cart")
    visit.press("Cart (1)")
    visit.page.get_by_role("textbox", name="Discount code").fill(code)
    visit.press("Add code")
    expect(visit.page.get_by_role("list", name="Discount codes")).to_have_text(code)
    visit.press("Close")


def redeem(visit: Visit) -> None:
    visit.page.get_by_text(f"Redeem {REWARD}", exact=True).click()
    visit.press("Spend 500 points")


def test_a_coupon_goes_into_the_cart_beside_another_code_and_who_signs_out_leaves_nothing(
    visit: Visit, shop: Storefront, vendors: Vendors
) -> None:
    vendors.control("discounts", code="SPRING", value=3)
    fill_cart(visit, shop, "SPRING")
    sign_in(visit, shop, "ella")
    expect(balance(visit)).to_have_text("1240 points")
    redeem(visit)
    expect(status(visit)).to_contain_text("It is in your cart.")
    expect(status(visit)).to_be_focused()
    (redemption,) = vendors.member("ella")["redemptions"]
    expect(status(visit)).to_contain_text(redemption["code"])
    expect(balance(visit)).to_have_text("740 points")
    (cart,) = vendors.state()["carts"]
    assert codes_in(vendors, cart) == ["SPRING", redemption["code"]]
    visit.press("Cart (1)")
    expect(visit.page.get_by_role("list", name="Discount codes")).to_contain_text(redemption["code"])
    expect(visit.page.get_by_role("dialog")).to_contain_text("Total $34.00")
    visit.press("Close")
    follow(visit, "Coupons")
    visit.press(f"Put {redemption['code']} into the cart")
    expect(status(visit)).to_have_text("It is in your cart.")
    visit.press("Sign out")
    expect(visit.page.get_by_role("link", name="Sign in").first).to_be_visible()
    expect(visit.page.get_by_text("740 points")).to_have_count(0)
    follow(visit, "Rewards")
    expect(visit.page.get_by_text("Sign in to redeem").first).to_be_visible()
    assert visit.run("document.cookie") == "", "what is secret is not the page's"
    assert visit.complaints == []


def test_who_joins_agrees_to_the_words_of_now(visit: Visit, shop: Storefront, vendors: Vendors) -> None:
    sign_in(visit, shop, "penny")
    follow(visit, "Join")
    button = visit.page.get_by_role("button", name="Accept terms & join", exact=True)
    expect(button).to_be_visible()
    new = 'By joining you agree to the <a href="https://shop.example/terms">new terms</a>.'
    vendors.control("policies", version="2027-01-01", html=new)
    button.click()
    expect(visit.page.get_by_role("link", name="new terms")).to_be_visible()
    expect(status(visit)).not_to_have_text("")
    assert vendors.member("penny")["enrolments"] == []
    button.click()
    expect(visit.page.get_by_role("heading", name="Rewards", exact=True)).to_be_visible()
    expect(balance(visit)).to_be_visible()
    assert [one["version"] for one in vendors.member("penny")["enrolments"]] == ["2027-01-01"]
    assert visit.complaints == []


def test_a_lost_reply_and_a_reload_cost_no_second_time(
    visit: Visit, shop: Storefront, vendors: Vendors, work: Work
) -> None:
    sign_in(visit, shop, "ella")
    vendors.fault("redeem", "cut_after")
    redeem(visit)
    expect(status(visit)).to_have_text("One moment. Do not redeem again.")
    until(lambda: bool(vendors.member("ella")["redemptions"]))
    visit.page.reload()
    awake(visit)
    redeem(visit)
    expect(status(visit)).to_have_text("One moment. Do not redeem again.")
    work()
    expect(status(visit)).to_contain_text("Your code: ", timeout=30_000)
    (redemption,) = vendors.member("ella")["redemptions"]
    expect(status(visit)).to_contain_text(redemption["code"])
    expect(balance(visit)).to_have_text("740 points")
    assert len(vendors.calls("redeem")) == 1


def test_an_hour_later_the_session_is_renewed(
    visit: Visit, shop: Storefront, service: Service, vendors: Vendors
) -> None:
    sign_in(visit, shop, "ella")
    service.clock.advance(HOUR)
    vendors.control("clock", advance=HOUR)
    follow(visit, "Refer a friend")
    visit.page.get_by_label("Your friend’s e-mail").fill("friend@example.com")
    visit.press("Invite")
    expect(status(visit)).to_have_text("They were invited.")
    assert [one["email"] for one in vendors.member("ella")["referrals"]] == ["friend@example.com"]
    visit.page.goto(f"{shop.origin}/rewards")
    awake(visit)
    expect(balance(visit)).to_have_text("1240 points")
    redeem(visit)
    expect(status(visit)).to_contain_text("Your code: ")


def test_what_a_server_has_rendered_is_not_asked_for_again(visit: Visit, shop: Storefront) -> None:
    sign_in(visit, shop, "ella")
    asked = set[str]()
    visit.page.on("request", lambda request: asked.add(request.url.partition("/api/v1")[2]))
    visit.page.goto(f"{shop.origin}/rewards", wait_until="networkidle")
    expect(balance(visit)).to_have_text("1240 points")
    assert asked - {""} == ASKED[shop.name]
    html = visit.page.request.get(f"{shop.origin}/rewards").text()
    assert (REWARD in html) is (not ASKED[shop.name])


def test_all_pages_are_one_document_and_accessible(visit: Visit, shop: Storefront) -> None:
    sign_in(visit, shop, "ella")
    visit.run("window.kept = true")
    barriers = list[str]()
    for link in ("Shop", "Rewards", "Coupons", "Refer a friend"):
        follow(visit, link)
        expect(visit.page.get_by_role("heading", level=1)).to_contain_text(link.rpartition(" ")[2], ignore_case=True)
        barriers += [f"{link}: {barrier}" for barrier in visit.barriers()]
    assert visit.run("window.kept")
    assert barriers == []
