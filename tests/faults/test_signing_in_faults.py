"""Signing in, handing in a token and signing out, while Shopify or Okendo does not do its part."""

from collections.abc import Mapping

import pytest
from support.services import Service, Start, Vendors
from support.shopper import COOKIE, Page, Shopper
from support.vendor_faults import (
    ENDED,
    KINDS,
    LATE,
    NOT_LAUNCHED,
    PUBLIC_READ,
    QUICK,
    SLOW,
    UNKNOWN_MEMBER,
    Answer,
    Table,
    answer,
    clear,
    handed_in,
    is_signed_in,
    is_whole,
    trouble,
)

from bff.vendors.upstream import BUSY_SECONDS

PACES: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = ((KINDS, {}), (SLOW, QUICK))
# Discovery and keys are used for a day at most without a look at Shopify.
TOO_OLD_SECONDS = 90_000
DONE: Answer = (201, "")
NOT_YOURS: Answer = (401, "token_rejected")

# Shopify vouches for the token or nothing happens; Okendo is asked again later, unless it says a clear no.
HAND_IN: Mapping[str, Table] = {
    "shopify_discovery": {**PUBLIC_READ, "set_cookie": DONE},
    "shopify_graphql": {**PUBLIC_READ, "status:401": NOT_YOURS, "status:403": NOT_YOURS, "set_cookie": DONE},
    "login": {
        **dict.fromkeys((*KINDS, *SLOW), DONE),
        "status:401": ENDED,
        "status:403": NOT_LAUNCHED,
        "status:409": UNKNOWN_MEMBER,
    },
}
# The status of the page a shopper lands on, where it is not the overview (200).
LANDING: Mapping[str, Mapping[str, int]] = {
    "shopify_discovery": {kind: status for kind, (status, _) in PUBLIC_READ.items()},
    "shopify_token": {kind: status for kind, (status, _) in PUBLIC_READ.items()},
    "shopify_jwks": {kind: status for kind, (status, _) in PUBLIC_READ.items()},
    "shopify_graphql": {kind: status for kind, (status, _) in PUBLIC_READ.items()}
    | {"status:401": 400, "status:403": 400},
    "login": dict.fromkeys((*KINDS, *SLOW), 200) | {"status:401": 401, "status:403": 403, "status:409": 404},
}


def sign_in(shopper: Shopper, vendors: Vendors) -> Page:
    """As Ella; stops where the service stops."""
    page = shopper.get("/login")
    if page.url.startswith(shopper.base):
        return page
    reply = vendors.http.post(page.url, data={"persona": "ella"})
    return shopper.get(reply.headers["location"])


@pytest.mark.parametrize(("kinds", "pace"), PACES)
@pytest.mark.parametrize("operation", HAND_IN)
def test_a_token_is_taken_when_shopify_vouches_for_it_and_not_otherwise(
    start: Start, vendors: Vendors, kinds: tuple[str, ...], pace: dict[str, str], operation: str
) -> None:
    service, seen = start(**pace), dict[str, Answer]()
    for kind in kinds:
        shopper, body = service.shopper(), {"customerAccessToken": vendors.token("ella")}
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, kind):
            reply = shopper.api("POST", "/session", body)
            seen[kind] = answer(reply)
        assert is_signed_in(shopper) is (COOKIE in shopper.cookies) is (seen[kind] == DONE), kind
        service.clock.advance(BUSY_SECONDS)
        assert answer(shopper.api("POST", "/session", body)) == DONE, f"after {kind} it is over"
        assert shopper.api("GET", "/me").json()["points"]["balance"] == 1240
    assert seen == {kind: HAND_IN[operation][kind] for kind in kinds}


@pytest.mark.parametrize(("kinds", "pace"), PACES)
@pytest.mark.parametrize("operation", LANDING)
def test_a_failed_sign_in_is_explained_on_a_whole_page_and_can_be_begun_again(
    start: Start, vendors: Vendors, kinds: tuple[str, ...], pace: dict[str, str], operation: str
) -> None:
    service, seen = start(**pace), dict[str, int]()
    for kind in kinds:
        shopper = service.shopper()
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, kind):
            page = sign_in(shopper, vendors)
        seen[kind] = page.status
        assert is_whole(page), kind
        assert is_signed_in(shopper) is (page.status == 200), kind
        if page.status != 200:
            assert any(link.startswith("/login") for link in page.read.links), kind
        clear(vendors)
        service.clock.advance(BUSY_SECONDS)
        assert "1,240" in sign_in(shopper, vendors).text, f"after {kind} it is over"
    assert seen == {kind: LANDING[operation][kind] for kind in kinds}


@pytest.mark.parametrize(("kinds", "pace"), PACES)
def test_B7_signing_out_works_when_shopify_does_not(
    start: Start, vendors: Vendors, kinds: tuple[str, ...], pace: dict[str, str]
) -> None:
    """Here at once; where Shopify's endpoint is cannot be known, the page says so and lets one try again."""
    service = start(**pace)
    for kind in kinds:
        shopper = service.signed_in("ella")
        page, cookie = shopper.get("/"), shopper.cookies[COOKIE]
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, "shopify_discovery", kind):
            landed = shopper.sign_out(page=page)
        service.clock.advance(BUSY_SECONDS)
        assert (landed.status, is_whole(landed)) == (LANDING["shopify_discovery"][kind], True), kind
        if landed.status != 200:
            told = (landed.heading, "may still be signed in there" in landed.text)
            assert told == ("You are signed out here", True), kind
            [again] = [link for link in landed.read.links if link.startswith("/logout/continue?")]
            landed = shopper.get(again)
        assert landed.heading == "You are signed out", kind
        shopper.cookies[COOKIE] = cookie
        assert not is_signed_in(shopper), kind


def test_B2_a_sign_in_that_fails_leaves_the_one_before_alone(service: Service, vendors: Vendors) -> None:
    shopper = handed_in(service, vendors, "tara")
    with trouble(vendors, "shopify_token", "status:500"):
        assert sign_in(shopper, vendors).status == 502
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 3450


def test_a_late_shopify_costs_a_page_and_not_more_than_the_deadline(start: Start, vendors: Vendors) -> None:
    service = start(**QUICK)
    with trouble(vendors, "shopify_discovery", "delay"):
        page = service.shopper().get("/login")
    assert (page.status, is_whole(page)) == (LATE[0], True)
