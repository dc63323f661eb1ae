"""Earning on purpose in a real browser: whole journeys with and without JavaScript."""

import pytest
from playwright.sync_api import expect
from support.browser_visits import Browse
from support.every_page import INSTAGRAM
from support.services import Vendors

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
with_and_without_scripts = pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])


@with_and_without_scripts
def test_I10_zoe_earns_by_a_click_and_finds_the_link(browse: Browse, vendors: Vendors, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.go("/")
    visit.follow("Sign in")
    visit.introduce("zoe")
    visit.follow("See all ways to earn")
    visit.page.get_by_role("button", name="Earn this now Follow us on Instagram").click()
    visit.page.wait_for_url(f"**{INSTAGRAM}")
    expect(visit.page.get_by_text("You earned 50 points.")).to_be_visible()
    link = visit.page.locator("main a.button")
    expect(link).to_have_attribute("href", "https://www.instagram.com/okendo")
    assert len(vendors.member("zoe")["triggers"]) == 1
    visit.page.go_back()
    visit.page.reload()
    expect(visit.page.get_by_role("button", name="Earn this now Follow us on Instagram")).to_have_count(0)
    assert len(vendors.member("zoe")["triggers"]) == 1
    assert visit.complaints == []


@with_and_without_scripts
def test_I10_zoe_tells_her_birthday_and_mends_a_mistake(browse: Browse, vendors: Vendors, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("zoe")
    visit.go("/earn")
    visit.page.get_by_role("link", name="Add your birthday").click()
    visit.page.get_by_label("Day").fill("30")
    visit.page.get_by_label("Month").select_option(label="February")
    visit.press("Save my birthday")
    expect(visit.page.get_by_role("alert")).to_be_focused()
    expect(visit.page.get_by_label("Month")).to_have_value("2")
    visit.page.get_by_role("alert").get_by_role("link").click()
    expect(visit.page.get_by_label("Day")).to_be_focused()
    visit.page.get_by_label("Day").fill("29")
    visit.press("Save my birthday")
    expect(visit.page.get_by_text("February 29")).to_be_visible()
    assert vendors.member("zoe")["birthday"] == {"day": 29, "month": 2}
    assert visit.complaints == []


@with_and_without_scripts
def test_a_deep_link_opens_its_answer_and_a_search_needs_no_script(browse: Browse, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.go("/faq#faq-do-points-expire")
    expect(visit.page.get_by_text("After one year without earning")).to_be_visible()
    expect(visit.page.get_by_text("Order points are pending")).to_be_hidden()
    visit.page.get_by_label("Search the questions").fill("pending")
    visit.press("Search")
    expect(visit.page.get_by_text("Order points are pending")).to_be_visible()
    assert visit.complaints == []
