"""A coupon in the shopper's cart: whether it went in, and whether a reward's coupon would fit."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from bff.schemas.base import Schema, described
from bff.schemas.money import Money

CartReason = Literal["minimum_spend", "not_combinable", "expired", "wrong_customer", "cart_not_found", "other"]
REASONS = (
    "`minimum_spend`: the cart comes to too little. `not_combinable`: not together with another code that is in it. "
    "`expired`: the shop does not take it any more. `wrong_customer`: the cart, or the coupon, is another customer's. "
    "`cart_not_found`: this shop has no such cart. `other`: the shop does not say why, or could not be asked"
)
MISSING = "How much more the cart has to come to, with `minimum_spend` and where that is known"


class CartResult(Schema, frozen=True):
    """What became of putting a coupon into a cart. However it ended, the code is as good as before."""

    result: Annotated[
        Literal["applied", "already_applied", "not_applied"],
        described("`applied`: it counts in the cart now. `already_applied`: it did before. `not_applied`: it does not"),
    ]
    reason: Annotated[CartReason | None, described(f"Why not, with `not_applied`. {REASONS}")] = None
    missing: Annotated[Money | None, described(MISSING)] = None
    displaced: Annotated[
        list[str] | None,
        described("Codes that counted in the cart before and do not beside this one; they are in its list still"),
    ] = None

    @classmethod
    def refused(cls, reason: CartReason) -> Self:
        return cls(result="not_applied", reason=reason)

    @classmethod
    def example(cls) -> Self:
        return cls(result="applied")

    @classmethod
    def example_of_refusal(cls) -> Self:
        missing = Money(amount="12.50", currency_code="USD")
        return cls(result="not_applied", reason="minimum_spend", missing=missing)


class CartFit(Schema, frozen=True):
    """Whether a reward's coupon would count in a cart as it is, as far as the reward's terms are known."""

    fits: Annotated[bool, described("Whether it would")]
    reason: Annotated[
        Literal["minimum_spend", "other"] | None,
        described("Why not: `minimum_spend`, or `other`, such as an empty cart"),
    ] = None
    missing: Annotated[Money | None, described(MISSING)] = None

    @classmethod
    def of(cls, minimum: Money | None, subtotal: Money) -> Self | None:
        """None where the two amounts cannot be compared."""
        if minimum is not None:
            missing = missing_to(minimum, subtotal)
            if minimum.currency_code != subtotal.currency_code:
                return None
            if missing is not None:
                return cls(fits=False, reason="minimum_spend", missing=missing)
        return cls(fits=True) if subtotal.value > 0 else cls(fits=False, reason="other")

    @classmethod
    def example(cls) -> Self:
        missing = Money(amount="12.50", currency_code="USD")
        return cls(fits=False, reason="minimum_spend", missing=missing)


class CartReading(Schema, frozen=True):
    """Whether the cart that was asked about could be read."""

    state: Annotated[
        Literal["read", "not_found", "unreadable"],
        described(
            "`read`: rewards tell whether they fit, where that is known. `not_found`: this shop has no such cart. "
            "`unreadable`: it could not be asked; the rewards say nothing of it"
        ),
    ]

    @classmethod
    def example(cls) -> Self:
        return cls(state="read")


def missing_to(minimum: Money, subtotal: Money) -> Money | None:
    """How much is missing; None where nothing is, or where the two are of different currencies."""
    missing: Decimal = minimum.value - subtotal.value
    is_known = minimum.currency_code == subtotal.currency_code and missing > 0
    return Money.of(missing, minimum.currency_code) if is_known else None
