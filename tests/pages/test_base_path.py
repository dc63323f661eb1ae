"""BASE_PATH: the whole service below a prefix, as a storefront that passes requests on needs it."""

from collections.abc import Callable
from urllib.parse import quote, urljoin, urlsplit

import pytest
from support.every_route import REWARD, page_paths, surface
from support.services import Service, Vendors
from support.shopper import Page, Shopper


@pytest.fixture
def below(start: Callable[..., Service]) -> Service:
    return start(BASE_PATH="/loyalty")


def sign_in(shopper: Shopper, vendors: Vendors, persona: str) -> Page:
    page = shopper.get("/loyalty/login")
    return shopper.get(vendors.http.post(page.url, data={"persona": persona}).headers["location"])


def addresses(page: Page) -> set[str]:
    """Where the links, forms and assets of a page lead, without what leaves the service."""
    found = {urljoin(page.url, link) for link in [*page.read.links, *(form.action for form in page.read.forms)]}
    return {urlsplit(link).path for link in found if urlsplit(link).netloc == urlsplit(page.url).netloc}


@pytest.mark.parametrize("persona", ["ella", "penny", "blake", None])
def test_base_path_every_page_leads_only_to_pages_below_it(
    below: Service, vendors: Vendors, settings: dict[str, str], persona: str | None
) -> None:
    shopper = below.shopper()
    if persona:
        assert sign_in(shopper, vendors, persona).path.startswith("/loyalty/")
    for path in page_paths(surface(settings | {"BASE_PATH": "/loyalty"})):
        assert path.startswith("/loyalty/") or path == "/loyalty"
        page = shopper.get(path)
        if not page.url.startswith(shopper.base):
            continue
        assert page.path.startswith("/loyalty/")
        for address in addresses(page):
            assert address.startswith("/loyalty/"), f"{path} leads to {address}"
            assert page.status >= 400 or shopper.get(address).status != 404, f"{path} leads to {address}"


def test_base_path_the_whole_journey_works_below_it(below: Service, vendors: Vendors) -> None:
    penny, ella = below.shopper(), below.shopper()
    sign_in(penny, vendors, "penny")
    landed = penny.submit(penny.get("/loyalty/join"), "/loyalty/join")
    assert (landed.status, landed.path) == (200, "/loyalty/welcome")
    assert sign_in(ella, vendors, "ella").path == "/loyalty/"
    reward = f"/loyalty/rewards/{REWARD}"
    assert ella.submit(ella.get(reward), reward).path.startswith("/loyalty/redemptions/")
    invited = ella.submit(ella.get("/loyalty/refer"), "/loyalty/refer", email="friend@example.com")
    assert (invited.status, invited.path) == (200, "/loyalty/refer")
    assert ella.request("GET", "/loyalty/api/v1/session").json()["state"] == "enrolled"
    landed = ella.sign_out("/loyalty/logout", ella.get("/loyalty/"))
    assert (landed.path, landed.heading) == ("/loyalty/signed-out", "You are signed out")
    assert len(vendors.member("ella")["redemptions"]) == 1
    assert vendors.member("penny")["state"] == "enrolled"


def test_base_path_nothing_lives_outside_of_it(below: Service, settings: dict[str, str]) -> None:
    shopper = below.shopper()
    for path in page_paths(surface(settings)):
        assert shopper.request("GET", path).status_code == 404, path
    assert shopper.request("GET", "/api/v1/session").status_code == 404
    assert shopper.request("GET", "/healthz").status_code == 200


def test_base_path_works_without_its_last_slash(below: Service, vendors: Vendors) -> None:
    ella = below.shopper()
    assert ella.get("/loyalty").status == 200
    begun = ella.request("GET", "/loyalty/login?return_to=/loyalty")
    back = vendors.http.post(begun.headers["location"], data={"persona": "ella"}).headers["location"]
    assert ella.get(back).status == 200


@pytest.mark.parametrize(
    "return_to",
    ["/rewards", "/loyaltyx", "/loyalty/../rewards", "/loyalty/%2e%2e/rewards", "/loyalty//evil.test",
     "/loyalty/signed-out", "/loyalty/api/v1/me"],
)  # fmt: skip
def test_F1_base_path_the_way_back_stays_below_it(below: Service, vendors: Vendors, return_to: str) -> None:
    shopper = below.shopper()
    begun = shopper.request("GET", f"/loyalty/login?return_to={quote(return_to, safe='')}")
    back = vendors.http.post(begun.headers["location"], data={"persona": "ella"}).headers["location"]
    assert shopper.request("GET", back).headers["location"] == "/loyalty/"


def test_base_path_is_known_to_preflights_and_the_gate(below: Service) -> None:
    shopper = below.shopper()
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    assert shopper.request("OPTIONS", "/loyalty/api/v1/session", headers=asked).status_code == 204
    assert shopper.request("OPTIONS", "/api/v1/session", headers=asked).status_code in {403, 404, 405}
    refused = shopper.request("POST", "/loyalty/api/v1/session", json={}, headers={"origin": shopper.base})
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_refused")
