"""Signing in with Shopify and out again: the way there, the way back, and everything that can get in between."""

import base64
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import redis
from support.concurrency import same_browser, state_of
from support.services import Service, Start, Vendors, in_thread
from support.shopper import COOKIE, Page, Shopper

from bff.vendors.upstream import BUSY_SECONDS

STOREFRONT = "http://localhost:3000"
PUBLIC_CLIENT = {"SHOPIFY_CLIENT_ID": "b1d24e8f-57c3-4f06-a9e2-83c0d6417a5b", "SHOPIFY_CLIENT_SECRET": ""}


def begun(shopper: Shopper, return_to: str = "") -> str:
    """Begin to sign in; the address of the page at Shopify."""
    query = f"?{urlencode({'return_to': return_to})}" if return_to else ""
    reply = shopper.request("GET", f"/login{query}")
    assert reply.status_code == 302, reply.text
    return reply.headers["location"]


def chosen(shopper: Shopper, authorize: str, persona: str) -> str:
    """Sign in on that page; the address Shopify sends the browser back to."""
    reply = shopper.request("POST", authorize, data={"persona": persona})
    assert reply.status_code == 303, reply.text
    return reply.headers["location"]


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def back_with(service: Service, **query: str) -> str:
    return f"{service.url}/callback?{urlencode(query)}"


def is_sent_to_shopify_again(reply: Page, vendors: Vendors) -> bool:
    return reply.status == 302 and reply.reply.headers["location"].startswith(f"{vendors.url}/authentication/")


def once(shopper: Shopper, url: str) -> Page:
    """One answer, without following it."""
    return Page(shopper.request("GET", url), url)


def test_the_request_to_shopify_is_complete_and_never_the_same_twice(service: Service, vendors: Vendors) -> None:
    first, second = begun(service.shopper()), begun(service.shopper())
    asked, again = query_of(first), query_of(second)
    assert first.startswith(f"{vendors.url}/authentication/oauth/authorize?")
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 43, name
        assert asked[name] != again[name], name
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == f"{service.url}/callback"
    assert set(asked["scope"].split()) == {"openid", "email", "customer-account-api:full"}
    assert "=" not in asked["code_challenge"]


def test_documented_hints_are_passed_on_and_nothing_else_is(service: Service) -> None:
    hints = {"locale": "fr-CA", "region_country": "CA", "login_hint": "ella@example.com"}
    strange = {"redirect_uri": "https://evil.example/", "client_id": "x", "state": "mine", "prompt": "none", "x": "y"}
    url = service.shopper().request("GET", "/login?" + urlencode(hints | strange)).headers["location"]
    asked = query_of(url)
    assert {name: asked[name] for name in hints} == hints
    assert asked["redirect_uri"] == f"{service.url}/callback"
    assert not {"prompt", "x"} & set(asked)
    assert "mine" not in url


@pytest.mark.parametrize("confidential", [True, False])
def test_both_kinds_of_client_sign_in_and_prove_themselves_in_their_own_way(
    start: Start, vendors: Vendors, confidential: bool
) -> None:
    service = start(**{} if confidential else PUBLIC_CLIENT)
    ella = service.signed_in("ella")
    assert state_of(ella) == "enrolled"
    [call] = vendors.calls("shopify_token")
    basic = call["headers"].get("authorization", "")
    if confidential:
        named = f"{service.settings['SHOPIFY_CLIENT_ID']}:{service.settings['SHOPIFY_CLIENT_SECRET']}"
        assert base64.b64decode(basic.removeprefix("Basic ")).decode() == named
    else:
        assert basic == ""
    for operation in ("shopify_token", "shopify_graphql"):
        headers = vendors.calls(operation)[0]["headers"]
        assert headers["origin"] == service.url
        assert headers["user-agent"]


@pytest.mark.parametrize("client", [{}, PUBLIC_CLIENT])
def test_both_kinds_of_client_renew_their_tokens(start: Start, vendors: Vendors, client: Mapping[str, str]) -> None:
    service = start(**client)
    ella = service.signed_in("ella")
    service.clock.advance(3700)
    vendors.control("clock", advance=3700)
    assert ella.api("GET", "/me").status_code == 200
    assert [call["status"] for call in vendors.calls("shopify_token")] == [200, 200]


# The way back -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "return_to", ["/rewards", "/refer?x=1", "/faq#points", f"{STOREFRONT}/account?tab=points", "/quick/brown-fox_jumps"]
)
def test_one_comes_back_to_where_one_was(shopper: Shopper, return_to: str) -> None:
    reply = once(shopper, chosen(shopper, begun(shopper, return_to), "ella")).reply
    assert (reply.status_code, reply.headers["location"]) == (303, return_to)


