"""The session behind the cookie: how it begins, how long it lives, and that it stays ended (checklist A1-B14)."""

import asyncio
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from starlette.routing import BaseRoute, Mount, Route
from support.concurrency import at_once, meanwhile, same_browser, state_of, until
from support.expired_tokens import aged, without_a_jwt
from support.services import Service, Start, Vendors
from support.shopper import COOKIE, Shopper

from bff.app import MEMBER_ROUTES, PUBLIC_ROUTES
from bff.sessions.data import Limits, SessionData
from bff.sessions.store import Session, Sessions
from bff.stores.keyring import KeyRing
from bff.stores.valkey import connect
from bff.vendors.shopify.tokens import ShopifyTokens

DAY = 86_400
LOGIN_COOKIE = f"{COOKIE}-login"
SET_COOKIE = re.compile(
    r"(__Host-Http-[a-z-]+)=([A-Za-z0-9._-]{0,100}); Max-Age=(\d+); Path=/; Secure; HttpOnly; SameSite=Lax"
)
LIMITS = Limits(idle_seconds=3600, absolute_seconds=7200, per_customer=10)


@pytest.fixture
def store_inside(stores: Mapping[str, str]) -> Iterator[Any]:
    """The Valkey that holds the sessions."""
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


def readable_paths(routes: Sequence[BaseRoute]) -> list[str]:
    """Every path that answers to GET, with something in the place of parameters."""
    paths: list[str] = []
    for route in routes:
        if isinstance(route, Mount):
            paths += readable_paths(route.routes)
        elif isinstance(route, Route) and "GET" in (route.methods or set()):
            paths.append(re.sub(r"\{[^}]*\}", "0123456789abcdef", route.path))
    return paths


PATHS = sorted({*readable_paths(PUBLIC_ROUTES), *readable_paths(MEMBER_ROUTES), "/healthz", "/readyz", "/nowhere"})


def hand_in(shopper: Shopper, token: str) -> None:
    reply = shopper.api("POST", "/session", {"customerAccessToken": token})
    assert reply.status_code == 201, reply.text


# The cookie ---------------------------------------------------------------------------------------------------------


def everything_that_sets_cookies(shopper: Shopper, token: str) -> None:
    shopper.sign_in("ella")
    shopper.submit(shopper.get("/"), "/logout")
    hand_in(shopper, token)
    shopper.api("DELETE", "/session")
    shopper.cookies[COOKIE] = "made.up"
    shopper.get("/callback?state=unknown&code=made-up")
    for path in PATHS:
        shopper.cookies[COOKIE] = "made.up"
        shopper.request("GET", path)


def test_A1_every_cookie_has_exactly_the_one_safe_form(shopper: Shopper, vendors: Vendors) -> None:
    everything_that_sets_cookies(shopper, vendors.token("ella"))
    headers = [header for reply in shopper.replies for header in reply.headers.get_list("set-cookie")]
    found = [SET_COOKIE.fullmatch(header) for header in headers]
    assert len(found) > 8
    assert None not in found, headers
    lifetimes = {(match[1], bool(match[2]), int(match[3])) for match in found if match}
    assert lifetimes == {
        (COOKIE, True, 30 * DAY), (COOKIE, False, 0), (LOGIN_COOKIE, True, 600), (LOGIN_COOKIE, False, 0)
    }  # fmt: skip


def test_A2_there_is_one_session_cookie_and_none_after_signing_out(service: Service) -> None:
    ella = service.signed_in("ella")
    # The login cookie names no one: it ties a sign-in under way to the browser that began it.
    assert set(ella.cookies) == {COOKIE, LOGIN_COOKIE}
    ella.submit(ella.get("/"), "/logout")
    assert ella.cookies == {}


# How a session begins -----------------------------------------------------------------------------------------------


def test_B1_an_id_of_ones_own_choosing_is_never_adopted(service: Service, store_inside: Any) -> None:
    zoe = service.signed_in("zoe")
    well_formed = str(zoe.session_cookie)
    store_inside.flushall()
    for chosen in (well_formed, well_formed[:-1] + "A", "A" * 86, f"{'A' * 44}.{'B' * 43}"):
        victim = service.shopper()
        victim.cookies[COOKIE] = chosen
        victim.sign_in("ella")
        assert victim.session_cookie not in {None, chosen}
        stranger = service.shopper()
        stranger.cookies[COOKIE] = chosen
        assert state_of(stranger) == "anonymous"


