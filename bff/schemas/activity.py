"""What happened to a member's points: transactions, coupons, referrals."""

from datetime import UTC, datetime
from typing import Annotated, Self
from urllib.parse import quote

import msgspec

from bff.schemas.base import Moment, Schema, described, whole
from bff.schemas.money import Money
from bff.schemas.worth import Value
from bff.vendors.okendo import replies

COMPLETE = "With coupons: false when the history was too long to look for older ones, which may still be good"
Next = Annotated[str | None, described("`cursor` of the older ones; null at the end")]


class Coupon(Schema, frozen=True):
    """A code that makes an order cheaper."""

    code: Annotated[str, described("What the shopper enters at the checkout")]
    apply_url: Annotated[str, described("Puts the code into the cart: send the shopper there")]
    description: Annotated[str | None, described("What it is worth, in words")] = None
    expires_at: Annotated[Moment | None, described("When it ends, where the program tells")] = None
    reward_id: Annotated[str | None, described("`id` of the reward it came of")] = None
    value: Annotated[Value | None, described("What it is worth, where the program tells")] = None
    minimum_spend: Annotated[Money | None, described("What an order has to come to, where the program tells")] = None
    used: Annotated[bool | None, described("Whether it was used, where the program tells")] = None

    @classmethod
    def from_okendo(cls, payout: replies.Payout, apply_url: str) -> Self:
        """The coupon of a payout that has a code; `apply_url` has {code} in it."""
        return cls(
            code=payout.code or "",
            apply_url=apply_url_of(payout.code or "", apply_url),
            description=payout.description,
            expires_at=payout.expires_at,
        )

    @classmethod
    def of_transaction(cls, transaction: replies.Transaction, apply_url: str) -> Self:
        """The same with what only the history tells."""
        return msgspec.structs.replace(
            cls.from_okendo(transaction, apply_url),
            reward_id=transaction.reward,
            value=Value.of(transaction.value_kind, transaction.value, transaction.value_currency),
            minimum_spend=Money.of(transaction.minimum_spend, transaction.value_currency),
            used=transaction.is_used,
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            code="LOYAL-7KQ2M",
            apply_url="https://shop.example.com/discount/LOYAL-7KQ2M?redirect=/",
            description="$5 off your order",
            expires_at=datetime(2026, 6, 1, 12, tzinfo=UTC),
            reward_id="9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01",
        )


def apply_url_at(storefront: str, template: str) -> str:
    """The address that puts a code into this storefront's cart, with {code} still in it; `template` has {storefront} in
    it, unless it names a shop of its own."""
    return template.replace("{storefront}", storefront)


def apply_url_of(code: str, apply_url: str) -> str:
    """The address that puts this code into the cart; `apply_url` has {code} in it."""
    return apply_url.replace("{code}", quote(code, safe=""))


class Transaction(Schema, frozen=True):
    id: Annotated[str, described("Names this line")]
    kind: Annotated[str, described("The program's word for what happened, such as `earning`; other words may come")]
    description: Annotated[str, described("What happened, in words")]
    status: Annotated[
        str | None,
        described("The program's word for how far it is, such as `complete`; other words may come"),
    ] = None
    points: Annotated[int | None, described("What the balance gained or, below zero, lost")] = None
    created_at: Annotated[Moment | None, described("When it happened")] = None
    coupon: Annotated[Coupon | None, described("The one that came of it")] = None
    store_credit: Annotated[Money | None, described("How much of it came of it")] = None

    @classmethod
    def from_okendo(cls, transaction: replies.Transaction, apply_url: str) -> Self:
        """The sign of a redemption's points is not public, so it follows from the kind."""
        points = whole(transaction.points)
        if points is not None and transaction.is_redemption:
            points = -abs(points)
        return cls(
            id=transaction.id,
            kind=transaction.kind or "other",
            description=transaction.text,
            status=transaction.status,
            points=points,
            created_at=transaction.date,
            coupon=Coupon.of_transaction(transaction, apply_url) if transaction.code else None,
            store_credit=Money.of(transaction.store_credit, transaction.currency),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="8c0d7a11-52f3-4b6e-9d10-6a7b8c9d0e1f",
            kind="earning",
            description="Follow us",
            status="complete",
            points=50,
            created_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        )


class Wallet(Schema, frozen=True):
    coupons: Annotated[list[Coupon], described("Newest first; those that have expired are left out")]
    # Without a default, so that it is always told.
    complete: Annotated[bool, described(COMPLETE)]

    @classmethod
    def example(cls) -> Self:
        return cls(coupons=[Coupon.example()], complete=True)


class Activity(Schema, frozen=True, omit_defaults=False):
    activity: Annotated[list[Transaction], described("Newest first")]
    next: Next

    @classmethod
    def example(cls) -> Self:
        return cls(activity=[Transaction.example()], next=None)


class Referral(Schema, frozen=True):
    status: Annotated[
        str | None,
        described("The program's word for how far it is, such as `pending`; other words may come"),
    ] = None
    created_at: Annotated[Moment | None, described("When the friend was invited")] = None

    @classmethod
    def example(cls) -> Self:
        return cls(status="pending", created_at=datetime(2026, 3, 2, 18, 5, tzinfo=UTC))


class Referrals(Schema, frozen=True):
    referrals: Annotated[list[Referral], described("Newest first")]
    next: Next
    count: Annotated[int | None, described("How many there are, on all pages")] = None
    url: Annotated[str | None, described("The member's own link for friends")] = None

    @classmethod
    def example(cls) -> Self:
        return cls(referrals=[Referral.example()], next=None, count=1, url="https://shop.example.com/refer/ab12cd34")
