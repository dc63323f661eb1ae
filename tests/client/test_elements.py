"""The custom elements in a page of the storefront, whose policy forbids whatever can be forbidden."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
from playwright.sync_api import Locator, expect
from support.browser_visits import CALL, Browse, Visit
from support.carts import cart_of, codes_in
from support.concurrency import until
from support.sandbox_catalogue import FIVE_OFF
from support.services import Service, Start, Vendors, Work
from support.snippets import to_run
from support.storefront_pages import StorefrontPage, storefront_page

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
ALL = """
  <loyalty-points>12 points</loyalty-points>
  <loyalty-tier></loyalty-tier>
  <loyalty-join></loyalty-join>
  <loyalty-rewards><p>Rewards, as the server had them</p></loyalty-rewards>
  <loyalty-coupons></loyalty-coupons>
  <loyalty-refer></loyalty-refer>
"""
HEAR = """() => {
  window.heard = [];
  for (const name of ["joined", "redeemed", "coupon_applied", "referred", "error"])
    addEventListener(`loyalty:${name}`, ({ detail, target }) => heard.push([name, target.localName, detail]));
}"""
KEY = "a-key-of-another-tab"
REWARD = "$5 off your order"
Open: TypeAlias = Callable[..., Visit]


@pytest.fixture(scope="module")
def shop() -> Iterator[StorefrontPage]:
    with storefront_page() as page:
        yield page


@pytest.fixture
def service(start: Start, shop: StorefrontPage) -> Service:
    return start(STOREFRONT_ORIGINS=shop.origin)


class Opener:
    """Opens the storefront's page, as somebody or as a stranger."""

    def __init__(self, shop: StorefrontPage, service: Service, vendors: Vendors) -> None:
        self._shop, self._service, self._vendors = shop, service, vendors

    def __call__(self, visit: Visit, persona: str | None, body: str, language: str, policies: str) -> Visit:
        shop, url = self._shop, self._service.url
        shop.service, shop.body, shop.language, shop.policies = url, body, language, policies
        visit.page.goto(shop.origin)
        if persona:
            token = {"customerAccessToken": self._vendors.token(persona)}
            visit.run(CALL, [f"{url}/api/v1/session", "POST", token, {}])
            visit.page.goto(shop.origin)
        visit.run(HEAR)
        return visit


@pytest.fixture
def opener(shop: StorefrontPage, service: Service, vendors: Vendors) -> Opener:
    return Opener(shop, service, vendors)


@pytest.fixture
def opened(browse: Browse, opener: Opener) -> Open:
    def open_(persona: str | None = None, body: str = ALL, language: str = "en", policies: str = "loyalty") -> Visit:
        return opener(browse(), persona, body, language, policies)

    return open_


def part(visit: Visit, element: str, name: str = "content") -> Locator:
    return visit.page.locator(f"{element} [part={name}]")


def test_a_stranger_is_led_to_sign_in_and_sees_the_rewards(opened: Open, shop: StorefrontPage) -> None:
    visit = opened()
    for element in ("loyalty-points", "loyalty-tier", "loyalty-join", "loyalty-coupons", "loyalty-refer"):
        expect(part(visit, element).get_by_role("link", name="Sign in")).to_have_attribute(
            "href", f"{visit.url}/login?return_to={shop.origin.replace(':', '%3A').replace('/', '%2F')}%2F"
        )
    expect(part(visit, "loyalty-rewards")).to_contain_text(REWARD)
    assert visit.page.get_by_role("button").count() == 0
    assert visit.complaints == []


def test_what_the_server_rendered_stays_until_there_is_something_better(opened: Open, vendors: Vendors) -> None:
    visit = opened("ella", "<loyalty-points>1,240 points, as of noon</loyalty-points>")
    expect(part(visit, "loyalty-points")).to_have_text("1,240 points")
    vendors.fault("customer", "status:429", 9, retryAfter=60)
    visit.page.reload()
    points = visit.page.locator("loyalty-points")
    expect(points.get_by_role("alert")).to_contain_text("This did not work. Please try again.")
    expect(points).to_contain_text("1,240 points, as of noon")
    expect(points).to_have_attribute("aria-busy", "false")


