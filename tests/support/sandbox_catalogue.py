"""What the sandbox's merchant offers, by heart, and how storefront JavaScript redeems it."""

import secrets
from typing import Any

import httpx2

from support.services import Vendors
from support.shopper import Shopper

FIVE_OFF = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
TEN_PERCENT = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b02"
FREE_SHIPPING = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b03"
FREE_PRODUCT = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b04"
GOLD_ONLY = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b05"
STORE_CREDIT = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b06"
PRICES = {FIVE_OFF: 500, TEN_PERCENT: 1000, FREE_SHIPPING: 1200, FREE_PRODUCT: 2000, GOLD_ONLY: 800, STORE_CREDIT: 750}


def new_key() -> str:
    return secrets.token_urlsafe(24)


def redeem(shopper: Shopper, reward: str, key: str) -> httpx2.Response:
    return shopper.api("POST", "/me/redemptions", {"rewardId": reward}, idempotency_key=key)


def code_of(reply: httpx2.Response) -> str:
    """The error code of a problem, after a look at its form."""
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    problem = reply.json()
    assert problem["status"] == reply.status_code
    return str(problem["code"])


def redemptions_of(vendors: Vendors, persona: str) -> list[Any]:
    found: list[Any] = vendors.member(persona)["redemptions"]
    return found


def sends(vendors: Vendors) -> int:
    """How often the vendor was told to redeem."""
    return len(vendors.calls("redeem"))
