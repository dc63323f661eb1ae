"""The storefront's server hands in a customer's token and gets a ticket; the shopper's browser turns it into a session.

Checklist B2, B14, C2, C3, D6, D7, F1 and M4 for the one address where a GET begins a session.
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
import redis
from support.concurrency import same_browser, state_of
from support.services import TICKETS_TOKEN as TOKEN
from support.services import Log, Service, Start, Vendors
from support.shopper import COOKIE, Page, Shopper

STOREFRONT = "http://localhost:3000"
PREVIEW = "https://preview-7.hosting.example"


def ask(service: Service, body: Any, authorization: str | None = f"Bearer {TOKEN}", **headers: str) -> httpx2.Response:
    """As the storefront's server: no cookie, no Origin."""
    given = {"authorization": authorization} if authorization is not None else {}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return service.shopper().request("POST", "/api/v1/session-tickets", json=body, headers=given)


def ticket_for(service: Service, vendors: Vendors, persona: str = "ella") -> str:
    reply = ask(service, {"customerAccessToken": vendors.token(persona)})
    assert reply.status_code == 201, reply.text
    return str(reply.json()["ticket"])


def come(shopper: Shopper, ticket: str, return_to: str = "/rewards", **headers: str) -> httpx2.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    params = {"ticket": ticket, "return_to": return_to}
    return shopper.request("GET", "/session/continue", params=params, headers=given)


def assert_no_session(reply: httpx2.Response) -> None:
    assert reply.status_code == 400
    assert "Sign-in did not work" in Page(reply, str(reply.url)).heading
    assert "set-cookie" not in reply.headers
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in reply.headers["cache-control"]


def test_a_ticket_becomes_a_session_and_leads_on(service: Service, vendors: Vendors) -> None:
    reply = ask(service, {"customerAccessToken": vendors.token("ella")})
    assert reply.json() == {"ticket": reply.json()["ticket"], "expiresIn": 60}
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", reply.json()["ticket"])
    assert "set-cookie" not in reply.headers
    assert "no-store" in reply.headers["cache-control"]
    shopper = service.shopper()
    arrived = come(shopper, reply.json()["ticket"])
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/rewards")
    assert arrived.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in arrived.headers["cache-control"]
    assert set(shopper.cookies) == {COOKIE}
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 1240


def test_F1_it_leads_to_pages_of_ours_and_to_the_storefront_alone(service: Service, vendors: Vendors) -> None:
    wanted = {f"{STOREFRONT}/account": f"{STOREFRONT}/account", "https://evil.test/": "/", "//evil.test": "/", "": "/"}
    for return_to, place in wanted.items():
        reply = come(service.shopper(), ticket_for(service, vendors), return_to)
        assert (reply.status_code, reply.headers["location"]) == (303, place)


def test_a_ticket_works_once(service: Service, vendors: Vendors) -> None:
    ticket = ticket_for(service, vendors)
    assert come(service.shopper(), ticket).status_code == 303
    assert_no_session(come(service.shopper(), ticket))


def test_a_ticket_lives_for_a_minute(service: Service, vendors: Vendors, stores: Mapping[str, str]) -> None:
    ticket = ticket_for(service, vendors)
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        (key,) = store.keys("ticket:*")
        assert 0 < store.ttl(key) <= 60
        store.pexpire(key, 0)
    assert_no_session(come(service.shopper(), ticket))


def test_a_ticket_that_was_never_given_is_explained(service: Service) -> None:
    for ticket in ("", "x", "A" * 44, "A" * 5000, "é" * 44, "../../session"):
        assert_no_session(come(service.shopper(), ticket))


def asked(shopper: Shopper, ticket: str, return_to: str = "/rewards", **headers: str) -> Page:
    """The page that asks before anybody is signed in; nothing has changed yet."""
    before, state = dict(shopper.cookies), state_of(shopper)
    reply = come(shopper, ticket, return_to, **headers)
    assert (reply.status_code, "set-cookie" in reply.headers) == (200, False)
    assert (shopper.cookies, state_of(shopper)) == (before, state)
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in reply.headers["cache-control"]
    return Page(reply, str(reply.url))


