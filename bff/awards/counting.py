"""How much of a purchase an action pays: its total, or what the brand's own items came to.

A plan of Subtotal's that collects whole baskets would otherwise earn points for groceries.
"""

from decimal import ROUND_FLOOR, Decimal

from bff.awards.pay import NeedsReview
from bff.settings.actions import Action
from bff.vendors.subtotal.replies import Item, Purchase

CENT = Decimal("0.01")


def counted(action: Action, purchase: Purchase) -> Decimal | None:
    """The value to be paid, None where the purchase has nothing of what counts.

    Raises NeedsReview when it cannot be told, so that a basket is never paid in place of the items in it.
    """
    if action.counts == "total":
        return purchase.total
    if purchase.items is None:
        raise NeedsReview("does not tell its items")
    if not any(item.brand or item.upc for item in purchase.items):
        raise NeedsReview("tells neither brand nor UPC of its items")
    own = [item for item in purchase.items if _is_own(action, item)]
    value = sum((_line(item) for item in own), Decimal(0)) * _discounted(purchase)
    if purchase.total is not None:
        value = min(value, purchase.total)
    return value.quantize(CENT, ROUND_FLOOR) or None


def _is_own(action: Action, item: Item) -> bool:
    """Fruit has neither brand nor UPC, so an item that tells neither, beside others that do, is none of the brand's."""
    by_brand = item.brand is not None and _brand(item.brand) in map(_brand, action.brands)
    return by_brand or (item.upc is not None and _upc(item.upc) in map(_upc, action.upcs))


def _line(item: Item) -> Decimal:
    if item.price is None or item.quantity is None or item.discount is None:
        raise NeedsReview("has an item whose price, quantity or discount cannot be read")
    return max(Decimal(0), item.price * item.quantity - item.discount)


def _discounted(purchase: Purchase) -> Decimal:
    """Which part of its items' prices a purchase came to: less than one where the whole basket had a discount."""
    items = purchase.items or ()
    if purchase.subtotal is None or any(None in (item.price, item.quantity, item.discount) for item in items):
        return Decimal(1)
    whole = sum((_line(item) for item in items), Decimal(0))
    return min(Decimal(1), purchase.subtotal / whole) if whole else Decimal(1)


def _brand(name: str) -> str:
    return " ".join(name.casefold().split())


def _upc(code: str) -> str:
    """The same article with or without leading zeros (UPC-A, EAN-13, GTIN-14)."""
    return "".join(digit for digit in code if digit.isdigit()).lstrip("0")
