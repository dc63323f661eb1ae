"""What something is worth: how much a reward or a coupon takes off, and what a way to earn gives."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self

from bff.schemas.base import Schema, described, whole
from bff.schemas.money import Money
from bff.vendors.okendo import replies

# Okendo's kinds of rewards (documented, for its Merchant API). What an unknown one is worth is not known either.
VALUES: Mapping[str | None, str] = {
    "fixed-value": "amount",
    "percentage-coupon": "percentage",
    "free-shipping": "shipping",
    "free-product": "product",
    "variable-value": "variable",
}
# How Okendo may call what it gives instead of points.
PAYS: Mapping[str | None, Literal["coupon", "store_credit"]] = {
    "coupon": "coupon",
    "store-credit": "store_credit",
    "store_credit": "store_credit",
    "storecredit": "store_credit",
}
BY_SPENDING = frozenset({"points-per-spend", "points-per"})
AT_ONCE = frozenset({"fixed-amount", "submit-review"})
# Finer rates are the noise of a binary fraction.
FINEST_RATE = 1000


class Value(Schema, frozen=True):
    """What it is worth at the checkout."""

    kind: Annotated[
        str,
        described(
            "`amount`: money off. `percentage`: a part of the price off. `shipping`: free shipping. `product`: a free "
            "product. `store_credit`: money for later. `variable`: the more points, the more. Other words may come"
        ),
    ]
    amount: Annotated[Money | None, described("How much, with `amount` and `store_credit`")] = None
    percentage: Annotated[float | None, described("How many per cent, with `percentage`: 10 is a tenth")] = None
    product: Annotated[str | None, described("Name of the product, with `product`, where the program tells")] = None

    @classmethod
    def of(
        cls,
        kind: str | None,
        amount: Decimal | None,
        currency: str | None,
        *,
        award: str | None = None,
        product: str | None = None,
    ) -> Self | None:
        """By Okendo's word for the kind, and for how it is awarded; None where that is not known. `amount` counts only
        where it is known of what."""
        meant = "store_credit" if PAYS.get(award) == "store_credit" else VALUES.get(kind)
        if meant is None:
            return None
        return cls(
            kind=meant,
            amount=Money.of(amount, currency) if meant in {"amount", "store_credit"} else None,
            percentage=_percentage(amount) if meant == "percentage" else None,
            product=product if meant == "product" else None,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(kind="amount", amount=Money(amount="5.00", currency_code="USD"))


def _percentage(amount: Decimal | None) -> float | None:
    return float(amount) if amount is not None and 0 <= amount <= 100 else None


class Gives(Schema, frozen=True):
    """What a way to earn gives."""

    kind: Annotated[
        Literal["points", "points_per_spend", "coupon", "store_credit"],
        described(
            "`points`: so many at once. `points_per_spend`: so many for every `spend`. The others say themselves"
        ),
    ]
    points: Annotated[int | None, described("How many, with the first two, where the program tells")] = None
    spend: Annotated[Money | None, described("For how much money `points` are, with `points_per_spend`")] = None
    maximum_points_per_order: Annotated[
        int | None,
        described("One order gives no more, with `points_per_spend`; absent where the program tells of no cap"),
    ] = None
    points_for_image: Annotated[int | None, described("For an image with the review")] = None
    points_for_video: Annotated[int | None, described("For a video with the review")] = None
    value: Annotated[Value | None, described("What the coupon is worth, with `coupon`, where the program tells")] = None
    store_credit: Annotated[Money | None, described("How much, with `store_credit`, where the program tells")] = None

    @classmethod
    def from_okendo(cls, rule: replies.EarningRule) -> Self | None:
        """None where Okendo does not say what is given."""
        pays = PAYS.get(rule.pays) or PAYS.get(rule.calculation)
        if pays == "coupon":
            return cls(kind=pays, value=Value.of(rule.value_kind, rule.value, rule.currency))
        if pays == "store_credit":
            return cls(kind=pays, store_credit=Money.of(rule.value, rule.currency))
        if rule.calculation in BY_SPENDING:
            points, spend = _rate(rule.points, rule.currency)
            cap = rule.cap_per_order if rule.cap_per_order is not None and rule.cap_per_order > 0 else None
            return cls(kind="points_per_spend", points=points, spend=spend, maximum_points_per_order=whole(cap))
        if rule.points is None and rule.calculation not in AT_ONCE:
            return None
        return cls(
            kind="points",
            points=whole(rule.points),
            points_for_image=whole(rule.points_for_image),
            points_for_video=whole(rule.points_for_video),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(kind="points", points=50)


def _rate(points: float | None, currency: str | None) -> tuple[int, Money] | tuple[None, None]:
    """Points for each unit of money as whole points for whole units: 1.25 for one are 5 for four. Nothing where one of
    them is not known, since neither says anything alone."""
    if points is None or points <= 0:
        return None, None
    rate = Fraction(points).limit_denominator(FINEST_RATE)
    spend = Money.of(Decimal(rate.denominator), currency)
    return (rate.numerator, spend) if spend is not None else (None, None)
