"""How a field of a reply is declared: beside its type stand the names under which Okendo may send it."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec


class ReadAs(Enum):
    """How a value is read, where its type alone does not say."""

    ID = "a text for us, fit for an address; the vendor may write a number, or what is fit for none"
    TEXT = "shown as it is, so whatever HTML a merchant's editor left in it is taken off"
    WORD = "one of the vendor's own words, which it capitalises in places"
    EXACT = "goes back to the vendor as it came, so that it is taken as it is or not at all"
    HTML = "sanitised where it is shown, and longer than other texts"
    TIME = "a day alone is its beginning"
    EXPIRY = "a day alone lasts until its end"
    AMOUNT = "money, or a number of something else, to the last digit; the vendor may write a text"
    CURRENCY = "ISO 4217; where the vendor tells none, the one that was asked for, else the shop's"


Id = Annotated[str, ReadAs.ID]
Text = Annotated[str, ReadAs.TEXT]
Word = Annotated[str, ReadAs.WORD]
Html = Annotated[str, ReadAs.HTML]
Time = Annotated[datetime, ReadAs.TIME]
Expiry = Annotated[datetime, ReadAs.EXPIRY]
Amount = Annotated[Decimal, ReadAs.AMOUNT]
Currency = Annotated[str, ReadAs.CURRENCY]


class Names:
    """The dotted paths at which a field may lie in its object, such as `Names("reward.points", "points")`. The first
    that holds something usable counts."""

    def __init__(self, *paths: str) -> None:
        self.paths = paths


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What we keep of a vendor's object; a field without default is one we cannot do without."""


class ReplyField(NamedTuple):
    """A field of a reply as it was declared; `names` are dotted paths."""

    name: str
    type: Any
    names: tuple[str, ...]
    read_as: ReadAs | None
    is_required: bool


@cache
def fields_of(reply: type[Reply]) -> tuple[ReplyField, ...]:
    """All fields of a reply, in their order."""
    hints = get_type_hints(reply, include_extras=True)
    return tuple(_field(field, hints[field.name]) for field in msgspec.structs.fields(reply))


def _field(field: msgspec.structs.FieldInfo, hint: Any) -> ReplyField:
    declared = list(_metadata(hint))
    names = next((one.paths for one in declared if isinstance(one, Names)), ())
    read_as = next((one for one in declared if isinstance(one, ReadAs)), None)
    return ReplyField(field.name, hint, names, read_as, field.required)


def plain_types(hint: Any) -> frozenset[type]:
    """The types of which any value is fit for this one as it is; not those of which it says more."""
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *said = get_args(hint)
        return frozenset() if any(isinstance(one, msgspec.Meta) for one in said) else plain_types(inner)
    if origin in {Union, UnionType}:
        return frozenset().union(*map(plain_types, get_args(hint)))
    return frozenset({hint}) if hint in {str, int, float, bool} else frozenset()


def words_of(hint: Any) -> frozenset[str]:
    """The words of which this type admits each as it is."""
    if get_origin(hint) is Literal:
        return frozenset(get_args(hint))
    return frozenset().union(*map(words_of, get_args(hint))) if get_origin(hint) else frozenset()


def _metadata(hint: Any) -> Iterator[Any]:
    """What stands in `Annotated`, at any depth."""
    yield from getattr(hint, "__metadata__", ())
    for inner in get_args(hint):
        yield from _metadata(inner)
