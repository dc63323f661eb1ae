"""Redemptions, and what a completed way to earn paid."""

from typing import Annotated, Literal, Self

import msgspec

from bff.schemas.activity import Coupon
from bff.schemas.base import Schema, described
from bff.schemas.cart import CartResult
from bff.schemas.member import Member
from bff.schemas.money import Money
from bff.schemas.program import Reward


class RedeemedReward(Schema, frozen=True):
    id: Annotated[str, described("As in the list of rewards")]
    name: Annotated[str, described("What it was called then")]

    @classmethod
    def example(cls) -> Self:
        reward = Reward.example()
        return cls(id=reward.id, name=reward.name)


class Result(Schema, frozen=True):
    """What a completed way to earn paid: points, a coupon, or store credit. How much, or which coupon, is absent where
    the program did not say; the member's activity has it."""

    kind: Annotated[Literal["points", "coupon", "store_credit"], described("What was paid")]
    points: Annotated[int | None, described("How many, where the program told")] = None
    coupon: Annotated[Coupon | None, described("Which one, where the program told")] = None
    store_credit: Annotated[Money | None, described("How much of it, where the program told")] = None


class Completion(Schema, frozen=True):
    result: Annotated[Result, described("What it paid")]
    member: Annotated[Member, described("The member as they are now")]

    @classmethod
    def example(cls) -> Self:
        return cls(result=Result(kind="points", points=50), member=Member.example())


class Redemption(Schema, frozen=True):
    """A reward that was asked for under one key, and what came of it."""

    key: Annotated[str, described("The `Idempotency-Key` it was redeemed under")]
    state: Annotated[
        Literal["working", "succeeded", "failed", "unknown"],
        described(
            "`working`: on its way. `unknown`: it may have worked, so it must not be redeemed again; quote the "
            "reference. The other two are final"
        ),
    ]
    reward: Annotated[RedeemedReward, described("What was redeemed")]
    points: Annotated[int, described("What it costs")]
    coupon: Annotated[Coupon | None, described("What was given, unless it was store credit")] = None
    store_credit: Annotated[Money | None, described("How much of it, where the program told")] = None
    support_reference: Annotated[str | None, described("What the shopper quotes when they write to the shop")] = None
    reason: Annotated[str | None, described("The `code` of the problem, when it failed")] = None
    cart: Annotated[
        CartResult | None, described("With `cartId` and a code: what became of putting that into the cart, just now")
    ] = None

    @classmethod
    def example(cls) -> Self:
        return cls(
            key="0b6c2f9e-3d51-4c0e-8a27-5e9f1d7c4b83",
            state="succeeded",
            reward=RedeemedReward.example(),
            points=500,
            coupon=Coupon.example(),
        )

    @classmethod
    def example_of_unknown(cls) -> Self:
        return msgspec.structs.replace(cls.example(), state="unknown", coupon=None, support_reference="R-7KQ2MX9B")
