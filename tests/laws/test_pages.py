"""Laws over pages: every page, for everybody, whether things work, fail, or a vendor sends attacks for texts."""

from collections.abc import Callable, Iterator

import pytest
from support.every_page import TIKTOK
from support.every_route import DOCS, KEY, REWARD, api_paths, page_paths, surface
from support.page_rules import flaws_of, markup_of
from support.services import Service, Vendors
from support.shopper import Page, Shopper

PERSONAS = ("ella", "penny", "blake", "zoe", "tara", "rami", None)
SHAKY = (
    "customer",
    "customer_redemption_rules",
    "redemption_rules",
    "earning_rules",
    "legal_policies",
    "referrals",
    "vip_program",
    "customer_earning_rules",
    "faqs",
    "spend",
    "transactions",
)
POISON = "<img src=x onerror=alert(1)>"
TEMPLATE = "{{7*7}}${7*7}"


def visitor(service: Service, persona: str | None) -> Shopper:
    return service.signed_in(persona) if persona else service.shopper()


def own_pages(shopper: Shopper, settings: dict[str, str]) -> Iterator[Page]:
    """Every page there is, as this person sees it; what leads to the shop's sign-in is not one of ours."""
    for path in [*page_paths(surface(settings)), DOCS, "/problems/not_found"]:
        page = shopper.get(path)
        if page.url.startswith(shopper.base):
            yield page


def all_flaws(pages: Iterator[Page], *, signed_in: bool) -> dict[str, list[str]]:
    found = {f"{page.path} ({page.status})": flaws_of(page, signed_in=signed_in) for page in pages}
    assert len(found) >= 3
    return {where: flaws for where, flaws in found.items() if flaws}


@pytest.mark.parametrize("persona", PERSONAS)
def test_I7_every_page_keeps_the_laws_of_pages(service: Service, settings: dict[str, str], persona: str | None) -> None:
    shopper = visitor(service, persona)
    assert all_flaws(own_pages(shopper, settings), signed_in=persona is not None) == {}


@pytest.mark.parametrize("persona", ["ella", "penny", None])
def test_every_page_keeps_the_laws_of_pages_when_the_vendor_is_down(
    service: Service, settings: dict[str, str], vendors: Vendors, persona: str | None
) -> None:
    shopper = visitor(service, persona)
    service.clock.advance(5000)
    for operation in SHAKY:
        vendors.fault(operation, "status:500", times=50)
    assert all_flaws(own_pages(shopper, settings), signed_in=persona is not None) == {}


def after_posts(ella: Shopper) -> Iterator[Page]:
    """The pages that only a form leads to."""
    reward = ella.get(f"/rewards/{REWARD}")
    yield ella.submit(reward, f"/rewards/{REWARD}", key="too-short")
    yield ella.submit(reward, f"/rewards/{REWARD}", csrf="x")
    yield ella.submit(reward, f"/rewards/{REWARD}")
    yield ella.get(f"/rewards/{REWARD}")
    yield ella.submit(ella.get("/refer"), "/refer", email="nobody")
    yield ella.submit(ella.get("/refer"), "/refer", csrf="x", email="friend@example.com")
    yield ella.submit(ella.get("/refer"), "/refer", email="friend@example.com")
    yield ella.submit(ella.get("/earn"), TIKTOK, csrf="x")
    yield ella.submit(ella.get("/earn"), TIKTOK)
    yield ella.submit(ella.get("/earn/birthday"), "/earn/birthday", day="30", month="2")
    yield ella.submit(ella.get("/earn/birthday"), "/earn/birthday", day="29", month="2")
    yield ella.submit(ella.get("/"), "/logout", csrf="x")
    yield ella.post("/refer", {"a": "b"}, headers={"origin": "https://evil.test"})
    yield ella.post("/refer", {"a": "b" * 20_000})
    yield ella.post("/refer", {"a": "b"}, headers={"content-type": "text/plain"})
    yield ella.get("/no/such/page")
    yield ella.get("/static/nothing.css", headers={"accept": "text/html"})
    yield ella.submit(ella.get("/"), "/logout")


def test_every_answer_to_a_form_keeps_the_laws_of_pages(ella: Shopper) -> None:
    pages = list(after_posts(ella))
    assert {page.status for page in pages} >= {200, 400, 403, 404, 413, 415, 422}
    assert all_flaws(iter(pages[:-1]), signed_in=True) == {}
    assert flaws_of(pages[-1], signed_in=False) == []


