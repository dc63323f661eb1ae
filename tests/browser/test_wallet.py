"""The wallet and the statement in a real browser, with and without JavaScript, on the screen and on paper."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser_visits import Browse
from support.every_page import FIVE_OFF
from support.services import Vendors

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
with_and_without_scripts = pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])


@with_and_without_scripts
def test_I10_ella_finds_her_coupon_in_the_wallet_and_in_the_statement_and_keeps_the_table(
    browse: Browse, vendors: Vendors, tmp_path: Path, scripts: bool
) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("ella")
    visit.go(FIVE_OFF)
    visit.press("Redeem 500 points")
    visit.page.wait_for_url("**/redemptions/*")
    assert "This redemption took your balance from 1,240 to 740 points." in visit.words
    (redemption,) = vendors.member("ella")["redemptions"]
    visit.follow("See all your coupons")
    expect(visit.page.get_by_text(redemption["code"])).to_be_visible()
    expect(visit.page.get_by_role("button", name="Copy code").first).to_be_visible(visible=scripts)
    visit.follow("See your activity")
    expect(visit.page.locator(".timeline li").first).to_contain_text(redemption["code"])
    with visit.page.expect_download() as kept:
        visit.follow("Download as a table (CSV)")
    kept.value.save_as(tmp_path / "activity.csv")
    with (tmp_path / "activity.csv").open(encoding="utf-8-sig", newline="") as table:
        assert list(csv.reader(table))[1][4] == redemption["code"]
    visit.follow("Older")
    visit.page.wait_for_url("**/activity?cursor=*")
    expect(visit.page.get_by_text("Welcome to the program")).to_be_visible()
    assert visit.complaints == []


@with_and_without_scripts
def test_one_ticket_can_be_printed_alone(browse: Browse, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("ella")
    visit.go(FIVE_OFF)
    visit.press("Redeem 500 points")
    visit.page.wait_for_url("**/redemptions/*")
    visit.go("/coupons")
    tickets = visit.page.locator(".ticket")
    expect(tickets).to_have_count(2)
    visit.page.emulate_media(media="print")
    assert [ticket.is_visible() for ticket in tickets.all()] == [True, True]
    visit.page.emulate_media(media="screen")
    visit.page.get_by_role("link", name="Print").last.click()
    visit.page.emulate_media(media="print")
    assert [ticket.is_visible() for ticket in tickets.all()] == [False, True]
    expect(visit.page.get_by_role("heading", level=1)).to_be_hidden()
    assert visit.complaints == []


def test_a_redemption_is_calmly_checked_at_first(browse: Browse, vendors: Vendors) -> None:
    """Amber comes by itself once it takes long."""
    visit = browse()
    visit.sign_in("ella")
    vendors.fault("redeem", "cut_before")
    visit.go(FIVE_OFF)
    visit.press("Redeem 500 points")
    visit.page.wait_for_url("**/redemptions/*")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Checking your reward …")
    expect(visit.page.get_by_text("Please do not redeem it again.")).to_be_visible()
    expect(visit.page.locator(".careful")).to_have_count(0)
    visit.service.clock.advance(21)
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("We are still confirming this", timeout=15_000)
    expect(visit.page.locator(".careful")).to_have_count(1)
    assert visit.complaints == []
