"""An operation of Okendo's as a row of data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Generic, Literal, TypedDict, TypeVar

import msgspec

ReplyT = TypeVar("ReplyT")
ItemT = TypeVar("ItemT")
Label = Literal["documented", "inferred", "guessed"]
Names = Mapping[str, tuple[str, ...]]
# Text for us; a vendor may write a number.
Id = Annotated[str, "id"]
# Words to be shown as they are: whatever HTML a merchant's editor left in them is not part of them.
Text = Annotated[str, "text"]
# A day alone lasts until its end; any other time that is a day alone is its beginning.
Expiry = Annotated[datetime, "end"]
LOCALISED = {"country": "countryCode", "language": "languageCode", "currency": "currencyCode"}


class Locale(TypedDict, total=False):
    """How rewards are to be worded and priced, in the forms Okendo documents: "en", "us", "USD"."""

    language: str
    country: str
    currency: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What we keep of a vendor's object; a field without default is one we cannot do without."""


class Page(Reply, Generic[ItemT], frozen=True):
    """Some items of a list, and the token that asks for the next ones, None at the end."""

    items: list[ItemT]
    next: str | None = None


class Operation(msgspec.Struct, Generic[ReplyT], frozen=True, kw_only=True):
    """One operation. An argument goes where `path` has {its name}, else where `sends` names it as the vendor does
    (query of a GET, JSON body otherwise);
    `envelope` lists where the answer may lie, "" being the whole body; `names` lists aliases of each field as
    dotted paths inside it, and `next` where the token of a page's next one may lie."""

    name: str
    method: str
    path: str
    label: Label
    reply: type[ReplyT]
    sends: Mapping[str, str] = {}
    envelope: tuple[str, ...] = ("",)
    names: Names = {}
    next: tuple[str, ...] = ()


class Public(Operation[ReplyT], frozen=True, kw_only=True):
    """A row whose answer is the same for everyone, so that it may be kept and shared."""


class ForStore(Operation[ReplyT], frozen=True, kw_only=True):
    """A row that needs no member's JWT either, but answers about whoever is named in it: never kept, never shared."""


class ForMember(Operation[ReplyT], frozen=True, kw_only=True):
    """A row that needs a member's JWT; its answer belongs to that member alone."""


class ForMerchant(Operation[ReplyT], frozen=True, kw_only=True):
    """A row of the Merchant API, which takes the merchant's own key and no member's token. Its path is below
    `/enterprise`. https://docs.okendo.io/merchant-rest-api"""
