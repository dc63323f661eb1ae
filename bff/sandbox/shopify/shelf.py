"""Carts and discount codes of the pretended shop, as a merchant and their shoppers leave them there."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

CART = "gid://shopify/Cart/"


@dataclass
class Cart:
    """Lines are told by what they come to. `buyer` is the customer whom the storefront has named, if it has."""

    token: str
    key: str
    subtotal: Decimal
    currency: str
    buyer: str | None = None
    codes: list[str] = field(default_factory=list)

    @property
    def bare_id(self) -> str:
        return CART + self.token

    @property
    def id(self) -> str:
        """As Shopify tells it: the key is a secret of the buyer's (changelog, 2024-05-06)."""
        return f"{self.bare_id}?key={self.key}"


@dataclass(frozen=True)
class Discount:
    """A discount code. `combines`: whether it may count beside others; `value` is what it is worth, as the larger of
    two that do not go together wins. `customer` is the only one it is for, None when it is for everybody."""

    code: str
    value: Decimal = Decimal(5)
    minimum: Decimal | None = None
    expires: datetime | None = None
    customer: str | None = None
    combines: bool = True
    used_up: bool = False


class CartShelf:
    """All carts by their token, and what the merchant has said of codes, by the code in lower case."""

    def __init__(self) -> None:
        self._carts: dict[str, Cart] = {}
        self.discounts: dict[str, Discount] = {}

    def all(self) -> Iterable[Cart]:
        return self._carts.values()

    def add(self, subtotal: Decimal, currency: str, buyer: str | None, *, is_here: bool = True) -> Cart:
        """A new cart; one that is not here is another shop's."""
        cart = Cart("c1-" + secrets.token_hex(16), secrets.token_hex(12), subtotal, currency, buyer)
        if is_here:
            self._carts[cart.token] = cart
        return cart

    def find(self, given: str) -> tuple[Cart | None, bool]:
        """The cart of this id, and whether its key came with it: a wrong one is as good as none."""
        token, _, query = given.removeprefix(CART).partition("?")
        cart = self._carts.get(token) if given.startswith(CART) else None
        return cart, cart is not None and query == f"key={cart.key}"