@pytest.mark.parametrize(
    "return_to",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "/" * 9,
     f"{STOREFRONT}.evil.example/", f"{STOREFRONT}@evil.example/", "/..//evil.example", "/" + "a" * 5000],
)  # fmt: skip
def test_one_never_comes_back_to_somewhere_else(shopper: Shopper, return_to: str) -> None:
    reply = once(shopper, chosen(shopper, begun(shopper, return_to), "ella")).reply
    assert (reply.status_code, reply.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "return_to",
    ["/login", "/login?return_to=/login", "/callback?state=x&code=y", "/logout", "/signed-out", "/signed-out/#main",
     "/session/continue?ticket=x", "/static/loyalty.css", "/api/v1/me", "/api", "/webhooks/okendo", "/%6cogin",
     "/si%67ned-out"],
)  # fmt: skip
def test_F1_one_never_comes_back_to_what_only_makes_sense_once(shopper: Shopper, return_to: str) -> None:
    reply = once(shopper, chosen(shopper, begun(shopper, return_to), "ella")).reply
    assert (reply.status_code, reply.headers["location"]) == (303, "/")


def test_a_sign_in_that_was_cancelled_is_tried_again_for_the_same_page(shopper: Shopper) -> None:
    failed = shopper.get(begun(shopper, "/refer?x=1") + "&cancel=1")
    assert (failed.status, failed.heading) == (400, "You are not signed in")
    assert f"/login?{urlencode({'return_to': '/refer?x=1'})}" in failed.read.links


def test_where_one_comes_back_to_is_checked_again_on_the_way_back(settings: dict[str, str]) -> None:
    """A storefront of our own origin: other ones on this machine may always be returned to in development."""
    address, listed = f"{settings['PUBLIC_URL']}/account", settings | {"STOREFRONT_ORIGINS": settings["PUBLIC_URL"]}
    for then, place in ((listed, address), (settings, "/")):
        with in_thread(listed) as service:
            shopper = service.shopper()
            back = chosen(shopper, begun(shopper, address), "ella")
            cookies = shopper.cookies
        with in_thread(then) as service:
            shopper = service.shopper()
            shopper.cookies = dict(cookies)
            assert once(shopper, back).reply.headers["location"] == place


def test_two_tabs_sign_in_and_each_comes_back_to_its_own_page(service: Service) -> None:
    shopper = service.shopper()
    first, second = begun(shopper, "/welcome"), begun(shopper, "/refer")
    landed = [once(shopper, chosen(shopper, url, "ella")).reply for url in (first, second)]
    assert [(reply.status_code, reply.headers["location"]) for reply in landed] == [(303, "/welcome"), (303, "/refer")]
    assert state_of(shopper) == "enrolled"


def test_two_tabs_may_finish_in_the_other_order(service: Service) -> None:
    shopper = service.shopper()
    first, second = begun(shopper, "/welcome"), begun(shopper, "/refer")
    assert once(shopper, chosen(shopper, second, "ella")).reply.headers["location"] == "/refer"
    assert once(shopper, chosen(shopper, first, "zoe")).reply.headers["location"] == "/welcome"
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 0


def test_a_state_nobody_began_starts_anew_once_and_then_explains(shopper: Shopper, vendors: Vendors) -> None:
    restarted = once(shopper, f"{shopper.base}/callback?state=made-up&code=shcac_made_up")
    assert is_sent_to_shopify_again(restarted, vendors)
    back = chosen(shopper, restarted.reply.headers["location"], "ella")
    # The browser loses its cookies on the way, as an in-app browser that hands over to the real one does.
    shopper.cookies.clear()
    explained = once(shopper, back)
    assert (explained.status, explained.heading) == (400, "Sign-in did not work")
    assert any(link.endswith("/login") for link in explained.read.links)
    assert COOKIE not in shopper.cookies
    assert vendors.calls("shopify_token") == []


def test_a_restarted_sign_in_signs_in(shopper: Shopper, vendors: Vendors) -> None:
    restarted = once(shopper, f"{shopper.base}/callback?state=made-up&code=shcac_made_up")
    assert once(shopper, chosen(shopper, restarted.reply.headers["location"], "ella")).status == 303
    assert state_of(shopper) == "enrolled"


def test_a_sign_in_that_took_more_than_ten_minutes_is_begun_anew(
    shopper: Shopper, vendors: Vendors, stores: Mapping[str, str]
) -> None:
    back = chosen(shopper, begun(shopper), "ella")
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        [pending] = store.scan_iter("login:*")
        lifetime = store.ttl(pending)
        assert 590 <= int(str(lifetime)) <= 600
        store.delete(pending)
    assert is_sent_to_shopify_again(once(shopper, back), vendors)
    assert COOKIE not in shopper.cookies


