"""Which discount codes count in a cart, why others do not, and what comes off.

shopify.dev/docs/api/storefront: CartWarningCode. A warning names its cart and no code, and the order of warnings is not
that of the codes (github.com/Shopify/mobile-buy-sdk-android/issues/815).
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from bff.sandbox.okendo.program import Reward
from bff.sandbox.shopify.shelf import Cart, Discount
from bff.sandbox.world import World

CENT = Decimal("0.01")
# What a code of the program takes off where its reward is no amount and no percentage of the cart.
NOTHING_OFF = ("free-shipping", "free-product")


def taken_off(world: World, cart: Cart) -> Mapping[str, Decimal]:
    """What each code that counts takes off, in the order of the codes, and never more than is left."""
    out, left = refused(world, cart), cart.subtotal
    amounts = {}
    for code in cart.codes:
        if code not in out:
            amounts[code] = min(_worth(cart, _discount(world, code)), left)
            left -= amounts[code]
    return amounts


def refused(world: World, cart: Cart) -> dict[str, tuple[str, str]]:
    """The codes that do not count in a cart, each with the warning's code and words."""
    unfit = {code: why for code in cart.codes if (why := _unfit(world, cart, code))}
    fit = [code for code in cart.codes if code not in unfit]
    alone = [code for code in fit if not _discount(world, code).combines]
    if alone and len(fit) > 1:
        best = max(fit, key=lambda code: _worth(cart, _discount(world, code)))
        losers = fit if best in alone else alone
        unfit |= {code: ("DISCOUNT_CODE_NOT_HONOURED", f"{code} can't be used") for code in losers if code != best}
    return unfit


def _worth(cart: Cart, discount: Discount) -> Decimal:
    if discount.percent is None:
        return discount.value
    return (cart.subtotal * discount.percent / 100).quantize(CENT, ROUND_HALF_UP)


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
                return _of_a_reward(
                    Discount(line.coupon.code, expires=line.coupon.expires), world.rewards.get(line.rule)
                )
    return None


def _of_a_reward(discount: Discount, reward: Reward | None) -> Discount:
    if reward is None:
        return discount
    value = Decimal(reward.value or 0)
    is_percentage = reward.kind == "percentage-coupon"
    return Discount(
        discount.code,
        value=Decimal(0) if reward.kind in NOTHING_OFF else value,
        percent=value if is_percentage else None,
        minimum=Decimal(reward.minimum_purchase) if reward.minimum_purchase else None,
        expires=discount.expires,
    )