def test_joining_keeps_the_laws_of_pages_when_the_terms_change_or_are_away(penny: Shopper, vendors: Vendors) -> None:
    page = penny.get("/join")
    vendors.control("policies", version="next", html="<p>Other words</p>")
    changed = penny.submit(page, "/join")
    vendors.fault("legal_policies", "status:500", times=9)
    paused = penny.submit(changed, "/join")
    assert (changed.status, paused.status) == (409, 503)
    assert [flaws_of(shown, signed_in=True) for shown in (page, changed, paused)] == [[], [], []]


def test_the_title_says_where_one_is(ella: Shopper, settings: dict[str, str]) -> None:
    titles = {
        page.path: markup_of(page).all("title")[0].text for page in own_pages(ella, settings) if page.status == 200
    }
    assert len(set(titles.values())) == len(titles) > 4
    for title in titles.values():
        assert title.endswith(" · Loyalty")


def test_M2_every_error_page_has_its_status_and_its_request_id(ella: Shopper) -> None:
    pages = [
        page for page in after_posts(ella) if page.status in {400, 403, 404, 405, 413, 415} and not page.read.forms[1:]
    ]
    assert len(pages) >= 5
    for page in pages:
        assert page.reply.headers["content-type"] == "text/html; charset=utf-8"
        assert page.reply.headers["x-request-id"] in page.text
        assert "Traceback" not in page.text


# I1 and F4: the vendor sends attacks


@pytest.fixture
def hostile(vendors: Vendors) -> Vendors:
    vendors.control("texts", hostile=True)
    return vendors


@pytest.mark.parametrize("persona", PERSONAS)
def test_I1_F4_no_page_runs_what_a_vendor_sends(
    hostile: Vendors, service: Service, settings: dict[str, str], persona: str | None
) -> None:
    shopper = visitor(service, persona)
    pages = list(own_pages(shopper, settings))
    assert all_flaws(iter(pages), signed_in=persona is not None) == {}
    if persona != "blake":
        assert any(TEMPLATE in page.text for page in pages), "the attack is shown, as words"
    if persona not in {"blake", None}:
        assert any(POISON in page.text for page in pages), "where a text is shown to the letter, so is its HTML"
    for page in pages:
        assert "javascript:alert(document.domain)" not in page.reply.text


def test_I1_F4_no_answer_to_a_form_runs_what_a_vendor_sends(hostile: Vendors, service: Service) -> None:
    ella, penny = service.signed_in("ella"), service.signed_in("penny")
    pages = [*after_posts(ella)][:-1]
    assert all_flaws(iter(pages), signed_in=True) == {}
    assert TEMPLATE in pages[2].text
    joined = penny.submit(penny.get("/join"), "/join")
    assert (joined.path, flaws_of(joined, signed_in=True)) == ("/welcome", [])


def test_I1_F4_json_carries_only_https_addresses(hostile: Vendors, service: Service, settings: dict[str, str]) -> None:
    ella = service.signed_in("ella")
    assert ella.api("POST", "/me/redemptions", {"rewardId": REWARD}, idempotency_key=KEY).status_code == 201
    for path in set(api_paths(surface(settings))) - {DOCS}:
        reply = ella.request("GET", path)
        assert reply.status_code < 400, path
        for url in urls_in(reply.json()):
            assert url.startswith(("https://", "http://localhost")), f"{path}: {url}"
    assert ella.api("GET", "/legal-policies").json().get("privacyPolicyUrl") is None


def urls_in(value: object, name: str = "") -> list[str]:
    """Every value in a JSON answer whose name says that it is an address."""
    if isinstance(value, dict):
        return [url for key, inner in value.items() for url in urls_in(inner, key)]
    if isinstance(value, list):
        return [url for inner in value for url in urls_in(inner, name)]
    return [value] if isinstance(value, str) and name.lower().endswith(("url", "href", "link")) else []


def test_the_pages_about_a_store_that_is_away_keep_the_laws(
    start: Callable[..., Service], ella: Shopper, urls: list[str]
) -> None:
    lonely = start(PORT=urls[1].rpartition(":")[2], PUBLIC_URL=urls[1], VALKEY_URL="redis://127.0.0.1:1").shopper()
    lonely.cookies = dict(ella.cookies)
    page = lonely.get("/rewards")
    assert (page.status, flaws_of(page, signed_in=False)) == (503, [])
    assert "set-cookie" not in page.reply.headers
    assert int(page.reply.headers["retry-after"]) > 0
