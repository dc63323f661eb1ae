"""What a real browser makes of every mode, relation and way in: whether the storefront's own page is signed in.

The same cells as tests/sessions/test_modes.py. Sites: http://localhost is one, whatever the port, and the other is
another one; browsers take localhost for trustworthy, so that its cookies may be Secure.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from sessions.test_modes import MATRIX, WAYS
from support.browser_visits import CALL, BrowseAt, Elsewhere, Visit
from support.services import Service, Start, Vendors
from support.snippets import to_run

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
GO = "(url) => { location.href = url; }"
SERVED = {key: ways for key, ways in MATRIX.items() if ways is not None}


class Shop:
    """A tab at the storefront, and the service that its scripts call."""

    def __init__(self, visit: Visit, page: str, base: str) -> None:
        self.visit = visit
        self.page = page
        self.base = f"{visit.url}{base}"
        self.open()

    def open(self) -> None:
        self.visit.page.goto(self.page)

    def call(self, method: str, path: str, body: object = None) -> Any:
        return self.visit.run(CALL, [f"{self.base}/api/v1{path}", method, body, {}])

    def state(self) -> str:
        return str(self.call("GET", "/session")["body"]["state"])

    def ticket(self, vendors: Vendors) -> str:
        headers = {"authorization": f"Bearer {self.visit.service.settings['SESSION_TICKETS_TOKEN']}"}
        body = {"customerAccessToken": vendors.token("ella")}
        reply = vendors.http.post(f"{self.base}/api/v1/session-tickets", json=body, headers=headers)
        return str(reply.json()["ticket"])

    def sign_in(self, way: str, vendors: Vendors) -> int:
        """The status of the hand-in, or of the page on which the redirects end."""
        if way == "token":
            return int(self.call("POST", "/session", {"customerAccessToken": vendors.token("ella")})["status"])
        if way == "ticket":
            return int(self.call("POST", "/session", {"ticket": self.ticket(vendors)})["status"])
        place = quote(self.page, safe="")
        path = f"/login?return_to={place}"
        if way == "redirect":
            path = f"/session/continue?ticket={self.ticket(vendors)}&return_to={place}"
        with self.visit.page.expect_navigation() as arrived:
            self.visit.run(GO, self.base + path)
        if self.visit.page.locator("input[name=persona]").count():
            self.visit.page.locator("input[name=persona][value=ella]").check()
            with self.visit.page.expect_navigation(url=self.page) as arrived:
                self.visit.press("Sign in")
        return int(arrived.value.status) if arrived.value else 0


def deployed(start: Start, origins: Mapping[str, str], relation: str, mode: str) -> tuple[Service, str]:
    listed = ",".join(origins.values() if mode else (origins["same-origin"], origins["same-site"]))
    base = "/loyalty" if relation == "same-origin" else ""
    return start(CROSS_SITE_MODE=mode, STOREFRONT_ORIGINS=listed, BASE_PATH=base), base


@pytest.mark.parametrize(("relation", "mode"), SERVED)
def test_A7_a_storefront_is_signed_in_or_told_why_not(
    start: Start,
    browse_at: BrowseAt,
    vendors: Vendors,
    urls: list[str],
    neighbour: Elsewhere,
    attacker: Elsewhere,
    relation: str,
    mode: str,
) -> None:
    origins = {"same-origin": urls[0], "same-site": neighbour.origin, "cross-site": attacker.origin}
    service, base = deployed(start, origins, relation, mode)
    page = f"{origins[relation]}/loyalty/" if relation == "same-origin" else f"{origins[relation]}/"
    for way in WAYS:
        with browse_at(service) as visit:
            shop = Shop(visit, page, base)
            assert shop.state() == "anonymous"
            status = shop.sign_in(way, vendors)
            if SERVED[relation, mode][way] != "works":
                assert (status, shop.visit.heading) == (400, "Sign-in did not work"), way
                shop.visit.follow("Back to the shop")
                shop.visit.page.wait_for_url(page)
                assert shop.state() == "anonymous", way
                continue
            assert status == (201 if way in {"token", "ticket"} else 200), way
            shop.open()
            assert shop.state() == "enrolled", way
            assert shop.call("POST", "/me/referrals", {"email": f"{way}@example.com"})["status"] == 202, way
            if way in {"token", "ticket"}:
                assert shop.sign_in(way, vendors) == 201, "handed in anew"
                assert shop.state() == "enrolled"
            assert shop.call("DELETE", "/session")["status"] == 200, way
            assert shop.state() == "anonymous", way


def test_A7_P11_a_preview_and_the_production_share_a_deployment_and_no_cookie(
    start: Start, browse_at: BrowseAt, vendors: Vendors, urls: list[str], neighbour: Elsewhere, attacker: Elsewhere
) -> None:
    origins = {"same-origin": urls[0], "same-site": neighbour.origin, "cross-site": attacker.origin}
    service, _ = deployed(start, origins, "cross-site", "partitioned")
    with browse_at(service) as visit:
        preview = Shop(visit, f"{attacker.origin}/", "")
        assert preview.sign_in("ticket", vendors) == 201
        production = Shop(visit.tab(), f"{neighbour.origin}/", "")
        assert production.state() == "anonymous"
        assert production.sign_in("redirect", vendors) == 200
        assert (production.state(), preview.state()) == ("enrolled", "enrolled")
        assert preview.call("DELETE", "/session")["status"] == 200
        assert (production.state(), preview.state()) == ("enrolled", "anonymous")


def test_the_documented_script_brings_a_ticket(
    start: Start, browse_at: BrowseAt, vendors: Vendors, neighbour: Elsewhere
) -> None:
    service = start(STOREFRONT_ORIGINS=neighbour.origin)
    (block,) = to_run("docs/sessions.md", "js")
    with browse_at(service) as visit:
        shop = Shop(visit, f"{neighbour.origin}/", "")
        # The storefront's own server.
        ticket = shop.ticket(vendors)
        visit.page.route("**/my-server/loyalty-ticket", lambda route: route.fulfill(json={"ticket": ticket}))
        script = f"async (loyalty) => {{ {block.text}\n return (await session.json()).state; }}"
        assert visit.run(script, f"{service.url}/api/v1") == "enrolled"
        assert shop.state() == "enrolled"
