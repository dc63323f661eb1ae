"""A deadline ends the wait of a request, and never a vendor call that changes something: its outcome is recorded."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest
import redis
from api.test_earning import TIKTOK
from support.concurrency import state_of, until
from support.enrolment_clients import agree, evidence
from support.expired_tokens import aged
from support.sandbox_catalogue import FIVE_OFF
from support.services import Service, Start, Vendors
from support.shopper import Shopper

from bff.api.routes import ENDPOINTS

IMPATIENT = {"REQUEST_SECONDS": "1", "UPSTREAM_TIMEOUT_SECONDS": "6"}
SLOW = 2.5
Rows = "psycopg.Connection[tuple[object, ...]]"


@pytest.fixture
def impatient(start: Start) -> Service:
    """A service whose requests give up long before its vendors do."""
    return start(**IMPATIENT)


def ended(vendors: Vendors, operation: str) -> bool:
    """Whether the vendor has answered this call."""
    return any(call["status"] for call in vendors.calls(operation))


# What a write asks of a vendor, and how it shows afterwards that it was recorded.
def joined(shopper: Shopper) -> httpx2.Response:
    return agree(shopper)


def completed(shopper: Shopper) -> httpx2.Response:
    return shopper.api("POST", f"/me/earning-rules/{TIKTOK}/completions", {})


def birthday(shopper: Shopper) -> httpx2.Response:
    return shopper.api("PUT", "/me/birthday", {"day": 29, "month": 2})


def invited(shopper: Shopper) -> httpx2.Response:
    return shopper.api("POST", "/me/referrals", {"email": "friend@example.com"})


def redeemed(shopper: Shopper) -> httpx2.Response:
    key = {"idempotency-key": "a-key-of-the-deadlines"}
    return shopper.api("POST", "/me/redemptions", {"rewardId": FIVE_OFF}, **key)


def linked(shopper: Shopper) -> httpx2.Response:
    return shopper.api("POST", "/me/retailers", {"retailerId": "walmart"})


WRITES: Mapping[str, tuple[str, Callable[[Shopper], httpx2.Response]]] = {
    "customer_activation": ("penny", joined),
    "trigger": ("ella", completed),
    "birthday": ("ella", birthday),
    "referral_request": ("ella", invited),
    "redeem": ("ella", redeemed),
    "subtotal_connections": ("ella", linked),
}
# Signing in and out are looked at below; a ticket is issued without any call that changes something, and a handle, like
# a session, with an exchange of tokens that goes on by itself, as taking an account away does. Carts have a module.
ELSEWHERE = {
    "create_session", "create_session_ticket", "create_session_handle", "end_session", "end_sessions",
    "unlink_retailer", "apply_coupon",
}  # fmt: skip


def test_every_json_write_is_looked_at() -> None:
    writes = {endpoint.name for endpoint in ENDPOINTS if endpoint.writes}
    assert writes >= ELSEWHERE, "each name is one that there is"
    assert len(writes - ELSEWHERE) == len(WRITES)


@pytest.mark.parametrize("operation", WRITES)
def test_P1_L5_a_write_whose_answer_comes_after_the_deadline_is_still_heard(
    impatient: Service, vendors: Vendors, operation: str
) -> None:
    persona, write = WRITES[operation]
    shopper = impatient.signed_in(persona)
    # Subtotal is asked for the accounts there are before one is added.
    is_asked_first = operation == "subtotal_connections"
    vendors.fault(operation, "delay", times=2 if is_asked_first else 1, seconds=0.7 if is_asked_first else SLOW)
    assert write(shopper).status_code in {202, 504}
    until(lambda: ended(vendors, operation), 20)
    again = write(shopper)
    assert again.status_code < 300 or again.json()["code"] == "rule_already_completed", again.text
    sent = [call for call in vendors.calls(operation) if call["method"] != "GET" and "/token" not in call["path"]]
    assert len(sent) == 1, "what was heard is not asked for again"


def test_P1_consent_whose_answer_comes_after_the_deadline_is_recorded_as_accepted(
    impatient: Service, vendors: Vendors, rows: Any
) -> None:
    penny = impatient.signed_in("penny")
    vendors.fault("customer_activation", "delay", seconds=SLOW)
    assert agree(penny).status_code == 504
    until(lambda: [line["outcome"] for line in evidence(rows)] == ["accepted"], 20)


# Tokens that rotate -------------------------------------------------------------------------------------------------


def refreshes(vendors: Vendors) -> int:
    return len(vendors.calls("shopify_token")) - 1


def test_P1_B6_a_refresh_that_outlasts_the_request_signs_nobody_out(impatient: Service, vendors: Vendors) -> None:
    ella = impatient.signed_in("ella")
    aged(impatient, vendors, 3700)
    vendors.fault("shopify_token", "delay", seconds=SLOW)
    assert ella.api("GET", "/me").status_code == 504
    until(lambda: refreshes(vendors) == 1)
    until(lambda: ella.api("GET", "/me").status_code == 200, 20)
    assert refreshes(vendors) == 1


def mark_stale(settings: Mapping[str, str]) -> None:
    """As Okendo's webhook has the sessions of a member marked."""
    with redis.Redis.from_url(settings["VALKEY_URL"]) as store:
        for key in store.scan_iter("session:*"):
            store.hset(key, "stale", "1")


