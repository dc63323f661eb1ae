"""Carts as the Storefront API shows and changes them: which codes count, and what it warns of.

shopify.dev/docs/api/storefront: Cart, cartDiscountCodesUpdate, CartWarningCode. A code that does not count stays in the
list. A warning names its cart and no code, and the order of warnings is not that of the codes
(github.com/Shopify/mobile-buy-sdk-android/issues/815). Without its key, or with
a wrong one, a cart is shown without its buyer, and is not changed (changelog, 2024-08-15; measured by an integrator).
"""

from collections.abc import Sequence
from decimal import Decimal

from bff.sandbox.json import Json, JsonObject
from bff.sandbox.shopify.graphql import Arguments
from bff.sandbox.shopify.shelf import Cart, Discount
from bff.sandbox.world import World

MOST_CODES = 250
NO_CART: JsonObject = {
    "__typename": "CartUserError",
    "code": "INVALID",
    "field": ["cartId"],
    "message": "The specified cart does not exist.",
}


def cart_data(world: World, given: str) -> JsonObject | None:
    """`cart(id:)`."""
    cart, has_key = world.carts.find(given)
    return None if cart is None else _shown(world, cart, with_buyer=has_key)


def update_codes(world: World, given: Arguments) -> JsonObject:
    """`cartDiscountCodesUpdate`. Raises ValueError for a list that is too long, or none."""
    codes = given.get("discountCodes")
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise ValueError("Argument 'discountCodes' on Field 'cartDiscountCodesUpdate' has an invalid value")
    if len(codes) > MOST_CODES:
        raise ValueError(f"The input array size of {len(codes)} is greater than the maximum allowed of {MOST_CODES}.")
    cart, has_key = world.carts.find(str(given.get("cartId")))
    if cart is None or not has_key:
        return {"__typename": "CartDiscountCodesUpdatePayload", "cart": None, "userErrors": [NO_CART], "warnings": []}
    cart.codes = list({code.lower(): code for code in codes}.values())
    return {
        "__typename": "CartDiscountCodesUpdatePayload",
        "cart": _shown(world, cart, with_buyer=True),
        "userErrors": [],
        "warnings": _warnings(world, cart),
    }


def _shown(world: World, cart: Cart, *, with_buyer: bool) -> JsonObject:
    refused = _refused(world, cart)
    customer = {"__typename": "Customer", "id": cart.buyer} if cart.buyer and with_buyer else None
    return {
        "__typename": "Cart",
        "id": cart.id if with_buyer else cart.bare_id,
        "discountCodes": [
            {"__typename": "CartDiscountCode", "code": code, "applicable": code not in refused} for code in cart.codes
        ],
        "cost": {
            "__typename": "CartCost",
            "subtotalAmount": {
                "__typename": "MoneyV2",
                "amount": str(cart.subtotal),
                "currencyCode": cart.currency,
            },
        },
        "buyerIdentity": {"__typename": "CartBuyerIdentity", "customer": customer},
    }


def _warnings(world: World, cart: Cart) -> Sequence[Json]:
    """Each once, in an order that says nothing."""
    found = {
        (why, message): {"__typename": "CartWarning", "code": why, "message": message, "target": cart.id}
        for why, message in _refused(world, cart).values()
    }
    return [found[place] for place in sorted(found, reverse=True)]


def _refused(world: World, cart: Cart) -> dict[str, tuple[str, str]]:
    """The codes that do not count in a cart, each with the warning's code and words."""
    refused = {code: why for code in cart.codes if (why := _unfit(world, cart, code))}
    fit = [code for code in cart.codes if code not in refused]
    alone = [code for code in fit if not _discount(world, code).combines]
    if alone and len(fit) > 1:
        best = max(fit, key=lambda code: _discount(world, code).value)
        losers = fit if best in alone else alone
        refused |= {code: ("DISCOUNT_CODE_NOT_HONOURED", f"{code} can't be used") for code in losers if code != best}
    return refused


def _unfit(world: World, cart: Cart, code: str) -> tuple[str, str] | None:
    """Why a code would not count even alone."""
    discount, now = world.carts.discounts.get(code.lower()) or _of_a_redemption(world, code), world.clock.now()
    if discount is None:
        return "DISCOUNT_NOT_FOUND", "Enter a valid discount code"
    checks = (
        (discount.used_up, "DISCOUNT_USAGE_LIMIT_REACHED", "This code has reached its usage limit"),
        (discount.expires is not None and discount.expires <= now, "DISCOUNT_CURRENTLY_INACTIVE", "It has ended"),
        (
            discount.customer is not None and cart.buyer is None,
            "DISCOUNT_ELIGIBLE_CUSTOMER_MISSING",
            "Sign in to use this code",
        ),
        (discount.customer not in (None, cart.buyer), "DISCOUNT_CUSTOMER_NOT_ELIGIBLE", "Not for this customer"),
        (cart.subtotal <= 0, "DISCOUNT_CODE_NOT_HONOURED", f"{code} can't be used"),
        (
            discount.minimum is not None and cart.subtotal < discount.minimum,
            "DISCOUNT_PURCHASE_NOT_IN_RANGE",
            f"{code} isn't valid for the items in your cart",
        ),
    )
    return next(((why, words) for fails, why, words in checks if fails), None)


def _discount(world: World, code: str) -> Discount:
    return world.carts.discounts.get(code.lower()) or _of_a_redemption(world, code) or Discount(code)


def _of_a_redemption(world: World, code: str) -> Discount | None:
    """What the program has minted for a member."""
    for member in world.members.values():
        for line in member.history:
            if line.coupon is not None and line.coupon.code.lower() == code.lower():
                reward = world.rewards.get(line.rule)
                minimum = Decimal(reward.minimum_purchase) if reward and reward.minimum_purchase else None
                return Discount(line.coupon.code, minimum=minimum, expires=line.coupon.expires)
    return None
