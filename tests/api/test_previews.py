"""Origins that are not named one by one: previews of a storefront, and what a developer runs on this machine."""

from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest
from support.proxied_service import STOREFRONT, behind_a_router, production
from support.services import Log, Service, Start, Vendors
from support.shopper import Page, Shopper

from bff.errors import SettingsError
from bff.settings.production import log_weaknesses
from bff.settings.read import read_settings

PATTERN = "https://*.preview.shop.example.com"
PREVIEW = "https://pr-12.preview.shop.example.com"
RESEMBLING = (
    "https://preview.shop.example.com", "https://.preview.shop.example.com", "https://a.b.preview.shop.example.com",
    "http://pr-12.preview.shop.example.com", "https://PR-12.preview.shop.example.com", f"{PREVIEW}:443",
    f"{PREVIEW}:8443", f"{PREVIEW}.evil.test", f"{PREVIEW}/", "https://evil.test/.preview.shop.example.com",
    "https://evil.test#.preview.shop.example.com", "https://evil.test?.preview.shop.example.com",
    "https://user@a.preview.shop.example.com", "https://a_b.preview.shop.example.com", PATTERN,
    "https://xpreview.shop.example.com", f"https://{'a' * 64}.preview.shop.example.com", "null",
    f"{PREVIEW}, {PREVIEW}", "https://pr-12.preview.shop.example.net",
)  # fmt: skip
ACCEPTED = (
    PATTERN, "https://pr-*.shop.example.com", "https://*.shop.example.co.uk:8443", "https://preview.*.shop.example.com",
    "https://*.shop.pages.dev", "https://shop-*-team.vercel.app", "https://*--shop.netlify.app",
    "https://*.a.example.com, https://*.b.example.com",
)  # fmt: skip
FOR_STRANGERS = (
    "https://*.vercel.app", "https://*.netlify.app", "https://*.myshopify.com", "https://*.herokuapp.com",
    "https://*.pages.dev", "https://*.github.io", "https://*.com", "https://*.co.uk", "https://*.example",
    "https://shop-*.vercel.app", "https://*-team.vercel.app", "https://shop-*-x.vercel.app", "https://*-shop.netlify.app",
    "https://shop--*.netlify.app", "https://shop-*-team.myshopify.com", "https://shop-*-team.com", "https://*.compute.estate",
    "https://shop.*", f"{PATTERN},https://*.vercel.app",
)  # fmt: skip
# What a developer runs, and what only looks like it.
LOCAL = (
    "http://localhost:5173", "http://localhost", "http://127.0.0.1:3000", "http://[::1]:3000", "http://[::1]",
    "http://shop.localhost:3000", "http://a.b.localhost",
)  # fmt: skip
NOT_LOCAL = (
    "https://localhost:5173", "http://localhost.evil.test", "http://evillocalhost:3000", "http://127.0.0.1.evil.test",
    "http://localhost:3000@evil.test", "http://localhost:", "http://localhost:x", "http://localhost:123456",
    "http://.localhost:3000", "http://a_b.localhost:3000", "http://LOCALHOST:3000", "http://127.0.0.2:3000",
    "http://192.168.0.1:3000", "http://evil.test/.localhost", "http://localhost:٣", "http://localhost:3000/",
)  # fmt: skip


@pytest.fixture
def service(start: Start) -> Service:
    return start(PREVIEW_ORIGINS=PATTERN, CROSS_SITE_MODE="partitioned")


def allowed(shopper: Shopper, origin: str) -> tuple[str | None, str | None]:
    headers = shopper.request("GET", "/api/v1/session", headers={"origin": origin.encode()}).headers
    return headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")


def invite(shopper: Shopper, origin: str, site: str = "cross-site") -> httpx2.Response:
    headers = {"origin": origin, "sec-fetch-site": site}
    body = {"email": "friend@example.com"}
    return shopper.api("POST", "/me/referrals", body, **{name.replace("-", "_"): of for name, of in headers.items()})


def test_E1_E2_a_preview_may_call_and_what_resembles_one_may_not(service: Service) -> None:
    shopper = service.shopper()
    for origin in (PREVIEW, "https://x.preview.shop.example.com", f"https://{'a' * 63}.preview.shop.example.com"):
        assert allowed(shopper, origin) == (origin, "true")
    for origin in RESEMBLING:
        assert allowed(shopper, origin) == (None, None), origin


