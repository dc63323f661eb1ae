"""Valkey goes away, stands still and comes back; nobody is signed out and no point is spent for it (B10, B11, K4, L4).

The stores of this module are its own, so that nobody else misses them.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import redis
from support.concurrency import at_once, meanwhile, same_browser, state_of, until
from support.services import Service, Vendors
from support.shopper import COOKIE, Shopper
from support.store_outages import (
    OF_A_SESSION,
    PUBLIC,
    a_reward,
    is_ready,
    paused,
    redeem,
    says_come_again,
    stopped,
)

from bff.cli import migrate_database
from bff.devstack.servers import Server, postgres, valkey

# A call of the store may take a quarter of a second, twice; a busy machine gets as much again.
SOON_SECONDS = 1.0


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres(tmp_path_factory.mktemp("own-postgres")) as server:
        migrate_database(server.url)
        yield server


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey(tmp_path_factory.mktemp("own-valkey")) as server:
        yield server


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    """With the deadline and the connections that a service has unless it is told others."""
    return start(VALKEY_TIMEOUT_SECONDS="", VALKEY_CONNECTIONS="")


AWAY = pytest.mark.parametrize("away", [stopped, paused])


def seconds_for(shopper: Shopper, method: str, path: str) -> float:
    began = time.monotonic()
    shopper.request(method, path, headers={"origin": shopper.base, "x-loyalty-csrf": "1"})
    return time.monotonic() - began


# Valkey -------------------------------------------------------------------------------------------------------------


@AWAY
def test_B10_without_valkey_nobody_is_signed_out(service: Service, store: Server, away: Any) -> None:
    ella = service.signed_in("ella")
    before = dict(ella.cookies)
    with away(store):
        for path in OF_A_SESSION:
            assert says_come_again(ella.request("GET", path)), path
        for path in ("/api/v1/session", "/api/v1/me/sessions", "/logout", "/logout/everywhere"):
            method, headers = ("DELETE", {"x-loyalty-csrf": "1"}) if "api" in path else ("POST", {})
            assert says_come_again(ella.request(method, path, headers={"origin": ella.base, **headers})), path
    assert ella.cookies == before
    until(lambda: is_ready(service))
    assert state_of(ella) == "enrolled"
    assert ella.api("GET", "/me").status_code == 200


@AWAY
def test_B10_without_valkey_public_pages_stay_up(service: Service, store: Server, away: Any) -> None:
    stranger = service.shopper()
    with away(store):
        for path in PUBLIC:
            reply = stranger.request("GET", path)
            assert reply.status_code == 200, path
            assert "set-cookie" not in reply.headers, path
        assert stranger.request("GET", "/api/v1/session").json() == {"state": "anonymous"}


@AWAY
def test_B10_without_valkey_nobody_can_sign_in_and_is_told_so(
    service: Service, store: Server, vendors: Vendors, away: Any
) -> None:
    stranger, token = service.shopper(), vendors.token("ella")
    begun = stranger.request("GET", "/login").headers["location"]
    back = stranger.request("POST", begun, data={"persona": "ella"}).headers["location"]
    with away(store):
        assert says_come_again(stranger.request("GET", "/login"))
        assert says_come_again(stranger.request("GET", back))
        assert says_come_again(stranger.api("POST", "/session", {"customerAccessToken": token}))
    assert COOKIE not in stranger.cookies
    until(lambda: is_ready(service))
    assert stranger.get(back).status == 200
    assert state_of(stranger) == "enrolled"


@AWAY
def test_P9_without_valkey_no_session_ends_and_it_can_be_tried_again(
    service: Service, store: Server, away: Any
) -> None:
    ella, phone = service.signed_in("ella"), service.signed_in("ella")
    fields, cookies = ella.get("/logout/everywhere").form("/logout/everywhere").fields, dict(ella.cookies)
    with away(store):
        assert says_come_again(ella.post("/logout/everywhere", fields).reply)
        assert says_come_again(ella.api("DELETE", "/me/sessions"))
    assert ella.cookies == cookies
    until(lambda: is_ready(service))
    assert [state_of(browser) for browser in (ella, phone)] == ["enrolled", "enrolled"]
    assert ella.post("/logout/everywhere", fields).path == "/signed-out"
    assert state_of(phone) == "anonymous"


@AWAY
def test_K4_without_valkey_no_points_are_spent(service: Service, store: Server, vendors: Vendors, away: Any) -> None:
    ella = service.signed_in("ella")
    reward = a_reward(ella)
    with away(store):
        assert says_come_again(redeem(ella, reward))
        assert says_come_again(ella.api("POST", "/me/referrals", {"email": "friend@example.com"}))
    assert (vendors.calls("redeem"), vendors.calls("referral_request")) == ([], [])
    until(lambda: is_ready(service))
    assert redeem(ella, reward).status_code == 201


@AWAY
def test_K4_a_valkey_that_goes_away_under_a_redemption_changes_nothing_of_it(
    service: Service, store: Server, vendors: Vendors, away: Any
) -> None:
    ella = service.signed_in("ella")
    reward = a_reward(ella)
    vendors.fault("redeem", "delay", seconds=1)
    with meanwhile(partial(redeem, ella, reward)) as redeeming:
        until(lambda: len(vendors.calls("redeem")) == 1)
        with away(store):
            reply = redeeming.result()
    [redemption] = vendors.member("ella")["redemptions"]
    assert (reply.status_code, reply.json()["coupon"]["code"]) == (201, redemption["code"])


def test_B11_a_silent_valkey_is_not_waited_for(service: Service, store: Server) -> None:
    ella, stranger = service.signed_in("ella"), service.shopper()
    asked = [
        (ella, "GET", "/api/v1/session"),
        (ella, "GET", "/"),
        (ella, "POST", "/logout"),
        (ella, "DELETE", "/api/v1/me/sessions"),
        (stranger, "GET", "/login"),
    ]
    with paused(store):
        took = [max(seconds_for(*question) for _ in range(2)) for question in asked]
    assert max(took) < SOON_SECONDS, took


def test_B11_many_requests_at_a_silent_valkey_do_not_queue_up(service: Service, store: Server) -> None:
    ella = service.signed_in("ella")
    tabs = [service.shopper() for _ in range(40)]
    for tab in tabs:
        tab.cookies = dict(ella.cookies)
    with paused(store):
        took = at_once([partial(seconds_for, tab, "GET", "/api/v1/session") for tab in tabs])
    assert max(took) < 2 * SOON_SECONDS
    until(lambda: is_ready(service))
    assert state_of(ella) == "enrolled"


def test_B11_a_process_holds_no_more_connections_than_it_may(start: Callable[..., Service], store: Server) -> None:
    service = start(VALKEY_CONNECTIONS="3")
    ella = service.signed_in("ella")
    tabs = [same_browser(service, ella) for _ in range(40)]
    with redis.Redis.from_url(store.url) as client:
        others = len(client.client_list())
        states = at_once([partial(state_of, tab) for tab in tabs])
        assert set(states) == {"enrolled"}
        assert len(client.client_list()) - others <= 3


def test_B10_answers_that_came_too_late_are_never_taken_for_others(service: Service, store: Server) -> None:
    shoppers = [service.signed_in(persona) for persona in ("ella", "penny", "blake")]
    expected = ["enrolled", "pending", "blocked"]
    for _ in range(2):
        with paused(store):
            at_once([partial(shopper.request, "GET", "/api/v1/session") for shopper in shoppers for _ in range(3)])
        until(lambda: is_ready(service))
        for _ in range(5):
            assert at_once([partial(state_of, shopper) for shopper in shoppers]) == expected


def test_an_emptied_valkey_signs_out_and_lets_in_again(service: Service, store: Server) -> None:
    ella = service.signed_in("ella")
    store.stop()
    (store.log.parent / "dump.rdb").unlink(missing_ok=True)
    store.start()
    until(lambda: is_ready(service))
    assert state_of(ella) == "anonymous"
    assert ella.sign_in("ella").status == 200
    assert state_of(ella) == "enrolled"