def test_P1_B6_a_refresh_after_a_webhook_that_takes_longer_than_it_may_signs_nobody_out(
    service: Service, vendors: Vendors, settings: dict[str, str]
) -> None:
    ella = service.signed_in("ella")
    aged(service, vendors, 3700)
    mark_stale(settings)
    vendors.fault("shopify_token", "delay", seconds=3)
    assert state_of(ella) == "enrolled"
    assert ella.api("GET", "/me").status_code == 200
    assert refreshes(vendors) == 1


def test_P1_B6_an_exchange_at_sign_in_that_takes_longer_than_it_may_is_kept(service: Service, vendors: Vendors) -> None:
    vendors.fault("login", "delay", seconds=4.5)
    ella = service.signed_in("ella")
    assert ella.api("GET", "/me").status_code == 200
    assert len(vendors.calls("login")) == 1


@pytest.mark.parametrize(
    "kind", ["status:500", "status:503", "status:429", "cut_before", "cut_after", "garbage", "html"]
)
def test_P2_B6_while_the_token_still_works_a_refresh_that_fails_is_put_off(
    service: Service, vendors: Vendors, kind: str
) -> None:
    ella = service.signed_in("ella")
    service.clock.advance(3600 - 60)
    vendors.fault("customer", "status:401")
    vendors.fault("shopify_token", kind, times=3)
    assert ella.api("GET", "/me").status_code == 200
    assert refreshes(vendors) == 1


def test_P2_B6_once_the_token_has_expired_a_refresh_that_fails_is_told(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    aged(service, vendors, 3700)
    vendors.fault("shopify_token", "status:500", times=3)
    assert ella.api("GET", "/me").status_code == 502
    assert ella.api("GET", "/me").status_code in {200, 502, 503}
    assert state_of(ella) == "enrolled"


# Signing in and out -------------------------------------------------------------------------------------------------


def test_P1_a_code_whose_answer_comes_after_the_deadline_is_used_up_and_explained(
    impatient: Service, vendors: Vendors, settings: dict[str, str]
) -> None:
    shopper = impatient.shopper()
    begun = shopper.request("GET", "/login?return_to=/refer")
    back = vendors.http.post(begun.headers["location"], data={"persona": "ella"}).headers["location"]
    vendors.fault("shopify_token", "delay", seconds=SLOW)
    assert shopper.request("GET", back).status_code == 504
    until(lambda: ended(vendors, "login"), 20)
    assert re.search("Sign", shopper.sign_in("ella", "/refer").reply.text)
    assert state_of(shopper) == "enrolled"
