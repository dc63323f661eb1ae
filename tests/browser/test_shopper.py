"""What shoppers see and do in a real browser: whole journeys with and without JavaScript."""

import pytest
from playwright.sync_api import expect
from support.browser_visits import Browse, Visit
from support.every_page import FIVE_OFF
from support.services import Vendors

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
with_and_without_scripts = pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
LANDINGS = {
    "ella": ("/", "1,240"),
    "penny": ("/", "Waiting for you"),
    "blake": ("/blocked", "not available for this account"),
    "zoe": ("/", "Your first points will show up here."),
    "tara": ("/", "3,450"),
    "rami": ("/", "320"),
}


@with_and_without_scripts
def test_I10_penny_joins_from_the_front_page_with_one_press_of_the_button(
    browse: Browse, vendors: Vendors, scripts: bool
) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.go("/")
    visit.follow("Sign in to start")
    visit.introduce("penny")
    visit.follow("Join now")
    button = visit.page.get_by_role("button", name="Accept terms & join", exact=True)
    sentence = visit.page.locator(f"#{button.get_attribute('aria-describedby')}")
    expect(sentence.get_by_role("link")).to_have_count(2)
    button.click()
    visit.page.wait_for_url("**/welcome")
    assert "260" in visit.words
    assert len(vendors.member("penny")["enrolments"]) == 1
    assert visit.complaints == []


@with_and_without_scripts
def test_I10_ella_redeems_invites_a_friend_and_signs_out(browse: Browse, vendors: Vendors, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.go("/")
    visit.follow("Sign in")
    visit.introduce("ella")
    visit.follow("Rewards")
    visit.page.locator(f"main a[href='{FIVE_OFF}']").click()
    visit.press("Redeem 500 points")
    visit.page.wait_for_url("**/redemptions/*")
    (redemption,) = vendors.member("ella")["redemptions"]
    assert redemption["code"] in visit.words
    expect(visit.page.get_by_role("button", name="Copy code")).to_be_visible(visible=scripts)
    visit.follow("Refer")
    visit.page.get_by_label("Your friend's email address").fill("friend@example.com")
    visit.press("Send invitation")
    expect(visit.page.get_by_text("an email is on its way")).to_be_visible()
    assert vendors.member("ella")["referrals"] == [{"email": "friend@example.com"}]
    visit.press("Sign out")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    assert visit.complaints == []


def test_the_copy_button_copies_the_code_and_says_so(browse: Browse, vendors: Vendors) -> None:
    visit = browse(permissions=["clipboard-read", "clipboard-write"])
    visit.sign_in("ella")
    visit.go(FIVE_OFF)
    visit.press("Redeem 500 points")
    visit.press("Copy code")
    expect(visit.page.get_by_role("status")).to_have_text("Copied")
    (redemption,) = vendors.member("ella")["redemptions"]
    assert visit.run("navigator.clipboard.readText()") == redemption["code"]


def test_every_persona_lands_on_a_page_of_their_own(browse: Browse) -> None:
    for persona, (path, words) in LANDINGS.items():
        visit = browse()
        visit.sign_in(persona)
        assert (persona, visit.path) == (persona, path)
        assert words in visit.words


def test_signing_in_leads_back_to_the_page_where_it_began(visit: Visit) -> None:
    for path in ("/rewards", FIVE_OFF, "/join", "/refer"):
        visit.page.context.clear_cookies()
        visit.go(path)
        visit.follow("Sign in")
        visit.introduce("ella")
        assert visit.path == path


def test_I3_the_browser_refuses_markup_and_styles_that_the_page_did_not_bring(visit: Visit) -> None:
    visit.go("/")
    visit.run("try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.ran=1>') } catch {}")
    visit.run("document.body.append(Object.assign(document.createElement('style'), {textContent: 'p {color: red}'}))")
    assert visit.run("window.ran") is None
    assert [f"violates {rule}" in str(visit.complaints) for rule in ("require-trusted", "style-src")] == [True, True]


def test_I1_hostile_words_of_the_vendor_are_shown_and_never_run(browse: Browse, vendors: Vendors) -> None:
    vendors.control("texts", hostile=True)
    for persona, paths in {"ella": ("/", "/rewards", FIVE_OFF, "/refer"), "penny": ("/", "/join")}.items():
        visit = browse()
        visit.sign_in(persona)
        for path in paths:
            visit.go(path)
            assert visit.run("window.__xss") is None, path
        assert visit.complaints == []


def test_the_error_summary_has_the_focus_and_leads_to_the_field(visit: Visit) -> None:
    visit.sign_in("ella", "/refer")
    visit.page.get_by_label("Your friend's email address").fill("a@nowhere")
    visit.press("Send invitation")
    summary = visit.page.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("link").click()
    field = visit.page.get_by_label("Your friend's email address")
    expect(field).to_be_focused()
    expect(field).to_have_value("a@nowhere")


def test_a_page_is_read_and_used_with_the_keyboard_alone(visit: Visit, vendors: Vendors) -> None:
    visit.sign_in("ella")
    visit.go(FIVE_OFF)
    visit.page.keyboard.press("Tab")
    expect(visit.page.get_by_role("link", name="Skip to content")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("main")).to_be_focused()
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Tab")
    expect(visit.page.get_by_role("button", name="Redeem 500 points")).to_be_focused()
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**/redemptions/*")
    assert len(vendors.member("ella")["redemptions"]) == 1