def test_D2_D3_a_preview_may_write_and_what_resembles_one_may_not(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    for origin in RESEMBLING:
        assert invite(ella, origin).json()["code"] == "csrf_refused", origin
    assert vendors.member("ella")["referrals"] == []
    assert invite(ella, PREVIEW).status_code == 202


def test_D3_previews_elsewhere_do_not_keep_a_storefront_of_the_same_site_from_writing(service: Service) -> None:
    assert invite(service.signed_in("ella"), "http://localhost:3000", "same-site").status_code == 202


def test_F1_one_comes_back_to_nothing_that_resembles_a_preview(service: Service, vendors: Vendors) -> None:
    for origin in (each for each in RESEMBLING if each != f"{PREVIEW}/"):
        shopper = service.shopper()
        page = shopper.request("GET", "/login", params={"return_to": f"{origin}/account"})
        reply = vendors.http.post(page.headers["location"], data={"persona": "ella"})
        assert shopper.request("GET", reply.headers["location"]).headers["location"] == "/", origin


def test_F1_a_preview_on_another_site_is_led_back_to_and_not_signed_in_to(service: Service) -> None:
    page = service.shopper().get("/login?" + urlencode({"return_to": f"{PREVIEW}/account"}))
    assert page.status == 400
    assert f"{PREVIEW}/account" in page.read.links
    assert "set-cookie" not in page.reply.headers


def test_F1_one_comes_back_to_a_preview_of_the_same_site(settings: dict[str, str], logfile: Path) -> None:
    """Shopify cannot be reached there, so the page that says so tells where one would come back to."""
    wanted = {f"{origin}/account": f"{origin}/account" for origin in (PREVIEW, STOREFRONT)}
    wanted |= dict.fromkeys((f"{PREVIEW}.evil.test/", f"{STOREFRONT}1/", "http://localhost:3000/"), "/")
    with behind_a_router(settings | {"PREVIEW_ORIGINS": PATTERN}, logfile) as router:
        for return_to, place in wanted.items():
            reply = router.request("GET", "/login?" + urlencode({"return_to": return_to}))
            assert "/login?" + urlencode({"return_to": place}) in Page(reply, "").read.links, return_to


def test_coupons_of_a_visit_lead_to_the_preview_that_asks(service: Service) -> None:
    tara = service.signed_in("tara")
    told = tara.api("GET", "/me/activity", origin=PREVIEW).json()["activity"]
    links = {line["coupon"]["applyUrl"].partition("/discount/")[0] for line in told if "coupon" in line}
    assert links <= {PREVIEW}


def test_a_preview_is_no_name_of_this_service(service: Service) -> None:
    reply = service.shopper().request("GET", "/", headers={"host": PREVIEW.removeprefix("https://")})
    assert reply.status_code == 400


def test_E1_a_form_is_not_taken_from_a_preview(service: Service) -> None:
    ella = service.signed_in("ella")
    fields = ella.get("/refer").form("/refer").fields | {"email": "friend@example.com"}
    assert ella.post("/refer", fields, headers={"origin": PREVIEW}).status == 403


@pytest.mark.parametrize("patterns", ACCEPTED)
def test_E1_a_pattern_of_the_merchants_own_is_accepted(settings: dict[str, str], patterns: str) -> None:
    given = production(settings) | {"PREVIEW_ORIGINS": patterns, "CROSS_SITE_MODE": "partitioned"}
    assert read_settings(given).preview_origins == tuple(patterns.split(", "))


@pytest.mark.parametrize("patterns", FOR_STRANGERS)
def test_E1_a_pattern_that_admits_strangers_ends_the_boot(settings: dict[str, str], patterns: str) -> None:
    for given in (settings, production(settings)):
        with pytest.raises(SettingsError, match=r"PREVIEW_ORIGINS: .*strangers") as refused:
            read_settings(given | {"PREVIEW_ORIGINS": patterns, "CROSS_SITE_MODE": "partitioned"})
        assert patterns not in str(refused.value)


def test_A7_previews_on_another_site_end_the_boot_unless_that_is_meant(settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="CROSS_SITE_MODE=partitioned"):
        read_settings(production(settings) | {"PREVIEW_ORIGINS": "https://*.shop.example.org"})
    assert read_settings(production(settings) | {"PREVIEW_ORIGINS": PATTERN}).preview_origins == (PATTERN,)


@pytest.mark.parametrize(
    ("pattern", "is_weak"),
    [("https://shop-*-team.vercel.app", True), ("https://*--shop.netlify.app", True), (PATTERN, False)],
)
def test_E1_a_name_that_others_could_ask_for_is_told(
    settings: dict[str, str], log: Log, pattern: str, is_weak: bool
) -> None:
    log.clear()
    log_weaknesses(read_settings(production(settings) | {"PREVIEW_ORIGINS": pattern, "CROSS_SITE_MODE": "partitioned"}))
    told = [line["what"] for line in log.events("weak_setting")]
    assert ("PREVIEW_ORIGINS" in told) is is_weak


def test_E1_in_development_whatever_runs_on_this_machine_may_call(start: Start) -> None:
    ella = start(STOREFRONT_ORIGINS="").signed_in("ella")
    for origin in LOCAL:
        assert allowed(ella, origin) == (origin, "true"), origin
        written = ella.api("POST", "/me/earning-rules/none/completions", {}, origin=origin, sec_fetch_site="same-site")
        assert written.json()["code"] == "not_found", origin
    for origin in NOT_LOCAL:
        assert allowed(ella, origin) == (None, None), origin


def test_E1_D2_in_production_nothing_on_this_machine_may_call(settings: dict[str, str], logfile: Path) -> None:
    with behind_a_router(settings, logfile) as router:
        for origin in LOCAL:
            assert "access-control-allow-origin" not in router.request("GET", "/api/v1/session", origin=origin).headers
            headers = {"origin": origin, "content_type": "application/json", "x_loyalty_csrf": "1"}
            assert router.request("POST", "/api/v1/me/referrals", **headers).json()["code"] == "csrf_refused"
        found = router.request("GET", "/api/v1/session", origin=STOREFRONT).headers
        assert found["access-control-allow-origin"] == STOREFRONT
