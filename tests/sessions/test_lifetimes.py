"""How long a session lasts is told, is true, and can be made longer without going anywhere."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from support.concurrency import same_browser, state_of
from support.services import Service, Start, Vendors
from support.shopper import Shopper

HOUR, DAY = 3600, 86_400
# Answers take time, and moments are told to the second.
LEEWAY = 90
FIELDS = {"customer_account": "customerAccessToken", "storefront": "storefrontCustomerAccessToken"}


def hand_in(shopper: Shopper, vendors: Vendors, persona: str = "ella", kind: str = "customer_account") -> Any:
    reply = shopper.api("POST", "/session", {FIELDS[kind]: vendors.token(persona, kind=kind)})
    assert reply.status_code == 201, reply.text
    return reply.json()


def left(service: Service, answer: Any) -> float:
    """Seconds until the session ends, by its own words."""
    assert answer["expiresAt"].endswith("Z")
    moment = datetime.fromisoformat(answer["expiresAt"])
    assert moment.tzinfo == UTC
    return moment.timestamp() - service.clock()


def pass_time(service: Service, vendors: Vendors, seconds: int) -> None:
    vendors.control("clock", advance=seconds)
    service.clock.advance(seconds)


def test_N7_what_is_told_of_lifetimes_is_what_the_settings_say(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    answer = hand_in(shopper, vendors)
    assert HOUR - LEEWAY < left(service, answer) <= HOUR, "there is no refresh token"
    assert shopper.api("GET", "/session").json()["expiresAt"][:17] == answer["expiresAt"][:17]
    ella = service.signed_in("ella")
    assert 7 * DAY - LEEWAY < left(service, ella.api("GET", "/session").json()) <= 7 * DAY
    for _ in range(5):
        pass_time(service, vendors, 5 * DAY)
        ella.api("GET", "/session")
    assert 5 * DAY - LEEWAY < left(service, ella.api("GET", "/session").json()) <= 5 * DAY, "30 days in all"


def test_nobody_has_no_lifetime(shopper: Shopper) -> None:
    assert shopper.api("GET", "/session").json() == {"state": "anonymous"}


def test_B6_who_cannot_be_renewed_is_nobody_any_more_and_no_vendor_is_asked(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    hand_in(shopper, vendors)
    pass_time(service, vendors, HOUR - LEEWAY)
    assert state_of(shopper) == "enrolled"
    pass_time(service, vendors, 2 * LEEWAY)
    calls = len(vendors.state()["calls"])
    assert shopper.api("GET", "/session").json() == {"state": "anonymous"}
    reply = shopper.api("GET", "/me")
    assert (reply.status_code, reply.json()["code"]) == (401, "session_expired")
    assert len(vendors.state()["calls"]) == calls


def test_B6_who_was_signed_in_here_is_renewed_and_not_ended(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    pass_time(service, vendors, 2 * HOUR)
    assert state_of(ella) == "enrolled"
    assert ella.api("GET", "/me").status_code == 200


def test_B6_a_legacy_token_is_tried_when_nobody_can_tell_whether_it_lives(start: Start, vendors: Vendors) -> None:
    service = start(SHOPIFY_LEGACY_TOKENS="on")
    shopper = service.shopper()
    answer = hand_in(shopper, vendors, kind="storefront")
    assert left(service, answer) > DAY, "only our own limits are known"
    pass_time(service, vendors, 2 * HOUR)
    assert state_of(shopper) == "enrolled"
    vendors.control("clock", advance=100 * DAY)
    service.clock.advance(2 * HOUR)
    assert shopper.api("GET", "/session").json() == {"state": "anonymous"}


# Longer, without a navigation ---------------------------------------------------------------------------------------


def renewed(shopper: Shopper, vendors: Vendors, by: str) -> httpx2.Response:
    if by == "token":
        return shopper.api("POST", "/session", {"customerAccessToken": vendors.token("ella")})
    server = Shopper(shopper.base)
    body, headers = {"customerAccessToken": vendors.token("ella")}, {"authorization": f"Bearer {by}"}
    ticket = server.request("POST", "/api/v1/session-tickets", json=body, headers=headers).json()["ticket"]
    server.close()
    return shopper.api("POST", "/session", {"ticket": ticket})


@pytest.mark.parametrize("by", ["token", "ticket"])
def test_B2_handing_in_anew_makes_the_session_last_longer(service: Service, vendors: Vendors, by: str) -> None:
    way = by if by == "token" else service.settings["SESSION_TICKETS_TOKEN"]
    shopper = service.shopper()
    hand_in(shopper, vendors)
    for _ in range(4):
        pass_time(service, vendors, HOUR - 2 * LEEWAY)
        before = same_browser(service, shopper)
        reply = renewed(shopper, vendors, way)
        assert (reply.status_code, reply.json()["state"]) == (201, "enrolled")
        assert HOUR - LEEWAY < left(service, reply.json()) <= HOUR
        assert state_of(before) == "anonymous", "the id is new, and the one before is dead"
        assert shopper.api("GET", "/me").json()["points"]["balance"] == 1240
    pass_time(service, vendors, HOUR + LEEWAY)
    assert state_of(shopper) == "anonymous"


def test_B13_renewing_ends_no_session_on_another_device(start: Start, vendors: Vendors) -> None:
    service = start(SESSIONS_PER_CUSTOMER="2")
    phone, laptop = service.signed_in("ella"), service.shopper()
    for _ in range(3):
        hand_in(laptop, vendors)
    assert (state_of(phone), state_of(laptop)) == ("enrolled", "enrolled")


def test_renewing_while_okendo_is_away_forgets_nothing(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    hand_in(shopper, vendors)
    vendors.fault("login", "status:500", times=9)
    assert hand_in(shopper, vendors)["state"] == "enrolled"
    assert state_of(shopper) == "enrolled"


def test_renewing_tells_what_has_changed_at_okendo(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    hand_in(shopper, vendors)
    vendors.control("member", persona="ella", state="blocked")
    assert hand_in(shopper, vendors)["state"] == "blocked"


def test_B16_what_one_customer_knew_is_not_passed_on_to_the_next(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    hand_in(shopper, vendors)
    vendors.fault("login", "status:500", times=9)
    assert hand_in(shopper, vendors, "zoe")["state"] == "pending"
    service.clock.advance(3)
    vendors.http.delete(f"{vendors.url}/_control/faults")
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 0
