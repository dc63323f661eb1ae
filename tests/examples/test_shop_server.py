"""The server of examples/vanilla gives tickets to its own pages alone, for the shopper who is signed in there."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from support.services import Start, Vendors
from support.storefronts import EXAMPLES, Storefront, environment, new_port, prepared, storefront

from bff.devstack import stack as devstack
from bff.settings.published import PUBLISHED

pytestmark = pytest.mark.examples


@pytest.fixture
def shop(start: Start, vendors: Vendors, urls: list[str], tmp_path: Path) -> Iterator[Storefront]:
    port = new_port()
    start(STOREFRONT_ORIGINS=f"http://localhost:{port}")
    with storefront(prepared("vanilla"), environment(urls[0], vendors.url, port), tmp_path / "shop.log") as running:
        yield running


@pytest.fixture
def browser(shop: Storefront) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=shop.origin, trust_env=False, timeout=20) as client:
        yield client


def test_a_ticket_is_for_pages_of_the_shop_and_for_who_is_signed_in(shop: Storefront, browser: httpx2.Client) -> None:
    ours = {"origin": shop.origin}
    assert browser.post("/loyalty-ticket", headers=ours).json() == {}
    signed_in = browser.post("/account/sign-in", data={"persona": "ella"}, headers=ours)
    cookie = signed_in.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    kept = {"cookie": cookie.partition(";")[0]}
    for stranger in ({}, {"origin": "https://evil.example"}, {"origin": "null"}):
        assert browser.post("/loyalty-ticket", headers=kept | stranger).status_code == 403
    assert set(browser.post("/loyalty-ticket", headers=kept | ours).json()) == {"ticket"}
    browser.post("/account/sign-out", headers=kept | ours)
    assert browser.post("/loyalty-ticket", headers=kept | ours).json() == {}


@pytest.mark.parametrize(
    "path", ["/server.mjs", "/settings.mjs", "/../settings.mjs", "/%2e%2e/account.mjs", "/nothing"]
)
def test_nothing_is_served_but_the_page(shop: Storefront, browser: httpx2.Client, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_no_secret_is_in_what_a_page_gets(shop: Storefront, browser: httpx2.Client) -> None:
    for path in ("/", "/config.js", "/shop.js", "/storefront.js"):
        assert "tickets-token" not in browser.get(path).text
        assert "'unsafe-" not in browser.get(path).headers["content-security-policy"]


def test_without_settings_it_has_what_make_run_has() -> None:
    """And nothing that production would take."""
    begun = (EXAMPLES / "vanilla" / "settings.mjs").read_text("utf-8")
    given = devstack.environment(8000, 8001, "", "")
    for name in ("SESSION_TICKETS_TOKEN", "SHOPIFY_STOREFRONT_TOKEN"):
        assert f'"{name}", "{given[name]}")' in begun
        assert given[name] in PUBLISHED
    assert f'"LOYALTY_URL", "{given["PUBLIC_URL"]}")' in begun
    assert f'"SANDBOX_URL", "{given["SHOPIFY_SHOP_URL"]}")' in begun