def test_B1_ids_are_long_and_never_alike(service: Service) -> None:
    cookies = [str(service.signed_in("ella").session_cookie) for _ in range(5)]
    halves = {half for cookie in cookies for half in (cookie[:22], cookie[22:44])}
    assert len(halves) == 10
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", half) for half in halves)


@pytest.mark.parametrize("persona", ["ella", "zoe"])
def test_B2_signing_in_again_gives_a_new_id_and_kills_the_old_one(service: Service, persona: str) -> None:
    shopper = service.signed_in("ella")
    before = same_browser(service, shopper)
    shopper.sign_in(persona)
    assert shopper.session_cookie != before.session_cookie
    assert state_of(shopper) == "enrolled"
    assert state_of(before) == "anonymous"


@pytest.mark.parametrize("persona", ["ella", "zoe"])
def test_B2_handing_in_a_token_gives_a_new_id_and_kills_the_old_one(
    service: Service, vendors: Vendors, persona: str
) -> None:
    shopper = service.signed_in("ella")
    before = same_browser(service, shopper)
    hand_in(shopper, vendors.token(persona))
    assert shopper.session_cookie != before.session_cookie
    assert state_of(shopper) == "enrolled"
    assert state_of(before) == "anonymous"


def test_B14_looking_at_pages_begins_no_session(shopper: Shopper, store_inside: Any) -> None:
    for path in PATHS:
        shopper.request("GET", path)
    assert COOKIE not in shopper.cookies
    assert store_inside.keys("session:*") == []


# How long it lives --------------------------------------------------------------------------------------------------


def test_B4_an_unused_session_ends_after_its_idle_time(start: Start) -> None:
    service = start(SESSION_IDLE_SECONDS="600")
    ella = service.signed_in("ella")
    for _ in range(3):
        service.clock.advance(599)
        assert state_of(ella) == "enrolled"
    service.clock.advance(601)
    assert state_of(ella) == "anonymous"


def test_B5_neither_use_nor_renewal_makes_a_session_outlive_its_absolute_time(
    service: Service, vendors: Vendors
) -> None:
    ella = service.signed_in("ella")
    for _ in range(29):
        aged(service, vendors, DAY)
        assert ella.api("GET", "/me").status_code == 200
    assert len(vendors.calls("shopify_token")) == 30
    service.clock.advance(DAY - 60)
    assert state_of(ella) == "enrolled"
    service.clock.advance(120)
    assert state_of(ella) == "anonymous"


def test_B13_a_customer_has_only_so_many_sessions_and_the_oldest_ends_first(start: Start) -> None:
    service = start(SESSIONS_PER_CUSTOMER="2")
    somebody_else = service.signed_in("zoe")
    browsers = []
    for _ in range(3):
        browsers.append(service.signed_in("ella"))
        service.clock.advance(1)
    assert [state_of(browser) for browser in browsers] == ["anonymous", "enrolled", "enrolled"]
    assert state_of(somebody_else) == "enrolled"


def test_B13_sessions_that_have_ended_do_not_count(start: Start) -> None:
    service = start(SESSIONS_PER_CUSTOMER="2")
    laptop = service.signed_in("ella")
    for _ in range(3):
        service.clock.advance(1)
        phone = service.signed_in("ella")
        phone.submit(phone.get("/"), "/logout")
    assert state_of(laptop) == "enrolled"


# How it ends --------------------------------------------------------------------------------------------------------


def test_B7_signing_out_is_a_post_that_works_twice_and_clears_what_was_kept(ella: Shopper, service: Service) -> None:
    tab = same_browser(service, ella)
    form = ella.get("/").form("/logout")
    asked = ella.request("GET", "/logout")
    assert (asked.status_code, asked.headers["allow"]) == (405, "POST")
    once = ella.post("/logout", form.fields, follow=False).reply
    twice = ella.post("/logout", form.fields, follow=False).reply
    for reply in (once, twice):
        assert (reply.status_code, urlsplit(reply.headers["location"]).path) == (303, "/signed-out")
        assert reply.headers["clear-site-data"] == '"cache"'
    assert ella.cookies == {}
    assert state_of(tab) == "anonymous"


def test_B7_signing_out_needs_the_forms_own_token(ella: Shopper) -> None:
    page = ella.get("/")
    for fields in ({"csrf": ""}, {"csrf": "made.up"}, page.form("/logout").fields | {"csrf": "x"}):
        assert ella.post("/logout", fields).status in {403, 409}
    elsewhere = ella.post("/logout", page.form("/logout").fields, headers={"origin": "https://evil.example"})
    assert elsewhere.status == 403
    assert state_of(ella) == "enrolled"


