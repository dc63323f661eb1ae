"""Carts and discount codes of the pretended shop, as a merchant and their shoppers leave them there."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bff.sandbox.shopify.products import Product

CART = "gid://shopify/Cart/"


@dataclass
class Line:
    """So many of a product."""

    token: str
    product: Product
    quantity: int

    @property
    def amount(self) -> Decimal:
        return self.product.price * self.quantity

    def id(self, cart: "Cart") -> str:
        return f"gid://shopify/CartLine/{self.token}?cart={cart.token}"


@dataclass
class Cart:
    """`filled` is what it comes to beside its lines. `buyer` is the customer whom the storefront named, if it did."""

    token: str
    key: str
    filled: Decimal
    currency: str
    buyer: str | None = None
    codes: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def subtotal(self) -> Decimal:
        return sum((line.amount for line in self.lines), self.filled)

    @property
    def bare_id(self) -> str:
        return CART + self.token

    @property
    def id(self) -> str:
        """As Shopify tells it: the key is a secret of the buyer's (changelog, 2024-05-06)."""
        return f"{self.bare_id}?key={self.key}"

    def put(self, product: Product, quantity: int) -> None:
        """The same product again makes no second line."""
        known = next((line for line in self.lines if line.product == product), None)
        if known:
            known.quantity += quantity
        else:
            self.lines.append(Line(secrets.token_hex(8), product, quantity))

    def line(self, line_id: str) -> Line | None:
        return next((line for line in self.lines if line.id(self) == line_id), None)

    def use(self, codes: Sequence[str]) -> None:
        """These in place of those that were there; they are the same whatever their case."""
        self.codes = list({code.lower(): code for code in codes}.values())


@dataclass(frozen=True)
class Discount:
    """A discount code, of an amount or of so many per cent. `combines`: whether it may count beside others; of two that
    do not go together the larger one wins. `customer` is the only one it is for, None when it is for everybody."""

    code: str
    value: Decimal = Decimal(5)
    percent: Decimal | None = None
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

    def add(self, filled: Decimal, currency: str, buyer: str | None, *, is_here: bool = True) -> Cart:
        """A new cart; one that is not here is another shop's."""
        cart = Cart("c1-" + secrets.token_hex(16), secrets.token_hex(12), filled, currency, buyer)
        if is_here:
            self.keep(cart)
        return cart

    def keep(self, cart: Cart) -> None:
        self._carts[cart.token] = cart

    def find(self, given: str) -> tuple[Cart | None, bool]:
        """The cart of this id, and whether its key came with it: a wrong one is as good as none."""
        token, _, query = given.removeprefix(CART).partition("?")
        cart = self._carts.get(token) if given.startswith(CART) else None
        return cart, cart is not None and query == f"key={cart.key}"