def test_a_way_on_is_where_something_went_wrong(opened: Open) -> None:
    visit = opened("ella", "<loyalty-points></loyalty-points>")
    expect(part(visit, "loyalty-points")).to_have_text("1,240 points")
    visit.page.context.set_offline(True)
    visit.run("const it = document.querySelector('loyalty-points'); it.replaceWith(it)")
    expect(visit.page.get_by_role("alert")).to_be_visible()
    expect(part(visit, "loyalty-points")).to_have_text("1,240 points")
    assert visit.run("heard") == [["error", "loyalty-points", {"code": "unreachable"}]]
    visit.page.context.set_offline(False)
    visit.page.get_by_role("button", name="Try again").press("Enter")
    expect(visit.page.get_by_role("alert")).to_have_count(0)
    expect(part(visit, "loyalty-points")).to_have_text("1,240 points")


def test_nobody_joins_but_by_a_click_on_the_words_that_are_shown(opened: Open, vendors: Vendors) -> None:
    visit = opened("penny")
    join = visit.page.locator("loyalty-join")
    button = join.get_by_role("button", name="Accept terms & join", exact=True)
    expect(button).to_be_visible()
    sentence = part(visit, "loyalty-join", "sentence")
    told = vendors.http.get(f"{visit.url}/api/v1/legal-policies").json()
    # The very words, with the links that are in them.
    plain = visit.run("(html) => html.replace(/<[^>]*>/g, '').replaceAll('&amp;', '&')", told["sentenceHtml"])
    assert sentence.inner_text() == plain.strip()
    assert sentence.locator("a").count() == told["sentenceHtml"].count("<a ")
    assert vendors.member("penny")["enrolments"] == []
    vendors.control("policies", version="2027-01-01")
    button.focus()
    visit.page.keyboard.press("Enter")
    expect(part(visit, "loyalty-join", "status")).to_have_text("The terms have changed. Please read them again.")
    assert vendors.member("penny")["enrolments"] == []
    expect(button).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(part(visit, "loyalty-join", "outcome")).to_have_text("You are a member.")
    assert [one["version"] for one in vendors.member("penny")["enrolments"]] == ["2027-01-01"]
    assert visit.run("heard") == [["joined", "loyalty-join", {"state": "enrolled"}]]
    expect(button).to_have_count(0)
    assert visit.complaints == []


def test_a_page_that_forbids_to_read_the_sentence_gets_no_button(opened: Open, vendors: Vendors) -> None:
    visit = opened("penny", "<loyalty-join></loyalty-join>", policies="'none'")
    expect(part(visit, "loyalty-join").get_by_role("link")).to_have_text("Join on our loyalty pages")
    assert visit.page.get_by_role("button").count() == 0


def test_redeeming_takes_two_presses_of_keys_and_tells_the_others(opened: Open, vendors: Vendors) -> None:
    visit = opened("ella")
    redeem = visit.page.get_by_role("button", name=f"Redeem: {REWARD}")
    redeem.focus()
    visit.page.keyboard.press("Enter")
    question = visit.page.get_by_role("group", name=f"{REWARD}: Spend 500 points?")
    expect(question.get_by_role("button", name="Yes, redeem")).to_be_focused()
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")
    expect(redeem).to_be_focused()
    assert vendors.calls("redeem") == []
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("Enter")
    outcome = part(visit, "loyalty-rewards", "outcome")
    expect(outcome).to_contain_text("Your code: ")
    expect(outcome).to_be_focused()
    (redemption,) = vendors.member("ella")["redemptions"]
    expect(outcome.locator("code")).to_have_text(redemption["code"])
    expect(part(visit, "loyalty-points")).to_have_text("740 points")
    expect(part(visit, "loyalty-coupons")).to_contain_text(redemption["code"])
    assert visit.run("heard") == [["redeemed", "loyalty-rewards", {"rewardId": FIVE_OFF, "points": 500}]]
    assert visit.complaints == []


