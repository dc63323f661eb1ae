"""Every cross-site mode, every relation between storefront and service, every way of signing in: it works, or it says
why not. docs/sessions.md has the same table; what browsers make of it is in tests/browser/test_modes.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx2
import pytest
from support.concurrency import same_browser
from support.services import ROOT, Service, Start, Vendors
from support.shopper import COOKIE, Page, Shopper

from bff.errors import SettingsError
from bff.settings.read import read_settings

SAME_SITE, ANOTHER_SITE = "http://localhost:3000", "https://preview-7.hosting.example"
FORMS = {"": (COOKIE, "SameSite=Lax"), "partitioned": (f"{COOKIE}-partitioned", "SameSite=None; Partitioned")}
WAYS = ("token", "ticket", "redirect", "login")
WORKS = dict.fromkeys(WAYS, "works")
BY_SCRIPT_ALONE = WORKS | dict.fromkeys(("redirect", "login"), "says why")
# By relation and mode; None: the service does not start.
MATRIX: Mapping[tuple[str, str], Mapping[str, str] | None] = {
    ("same-origin", ""): WORKS,
    ("same-origin", "partitioned"): WORKS,
    ("same-site", ""): WORKS,
    ("same-site", "partitioned"): WORKS,
    ("cross-site", ""): None,
    ("cross-site", "partitioned"): BY_SCRIPT_ALONE,
}
CELLS = [(relation, mode, way) for (relation, mode), ways in MATRIX.items() for way in ways or ()]


@dataclass
class Storefront:
    """A page of the storefront in a shopper's browser, and the service that it calls."""

    service: Service
    shopper: Shopper
    origin: str
    relation: str
    base: str

    def call(self, method: str, path: str, body: object = None) -> httpx2.Response:
        headers = {"origin": self.origin, "sec-fetch-site": self.relation, "sec-fetch-dest": "empty"}
        if method != "GET":
            headers |= {"x-loyalty-csrf": "1", "content-type": "application/json"}
        given = {} if body is None else {"json": body}
        return self.shopper.request(method, f"{self.base}/api/v1{path}", headers=headers, **given)

    def ticket(self, vendors: Vendors) -> str:
        server = self.service.shopper()
        headers = {"authorization": f"Bearer {self.service.settings['SESSION_TICKETS_TOKEN']}"}
        body = {"customerAccessToken": vendors.token("ella")}
        reply = server.request("POST", f"{self.base}/api/v1/session-tickets", json=body, headers=headers)
        return str(reply.json()["ticket"])

    def sign_in(self, way: str, vendors: Vendors) -> httpx2.Response:
        """The last answer of the service on this way."""
        if way == "token":
            return self.call("POST", "/session", {"customerAccessToken": vendors.token("ella")})
        if way == "ticket":
            return self.call("POST", "/session", {"ticket": self.ticket(vendors)})
        place = quote(f"{self.origin}{self.base}/account", safe="")
        if way == "redirect":
            path = f"{self.base}/session/continue?ticket={self.ticket(vendors)}&return_to={place}"
            return self.shopper.request("GET", path, headers={"sec-fetch-site": self.relation})
        begun = self.shopper.request("GET", f"{self.base}/login?return_to={place}")
        if begun.status_code != 302:
            return begun
        back = vendors.http.post(begun.headers["location"], data={"persona": "ella"}).headers["location"]
        return self.shopper.request("GET", back)


def storefront(start: Start, urls: list[str], relation: str, mode: str) -> Storefront:
    origins = {"same-origin": urls[0], "same-site": SAME_SITE, "cross-site": ANOTHER_SITE}
    base = "/loyalty" if relation == "same-origin" else ""
    # Each deployment has storefronts of the other kinds as well, where it may.
    listed = ",".join(origins.values() if mode else (origins["same-origin"], origins["same-site"]))
    service = start(CROSS_SITE_MODE=mode, STOREFRONT_ORIGINS=listed, BASE_PATH=base)
    return Storefront(service, service.shopper(), origins[relation], relation, base)


