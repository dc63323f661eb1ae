"""The page of a redemption whose answer was lost follows what the worker finds out."""

import pytest
from playwright.sync_api import expect
from support.browser_visits import Browse, Visit
from support.concurrency import until
from support.every_page import FIVE_OFF, redeeming
from support.services import Vendors, Work

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
# How the answer gets lost, what it turns out to be, and what the page says then.
ENDS = pytest.mark.parametrize(
    ("fault", "heading"), [("cut_after", "Enjoy your reward"), ("cut_before", "This was not redeemed")]
)


def left_in_doubt(visit: Visit, vendors: Vendors, fault: str) -> list[str]:
    """Redeem and lose the answer; returns the list that the page's own questions are added to from now on."""
    visit.sign_in("ella")
    redeeming(FIVE_OFF, fault)(visit, vendors)
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Checking your reward …")
    questions: list[str] = []
    visit.page.on("request", lambda request: questions.append(request.url) if "?seen=" in request.url else None)
    return questions


@ENDS
def test_L3_the_page_turns_by_itself_and_then_asks_no_more(
    browse: Browse, vendors: Vendors, work: Work, fault: str, heading: str
) -> None:
    visit = browse()
    questions = left_in_doubt(visit, vendors, fault)
    work(REDEMPTION_SETTLING_SECONDS="1")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text(heading)
    assert visit.page.title().startswith(heading)
    assert questions
    asked = len(questions)
    if fault == "cut_after":
        code = vendors.member("ella")["redemptions"][0]["code"]
        expect(visit.page.get_by_text(code)).to_be_visible()
        expect(visit.page.get_by_role("button", name="Copy code")).to_be_visible()
    # Longer than the page waits between two questions.
    visit.page.wait_for_timeout(4000)
    assert len(questions) == asked
    assert visit.complaints == []


def test_a_page_without_news_asks_again_and_stays_as_it_is(browse: Browse, vendors: Vendors) -> None:
    visit = browse()
    questions = left_in_doubt(visit, vendors, "cut_after")
    visit.run("window.kept = true")
    with visit.page.expect_response(lambda answer: "?seen=working" in answer.url) as answered:
        pass
    assert answered.value.status == 204
    assert visit.run("window.kept") is True
    assert questions
    assert visit.complaints == []


@ENDS
def test_L3_without_scripts_the_button_shows_how_it_ended(
    browse: Browse, vendors: Vendors, work: Work, fault: str, heading: str
) -> None:
    visit = browse(java_script_enabled=False)
    questions = left_in_doubt(visit, vendors, fault)
    work(REDEMPTION_SETTLING_SECONDS="1")
    button = visit.page.get_by_role("link", name="Check again")

    def nothing_to_check() -> bool:
        if there := button.count():
            button.click()
        return not there

    until(nothing_to_check, 30)
    assert visit.heading == heading
    assert questions == []
