"""Tokens get old: Shopify's are refreshed, Okendo's exchanged, and only a clear no ends a session (B6, C7)."""

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
import redis
from support.concurrency import at_once, same_browser, state_of
from support.expired_tokens import aged, with_dead_tokens, without_a_jwt, without_faults
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Log, Service, Start, Vendors
from support.shopper import Shopper

from bff.sessions.exchange import JWT_SECONDS, expiry_of
from bff.vendors.upstream import BUSY_SECONDS

# Kinds of trouble in which the vendor has done nothing, and those in which nobody can tell.
NOTHING_DONE = ("status:500", "status:502", "status:503", "status:429", "cut_before", "redirect")
PERHAPS_DONE = ("html", "garbage", "huge", "cut_after")
MONTHS = 91 * 86_400
NOW = 1_800_000_000.0


def count(vendors: Vendors, operation: str) -> int:
    return len(vendors.calls(operation))


# Refreshing ---------------------------------------------------------------------------------------------------------


def test_an_old_sign_in_is_renewed_without_anybody_noticing(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    for round_ in range(1, 4):
        aged(service, vendors, 3700)
        assert ella.api("GET", "/me").status_code == 200
        assert (count(vendors, "shopify_token"), count(vendors, "login")) == (1 + round_, 1 + round_)
    assert state_of(ella) == "enrolled"


def test_a_token_is_refreshed_two_minutes_before_its_end_and_not_earlier(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    service.clock.advance(3600 - 120 - 30)
    for refreshed in (1, 2):
        vendors.fault("customer", "status:401")
        assert ella.api("GET", "/me").status_code == 200
        assert count(vendors, "shopify_token") == refreshed
        service.clock.advance(60)


def test_renewing_is_done_once_for_many_requests_at_once(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    aged(service, vendors, 3700)
    vendors.fault("shopify_token", "delay", seconds=0.2)
    vendors.fault("login", "delay", seconds=0.5)
    replies = at_once([partial(same_browser(service, ella).api, "GET", "/me") for _ in range(12)])
    assert {reply.status_code for reply in replies} == {200}
    assert (count(vendors, "shopify_token"), count(vendors, "login")) == (2, 2)


def test_refreshing_keeps_the_id_token_so_that_signing_out_still_reaches_shopify(
    service: Service, vendors: Vendors
) -> None:
    ella = service.signed_in("ella")
    aged(service, vendors, 3700)
    ella.api("GET", "/me")
    assert count(vendors, "shopify_token") == 2
    assert ella.sign_out().heading == "You are signed out"
    assert [call["status"] for call in vendors.calls("shopify_logout")] == [302]


def test_C7_a_jwt_that_has_expired_is_not_shown_to_okendo(service: Service, vendors: Vendors) -> None:
    """A read that Okendo refuses is repeated with a new one, but a redemption is not."""
    tara = service.signed_in("tara")
    aged(service, vendors, 3700)
    assert tara.api("GET", "/me").status_code == 200
    aged(service, vendors, 3700)
    assert redeem(tara, FIVE_OFF, new_key()).status_code == 201
    assert [call["operation"] for call in vendors.state()["calls"] if call["status"] == 401] == []


def test_what_is_known_of_the_shopper_outlives_a_renewal(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    before = ella.api("GET", "/me").json()
    aged(service, vendors, 3700)
    assert ella.api("GET", "/me").json() == before


# B6: what ends a session, and what does not -------------------------------------------------------------------------


def fresh(service: Service, _: Vendors) -> Shopper:
    return service.signed_in("ella")


SETTING_UP: Mapping[str, Callable[[Service, Vendors], Shopper]] = {
    "customer": fresh,
    "login": without_a_jwt,
    "shopify_token": with_dead_tokens,
}
TRANSIENT = [(operation, kind) for operation in SETTING_UP for kind in (*NOTHING_DONE, *PERHAPS_DONE)]
TRANSIENT += [("shopify_token", kind) for kind in ("status:400", "status:401", "status:403", "status:404")]
TRANSIENT += [("login", kind) for kind in ("status:400", "status:403", "status:404", "status:422")]
TRANSIENT += [("customer", kind) for kind in ("status:400", "status:422")]


def refused_once_more(ella: Shopper) -> None:
    reply = ella.api("GET", "/me")
    assert (reply.status_code, reply.json()["code"]) == (401, "session_expired")
    assert state_of(ella) == "anonymous"


def test_B6_a_dead_grant_ends_the_session(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    vendors.control("clock", advance=MONTHS)
    refused_once_more(ella)
    assert [call["status"] for call in vendors.calls("shopify_token")] == [200, 400]


@pytest.mark.parametrize(
    "path", ["/", "/earn", "/earn/birthday", "/tiers", "/rewards", f"/rewards/{FIVE_OFF}", "/refer"]
)
def test_B6_the_page_that_finds_it_ended_asks_to_sign_in_and_clears_the_cookie(
    service: Service, vendors: Vendors, path: str
) -> None:
    ella = service.signed_in("ella")
    vendors.control("clock", advance=MONTHS)
    page = ella.get(path)
    assert (page.status, ella.session_cookie) == (401, None)
    assert f"/login?return_to={quote(path, safe='')}" in page.reply.text


@pytest.mark.parametrize(("persona", "path"), [("penny", "/join"), ("ella", "/refer")])
def test_B6_the_form_that_finds_it_ended_asks_to_sign_in_and_clears_the_cookie(
    service: Service, vendors: Vendors, persona: str, path: str
) -> None:
    shopper = service.signed_in(persona)
    form = shopper.get(path)
    vendors.control("clock", advance=MONTHS)
    page = shopper.submit(form, path, **{"email": "friend@example.com"} if path == "/refer" else {})
    assert (page.status, page.heading, shopper.session_cookie) == (401, "Please sign in to continue", None)


@pytest.mark.parametrize("operation", ["customer", "login"])
def test_B6_one_401_is_renewed_and_a_second_ends_the_session(
    service: Service, vendors: Vendors, operation: str
) -> None:
    ella = SETTING_UP[operation](service, vendors)
    vendors.fault(operation, "status:401")
    assert ella.api("GET", "/me").status_code == 200
    ella = SETTING_UP[operation](service, vendors)
    vendors.fault(operation, "status:401", times=2)
    refused_once_more(ella)


@pytest.mark.parametrize("operation", SETTING_UP)
def test_B6_trouble_of_a_vendor_ends_no_session(service: Service, vendors: Vendors, operation: str) -> None:
    for kind in (kind for where, kind in TRANSIENT if where == operation):
        ella = SETTING_UP[operation](service, vendors)
        vendors.fault(operation, kind, times=4)
        reply = ella.api("GET", "/me")
        assert reply.status_code >= 403, (kind, reply.text)
        assert reply.status_code != 500, kind
        assert state_of(ella) != "anonymous", kind
        without_faults(vendors)
        service.clock.advance(BUSY_SECONDS)
        # A refresh token that Shopify took and whose successor got lost is gone for good.
        if operation != "shopify_token" or kind not in PERHAPS_DONE:
            assert ella.api("GET", "/me").status_code == 200, kind


@pytest.mark.parametrize("operation", SETTING_UP)
def test_B6_a_slow_vendor_ends_no_session(start: Start, vendors: Vendors, operation: str) -> None:
    service = start(UPSTREAM_TIMEOUT_SECONDS="0.3")
    ella = SETTING_UP[operation](service, vendors)
    vendors.fault(operation, "delay", times=2, seconds=1.5)
    reply = ella.api("GET", "/me")
    assert (reply.status_code, reply.json()["code"]) == (504, "upstream_timeout")
    assert state_of(ella) != "anonymous"


# C7: a vendor's JWT is opaque ---------------------------------------------------------------------------------------


def jwt_with(payload: Any, algorithm: str = "HS256") -> str:
    def encoded(part: Any) -> str:
        text = part if isinstance(part, bytes) else json.dumps(part).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    return f"{encoded({'alg': algorithm})}.{encoded(payload)}.c2lnbmF0dXJl"


@pytest.mark.parametrize("algorithm", ["HS256", "none", "made-up"])
@pytest.mark.parametrize("ahead", [600, 3600, 86_000, 3600.5])
def test_C7_a_sensible_end_is_believed_with_less_than_a_minute_to_spare(algorithm: str, ahead: float) -> None:
    found = expiry_of(jwt_with({"exp": NOW + ahead}, algorithm), NOW)
    assert NOW + ahead - 60 <= found <= NOW + ahead


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b",
        "a.ä.c",
        "a.%%%.c",
        *map(
            jwt_with,
            [
                {},
                [],
                "text",
                7,
                None,
                {"exp": None},
                {"exp": "1800003600"},
                {"exp": True},
                {"exp": -1},
                {"exp": 0},
                {"exp": NOW - 1},
                {"exp": NOW + 10 * 365 * 86_400},
                {"exp": 10**400},
                {"exp": [NOW + 60]},
                b'{"exp": NaN}',
                b'{"exp": 1e999}',
                b"\xff\xfe",
                b"[" * 100_000,
            ],
        ),
    ],
)
def test_C7_any_other_end_gives_a_safe_one(token: str) -> None:
    assert NOW < expiry_of(token, NOW) <= NOW + JWT_SECONDS


# Others were first --------------------------------------------------------------------------------------------------


def test_a_session_that_others_always_change_first_is_busy_and_no_store_is_away(
    service: Service, vendors: Vendors, stores: Mapping[str, str], log: Log
) -> None:
    ella = without_a_jwt(service, vendors)
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        (key,) = (key for key in store.keys("session:*") if store.hexists(key, "record"))
        version = store.hget(key, "version")
        # As if another request wrote between each read and its write: this is read as the same number, and equals none.
        store.hset(key, "version", b"0" + version)
        reply = ella.api("GET", "/me")
        assert (reply.status_code, reply.json()["code"], reply.json()["retryable"]) == (503, "overloaded", True)
        assert reply.headers["retry-after"] == "1"
        assert len(log.events("session_contended")) == 1
        assert log.events("store_unavailable") == []
        store.hset(key, "version", version)
    assert ella.api("GET", "/me").status_code == 200
