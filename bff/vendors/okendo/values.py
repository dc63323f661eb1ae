"""How a value of Okendo's is read as a field wants it: what of that depends on the field alone is decided once for each
field, and for most values the type says the rest."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from bff.vendors.amounts import currency_of, decimal_of
from bff.vendors.okendo.bounds import LARGEST_NUMBER, UNUSABLE, bounded, number_bounds, text_bounds
from bff.vendors.okendo.fields import ReadAs, ReplyField, plain_types, words_of
from bff.vendors.okendo.ids import url_safe
from bff.vendors.timestamps import parse_timestamp

# The value as a field wants it, UNUSABLE when it is none.
ReadValue = Callable[[Any], Any]


class ValueReader(NamedTuple):
    """How values of these very types are read, and how all others are."""

    by_type: Mapping[type, ReadValue]
    otherwise: ReadValue


def values_of(field: ReplyField) -> ValueReader:
    """How a value of this field is read."""
    if special := SPECIAL.get(field.read_as):
        return special
    read_as, convert = field.read_as, converter(field.type)

    def otherwise(value: Any) -> Any:
        if read_as is ReadAs.WORD and isinstance(value, str):
            value = value.strip().casefold()
        usable = convert(value)
        return usable if usable is UNUSABLE else bounded(usable, read_as)

    return ValueReader(_by_type(field, otherwise), otherwise)


def _by_type(field: ReplyField, otherwise: ReadValue) -> dict[type, ReadValue]:
    """The same as `otherwise` for types that need no conversion, or nearly none."""
    plain, words = plain_types(field.type), words_of(field.type)
    number = number_bounds(field.read_as)
    readers: dict[type, ReadValue] = {int: number, float: number, bool: _as_it_is}
    readers[str] = _word if field.read_as is ReadAs.WORD else text_bounds(field.read_as)
    known = {kind: read for kind, read in readers.items() if kind in plain}
    if float in plain and int not in plain:
        known[int] = lambda value: float(value) if -LARGEST_NUMBER <= value <= LARGEST_NUMBER else otherwise(value)
    if words and field.read_as is ReadAs.WORD:
        known[str] = lambda value: word if (word := value.strip().casefold()) in words else otherwise(value)
    return known


def converter(kind: Any) -> ReadValue:
    """Converts to a type leniently: msgspec looks into a type at each call, into a struct's once."""
    holder = msgspec.defstruct("Holder", [("value", kind)])

    def convert(value: Any) -> Any:
        try:
            return msgspec.convert({"value": value}, holder, strict=False).value  # type: ignore[attr-defined]
        except msgspec.ValidationError:
            return UNUSABLE

    return convert


def _as_it_is(value: Any) -> Any:
    return value


def _unusable(_: Any) -> Any:
    return UNUSABLE


_line = text_bounds(None)


def _word(text: str) -> Any:
    return _line(text.strip().casefold())


def _id(text: str) -> Any:
    return url_safe(text) or UNUSABLE


def _amount(value: Any) -> Any:
    return UNUSABLE if (amount := decimal_of(value)) is None else amount


# Kinds of fields that are read in the same way whatever their type is besides.
SPECIAL: Mapping[ReadAs | None, ValueReader] = {
    ReadAs.ID: ValueReader({str: _id, int: lambda value: _id(str(value))}, _unusable),
    ReadAs.TIME: ValueReader({}, lambda value: parse_timestamp(value, is_end=False) or UNUSABLE),
    ReadAs.EXPIRY: ValueReader({}, lambda value: parse_timestamp(value, is_end=True) or UNUSABLE),
    ReadAs.AMOUNT: ValueReader({}, _amount),
    ReadAs.CURRENCY: ValueReader({}, lambda value: currency_of(value) or UNUSABLE),
}
