"""A device that others use too: who signs out is signed out at the shop as well, in a real browser."""

from urllib.parse import urlsplit

import pytest
from support.browser_visits import Browse, Visit
from support.services import Vendors

from bff.vendors.upstream import BUSY_SECONDS

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
with_and_without_scripts = pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without-scripts"])
SHOP_COOKIE = "sandbox-shop-login"


@pytest.fixture
def remembering(vendors: Vendors) -> Vendors:
    """A Shopify that keeps a session of its own in the browser, as the real one does."""
    vendors.control("browsers", remembers=True)
    return vendors


def names_of_cookies(visit: Visit) -> set[str]:
    return {str(cookie["name"]) for cookie in visit.cookies}


def test_while_the_shop_knows_somebody_signing_in_asks_nothing(visit: Visit, remembering: Vendors) -> None:
    """What makes signing out there necessary: our session alone can end, and the next sign-in needs no question."""
    visit.sign_in("ella")
    assert SHOP_COOKIE in names_of_cookies(visit)
    ours = urlsplit(visit.url).hostname
    visit.page.context.clear_cookies(name="__Host-Http-loyalty", domain=ours)
    visit.go("/login?return_to=/")
    assert "1,240" in visit.words


@with_and_without_scripts
def test_the_next_person_meets_the_shops_sign_in_form(browse: Browse, remembering: Vendors, scripts: bool) -> None:
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("ella")
    visit.go("/rewards")
    visit.press("Sign out")
    visit.page.wait_for_url("**/signed-out?state=*")
    assert visit.heading == "You are signed out"
    assert "The shop has signed you out too" in visit.words
    assert names_of_cookies(visit) == set()
    visit.follow("Sign in again")
    assert visit.page.url.startswith(f"{remembering.url}/authentication/oauth/authorize?")
    visit.introduce("tara")
    assert "3,450" in visit.words
    assert visit.complaints == []


def test_signing_out_everywhere_leads_through_the_shop_too(visit: Visit, remembering: Vendors) -> None:
    visit.sign_in("ella")
    visit.go("/logout/everywhere")
    visit.press("Sign out everywhere")
    visit.page.wait_for_url("**/signed-out?state=*")
    assert visit.heading == "You are signed out everywhere"
    assert names_of_cookies(visit) == set()
    visit.go("/login")
    assert visit.page.get_by_role("radio").first.is_visible()
    assert visit.complaints == []


@with_and_without_scripts
def test_no_token_stays_in_the_history_of_our_pages(browse: Browse, remembering: Vendors, scripts: bool) -> None:
    """Nor in a page or an address that Back leads to, and Back does not sign out or in again."""
    visit = browse(java_script_enabled=scripts)
    visit.sign_in("ella")
    visit.go("/rewards")
    visit.press("Sign out")
    visit.page.wait_for_url("**/signed-out?state=*")
    seen = [visit.page.url + visit.page.content()]
    for _ in range(2):
        visit.page.go_back()
        seen.append(visit.page.url + visit.page.content())
    assert not [page for page in seen if "eyJ" in page or "1,240" in page]
    assert len(remembering.calls("shopify_logout")) == 1


def test_storefront_script_signs_out_at_the_shop_with_the_address_it_was_given(
    visit: Visit, remembering: Vendors
) -> None:
    visit.sign_in("ella")
    onward = visit.run(
        """(headers) => fetch("/api/v1/session", {method: "DELETE", headers})
          .then((reply) => reply.headers.get("location"))""",
        {"X-Loyalty-Csrf": "1", "Content-Type": "application/json"},
    )
    with visit.page.expect_navigation(url="**/signed-out?state=*"):
        visit.run("(url) => location.assign(url)", onward)
    assert visit.heading == "You are signed out"
    visit.go("/login")
    assert visit.page.get_by_role("radio").first.is_visible()


def test_when_the_shop_is_away_the_page_says_that_one_may_still_be_signed_in(
    visit: Visit, remembering: Vendors
) -> None:
    visit.sign_in("ella")
    visit.service.clock.advance(90_000)
    remembering.fault("shopify_discovery", "status:500", times=99)
    visit.press("Sign out")
    visit.page.wait_for_url("**/logout/continue?*")
    assert visit.heading == "You are signed out here"
    assert "may still be signed in there" in visit.words
    remembering.http.delete(f"{remembering.url}/_control/faults")
    visit.service.clock.advance(BUSY_SECONDS)
    visit.follow("Sign out of the shop")
    visit.page.wait_for_url("**/signed-out?state=*")
    assert names_of_cookies(visit) == set()
