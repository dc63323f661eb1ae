"""What happened to a member's points: transactions, coupons, referrals."""

from typing import Self
from urllib.parse import quote

from bff.schemas.base import Moment, Schema, store_credit, whole
from bff.vendors.okendo import replies


class Coupon(Schema, frozen=True):
    """A code that makes an order cheaper."""

    code: str
    apply_url: str
    description: str | None = None
    expires_at: Moment | None = None

    @classmethod
    def from_okendo(cls, payout: replies.Payout, apply_url: str) -> Self:
        """The coupon of a payout that has a code; `apply_url` has {code} in it."""
        return cls(
            code=payout.code or "",
            apply_url=apply_url_of(payout.code or "", apply_url),
            description=payout.description,
            expires_at=payout.expires_at,
        )


def apply_url_of(code: str, apply_url: str) -> str:
    """The address that puts this code into the cart; `apply_url` has {code} in it."""
    return apply_url.replace("{code}", quote(code, safe=""))


class Transaction(Schema, frozen=True):
    id: str
    kind: str
    description: str
    status: str
    points: int | None = None
    date: Moment | None = None
    coupon: Coupon | None = None
    store_credit: str | None = None

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


class Wallet(Schema, frozen=True):
    coupons: list[Coupon]


class Activity(Schema, frozen=True, omit_defaults=False):
    activity: list[Transaction]
    next: str | None


class Referral(Schema, frozen=True):
    status: str
    date: Moment | None = None


class Referrals(Schema, frozen=True):
    referrals: list[Referral]
    next: str | None
    count: int | None = None
    url: str | None = None