def test_a_lost_answer_is_waited_for_with_words(opened: Open, vendors: Vendors, work: Work) -> None:
    visit = opened("ella")
    vendors.fault("redeem", "cut_after")
    visit.page.get_by_role("button", name=f"Redeem: {REWARD}").click()
    visit.page.get_by_role("button", name="Yes, redeem").dblclick()
    expect(part(visit, "loyalty-rewards", "status")).to_have_text("This is being checked. Do not redeem again.")
    work()
    expect(part(visit, "loyalty-rewards", "outcome")).to_contain_text("Your code: ", timeout=20_000)
    assert len(vendors.member("ella")["redemptions"]) == 1
    assert len(vendors.calls("redeem")) == 1


def test_a_friend_is_invited_and_a_mistake_is_told_at_the_field(opened: Open, vendors: Vendors) -> None:
    visit = opened("ella", "<loyalty-refer></loyalty-refer>")
    field = visit.page.get_by_label("Your friend’s e-mail address")
    field.fill("nobody@nowhere")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    assert field.evaluate("(it) => document.getElementById(it.getAttribute('aria-describedby')).textContent") != ""
    field.fill("friend@example.com")
    field.press("Enter")
    expect(part(visit, "loyalty-refer", "status")).to_have_text(
        "If your friend can be invited, an e-mail is on its way."
    )
    assert [one["email"] for one in vendors.member("ella")["referrals"]] == ["friend@example.com"]
    assert field.input_value() == ""


def test_a_code_goes_into_the_cart_beside_those_that_are_there(opened: Open, vendors: Vendors) -> None:
    cart = cart_of(vendors, subtotal=50, persona="ella")
    visit = opened(
        "ella", f'<loyalty-rewards cart="{cart}"></loyalty-rewards><loyalty-coupons cart="{cart}"></loyalty-coupons>'
    )
    visit.page.get_by_role("button", name=f"Redeem: {REWARD}").click()
    visit.page.get_by_role("button", name="Yes, redeem").click()
    outcome = part(visit, "loyalty-rewards", "outcome")
    expect(outcome).to_contain_text("It is in your cart.")
    code = vendors.member("ella")["redemptions"][0]["code"]
    add = visit.page.get_by_role("button", name=f"Add to cart: {code}")
    add.click()
    expect(part(visit, "loyalty-coupons", "status")).to_have_text("It is in your cart.")
    assert code in codes_in(vendors, cart)
    assert [name for name, *_ in visit.run("heard")][-1] == "coupon_applied"


def test_a_reward_says_what_the_cart_lacks_before_points_are_spent(opened: Open, vendors: Vendors) -> None:
    cart = cart_of(vendors, subtotal=5, persona="ella")
    visit = opened("ella", f'<loyalty-rewards cart="{cart}"></loyalty-rewards>')
    line = visit.page.locator("[part=reward]").filter(has_text=REWARD)
    expect(line.locator("[part=cart]")).to_have_text("Spend $25.00 more to use it.")
    expect(line.get_by_role("button")).to_be_enabled()


def test_who_signs_out_leaves_no_code_behind(opened: Open) -> None:
    visit = opened("ella")
    visit.page.get_by_role("button", name=f"Redeem: {REWARD}").click()
    visit.page.get_by_role("button", name="Yes, redeem").click()
    outcome = part(visit, "loyalty-rewards", "outcome")
    expect(outcome).to_contain_text("Your code: ")
    visit.run(
        """async (url) => {
          const { createLoyalty } = await import(`${url}/client.js`);
          const { use } = await import(`${url}/elements.js`);
          window.loyalty = createLoyalty({ baseUrl: url });
          use(loyalty);
        }""",
        visit.url,
    )
    expect(part(visit, "loyalty-points")).to_have_text("740 points")
    visit.run("loyalty.signOut()")
    expect(part(visit, "loyalty-points").get_by_role("link", name="Sign in")).to_be_visible()
    expect(part(visit, "loyalty-coupons").get_by_role("link", name="Sign in")).to_be_visible()
    assert outcome.inner_text() == ""