def test_B2_a_ticket_of_the_same_customer_replaces_their_session(service: Service, vendors: Vendors) -> None:
    shopper = service.signed_in("ella")
    before = same_browser(service, shopper)
    assert come(shopper, ticket_for(service, vendors)).status_code == 303
    assert (state_of(shopper), state_of(before)) == ("enrolled", "anonymous")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_P6_nobody_becomes_another_customer_without_their_click(service: Service, vendors: Vendors, site: str) -> None:
    shopper = service.signed_in("ella")
    before = same_browser(service, shopper)
    page = asked(shopper, ticket_for(service, vendors, "zoe"), sec_fetch_site=site)
    assert page.heading == "Continue as Zoë Lindqvist ?"
    assert "You are signed in as Ella Martin . If you continue, that account is signed out here." in page.text
    landed = shopper.submit(page, "/session/continue")
    assert (landed.status, landed.path) == (200, "/rewards")
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 0
    assert state_of(before) == "anonymous"


def test_P6_another_site_signs_nobody_in_without_their_click(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    page = asked(shopper, ticket_for(service, vendors), sec_fetch_site="cross-site")
    assert page.heading == "Continue as Ella Martin ?"
    assert "Another site has sent you here" in page.text
    assert (shopper.submit(page, "/session/continue").path, state_of(shopper)) == ("/rewards", "enrolled")


def test_P6_the_storefront_signs_in_at_once(service: Service, vendors: Vendors) -> None:
    for site in ("same-site", "same-origin", "none"):
        assert come(service.shopper(), ticket_for(service, vendors), sec_fetch_site=site).status_code == 303


def test_P6_another_site_is_asked_about_where_storefronts_are_other_sites_as_well(
    start: Start, vendors: Vendors
) -> None:
    service = start(CROSS_SITE_MODE="partitioned", STOREFRONT_ORIGINS=PREVIEW)
    asked(service.shopper(), ticket_for(service, vendors), sec_fetch_site="cross-site")
    asked(service.signed_in("ella"), ticket_for(service, vendors, "zoe"), sec_fetch_site="cross-site")


def test_A7_a_storefront_on_another_site_is_not_signed_in_to_in_vain(start: Start, vendors: Vendors, log: Log) -> None:
    service = start(CROSS_SITE_MODE="partitioned", STOREFRONT_ORIGINS=f"{STOREFRONT},{PREVIEW}")
    shopper, ticket = service.shopper(), ticket_for(service, vendors)
    log.clear()
    for path in ("/session/continue", "/login"):
        reply = shopper.request("GET", path, params={"ticket": ticket, "return_to": f"{PREVIEW}/account"})
        page = Page(reply, str(reply.url))
        assert (reply.status_code, page.heading, shopper.cookies) == (400, "Sign-in did not work", {})
        assert "keeps the shop and this page apart" in page.text
        assert f"{PREVIEW}/account" in page.read.links
        # Here, and for these pages: not for the storefront that it would not reach.
        assert "/login" in page.read.links
    assert [line["status"] for line in log.events("sign_in_failed")] == [400, 400]
    # The ticket is as good as before, and the storefront on this site may use it.
    assert come(shopper, ticket, f"{STOREFRONT}/account").headers["location"] == f"{STOREFRONT}/account"


def test_P6_the_question_is_answered_once_from_its_own_page_by_who_was_asked(
    service: Service, vendors: Vendors
) -> None:
    shopper = service.signed_in("ella")
    form = asked(shopper, ticket_for(service, vendors, "zoe")).form("/session/continue").fields
    foreign = shopper.post("/session/continue", form, headers={"origin": "https://evil.test"})
    unmarked = shopper.post("/session/continue", {**form, "csrf": ""})
    assert [foreign.status, unmarked.status, state_of(shopper)] == [403, 403, "enrolled"]
    tara = service.signed_in("tara")
    assert (tara.post("/session/continue", form).status, state_of(tara)) == (409, "enrolled")
    assert shopper.post("/session/continue", {**form, "ticket": "A" * 44}).status == 400
    assert shopper.post("/session/continue", form).path == "/rewards"
    # Whoever is signed in by now has another token, and the ticket is used up.
    again = shopper.post("/session/continue", form)
    assert (again.status, state_of(shopper)) == (409, "enrolled")


def test_P6_the_first_ticket_is_used_up_by_asking(service: Service, vendors: Vendors) -> None:
    ticket = ticket_for(service, vendors, "zoe")
    asked(service.signed_in("ella"), ticket)
    assert_no_session(come(service.shopper(), ticket))


def test_P6_what_a_question_gives_is_no_ticket_and_a_ticket_answers_no_question(
    service: Service, vendors: Vendors
) -> None:
    """Else whoever fetches the question by a program would make a ticket of a minute one of ten, again and again."""
    shopper = service.shopper()
    form = asked(shopper, ticket_for(service, vendors), sec_fetch_site="cross-site").form("/session/continue").fields
    for site in ("same-site", "cross-site"):
        assert_no_session(come(service.shopper(), form["ticket"], sec_fetch_site=site))
    assert shopper.post("/session/continue", {**form, "ticket": ticket_for(service, vendors)}).status == 400
    assert shopper.post("/session/continue", form).path == "/rewards"


def test_F1_the_answer_leads_to_pages_of_ours_alone(service: Service, vendors: Vendors) -> None:
    shopper = service.signed_in("ella")
    form = asked(shopper, ticket_for(service, vendors, "zoe"), "https://evil.test/").form("/session/continue").fields
    assert form["return_to"] == "/"
    reply = shopper.post("/session/continue", {**form, "return_to": "https://evil.test/"}, follow=False)
    assert reply.reply.headers["location"] == "/"


def test_B2_a_ticket_that_does_not_work_leaves_the_session_as_it_was(service: Service, vendors: Vendors) -> None:
    shopper = service.signed_in("ella")
    before = dict(shopper.cookies)
    assert_no_session(come(shopper, "A" * 44))
    assert (shopper.cookies, state_of(shopper)) == (before, "enrolled")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"x_moz": "prefetch"},
        {"x_purpose": "preview"},
        {"sec_fetch_dest": "image"},
        {"sec_fetch_dest": "iframe"},
        {"sec_fetch_dest": "empty"},
    ],
    ids=str,
)
def test_D6_who_only_looks_ahead_does_not_use_the_ticket_up(
    service: Service, vendors: Vendors, headers: dict[str, str]
) -> None:
    ticket = ticket_for(service, vendors)
    assert_no_session(come(service.shopper(), ticket, **headers))
    head = service.shopper().request("HEAD", "/session/continue", params={"ticket": ticket})
    assert (head.status_code, "set-cookie" in head.headers) == (400, False)
    assert come(service.shopper(), ticket, sec_fetch_dest="document").status_code == 303


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
def test_D7_only_the_server_with_the_token_gets_tickets(
    service: Service, vendors: Vendors, authorization: str | None
) -> None:
    reply = ask(service, {"customerAccessToken": vendors.token("ella")}, authorization)
    assert (reply.status_code, reply.json()["code"]) == (401, "session_required")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert vendors.calls("shopify_graphql") == []


