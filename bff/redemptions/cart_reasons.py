"""Why a code does not count in a cart, of what Shopify warns of (CartWarningCode, Storefront API 2026-07)."""

import re
from collections.abc import Mapping, Sequence

from bff.schemas.cart import CartReason
from bff.vendors.shopify.carts import Cart, CartWarning

ABOUT_A_DISCOUNT = "DISCOUNT_"
# Any other is `other`, as those are that say nothing a shopper could act upon.
REASONS: Mapping[str, CartReason] = {
    "DISCOUNT_PURCHASE_NOT_IN_RANGE": "minimum_spend",
    "DISCOUNT_CURRENTLY_INACTIVE": "expired",
    "DISCOUNT_CUSTOMER_NOT_ELIGIBLE": "wrong_customer",
    "DISCOUNT_ELIGIBLE_CUSTOMER_MISSING": "wrong_customer",
}
# Shopify's word for a code that loses to another one, and for one that it simply does not honour.
NOT_HONOURED = "DISCOUNT_CODE_NOT_HONOURED"


def reason_of(code: str, cart: Cart, warnings: Sequence[CartWarning]) -> CartReason:
    """Why the cart does not honour this code. A warning does not say which code it is about: its words may, and where
    those do not help, only what all of them say is believed."""
    idle = [one.code for one in cart.codes if not one.applicable and not one.is_code(code)]
    about = [one for one in warnings if one.code.startswith(ABOUT_A_DISCOUNT)]
    ours = [one for one in about if _names(one, code)]
    nobodys = [one for one in about if not any(_names(one, other) for other in idle)]
    reasons = {_reason(one, cart) for one in ours or nobodys}
    return reasons.pop() if len(reasons) == 1 else "other"


def _reason(warning: CartWarning, cart: Cart) -> CartReason:
    if warning.code == NOT_HONOURED and any(one.applicable for one in cart.codes):
        return "not_combinable"
    return REASONS.get(warning.code, "other")


def _names(warning: CartWarning, code: str) -> bool:
    """Whether the code stands in its words, as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", warning.message, re.IGNORECASE) is not None
