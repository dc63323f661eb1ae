"""What happened to a member's points: transactions, coupons, referrals."""

from datetime import datetime
from urllib.parse import quote

from bff.schemas.base import Moment, Schema, amount, whole
from bff.vendors.okendo import replies


class Coupon(Schema, frozen=True):
    """A code that makes an order cheaper."""

    code: str
    apply_url: str
    description: str | None = None
    expires_at: Moment | None = None


def coupon_of(found: replies.Earned | replies.Transaction, apply_url: str) -> Coupon:
    """The coupon of something that has a code; `apply_url` has {code} in it."""
    return coupon(found.code or "", apply_url, found.description, found.expires_at)


def coupon(code: str, apply_url: str, description: str | None, expires_at: datetime | None) -> Coupon:
    address = apply_url.replace("{code}", quote(code, safe=""))
    return Coupon(code=code, apply_url=address, description=description, expires_at=expires_at)


def is_redemption(transaction: replies.Transaction) -> bool:
    """Whether points were spent: by its kind, or where the vendor does not say, by what was given for them."""
    kind = transaction.kind.casefold()
    given = transaction.code is not None or transaction.store_credit is not None
    return "redempt" in kind or "redeem" in kind or (not kind and given)


class Transaction(Schema, frozen=True):
    id: str
    kind: str
    description: str
    status: str
    points: int | None = None
    date: Moment | None = None
    coupon: Coupon | None = None
    store_credit: str | None = None


def transaction_of(transaction: replies.Transaction, apply_url: str) -> Transaction:
    """The sign of a redemption's points is not public, so it follows from the kind."""
    points = whole(transaction.points)
    if points is not None and is_redemption(transaction):
        points = -abs(points)
    credit = amount(transaction.store_credit)
    return Transaction(
        id=transaction.id,
        kind=transaction.kind or "other",
        description=transaction.text,
        status=transaction.status,
        points=points,
        date=transaction.date,
        coupon=coupon_of(transaction, apply_url) if transaction.code else None,
        store_credit=None if credit is None else f"{credit} {transaction.currency or ''}".strip(),
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
