"""The Hydrogen storefront, as a shopper goes through it: what its server renders, and what its forms do."""

from collections.abc import Callable, Iterator
from typing import TypeAlias
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect
from support.browser_visits import Browse, Visit
from support.carts import codes_in
from support.sandbox_catalogue import redemptions_of
from support.services import Service, Start, Vendors, Work
from support.storefronts import EXAMPLES, environment, new_port, storefront

from bff.sandbox.config import STOREFRONT_TOKEN
from bff.settings.published import OF_A_STOREFRONT
from tools.npm import npm

pytest_plugins = ["support.chromium"]
pytestmark = [pytest.mark.examples, pytest.mark.browser]
FIVE_OFF = "$5 off your order"
BOTH = pytest.mark.parametrize("java_script_enabled", [True, False], ids=["with a script", "without"])


@pytest.fixture(scope="module")
def hydrogen(urls: list[str], sandbox: Vendors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`npm ci && npm start`, once for all tests, at the service's first address; its origin."""
    folder, place = EXAMPLES / "hydrogen", tmp_path_factory.mktemp("hydrogen")
    installed = npm(folder, "ci")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    with storefront(folder, environment(urls[0], sandbox.url, new_port()), place / "log") as running:
        yield running.origin


@pytest.fixture
def service(start: Start, hydrogen: str) -> Service:
    return start(STOREFRONT_ORIGINS=hydrogen)


class Shop:
    """The storefront in a browser."""

    def __init__(self, visit: Visit, origin: str) -> None:
        self.visit, self.page, self.origin = visit, visit.page, origin
        self.asked = list[str]()
        self.page.on("request", lambda request: self.asked.append(f"{request.method} {request.url}"))

    def open(self, path: str) -> None:
        self.page.goto(self.origin + path, wait_until="networkidle")

    def sign_in(self, persona: str) -> None:
        self.open("/account/loyalty")
        self.visit.press(persona)
        expect(self.page.locator("h1")).to_have_text("Your points")

    def sign_out(self) -> None:
        self.visit.press("Sign out")
        self.page.get_by_role("link", name="Sign in").wait_for()

    def fill_cart(self) -> None:
        self.open("/")
        self.visit.press("Add Night serum to the cart")
        expect(self.page.get_by_role("button", name="Cart (1)")).to_be_visible()

    def redeem(self) -> None:
        self.open("/account/loyalty/rewards")
        self.page.get_by_text(f"Redeem {FIVE_OFF}", exact=True).click()
        self.visit.press("Spend 500 points")

    def invite(self, email: str) -> None:
        self.page.get_by_label("A friend’s e-mail address").fill(email)
        self.visit.press("Invite")
        expect(self.page.get_by_role("status").last).to_have_text(f"{email} is invited.")

    @property
    def code(self) -> str:
        code = self.page.get_by_role("status").locator("code")
        # What became of it may be known only after some looks.
        code.wait_for(timeout=30_000)
        return code.inner_text()

    @property
    def cart_id(self) -> str:
        (cookie,) = [one for one in self.page.context.cookies() if one["name"] == "cart"]
        return "gid://shopify/Cart/" + unquote(cookie["value"])

    def at_the_service(self) -> list[str]:
        return [call for call in self.asked if not call.partition(" ")[2].startswith(self.origin)]


OpenShop: TypeAlias = Callable[..., Shop]


@pytest.fixture
def open_shop(browse: Browse, hydrogen: str) -> OpenShop:
    return lambda **options: Shop(browse(**options), hydrogen)


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop()


def test_the_first_state_comes_from_the_server_and_is_asked_for_once(shop: Shop, vendors: Vendors) -> None:
    shop.sign_in("ella")
    shop.asked.clear()
    shop.open("/account/loyalty/rewards")
    assert "1240 points" in shop.visit.words
    data = [call for call in shop.asked if "/assets/" not in call and "/__manifest?" not in call]
    assert data == [f"GET {shop.origin}/account/loyalty/rewards"]
    assert shop.visit.complaints == []
    cookies = {cookie["name"]: cookie["httpOnly"] for cookie in shop.page.context.cookies()}
    assert cookies == {"session": True}
    assert shop.page.request.get(shop.page.url).headers["cache-control"] == "private, no-store"


@BOTH
def test_nobody_joins_by_words_that_they_did_not_see(
    open_shop: OpenShop, java_script_enabled: bool, vendors: Vendors
) -> None:
    shop = open_shop(java_script_enabled=java_script_enabled)
    shop.sign_in("penny")
    vendors.control("policies", version="2027-01-01", html="Now I agree to <b>new terms</b>.")
    join = shop.page.locator("button[value=join]")
    join.click()
    expect(shop.page.locator("small")).to_have_text("Now I agree to new terms.")
    expect(shop.page.get_by_role("alert")).to_be_visible()
    assert vendors.member("penny")["enrolments"] == []
    join.click()
    expect(join).to_have_count(0)
    assert [one["version"] for one in vendors.member("penny")["enrolments"]] == ["2027-01-01"]


@BOTH
def test_a_redeemed_code_joins_the_one_in_the_cart(
    open_shop: OpenShop, java_script_enabled: bool, vendors: Vendors
) -> None:
    vendors.control("discounts", code="SPRING", value=3)
    shop = open_shop(java_script_enabled=java_script_enabled)
    shop.sign_in("ella")
    shop.fill_cart()
    shop.page.get_by_role("button", name="Cart (1)").click()
    shop.page.get_by_role("textbox", name="Discount code").first.fill("SPRING")
    shop.page.get_by_role("button", name="Add code").first.click()
    expect(shop.page.get_by_text("SPRING counts").first).to_be_visible()
    shop.redeem()
    code = shop.code
    assert "It is in your cart." in shop.visit.words
    assert codes_in(vendors, shop.cart_id) == ["SPRING", code]
    shop.page.get_by_role("button", name="Cart (1)").click()
    expect(shop.page.locator("#cart")).to_contain_text(f"{code} counts")
    expect(shop.page.locator("#cart")).to_contain_text("Total: $34.00")


def test_a_coupon_of_the_wallet_goes_into_the_cart_that_there_is(shop: Shop, vendors: Vendors) -> None:
    shop.sign_in("ella")
    button = shop.page.get_by_role("button", name="into the cart").first
    code = str(button.get_attribute("value"))
    button.click()
    expect(shop.page.get_by_text("Put something into your cart first.")).to_be_visible()
    shop.fill_cart()
    vendors.control("discounts", code=code, minimum=100)
    shop.open("/account/loyalty")
    button.click()
    expect(shop.page.get_by_text("It counts once there is more in your cart.")).to_be_visible()
    assert codes_in(vendors, shop.cart_id) == [code]


def test_a_lost_reply_spends_once(shop: Shop, vendors: Vendors, work: Work) -> None:
    work()
    shop.sign_in("ella")
    shop.fill_cart()
    vendors.fault("redeem", "cut_after")
    shop.redeem()
    code = shop.code
    assert [one["code"] for one in redemptions_of(vendors, "ella")] == [code]
    assert codes_in(vendors, shop.cart_id) == [code]
    assert len(vendors.calls("redeem")) == 1


def test_who_comes_back_before_there_is_an_answer_goes_on_with_the_same_intent(
    shop: Shop, vendors: Vendors, work: Work
) -> None:
    shop.sign_in("ella")
    shop.open("/account/loyalty/rewards")
    vendors.fault("redeem", "cut_after")
    key = shop.page.locator("form", has_text="Spend 500 points").locator("[name=key]").get_attribute("value")
    shop.page.get_by_text(f"Redeem {FIVE_OFF}", exact=True).click()
    with shop.page.expect_request("**/rewards.data*"):
        shop.visit.press("Spend 500 points")
    shop.open("/account/loyalty/rewards")
    assert shop.page.locator(f"[name=key][value='{key}']").count() == 1
    work()
    shop.redeem()
    assert [shop.code] == [one["code"] for one in redemptions_of(vendors, "ella")]


def test_after_an_hour_the_session_is_renewed(shop: Shop, service: Service, vendors: Vendors) -> None:
    shop.sign_in("ella")
    service.clock.advance(3700)
    vendors.control("clock", advance=3700)
    shop.open("/account/loyalty")
    assert "1240 points" in shop.visit.words
    shop.redeem()
    assert shop.code


def test_the_page_itself_signs_in_with_a_ticket_when_it_needs_the_service(
    shop: Shop, service: Service, vendors: Vendors
) -> None:
    shop.sign_in("ella")
    assert shop.at_the_service() == []
    shop.invite("friend@example.com")
    assert len(vendors.calls("referral_request")) == 1
    assert f"POST {shop.origin}/account/loyalty/ticket" in shop.asked


def test_ways_to_earn_are_the_services_own_page_signed_in(shop: Shop, service: Service) -> None:
    shop.sign_in("ella")
    shop.visit.follow("Ways to earn")
    shop.page.wait_for_url(f"{service.url}/earn")
    assert "1,240" in shop.visit.words


def test_signing_out_ends_it_here_and_at_the_service(shop: Shop, service: Service) -> None:
    shop.sign_in("ella")
    shop.visit.follow("Ways to earn")
    shop.page.wait_for_url(f"{service.url}/earn")
    shop.open("/account/loyalty")
    with shop.page.expect_response(f"{service.url}/api/v1/session"):
        shop.sign_out()
    shop.open("/account/loyalty")
    assert shop.visit.path == "/account/login"
    assert shop.page.request.get(f"{service.url}/api/v1/session").json() == {"state": "anonymous"}


def test_whoever_is_next_at_this_browser_is_asked_for_anew(shop: Shop, vendors: Vendors) -> None:
    shop.sign_in("ella")
    shop.invite("friend@example.com")
    shop.sign_out()
    shop.visit.follow("Points")
    shop.visit.press("zoe")
    shop.invite("another@example.com")
    assert len(vendors.calls("referral_request")) == 2


def test_without_the_program_there_is_still_a_shop(shop: Shop, vendors: Vendors) -> None:
    shop.sign_in("ella")
    vendors.fault("customer", "status:500", times=9)
    shop.open("/account/loyalty")
    expect(shop.page.get_by_role("alert")).to_contain_text("cannot be shown right now")
    shop.fill_cart()


def test_its_pages_have_no_barriers(shop: Shop) -> None:
    shop.sign_in("penny")
    assert shop.visit.barriers() == []
    shop.sign_out()
    shop.sign_in("ella")
    shop.fill_cart()
    for path in ("/", "/cart", "/account/loyalty", "/account/loyalty/rewards"):
        shop.open(path)
        assert shop.visit.barriers() == []


def test_what_it_is_not_told_is_what_make_run_has() -> None:
    defaults = (EXAMPLES / "hydrogen" / "app" / "lib" / "env.server.ts").read_text("utf-8")
    for published in (STOREFRONT_TOKEN, OF_A_STOREFRONT):
        assert f'"{published}"' in defaults


def test_its_lock_file_names_no_registry() -> None:
    lock = (EXAMPLES / "hydrogen" / "package-lock.json").read_text("utf-8")
    assert [line.strip() for line in lock.splitlines() if "resolved" in line] == [
        '"resolved": "file:../../.run/client/package",'
    ]
