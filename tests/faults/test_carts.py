"""Carts while Shopify does not answer as it should: nothing is claimed, nothing is spent twice, the code stays."""

import time
from functools import partial

import pytest
from support.carts import apply, cart_of, codes_in, redeem_into
from support.concurrency import at_once, until
from support.sandbox_catalogue import FIVE_OFF, code_of, redeem, redemptions_of, sends
from support.services import Start, Vendors
from support.vendor_faults import DOWN, LATE, QUICK

WELCOME_BACK = "OKE-WELCOMEBACK"
KEY = "an-intent-with-a-cart-01"
NOT_DONE = (
    "status:500", "status:429", "status:401", "status:403", "status:404", "status:430", "cut_before", "redirect",
)  # fmt: skip
DONE_UNSEEN = ("cut_after", "garbage", "html", "huge", "empty", "status_after:500", "status_after:503")


@pytest.mark.parametrize("kind", [*NOT_DONE, *DONE_UNSEEN])
def test_a_cart_that_cannot_be_read_is_left_alone(start: Start, vendors: Vendors, kind: str) -> None:
    ella, cart = start(**QUICK).signed_in("ella"), cart_of(vendors)
    vendors.fault("storefront_cart", kind)
    reply = apply(ella, WELCOME_BACK, cart)
    assert (reply.status_code, code_of(reply)) in {DOWN, (503, "upstream_unavailable")}
    assert "cart" in reply.json()["detail"]
    assert not vendors.calls("storefront_cart_codes")


@pytest.mark.parametrize("kind", NOT_DONE)
def test_a_list_that_was_not_taken_is_not_sent_again(start: Start, vendors: Vendors, kind: str) -> None:
    ella, cart = start(**QUICK).signed_in("ella"), cart_of(vendors, codes=["SPRING"])
    vendors.fault("storefront_cart_codes", kind)
    reply = apply(ella, WELCOME_BACK, cart)
    assert (reply.status_code, code_of(reply)) in {DOWN, (503, "upstream_unavailable")}
    assert codes_in(vendors, cart) == ["SPRING"]
    assert len(vendors.calls("storefront_cart_codes")) == 1


@pytest.mark.parametrize("kind", DONE_UNSEEN)
def test_of_a_lost_answer_the_cart_itself_says_what_happened(start: Start, vendors: Vendors, kind: str) -> None:
    ella, cart = start(**QUICK).signed_in("ella"), cart_of(vendors, codes=["SPRING"])
    vendors.fault("storefront_cart_codes", kind)
    assert apply(ella, WELCOME_BACK, cart).json() == {"result": "applied"}
    assert codes_in(vendors, cart) == ["SPRING", WELCOME_BACK]
    assert len(vendors.calls("storefront_cart_codes")) == 1


def test_a_shop_that_takes_too_long_is_said_to(start: Start, vendors: Vendors) -> None:
    ella, cart = start(**QUICK).signed_in("ella"), cart_of(vendors)
    vendors.fault("storefront_cart", "delay", seconds=2)
    reply = apply(ella, WELCOME_BACK, cart)
    assert (reply.status_code, code_of(reply)) == LATE
    assert apply(ella, WELCOME_BACK, cart).json() == {"result": "applied"}


def test_P1_a_list_whose_answer_comes_after_the_deadline_is_still_heard(start: Start, vendors: Vendors) -> None:
    ella, cart = start(REQUEST_SECONDS="1").signed_in("ella"), cart_of(vendors)
    vendors.fault("storefront_cart_codes", "delay", seconds=2)
    assert apply(ella, WELCOME_BACK, cart).status_code == 504
    until(lambda: codes_in(vendors, cart) == [WELCOME_BACK])
    assert apply(ella, WELCOME_BACK, cart).json() == {"result": "already_applied"}
    assert len(vendors.calls("storefront_cart_codes")) == 1


@pytest.mark.parametrize("operation", ["storefront_cart", "storefront_cart_codes"])
@pytest.mark.parametrize("kind", ["status:500", "status:429", "cut_before", "garbage", "huge", "delay"])
def test_L1_no_trouble_with_a_cart_fails_or_repeats_a_redemption(
    start: Start, vendors: Vendors, operation: str, kind: str
) -> None:
    ella, cart = start(UPSTREAM_TIMEOUT_SECONDS="0.5").signed_in("ella"), cart_of(vendors)
    vendors.fault(operation, kind, times=2, seconds=2)
    began = time.monotonic()
    reply = redeem_into(ella, FIVE_OFF, KEY, cart)
    assert reply.status_code == 201
    assert reply.json()["coupon"]["code"]
    assert reply.json()["cart"]["result"] in {"applied", "not_applied"}
    assert time.monotonic() - began < 6
    assert sends(vendors) == len(redemptions_of(vendors, "ella")) == 1


def test_L1_a_redemption_does_not_wait_for_a_cart_that_is_stuck(start: Start, vendors: Vendors) -> None:
    ella, cart = start().signed_in("ella"), cart_of(vendors)
    vendors.fault("storefront_cart", "delay", seconds=4)
    began = time.monotonic()
    reply = redeem_into(ella, FIVE_OFF, KEY, cart)
    assert (reply.status_code, reply.json()["cart"]) == (201, {"result": "not_applied", "reason": "other"})
    assert time.monotonic() - began < 4


def test_L3_a_lost_redemption_with_a_cart_spends_once(start: Start, vendors: Vendors) -> None:
    ella, cart = start().signed_in("ella"), cart_of(vendors)
    vendors.fault("redeem", "cut_after")
    first, again = redeem_into(ella, FIVE_OFF, KEY, cart), redeem_into(ella, FIVE_OFF, KEY, cart)
    assert [reply.status_code for reply in (first, again)] == [202, 202]
    assert "cart" not in first.json()
    assert sends(vendors) == len(redemptions_of(vendors, "ella")) == 1
    assert codes_in(vendors, cart) == []
    # Once its code is in the history it goes in like any other.
    code = redemptions_of(vendors, "ella")[0]["code"]
    assert apply(ella, code, cart).json() == {"result": "applied"}


def test_L1_the_same_redemption_twice_at_once_spends_once_and_fills_the_cart(start: Start, vendors: Vendors) -> None:
    ella, cart = start().signed_in("ella"), cart_of(vendors)
    replies = at_once([partial(redeem_into, ella, FIVE_OFF, KEY, cart)] * 2)
    assert {reply.status_code for reply in replies} <= {201, 409}
    assert sends(vendors) == 1
    assert codes_in(vendors, cart) == [redeem(ella, FIVE_OFF, KEY).json()["coupon"]["code"]]
