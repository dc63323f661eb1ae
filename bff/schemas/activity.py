"""What happened to a member's points: transactions, coupons, referrals."""

from datetime import UTC, datetime
from typing import Annotated, Self
from urllib.parse import quote

from bff.schemas.base import Moment, Schema, StoreCredit, described, store_credit, whole
from bff.vendors.okendo import replies

Next = Annotated[str | None, described("`cursor` of the older ones; null at the end")]


class Coupon(Schema, frozen=True):
    """A code that makes an order cheaper."""

    code: Annotated[str, described("What the shopper enters at the checkout")]
    apply_url: Annotated[str, described("Puts the code into the cart: send the shopper there")]
    description: Annotated[str | None, described("What it is worth, in words")] = None
    expires_at: Annotated[Moment | None, described("When it ends, where the program tells")] = None

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
    def example(cls) -> Self:
        return cls(
            code="LOYAL-7KQ2M",
            apply_url="https://shop.example.com/discount/LOYAL-7KQ2M?redirect=/",
            description="$5 off your order",
            expires_at=datetime(2026, 6, 1, 12, tzinfo=UTC),
        )


def apply_url_of(code: str, apply_url: str) -> str:
    """The address that puts this code into the cart; `apply_url` has {code} in it."""
    return apply_url.replace("{code}", quote(code, safe=""))


class Transaction(Schema, frozen=True):
    id: Annotated[str, described("Names this line")]
    kind: Annotated[str, described("The program's word for what happened, such as `earning`; other words may come")]
    description: Annotated[str, described("What happened, in words")]
    status: Annotated[str, described("The program's word for how far it is, such as `complete`; other words may come")]
    points: Annotated[int | None, described("What the balance gained or, below zero, lost")] = None
    date: Annotated[Moment | None, described("When it happened")] = None
    coupon: Annotated[Coupon | None, described("The one that came of it")] = None
    store_credit: StoreCredit = None

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
            date=transaction.date,
            coupon=Coupon.from_okendo(transaction, apply_url) if transaction.code else None,
            store_credit=store_credit(transaction.store_credit, transaction.currency),
        )

    @classmethod
    def example(cls) -> Self:
        return cls(
            id="8c0d7a11-52f3-4b6e-9d10-6a7b8c9d0e1f",
            kind="earning",
            description="Follow us",
            status="complete",
            points=50,
            date=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        )


class Wallet(Schema, frozen=True):
    coupons: Annotated[list[Coupon], described("Newest first; those that have expired are left out")]

    @classmethod
    def example(cls) -> Self:
        return cls(coupons=[Coupon.example()])


class Activity(Schema, frozen=True, omit_defaults=False):
    activity: Annotated[list[Transaction], described("Newest first")]
    next: Next

    @classmethod
    def example(cls) -> Self:
        return cls(activity=[Transaction.example()], next=None)


class Referral(Schema, frozen=True):
    status: Annotated[str, described("The program's word for how far it is, such as `pending`; other words may come")]
    date: Annotated[Moment | None, described("When the friend was invited")] = None

    @classmethod
    def example(cls) -> Self:
        return cls(status="pending", date=datetime(2026, 3, 2, 18, 5, tzinfo=UTC))


class Referrals(Schema, frozen=True):
    referrals: Annotated[list[Referral], described("Newest first")]
    next: Next
    count: Annotated[int | None, described("How many there are, on all pages")] = None
    url: Annotated[str | None, described("The member's own link for friends")] = None

    @classmethod
    def example(cls) -> Self:
        return cls(referrals=[Referral.example()], next=None, count=1, url="https://shop.example.com/refer/ab12cd34")
