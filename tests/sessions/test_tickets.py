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
from support.services import Log, Service, Start, Vendors
from support.shopper import COOKIE, Page, Shopper

TOKEN = "tickets-token-of-a-storefront-server-0123456789"
STOREFRONT = "http://localhost:3000"


@pytest.fixture
def service(start: Start) -> Service:
    return start(SESSION_TICKETS_TOKEN=TOKEN)


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


def test_B2_a_ticket_replaces_whoever_was_signed_in(service: Service, vendors: Vendors) -> None:
    shopper = service.signed_in("ella")
    before = same_browser(service, shopper)
    assert come(shopper, ticket_for(service, vendors, "zoe")).status_code == 303
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 0
    assert state_of(before) == "anonymous"


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
    reply = ask(start(), {"customerAccessToken": vendors.token("ella")})
    assert (reply.status_code, reply.json()["code"]) == (404, "feature_unavailable")
    assert vendors.calls("shopify_graphql") == []


def test_shopify_vouches_for_the_token(service: Service, vendors: Vendors) -> None:
    for token in (vendors.token("ella", shop="other"), "shcat_" + "0" * 40):
        reply = ask(service, {"customerAccessToken": token})
        assert (reply.status_code, reply.json()["code"]) == (401, "session_required")
        assert "www-authenticate" not in reply.headers
    vendors.fault("shopify_graphql", "status:500", times=2)
    assert ask(service, {"customerAccessToken": vendors.token("ella")}).status_code == 502


def test_legacy_tokens_need_their_setting_here_as_well(start: Start, vendors: Vendors) -> None:
    body = {"storefrontCustomerAccessToken": vendors.token("ella", kind="storefront")}
    assert ask(start(SESSION_TICKETS_TOKEN=TOKEN), body).json()["code"] == "feature_unavailable"


def test_a_legacy_token_becomes_a_ticket_where_they_are_switched_on(start: Start, vendors: Vendors) -> None:
    service = start(SESSION_TICKETS_TOKEN=TOKEN, SHOPIFY_LEGACY_TOKENS="on")
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
    service = start(SESSION_TICKETS_TOKEN=TOKEN, BASE_PATH="/loyalty", PUBLIC_URL=urls[0])
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
    service = start(SESSION_TICKETS_TOKEN=TOKEN, VALKEY_URL="valkey://127.0.0.1:1/0")
    assert ask(service, {"customerAccessToken": vendors.token("ella")}).status_code == 503
    reply = come(service.shopper(), "A" * 44)
    assert reply.status_code == 503
    assert "set-cookie" not in reply.headers