def test_the_documented_elements_show_themselves(opened: Open, service: Service) -> None:
    """The import map before them in the document is run by tests/client/test_in_a_browser.py."""
    _, block = to_run("docs/client.md", "html")
    visit = opened("ella", block.text.split("</script>")[1])
    expect(part(visit, "loyalty-points")).to_have_text("1,240 points")
    expect(part(visit, "loyalty-rewards")).to_contain_text(REWARD)


def test_elements_may_be_moved_and_removed(opened: Open, vendors: Vendors) -> None:
    visit = opened("ella", "<loyalty-points></loyalty-points><aside></aside>")
    expect(part(visit, "loyalty-points")).to_have_text("1,240 points")
    visit.run("document.querySelector('aside').append(document.querySelector('loyalty-points'))")
    visit.run("document.querySelector('main').append(document.querySelector('loyalty-points'))")
    expect(part(visit, "loyalty-points")).to_have_text("1,240 points")
    expect(part(visit, "loyalty-points")).to_have_count(1)
    expect(visit.page.locator("loyalty-points")).to_have_attribute("aria-busy", "false")
    asked = len(vendors.calls("customer"))
    visit.run("document.querySelector('loyalty-points').remove()")
    visit.run("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    visit.page.wait_for_load_state("networkidle")
    assert len(vendors.calls("customer")) == asked
    assert visit.complaints == []


def test_a_page_that_comes_back_shows_what_is_so_now(
    browse_back: Browse, opener: Opener, shop: StorefrontPage, service: Service
) -> None:
    """Chromium keeps it as it was, and wakes it up."""
    visit = opener(browse_back(), "ella", "<loyalty-points></loyalty-points>", "en", "loyalty")
    expect(part(visit, "loyalty-points")).to_have_text("1,240 points")
    visit.run("addEventListener('pageshow', ({ persisted }) => { window.woken = persisted })")
    visit.page.goto(f"{service.url}/faq")
    reply = service.signed_in("ella").api("POST", "/me/redemptions", {"rewardId": FIVE_OFF}, idempotency_key=KEY)
    assert reply.status_code == 201
    visit.page.go_back(wait_until="commit")
    expect(part(visit, "loyalty-points")).to_have_text("740 points")
    assert visit.run("window.woken") is True


@pytest.mark.parametrize(("persona", "language"), [("ella", "en"), ("penny", "en"), (None, "en"), ("rami", "ar")])
def test_a_page_with_all_of_them_is_accessible(opened: Open, persona: str | None, language: str) -> None:
    visit = opened(persona, language=language)
    visit.page.set_viewport_size({"width": 360, "height": 800})
    until(lambda: visit.page.locator("[aria-busy=false]").count() == 6)
    assert visit.barriers() == []
    assert visit.fits()


@pytest.mark.parametrize(
    ("language", "points", "redeem"),
    [
        ("fr", "1 240 points", "Échanger"),
        ("de", "1.240 Punkte", "Einlösen"),
        ("es", "1240 puntos", "Canjear"),
        ("it", "1,240 points", "Redeem"),
    ],
)
def test_words_are_those_of_the_page(opened: Open, language: str, points: str, redeem: str) -> None:
    visit = opened("ella", "<loyalty-points></loyalty-points><loyalty-rewards></loyalty-rewards>", language=language)
    expect(part(visit, "loyalty-points")).to_have_text(points)
    expect(part(visit, "loyalty-rewards").get_by_role("button").first).to_have_text(redeem)
