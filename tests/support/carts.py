"""Carts at the pretended shop, and what a storefront asks of them."""

from typing import Any

import httpx2

from support.services import Vendors
from support.shopper import Shopper

UNKNOWN = "gid://shopify/Cart/c1-0123456789abcdef0123456789abcdef?key=0123456789abcdef01234567"


def cart_of(vendors: Vendors, **more: Any) -> str:
    """The id of a new cart, key and all: `cart_of(vendors, subtotal=20, persona="ella", codes=["SPRING"])`."""
    return str(vendors.control("carts", **more)["id"])


def bare(cart_id: str) -> str:
    return cart_id.partition("?")[0]


def codes_in(vendors: Vendors, cart_id: str) -> list[str]:
    return list(vendors.state()["carts"][bare(cart_id)]["codes"])


def apply(shopper: Shopper, code: str, cart_id: Any) -> httpx2.Response:
    return shopper.api("POST", f"/me/coupons/{code}/cart", {"cartId": cart_id})


def redeem_into(shopper: Shopper, reward: str, key: str, cart_id: Any) -> httpx2.Response:
    body = {"rewardId": reward, "cartId": cart_id}
    return shopper.api("POST", "/me/redemptions", body, idempotency_key=key)


class Storefront:
    """What a storefront asks the Storefront API, with these headers."""

    def __init__(self, vendors: Vendors, headers: dict[str, str]) -> None:
        self.url = f"{vendors.url}/api/2026-07/graphql.json"
        self._vendors, self._headers = vendors, headers

    def reply(self, query: str, **variables: Any) -> httpx2.Response:
        return self._vendors.http.post(self.url, json={"query": query, "variables": variables}, headers=self._headers)

    def ask(self, query: str, **variables: Any) -> Any:
        answer = self.reply(query, **variables).json()
        assert "errors" not in answer, answer
        return answer["data"]
