"""Accounts at other retailers, and the points from there."""

from typing import Literal

import msgspec

from bff.schemas.base import Moment, Shown


class Retailer(Shown, frozen=True):
    id: str
    name: str


class LinkedAccount(Shown, frozen=True):
    id: str
    retailer: Retailer
    state: Literal["initialized", "active", "unauthenticated", "disconnected"]


class RetailAward(Shown, frozen=True):
    event: Literal["account.linked", "purchase.created"]
    name: str
    retailer: Retailer
    state: Literal["working", "given"]
    date: Moment
    points: int | None = None
    spend: str | None = None


class Retailers(Shown, frozen=True):
    retailers: list[LinkedAccount]
    available: list[Retailer] | None = None
    awards: list[RetailAward] = msgspec.field(default_factory=list)


class LinkAddress(Shown, frozen=True):
    link_url: str
