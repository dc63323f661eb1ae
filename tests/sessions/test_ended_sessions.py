"""A session that has ended leaves nothing behind, and is found under whatever key it was begun (B8, B12, C4)."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import redis
from support.concurrency import meanwhile, same_browser, state_of, until
from support.processes import bff
from support.services import Service, Vendors, in_thread, worker_in_thread
from vendors.test_okendo_webhooks import SECRET, customer_event, deliver

from sessions.test_encryption import new_key


@pytest.fixture
def store_inside(stores: Mapping[str, str]) -> Iterator[Any]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


def test_B8_what_is_noted_for_an_ended_session_goes_with_its_tombstone(
    service: Service, vendors: Vendors, store_inside: Any
) -> None:
    """Okendo is asked anew and is late: that it has to be asked again is noted after the shopper has signed out."""
    ella = service.signed_in("ella")
    (place,) = store_inside.keys("session:*")
    store_inside.hset(place, "stale", 1)
    vendors.fault("login", "delay", seconds=3)
    asked = len(vendors.calls("login"))
    with meanwhile(lambda: state_of(same_browser(service, ella))) as slow:
        until(lambda: len(vendors.calls("login")) > asked)
        assert ella.api("DELETE", "/session").status_code == 200
        slow.result()
    assert store_inside.hkeys(place) == [b"version", b"stale"]
    assert store_inside.ttl(place) > 0


# Begun under an earlier key -----------------------------------------------------------------------------------------


@pytest.fixture
def rotated(settings: dict[str, str]) -> Iterator[tuple[Service, Any]]:
    """A service whose keys were rotated after Ella had signed in, and her browser."""
    settings["OKENDO_WEBHOOK_SECRET"] = SECRET
    settings["SECRET_KEYS"] = new_key("k1")
    with in_thread(settings) as before:
        cookies = dict(before.signed_in("ella").cookies)
    settings["SECRET_KEYS"] = f"{new_key('k2')},{settings['SECRET_KEYS']}"
    with in_thread(settings) as service:
        ella = service.shopper()
        ella.cookies = cookies
        yield service, ella


def test_B12_C4_revoking_finds_a_session_that_was_begun_under_an_earlier_key(
    rotated: tuple[Service, Any], settings: dict[str, str], vendors: Vendors
) -> None:
    service, ella = rotated
    # Ella's is not read before: reading indexes it under the newest key.
    again, tara = service.signed_in("ella"), service.signed_in("tara")
    done = bff(settings, "sessions", "revoke", vendors.member("ella")["customerId"])
    assert (done.returncode, done.stdout) == (0, "Sessions ended: 2.\n")
    assert [state_of(browser) for browser in (ella, again, tara)] == ["anonymous", "anonymous", "enrolled"]


def test_C4_a_webhook_finds_a_session_that_was_begun_under_an_earlier_key(
    rotated: tuple[Service, Any], settings: dict[str, str], vendors: Vendors, rows: Any
) -> None:
    service, ella = rotated
    vendors.control("member", persona="ella", state="blocked")
    with worker_in_thread(settings):
        assert deliver(service, customer_event(vendors, "ella")).status_code == 204
        until(lambda: rows.execute("SELECT state FROM webhook_events").fetchall() == [("done",)])
    assert state_of(ella) == "blocked"
