"""Accounts at other retailers, and the points from there."""

from typing import Literal

import msgspec

from bff.schemas.base import Moment, Schema


class Retailer(Schema, frozen=True):
    id: str
    name: str


class LinkedAccount(Schema, frozen=True):
    id: str
    retailer: Retailer
    state: Literal["initialized", "active", "unauthenticated", "disconnected"]


class RetailAward(Schema, frozen=True):
    event: Literal["account.linked", "purchase.created"]
    name: str
    retailer: Retailer
    state: Literal["working", "given"]
    date: Moment
    points: int | None = None
    spend: str | None = None


class Retailers(Schema, frozen=True):
    retailers: list[LinkedAccount]
    available: list[Retailer] | None = None
    awards: list[RetailAward] = msgspec.field(default_factory=list)


class LinkAddress(Schema, frozen=True):
    link_url: str
