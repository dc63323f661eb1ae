"""Carts as the Storefront API shows and changes them (shopify.dev/docs/api/storefront: Cart and its mutations).

A discount code that does not count stays in the list. Without its key, or with a wrong one, a cart is shown without its
buyer, and is not changed (changelog, 2024-08-15; measured by an integrator).
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from bff.sandbox.okendo.members import Member
from bff.sandbox.okendo.program import CURRENCY
from bff.sandbox.shopify.discounts import refused, taken_off
from bff.sandbox.shopify.graphql import Arguments, Resolver, Shown, connection, storefront_customer_data
from bff.sandbox.shopify.products import BY_VARIANT, money, shown_variant
from bff.sandbox.shopify.shelf import Cart, Line
from bff.sandbox.world import World

MOST_CODES = 250
MOST_LINES = 250
NO_CART = "The specified cart does not exist."


class UserError(Exception):
    """Nothing is changed; `field` says what of the input is wrong."""

    def __init__(self, message: str, *field: str) -> None:
        super().__init__(message)
        self.field = list(field)

    def shown(self) -> Shown:
        return {"__typename": "CartUserError", "code": "INVALID", "field": self.field, "message": str(self)}


Change = Callable[[World, Cart, Arguments], None]


def cart_data(world: World, given: Arguments) -> Shown | None:
    """`cart(id:)`; null where this shop has none under that id."""
    cart, has_key = world.carts.find(str(given.get("id")))
    return None if cart is None else _shown(world, cart, with_buyer=has_key)


def mutations(world: World) -> dict[str, Resolver]:
    """Every mutation of a cart, by its name."""
    roots: dict[str, Resolver] = {name: partial(_changed, world, name, change) for name, change in CHANGES.items()}
    return roots | {"cartCreate": partial(_created, world)}


def _created(world: World, given: Arguments) -> Shown:
    """`cartCreate(input:)`; it is not kept where its input is wrong."""
    wanted = _mapping(given.get("input") or {}, "input", "cartCreate")
    cart = world.carts.add(Decimal(0), CURRENCY, None, is_here=False)
    try:
        if "lines" in wanted:
            _add_lines(world, cart, wanted, "input")
        if "buyerIdentity" in wanted:
            _name_buyer(world, cart, wanted, "input")
    except UserError as error:
        return _payload("cartCreate", errors=[error.shown()])
    cart.use(_codes(wanted.get("discountCodes") or [], "cartCreate"))
    world.carts.keep(cart)
    return _payload("cartCreate", _shown(world, cart, with_buyer=True), warnings=_warnings(world, cart))


def _changed(world: World, name: str, change: Change, given: Arguments) -> Shown:
    cart, has_key = world.carts.find(str(given.get("cartId")))
    try:
        if cart is None or not has_key:
            raise UserError(NO_CART, "cartId")
        change(world, cart, given)
    except UserError as error:
        return _payload(name, errors=[error.shown()])
    return _payload(name, _shown(world, cart, with_buyer=True), warnings=_warnings(world, cart))


def _payload(
    name: str, cart: Shown | None = None, errors: Sequence[Shown] = (), warnings: Sequence[Shown] = ()
) -> Shown:
    kind = f"{name[0].upper()}{name[1:]}Payload"
    return {"__typename": kind, "cart": cart, "userErrors": list(errors), "warnings": list(warnings)}


def _update_codes(world: World, cart: Cart, given: Arguments) -> None:
    cart.use(_codes(given.get("discountCodes"), "cartDiscountCodesUpdate"))


def _codes(codes: Any, name: str) -> list[str]:
    """Raises ValueError for a list that is too long, or none."""
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise ValueError(f"Argument 'discountCodes' on Field '{name}' has an invalid value")
    if len(codes) > MOST_CODES:
        raise ValueError(f"The input array size of {len(codes)} is greater than the maximum allowed of {MOST_CODES}.")
    return codes


def _add_lines(world: World, cart: Cart, given: Arguments, *field: str) -> None:
    """All of them, or none."""
    wanted = []
    for at, one in enumerate(_lines(given.get("lines"))):
        product = BY_VARIANT.get(str(one.get("merchandiseId")))
        if product is None:
            message = f"The merchandise with id {one.get('merchandiseId')} does not exist."
            raise UserError(message, *field, "lines", str(at), "merchandiseId")
        wanted.append((product, _quantity(one, 1, *field, "lines", str(at))))
    for product, quantity in wanted:
        cart.put(product, quantity)


def _update_lines(world: World, cart: Cart, given: Arguments) -> None:
    """`lines: [{id, quantity}]`; of none a line is gone."""
    changes = []
    for at, one in enumerate(_lines(given.get("lines"))):
        line = _line_of(cart, str(one.get("id")), "lines", str(at), "id")
        changes.append((line, _quantity(one, line.quantity, "lines", str(at))))
    for line, quantity in changes:
        line.quantity = quantity
    cart.lines = [line for line in cart.lines if line.quantity]


def _remove_lines(world: World, cart: Cart, given: Arguments) -> None:
    gone = [_line_of(cart, str(one), "lineIds", str(at)) for at, one in enumerate(given.get("lineIds") or [])]
    cart.lines = [line for line in cart.lines if line not in gone]


def _name_buyer(world: World, cart: Cart, given: Arguments, *field: str) -> None:
    """`buyerIdentity: {customerAccessToken}`: of either API for customers (changelog, 2025-01)."""
    buyer = _mapping(given.get("buyerIdentity"), "buyerIdentity", "CartBuyerIdentityInput")
    token = buyer.get("customerAccessToken")
    if token is None:
        cart.buyer = None if "customerAccessToken" in buyer else cart.buyer
        return
    persona = world.grants.persona_of(str(token)) or world.grants.storefront_persona_of(str(token))
    if persona is None:
        raise UserError("Customer is invalid", *field, "buyerIdentity", "customerAccessToken")
    cart.buyer = world.members[persona].shopify_id


CHANGES: dict[str, Change] = {
    "cartDiscountCodesUpdate": _update_codes,
    "cartLinesAdd": _add_lines,
    "cartLinesUpdate": _update_lines,
    "cartLinesRemove": _remove_lines,
    "cartBuyerIdentityUpdate": _name_buyer,
}


def _mapping(value: Any, name: str, of: str) -> Arguments:
    if not isinstance(value, dict):
        raise ValueError(f"Argument '{name}' on '{of}' has an invalid value")
    return value


def _lines(lines: Any) -> list[dict[str, Any]]:
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise ValueError("Argument 'lines' has an invalid value")
    if len(lines) > MOST_LINES:
        raise ValueError(f"The input array size of {len(lines)} is greater than the maximum allowed of {MOST_LINES}.")
    return lines


def _line_of(cart: Cart, line_id: str, *field: str) -> Line:
    line = cart.line(line_id)
    if line is None:
        raise UserError(f"The merchandise line with id {line_id} does not exist.", *field)
    return line


def _quantity(line: Arguments, otherwise: int, *field: str) -> int:
    quantity = line.get("quantity", otherwise)
    if type(quantity) is not int or quantity < 0:
        raise UserError("Quantity must be a whole number from 0", *field, "quantity")
    return quantity


def _shown(world: World, cart: Cart, *, with_buyer: bool) -> Shown:
    out, off = refused(world, cart), taken_off(world, cart)
    customer = _buyer(world, cart.buyer) if with_buyer else None
    total = money(cart.subtotal - sum(off.values(), Decimal(0)), cart.currency)
    return {
        "__typename": "Cart",
        "id": cart.id if with_buyer else cart.bare_id,
        "updatedAt": world.clock.now().isoformat(),
        "checkoutUrl": f"{world.config.url}/cart/c/{cart.token}" + (f"?key={cart.key}" if with_buyer else ""),
        "totalQuantity": sum(line.quantity for line in cart.lines),
        "note": None,
        "attributes": [],
        "appliedGiftCards": [],
        "discountCodes": [
            {"__typename": "CartDiscountCode", "code": code, "applicable": code not in out} for code in cart.codes
        ],
        # Deprecated in 2026-07 in favour of the lines' with lineLevelOnly: false; storefronts have both.
        "discountAllocations": [_allocation(code, amount, cart) for code, amount in off.items()],
        "lines": connection([_line(cart, line, off) for line in cart.lines]),
        "cost": {
            "__typename": "CartCost",
            "subtotalAmount": money(cart.subtotal, cart.currency),
            "totalAmount": total,
            "checkoutChargeAmount": total,
            "totalDutyAmount": None,
            "totalTaxAmount": None,
        },
        "buyerIdentity": {
            "__typename": "CartBuyerIdentity",
            "countryCode": None,
            "customer": customer,
            "email": customer and customer["email"],
            "phone": None,
        },
    }


def _buyer(world: World, customer_id: str | None) -> Shown | None:
    found = next((one for one in world.members.values() if one.shopify_id == customer_id), None)
    return storefront_customer_data(found) if isinstance(found, Member) else None


def _line(cart: Cart, line: Line, off: dict[str, Decimal] | Any) -> Shown:
    """Its cost knows only what comes off this line alone, and no code here does (changelog, 2022-07)."""

    def allocations(given: Arguments) -> list[Shown]:
        if given.get("lineLevelOnly", True) or not cart.subtotal:
            return []
        return [_allocation(code, amount * line.amount / cart.subtotal, cart) for code, amount in off.items()]

    return {
        "__typename": "CartLine",
        "id": line.id(cart),
        "quantity": line.quantity,
        "attributes": [],
        "merchandise": shown_variant(line.product),
        "discountAllocations": allocations,
        "cost": {
            "__typename": "CartLineCost",
            "amountPerQuantity": money(line.product.price),
            "compareAtAmountPerQuantity": None,
            "subtotalAmount": money(line.amount),
            "totalAmount": money(line.amount),
        },
    }


def _allocation(code: str, amount: Decimal, cart: Cart) -> Shown:
    return {
        "__typename": "CartCodeDiscountAllocation",
        "code": code,
        "discountedAmount": money(amount, cart.currency),
        "targetType": "LINE_ITEM",
    }


def _warnings(world: World, cart: Cart) -> Sequence[Shown]:
    """Each once, in an order that says nothing."""
    found = {
        (why, message): {"__typename": "CartWarning", "code": why, "message": message, "target": cart.id}
        for why, message in refused(world, cart).values()
    }
    return [found[place] for place in sorted(found, reverse=True)]
