"""An operation of Okendo's as a row of data."""

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypedDict, TypeVar, get_args, get_origin

import msgspec

from bff.vendors.okendo.fields import Reply, fields_of

ReplyT = TypeVar("ReplyT")
ItemT = TypeVar("ItemT")
Label = Literal["documented", "inferred", "guessed"]
LOCALISED = {"country": "countryCode", "language": "languageCode", "currency": "currencyCode"}


class Locale(TypedDict, total=False):
    """How an answer is to be worded and priced, in the forms Okendo documents: "en", "us", "USD"."""

    language: str
    country: str
    currency: str


def written(locale: Locale) -> str | None:
    """Language and country as one language tag (BCP 47), such as "fr-CA"; None without a language."""
    language, country = locale.get("language"), locale.get("country", "").upper()
    return f"{language}-{country}".rstrip("-") if language else None


class Page(Reply, Generic[ItemT], frozen=True):
    """Some items of a list, and the token that asks for the next ones, None at the end; `is_cut` says that there are
    more which we cannot ask for, so that this is not the end."""

    items: list[ItemT]
    next: str | None = None
    is_cut: bool = False


class Operation(msgspec.Struct, Generic[ReplyT], frozen=True, kw_only=True):
    """One operation. An argument goes where `path` has {its name}, else where `sends` names it as the vendor does
    (query of a GET, JSON body otherwise), and is left out where neither does; `may_send` are those for which Okendo
    documents no name, so that only a correction gives them one; `ids` are those that are ids of ours, sent as its own;
    `envelope` lists where the answer may lie, "" being the whole body, and `next` where the token of a page's next one
    may lie; `names` corrects those that the fields of the reply declare, and is empty as shipped."""

    name: str
    method: str
    path: str
    label: Label
    reply: type[ReplyT]
    sends: Mapping[str, str] = {}
    may_send: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    envelope: tuple[str, ...] = ("",)
    names: Mapping[str, tuple[str, ...]] = {}
    next: tuple[str, ...] = ()

    @property
    def item(self) -> type[Reply]:
        """The type of the reply, or of one of its items where it is a list or a page."""
        reply: Any = self.reply
        item: type[Reply] = get_args(reply)[0] if get_origin(reply) else reply
        return item

    def names_of_fields(self) -> dict[str, tuple[str, ...]]:
        """Every field of the reply, or of an item, with the names that it may come under, as corrected."""
        return {field.name: field.names for field in fields_of(self.item)} | dict(self.names)


class Public(Operation[ReplyT], frozen=True, kw_only=True):
    """A row whose answer is the same for everyone, so that it may be kept and shared."""


class ForStore(Operation[ReplyT], frozen=True, kw_only=True):
    """A row that needs no member's JWT either, but answers about whoever is named in it: never kept, never shared."""


class ForMember(Operation[ReplyT], frozen=True, kw_only=True):
    """A row that needs a member's JWT; its answer belongs to that member alone."""


class ForMerchant(Operation[ReplyT], frozen=True, kw_only=True):
    """A row of the Merchant API, which takes the merchant's own key and no member's token. Its path is below
    `/enterprise`. https://docs.okendo.io/merchant-rest-api"""
