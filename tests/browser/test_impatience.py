"""Clicking twice, reloading, going back and opening a second tab: one intent is one effect."""

import re

import pytest
from playwright.sync_api import expect
from support.breadth import SCRIPT_MODES
from support.browser_visits import Browse, Visit, writes
from support.every_page import FIVE_OFF
from support.services import Vendors

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
SCRIPTS = {"with-scripts": True, "without-scripts": False}
with_and_without_scripts = pytest.mark.parametrize(
    "scripts", list(SCRIPTS.values())[:SCRIPT_MODES], ids=list(SCRIPTS)[:SCRIPT_MODES]
)


@pytest.mark.broad
@with_and_without_scripts
def test_L7_a_double_click_on_redeem_is_one_redemption(browse: Browse, vendors: Vendors, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("ella")
    visit.go(FIVE_OFF)
    vendors.fault("redeem", "delay", seconds=0.3)
    visit.page.get_by_role("button", name="Redeem 500 points").dblclick()
    # The second click ends the first navigation, so it is the address that is waited for.
    expect(visit.page).to_have_url(re.compile("/redemptions/"))
    _wait_for_code(visit)
    assert writes(vendors) == ["redeem"]
    assert vendors.member("ella")["balance"] == 740


@pytest.mark.broad
@with_and_without_scripts
def test_L7_a_double_click_on_join_is_one_enrolment(browse: Browse, vendors: Vendors, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("penny")
    visit.go("/join")
    vendors.fault("customer_activation", "delay", seconds=0.3)
    visit.page.get_by_role("button", name="Accept terms & join").dblclick()
    expect(visit.page).to_have_url(re.compile("/welcome$"))
    assert writes(vendors) == ["customer_activation"]
    assert len(vendors.member("penny")["enrolments"]) == 1


@pytest.mark.broad
@with_and_without_scripts
def test_L7_a_double_click_on_invite_is_one_invitation(browse: Browse, vendors: Vendors, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("ella")
    visit.go("/refer")
    visit.page.get_by_label("Your friend's email address").fill("friend@example.com")
    vendors.fault("referral_request", "delay", seconds=0.3)
    visit.page.get_by_role("button", name="Send invitation").dblclick()
    expect(visit.page.get_by_text("an email is on its way")).to_be_visible()
    assert vendors.member("ella")["referrals"] == [{"email": "friend@example.com"}]
    assert writes(vendors) == ["referral_request"]


@pytest.mark.broad
@with_and_without_scripts
def test_L7_reload_Back_and_Forward_after_redeeming_redeem_nothing_more(
    browse: Browse, vendors: Vendors, scripts: bool
) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("ella")
    visit.go(FIVE_OFF)
    visit.press("Redeem 500 points")
    visit.page.wait_for_url("**/redemptions/*")
    (redemption,) = vendors.member("ella")["redemptions"]
    visit.page.reload()
    assert redemption["code"] in visit.words
    visit.page.go_back()
    assert visit.path == FIVE_OFF
    visit.page.reload()
    visit.page.go_forward()
    assert redemption["code"] in visit.words
    assert writes(vendors) == ["redeem"]


def test_L7_sending_the_same_form_from_two_tabs_is_one_redemption(visit: Visit, vendors: Vendors) -> None:
    visit.sign_in("ella")
    visit.go(FIVE_OFF)
    key = visit.page.locator("input[name=key]").input_value()
    other = visit.tab()
    other.go(FIVE_OFF)
    other.page.locator("input[name=key]").evaluate("(field, key) => field.value = key", key)
    for tab in (visit, other):
        tab.press("Redeem 500 points")
        tab.page.wait_for_url(f"**/redemptions/{key}")
    assert writes(vendors) == ["redeem"]


def _wait_for_code(visit: Visit) -> None:
    """The second click may have found the first one still under way."""
    for _ in range(20):
        if visit.page.get_by_text("Your code").count():
            return
        visit.page.reload()
    raise AssertionError(visit.words)


@pytest.mark.broad
@with_and_without_scripts
def test_L7_Back_and_pressing_the_button_again_is_one_redemption(
    browse: Browse, vendors: Vendors, scripts: bool
) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("ella")
    visit.go(FIVE_OFF)
    visit.press("Redeem 500 points")
    visit.page.wait_for_url("**/redemptions/*")
    visit.page.go_back()
    again = visit.page.get_by_role("button", name="Redeem 500 points", exact=True)
    noticed = visit.page.get_by_role("link", name="See your reward")
    # A browser that kept the page has its old key; one that loads it anew is told what was just done.
    expect(again.or_(noticed)).to_be_visible()
    again.or_(noticed).click()
    visit.page.wait_for_url("**/redemptions/*")
    assert writes(vendors) == ["redeem"]
