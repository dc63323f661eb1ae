"""Commands for carts at the pretended shop: filling one, and what the merchant has said of a discount code."""

from decimal import Decimal

from bff.sandbox.control.commands import number, persona
from bff.sandbox.control.faults import BadCommand
from bff.sandbox.json import JsonObject
from bff.sandbox.okendo.program import CURRENCY
from bff.sandbox.shopify.shelf import Discount
from bff.sandbox.world import World

HIGHEST = 10**6


def fill_cart(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"subtotal"?, "currency"?, "persona"?, "codes"?, "shop"?}`: a new cart that comes to so much (50 unless told),
    of this customer if one is named, with these codes; with `"shop": "other"` one that this shop does not know."""
    codes, shop = body.get("codes", []), body.get("shop", "this")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise BadCommand("codes must be a list of discount codes")
    if shop not in ("this", "other"):
        raise BadCommand("shop must be 'this' or 'other'")
    buyer = persona(world, body).shopify_id if "persona" in body else None
    currency = str(body.get("currency", CURRENCY))
    cart = world.carts.add(_amount(body, "subtotal", 50), currency, buyer, is_here=shop == "this")
    cart.codes = [str(code) for code in codes]
    return 200, {"id": cart.id}


def change_discount(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"code", "value"?, "percent"?, "minimum"?, "persona"?, "combines"?, "usedUp"?, "ended"?}`: from now on the
    shop has this code, of the merchant's own or in place of one that the program has minted."""
    code = body.get("code")
    if not isinstance(code, str) or not code:
        raise BadCommand("code must be a discount code")
    flags = {name: body.get(name, name == "combines") for name in ("combines", "usedUp", "ended")}
    if not all(isinstance(flag, bool) for flag in flags.values()):
        raise BadCommand("combines, usedUp and ended must be true or false")
    world.carts.discounts[code.lower()] = Discount(
        code,
        value=_amount(body, "value", 5),
        percent=_amount(body, "percent", 0) if "percent" in body else None,
        minimum=_amount(body, "minimum", 0) if "minimum" in body else None,
        expires=world.clock.now() if flags["ended"] else None,
        customer=persona(world, body).shopify_id if "persona" in body else None,
        combines=bool(flags["combines"]),
        used_up=bool(flags["usedUp"]),
    )
    return 200, {"code": code}


def _amount(body: JsonObject, name: str, otherwise: float) -> Decimal:
    amount = number(body, name, otherwise)
    if not 0 <= amount < HIGHEST:
        raise BadCommand(f"{name} must be an amount from 0 to {HIGHEST}")
    return Decimal(f"{amount:.2f}")