@pytest.mark.parametrize("query", [{}, {"code": "shcac_x"}, {"state": "", "code": "shcac_x"}])
def test_coming_back_without_a_state_is_explained(shopper: Shopper, query: dict[str, str]) -> None:
    page = once(shopper, f"{shopper.base}/callback?{urlencode(query)}")
    assert (page.status, page.heading) == (400, "Sign-in did not work")


def test_D7_one_cannot_be_signed_in_as_somebody_else_by_their_link(service: Service, vendors: Vendors) -> None:
    attacker, victim = service.shopper(), service.signed_in("ella")
    link = chosen(attacker, begun(attacker), "zoe")
    begun(victim)
    before = dict(victim.cookies)
    assert is_sent_to_shopify_again(once(victim, link), vendors)
    assert victim.cookies == before
    assert victim.api("GET", "/me").json()["points"]["balance"] == 1240
    stranger = service.shopper()
    once(stranger, link)
    assert COOKIE not in stranger.cookies


def test_the_way_back_works_once(shopper: Shopper, service: Service, vendors: Vendors) -> None:
    back = chosen(shopper, begun(shopper), "ella")
    assert once(shopper, back).status == 303
    tab = same_browser(service, shopper)
    assert is_sent_to_shopify_again(once(tab, back), vendors)
    assert state_of(shopper) == "enrolled"
    assert len(vendors.calls("shopify_token")) == 1


def test_a_code_from_another_sign_in_is_worth_nothing(service: Service) -> None:
    """Each code is bound to its sign-in by PKCE, also for a confidential client."""
    attacker, victim = service.shopper(), service.shopper()
    stolen = query_of(chosen(victim, begun(victim), "ella"))["code"]
    state = query_of(begun(attacker))["state"]
    page = once(attacker, back_with(service, state=state, code=stolen))
    assert (page.status, page.heading) == (400, "Sign-in did not work")
    assert COOKIE not in attacker.cookies


def test_a_refusal_at_shopify_is_explained_in_our_own_words_and_can_be_repeated(shopper: Shopper) -> None:
    authorize = begun(shopper)
    reply = shopper.request("POST", authorize, data={"cancel": "1"})
    page = once(shopper, reply.headers["location"])
    assert query_of(reply.headers["location"])["error"] == "access_denied"
    assert (page.status, page.heading) == (400, "You are not signed in")
    assert "The shopper cancelled" not in page.reply.text, "neither Shopify's words nor our log's"
    assert "give this reference" not in page.text
    assert COOKIE not in shopper.cookies
    assert shopper.sign_in("ella").status == 200


def test_an_error_counts_even_beside_a_code(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    back = chosen(shopper, begun(shopper), "ella")
    page = once(shopper, f"{back}&error=server_error&error_description=%3Cscript%3Ecanary")
    assert page.status == 400
    assert "canary" not in page.reply.text
    assert vendors.calls("shopify_token") == []


def test_what_else_shopify_adds_on_the_way_back_is_ignored(shopper: Shopper) -> None:
    back = chosen(shopper, begun(shopper), "ella")
    assert once(shopper, f"{back}&shop_id_token=eyJ.eyJ.x&region=de&x=%ff").status == 303


@pytest.mark.parametrize("code", ["", "x" * 5000, "sh cac", "ä"])
def test_an_odd_code_is_explained(shopper: Shopper, code: str) -> None:
    state = query_of(begun(shopper))["state"]
    page = once(shopper, f"{shopper.base}/callback?{urlencode({'state': state, 'code': code})}")
    assert (page.status, page.heading) == (400, "Sign-in did not work")


def test_a_shopify_that_fails_is_explained_and_signs_nobody_in(service: Service, vendors: Vendors) -> None:
    kinds = ("status:500", "status:401", "status:403", "status:429", "html", "garbage", "huge", "redirect", "cut_after")
    for operation, kind in [*(("shopify_token", kind) for kind in kinds), ("shopify_graphql", "status:500"),
                            ("shopify_graphql", "status:401"), ("shopify_graphql", "garbage")]:  # fmt: skip
        vendors.fault(operation, kind)
        shopper = service.shopper()
        page = once(shopper, chosen(shopper, begun(shopper), "ella"))
        assert 400 <= page.status < 600, (operation, kind)
        assert page.status != 500, (operation, kind)
        assert page.heading == "Sign-in did not work", (operation, kind)
        assert COOKIE not in shopper.cookies, (operation, kind)
        service.clock.advance(BUSY_SECONDS)
        assert shopper.sign_in("ella").status == 200, (operation, kind)


def test_an_okendo_that_fails_does_not_undo_the_sign_in(service: Service, vendors: Vendors) -> None:
    for kind in ("status:500", "status:429", "html", "cut_before"):
        vendors.fault("login", kind)
        ella = service.signed_in("ella")
        service.clock.advance(BUSY_SECONDS)
        assert ella.api("GET", "/me").json()["points"]["balance"] == 1240, kind
