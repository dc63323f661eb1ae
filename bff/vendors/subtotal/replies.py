"""What Subtotal's answers and webhooks say of accounts and purchases.

Most of it is documented at subtotal.com/docs/api-reference; where a form is not stated, every likely one is understood.
"""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from bff.vendors.json_text import decode_json

LONGEST_WORD = 64
LARGEST_TOTAL = Decimal(10**9)
MOST_DECIMALS = 6
MOST_ITEMS = 1000
# Of a whole line; guessed.
DISCOUNTS = ("discount", "discount_amount", "total_discount")
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper's account at one retailer. `status` is initialized, active, unauthenticated, disconnected, or a word
    that we do not know; whatever a webhook leaves out is None."""

    id: str
    customer_id: str | None = None
    retailer_id: str | None = None
    status: str | None = None
    email: str | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a purchase: `quantity` pieces of `price` each, less `discount` for the line. Whatever is not told, or
    cannot be read, is None; `discount` is zero where the line has none."""

    price: Decimal | None
    quantity: Decimal | None
    discount: Decimal | None
    brand: str | None
    upc: str | None


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """`total` and `subtotal` are money with exactly the decimals that were sent, `subtotal` what the items came to
    after discounts and before tax. `items` is None where they were not told."""

    id: str
    total: Decimal | None = None
    subtotal: Decimal | None = None
    day: date | None = None
    items: tuple[Item, ...] | None = None


class Plan(msgspec.Struct, frozen=True):
    """Of an account: `purchase_access` is all_purchases, full_basket, brand_products, or a word that we do not know."""

    purchase_access: str | None


def read_connection(found: Any) -> Connection | None:
    """A Connection of the API or of a webhook; the older API says `merchant_id`."""
    name = _id(found.get("connection_id")) if isinstance(found, dict) else None
    if name is None:
        return None
    return Connection(
        id=name,
        customer_id=read_word(found.get("customer_id")),
        retailer_id=read_word(found.get("retailer_id")) or read_word(found.get("merchant_id")),
        status=read_word(found.get("status")),
        email=_email(found.get("email")),
    )


def read_purchase(found: Any) -> Purchase | None:
    name = _id(found.get("purchase_id")) if isinstance(found, dict) else None
    if name is None:
        return None
    return Purchase(
        id=name,
        total=_total(found.get("total")),
        subtotal=_total(found.get("subtotal")),
        day=_day(found.get("date")),
        items=_items(found.get("items")),
    )


def read_plan(found: Any) -> Plan:
    plan = found.get("plan") if isinstance(found, dict) else None
    return Plan(read_word(plan.get("purchase_access")) if isinstance(plan, dict) else None)


def _items(found: Any) -> tuple[Item, ...] | None:
    if not isinstance(found, list) or not found or len(found) > MOST_ITEMS:
        return None
    return tuple(_item(one if isinstance(one, dict) else {}) for one in found)


def _item(found: dict[str, Any]) -> Item:
    """The older API says nothing of a product; where a discount would stand is not public."""
    product = found.get("product")
    product = product if isinstance(product, dict) else {}
    discounts = [found[name] for name in DISCOUNTS if found.get(name) is not None]
    return Item(
        price=_total(found.get("price")),
        quantity=_total(found.get("quantity", 1)),
        discount=_total(discounts[0]) if discounts else Decimal(0),
        brand=read_word(product.get("brand")) or read_word(found.get("brand")),
        upc=read_word(product.get("upc")) or read_word(found.get("upc")),
    )


def read_json(body: bytes) -> Any:
    """JSON whose decimals stay exact, None when it is not JSON."""
    try:
        return decode_json(body, _decode)
    except (ValueError, RecursionError):
        return None


def read_word(value: Any) -> str | None:
    """An id or a name of the vendor's; None when it is none."""
    fits = isinstance(value, str) and 0 < len(value) <= LONGEST_WORD and value.isprintable()
    return value if fits else None


def _id(value: Any) -> str | None:
    """What can stand in an address as it is; the vendor's are ULIDs."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) else None


def _email(value: Any) -> str | None:
    fits = isinstance(value, str) and 3 <= len(value) <= 254 and value.isprintable() and "@" in value
    return value.strip() if fits else None


def _total(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > 32:
        return None
    try:
        total = Decimal(value)
    except InvalidOperation:
        return None
    exponent = total.as_tuple().exponent
    fits = isinstance(exponent, int) and exponent >= -MOST_DECIMALS and 0 <= total < LARGEST_TOTAL
    return total if fits else None


def _day(value: Any) -> date | None:
    """The day as the retailer counts it: an offset is not converted."""
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None
