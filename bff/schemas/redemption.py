"""Redemptions, and what a completed way to earn paid."""

from typing import Literal

from bff.schemas.activity import Coupon
from bff.schemas.base import Schema
from bff.schemas.member import Member


class RedeemedReward(Schema, frozen=True):
    id: str
    name: str


class Result(Schema, frozen=True):
    """What a completed way to earn paid: points, a coupon, or store credit. How much, or which coupon, is absent where
    the program did not say; the member's activity has it."""

    kind: Literal["points", "coupon", "store_credit"]
    points: int | None = None
    coupon: Coupon | None = None
    store_credit: str | None = None


class Completion(Schema, frozen=True):
    result: Result
    member: Member


class Redemption(Schema, frozen=True):
    """A reward that was asked for under one key, and what came of it."""

    key: str
    state: Literal["working", "succeeded", "failed", "unknown"]
    reward: RedeemedReward
    points: int
    coupon: Coupon | None = None
    store_credit: str | None = None
    support_reference: str | None = None
    reason: str | None = None