def test_D7_a_page_cannot_ask_for_a_ticket_with_the_shoppers_cookie(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    body = {"customerAccessToken": vendors.token("ella")}
    assert ella.api("POST", "/session-tickets", body).status_code == 401
    wanted = {"origin": STOREFRONT, "access-control-request-method": "POST"}
    wanted["access-control-request-headers"] = "authorization, content-type"
    assert ella.request("OPTIONS", "/api/v1/session-tickets", headers=wanted).status_code == 403


def test_without_the_setting_there_are_no_tickets(start: Start, vendors: Vendors) -> None:
    reply = ask(start(SESSION_TICKETS_TOKEN=""), {"customerAccessToken": vendors.token("ella")})
    assert (reply.status_code, reply.json()["code"]) == (401, "session_required")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert vendors.calls("shopify_graphql") == []


def test_shopify_vouches_for_the_token(service: Service, vendors: Vendors) -> None:
    for token in (vendors.token("ella", shop="other"), "shcat_" + "0" * 40):
        reply = ask(service, {"customerAccessToken": token})
        assert (reply.status_code, reply.json()["code"]) == (401, "token_rejected")
        assert "www-authenticate" not in reply.headers
    vendors.fault("shopify_graphql", "status:500", times=2)
    assert ask(service, {"customerAccessToken": vendors.token("ella")}).status_code == 502


def test_legacy_tokens_need_their_setting_here_as_well(start: Start, vendors: Vendors) -> None:
    body = {"storefrontCustomerAccessToken": vendors.token("ella", kind="storefront")}
    assert ask(start(), body).json()["code"] == "feature_unavailable"


def test_a_legacy_token_becomes_a_ticket_where_they_are_switched_on(start: Start, vendors: Vendors) -> None:
    service = start(SHOPIFY_LEGACY_TOKENS="on")
    reply = ask(service, {"storefrontCustomerAccessToken": vendors.token("ella", kind="storefront")})
    shopper = service.shopper()
    assert come(shopper, reply.json()["ticket"]).status_code == 303
    assert state_of(shopper) == "enrolled"


@pytest.mark.parametrize("body", [{}, [], {"customerAccessToken": "x"}, {"customerAccessToken": "a b c d e f g h"}])
def test_H3_what_is_not_one_token_is_refused(service: Service, vendors: Vendors, body: Any) -> None:
    reply = ask(service, body)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
    assert ask(service, body, content_type="text/plain").status_code == 415
    assert vendors.calls("shopify_graphql") == []


def test_C2_C3_the_store_alone_opens_no_ticket(service: Service, vendors: Vendors, stores: Mapping[str, str]) -> None:
    token = vendors.token("ella")
    first = str(ask(service, {"customerAccessToken": token}).json()["ticket"])
    second = ticket_for(service, vendors, "zoe")
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        kept = {key: store.get(key) or b"" for key in store.scan_iter("ticket:*")}
        whole = b"".join(key + value for key, value in kept.items())
        assert len(kept) == 2
        assert token.encode() not in whole
        assert not any(part.encode() in whole for part in (first[:22], first[22:], second[:22], second[22:]))
        one, other = kept
        store.set(one, kept[other])
        store.set(other, kept[one])
    assert_no_session(come(service.shopper(), first))
    assert_no_session(come(service.shopper(), second))


def test_C3_half_a_ticket_opens_nothing(service: Service, vendors: Vendors) -> None:
    ticket = ticket_for(service, vendors)
    assert_no_session(come(service.shopper(), ticket[:22] + "A" * 22))


def test_M4_neither_token_nor_ticket_is_logged(service: Service, vendors: Vendors, log: Log) -> None:
    token = vendors.token("ella")
    ticket = str(ask(service, {"customerAccessToken": token}).json()["ticket"])
    come(service.shopper(), ticket)
    come(service.shopper(), ticket)
    assert not any(secret in log.getvalue() for secret in (TOKEN, token, ticket))


def test_a_blocked_member_comes_in_to_the_calm_page(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    assert come(shopper, ticket_for(service, vendors, "blake"), "/").status_code == 303
    assert shopper.get("/").path == "/blocked"


def test_tickets_work_below_a_base_path(start: Start, vendors: Vendors, urls: list[str]) -> None:
    service = start(BASE_PATH="/loyalty", PUBLIC_URL=urls[0])
    stranger = service.shopper()
    reply = stranger.request(
        "POST",
        "/loyalty/api/v1/session-tickets",
        json={"customerAccessToken": vendors.token("ella")},
        headers={"authorization": f"Bearer {TOKEN}"},
    )
    assert reply.status_code == 201
    params = {"ticket": reply.json()["ticket"]}
    arrived = stranger.request("GET", "/loyalty/session/continue", params=params)
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/loyalty/")


def test_without_valkey_no_ticket_is_given_or_taken(start: Start, vendors: Vendors) -> None:
    service = start(VALKEY_URL="valkey://127.0.0.1:1/0")
    assert ask(service, {"customerAccessToken": vendors.token("ella")}).status_code == 503
    reply = come(service.shopper(), "A" * 44)
    assert reply.status_code == 503
    assert "set-cookie" not in reply.headers