@pytest.mark.parametrize(("relation", "mode", "way"), CELLS)
def test_A7_D3_every_way_in_works_or_says_why_not(
    start: Start, vendors: Vendors, urls: list[str], relation: str, mode: str, way: str
) -> None:
    shop = storefront(start, urls, relation, mode)
    reply = shop.sign_in(way, vendors)
    if MATRIX[relation, mode] != WORKS and way in {"redirect", "login"}:
        assert (reply.status_code, "keeps the shop and this page apart" in Page(reply, "").text) == (400, True)
        assert "set-cookie" not in reply.headers
        assert shop.call("GET", "/session").json() == {"state": "anonymous"}
        return
    assert reply.status_code == (201 if way in {"token", "ticket"} else 303), reply.text
    name, form = FORMS[mode]
    (header,) = [line for line in reply.headers.get_list("set-cookie") if line.startswith(f"{name}=")]
    assert header.endswith(f"; Path=/; Secure; HttpOnly; {form}")
    assert shop.call("GET", "/session").json()["state"] == "enrolled"
    written = shop.call("POST", "/me/referrals", {"email": "friend@example.com"})
    assert (written.status_code, written.headers["access-control-allow-origin"]) == (202, shop.origin)
    tab = same_browser(shop.service, shop.shopper)
    assert shop.call("DELETE", "/session").status_code == 200
    assert tab.request("GET", f"{shop.base}/api/v1/session").json() == {"state": "anonymous"}


@pytest.mark.parametrize("relation", ["same-origin", "same-site", "cross-site"])
@pytest.mark.parametrize("mode", ["", "partitioned"])
def test_A7_the_boot_says_which_relation_a_mode_cannot_serve(
    settings: dict[str, str], urls: list[str], relation: str, mode: str
) -> None:
    origin = {"same-origin": urls[0], "same-site": SAME_SITE, "cross-site": ANOTHER_SITE}[relation]
    changed = settings | {"STOREFRONT_ORIGINS": origin} | ({"CROSS_SITE_MODE": mode} if mode else {})
    if MATRIX[relation, mode] is None:
        with pytest.raises(SettingsError, match=r"browsers would withhold the session cookie.*partitioned"):
            read_settings(changed)
    else:
        assert read_settings(changed).storefront_origins == (origin,)


@pytest.mark.parametrize("mode", ["", "partitioned"])
@pytest.mark.parametrize("site", ["same-origin", "same-site", "cross-site", "none"])
def test_D2_D3_no_mode_lets_an_origin_in_that_is_not_on_the_list(
    start: Start, vendors: Vendors, mode: str, site: str
) -> None:
    service = start(CROSS_SITE_MODE=mode, STOREFRONT_ORIGINS=SAME_SITE)
    bodies = {"token": {"customerAccessToken": vendors.token("ella")}, "ticket": {"ticket": "A" * 44}}
    for origin in (ANOTHER_SITE, "https://localhost:3001", "http://localhost.evil.test:3000", "null"):
        for body in bodies.values():
            reply = service.shopper().api("POST", "/session", body, origin=origin, sec_fetch_site=site)
            assert (reply.status_code, reply.json()["code"]) == (403, "csrf_refused")
            assert "set-cookie" not in reply.headers
            assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("site", ["cross-site", "none"])
def test_D3_without_the_mode_no_other_site_writes_even_from_the_list(service: Service, site: str) -> None:
    reply = service.shopper().api("POST", "/session", {"ticket": "A" * 44}, origin=SAME_SITE, sec_fetch_site=site)
    assert (reply.status_code, reply.json()["code"]) == (403, "csrf_refused")


def test_N7_the_documented_table_is_this_one() -> None:
    rows = [
        line.strip("| ").split(" | ")
        for line in (ROOT / "docs" / "sessions.md").read_text().splitlines()
        if line.startswith("| ") and (" | — | " in line or " | `partitioned` | " in line)
    ]
    assert len(rows) == len(MATRIX)
    for (_, ways), row in zip(MATRIX.items(), rows, strict=True):
        works = ("no", "no") if ways is None else (ways["ticket"] == "works", ways["login"] == "works")
        says = tuple(cell.startswith("yes") for cell in row[-2:])
        assert says == tuple(each is True for each in works), row
