"""Accounts at other retailers, and the points from there."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from bff.schemas.base import Moment, Schema, described
from bff.schemas.money import Money


class Retailer(Schema, frozen=True):
    id: Annotated[str, described("Names it when it is linked")]
    name: Annotated[str, described("What to call it")]

    @classmethod
    def example(cls) -> Self:
        return cls(id="walmart", name="Walmart")


class LinkedAccount(Schema, frozen=True):
    id: Annotated[str, described("Names the account when it is unlinked or signed in to again")]
    retailer: Annotated[Retailer, described("Where it is")]
    state: Annotated[
        Literal["initialized", "active", "unauthenticated", "disconnected"],
        described(
            "`active`: purchases are collected. `initialized`: signing in there was not finished. "
            "`unauthenticated`: the shopper has to sign in there again. `disconnected`: it was unlinked"
        ),
    ]

    @classmethod
    def example(cls) -> Self:
        return cls(id="01HZX3K7B2M9QW4T6V8Y0A1C3E", retailer=Retailer.example(), state="active")


class RetailAward(Schema, frozen=True):
    event: Annotated[Literal["account.linked", "purchase.created"], described("What is rewarded")]
    name: Annotated[str, described("The same in words")]
    retailer: Annotated[Retailer, described("Where it happened")]
    state: Annotated[
        Literal["working", "given"],
        described("`working`: the points are on their way. `given`: they are there"),
    ]
    created_at: Annotated[Moment, described("When this service heard of it")]
    points: Annotated[int | None, described("How many, once somebody has told")] = None
    spend: Annotated[Money | None, described("What was spent")] = None

    @classmethod
    def example(cls) -> Self:
        return cls(
            event="purchase.created",
            name="Purchases at Walmart",
            retailer=Retailer.example(),
            state="given",
            created_at=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
            points=85,
            spend=Money(amount="42.50", currency_code="USD"),
        )


class Retailers(Schema, frozen=True):
    retailers: Annotated[list[LinkedAccount], described("The member's accounts")]
    awards: Annotated[list[RetailAward], described("The latest, newest first")]
    available: Annotated[
        list[Retailer] | None,
        described("Those that can be linked and earn something; absent when the shopper may choose any"),
    ] = None

    @classmethod
    def example(cls) -> Self:
        return cls(retailers=[LinkedAccount.example()], awards=[RetailAward.example()])


class LinkAddress(Schema, frozen=True):
    link_url: Annotated[str, described("Send the browser there, and tell nobody else")]

    @classmethod
    def example(cls) -> Self:
        return cls(link_url="https://link.subtotal.example/tWGE4TJM")