def test_B7_ending_the_session_through_the_api_works_twice(ella: Shopper, service: Service) -> None:
    tab = same_browser(service, ella)
    assert [ella.api("DELETE", "/session").status_code for _ in range(2)] == [200, 200]
    assert ella.cookies == {}
    assert state_of(tab) == "anonymous"


@pytest.mark.parametrize("kind", ["delay", "delay_after"])
@pytest.mark.parametrize("operation", ["login", "shopify_token"])
def test_B8_a_slow_request_does_not_bring_a_session_back(
    service: Service, vendors: Vendors, store_inside: Any, operation: str, kind: str
) -> None:
    """Shopify does not hear of the signing out, so that its tokens stay good and the request succeeds. None of them
    lies in the store any more, where a worker might find them."""
    ella = service.signed_in("ella")
    aged(service, vendors, 3700)
    vendors.fault(operation, kind, seconds=0.4)
    already = len(vendors.calls(operation))
    with meanwhile(lambda: same_browser(service, ella).api("GET", "/me")) as slow:
        until(lambda: len(vendors.calls(operation)) > already)
        same_browser(service, ella).api("DELETE", "/session")
        assert slow.result().status_code in {200, 401}
    assert [place for place in store_inside.keys("session:*") if store_inside.hexists(place, "record")] == []
    assert state_of(ella) == "anonymous"
    assert ella.api("GET", "/me").status_code == 401


def test_B8_joining_does_not_bring_a_session_back(service: Service, penny: Shopper, vendors: Vendors) -> None:
    form = penny.get("/join").form("/join")
    vendors.fault("customer_activation", "delay", seconds=0.4)
    with meanwhile(lambda: same_browser(service, penny).post("/join", form.fields)) as joining:
        until(lambda: len(vendors.calls("customer_activation")) == 1)
        same_browser(service, penny).api("DELETE", "/session")
        assert joining.result().status < 500
    assert state_of(penny) == "anonymous"


def test_B8_whatever_the_order_an_ended_session_stays_ended(service: Service, vendors: Vendors) -> None:
    for round_ in range(6):
        ella = without_a_jwt(service, vendors)
        vendors.fault("login", "delay", seconds=round_ % 5 * 0.002)
        tabs = [same_browser(service, ella) for _ in range(3)]
        reads = [partial(tab.api, "GET", "/me") for tab in tabs[1:]]
        at_once([*reads, partial(tabs[0].api, "DELETE", "/session")])
        assert state_of(ella) == "anonymous", round_


# Many at once -------------------------------------------------------------------------------------------------------


async def _fifty_changes(sessions: Sessions) -> tuple[Session | None, list[object]]:
    shopify = ShopifyTokens(kind="customer_account", access_token="first", expires_at=sessions.clock() + 3600)
    cookie = await sessions.create(
        SessionData(customer_id="1", session_nonce="1", created_at=sessions.clock(), shopify=shopify),
        begun_at=sessions.clock(),
    )
    fields = {
        "state": "enrolled",
        "name": "Ella",
        "email": "ella@example.com",
        "customer_id": "2",
        "session_nonce": "2",
    }
    changes = [dict([pair]) for _ in range(10) for pair in fields.items()]
    handles = [await sessions.load(cookie) for _ in changes]
    changing = (sessions.change(handle, **change) for handle, change in zip(handles, changes, strict=True) if handle)
    outcomes = await asyncio.gather(*changing, return_exceptions=True)
    return await sessions.load(cookie), list(outcomes)


async def _in_valkey(url: str) -> tuple[Session | None, list[object]]:
    valkey = connect(url, verify_tls=True, timeout_seconds=2)
    try:
        return await _fifty_changes(Sessions(valkey, KeyRing([("k1", secrets.token_bytes(32))]), LIMITS))
    finally:
        await valkey.aclose(close_connection_pool=True)


def test_B9_fifty_changes_at_once_lose_no_field(stores: Mapping[str, str]) -> None:
    found, outcomes = asyncio.run(_in_valkey(stores["VALKEY_URL"]))
    assert outcomes == [None] * 50
    assert found is not None
    record = found.data
    assert (record.state, record.name, record.email) == ("enrolled", "Ella", "ella@example.com")
    assert (record.customer_id, record.session_nonce) == ("2", "2")
    assert record.shopify.access_token == "first"
