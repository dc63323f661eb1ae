"""How a field of a reply is declared: beside its type stand the names under which Okendo may send it."""

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import msgspec


class ReadAs(Enum):
    """How a value is read, where its type alone does not say."""

    ID = "a text for us, but the vendor may write a number"
    TEXT = "shown as it is, so whatever HTML a merchant's editor left in it is taken off"
    WORD = "one of the vendor's own words, which it capitalises in places"
    TIME = "a day alone is its beginning"
    EXPIRY = "a day alone lasts until its end"


Id = Annotated[str, ReadAs.ID]
Text = Annotated[str, ReadAs.TEXT]
Word = Annotated[str, ReadAs.WORD]
Time = Annotated[datetime, ReadAs.TIME]
Expiry = Annotated[datetime, ReadAs.EXPIRY]


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


def _metadata(hint: Any) -> Iterator[Any]:
    """What stands in `Annotated`, at any depth."""
    yield from getattr(hint, "__metadata__", ())
    for inner in get_args(hint):
        yield from _metadata(inner)
