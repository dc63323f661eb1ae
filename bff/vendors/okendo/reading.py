"""Reading what Okendo answers, tolerantly, since most of its field names are not public.

Any declared name will do, unknown fields are dropped, unusable optional ones are left out. Only a missing field that we
cannot do without is a failure. What a row wants is worked out once, not for each answer.
"""

import re
from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Any, Generic, NamedTuple, get_origin
from urllib.parse import parse_qs

import structlog

from bff.errors import Unreadable
from bff.telemetry.metrics import count_unreadable
from bff.vendors.okendo.bounds import UNUSABLE
from bff.vendors.okendo.fields import ReadAs, fields_of
from bff.vendors.okendo.places import at, find, gather, path_of, places_of
from bff.vendors.okendo.row import Operation, Page, ReplyT
from bff.vendors.okendo.values import ValueReader, values_of

# Of what an unreadable answer holds, so much is told: it is the vendor's text, and the log is for people.
NAME = re.compile(r"[A-Za-z][\w.]{0,60}", re.ASCII)
MOST_NAMES = 40
# For so many sets of paths at which something lies, the fields that can be read there are kept at hand.
SHAPES = 64
log = structlog.get_logger("okendo")


class FieldReader(NamedTuple):
    """Under which paths one field may lie, and how it is read there."""

    name: str
    paths: tuple[str, ...]
    values: ValueReader
    is_required: bool

    def among(self, paths: Container[str]) -> "FieldReader":
        """The same where there is something at these paths alone."""
        return self._replace(paths=tuple(path for path in self.paths if path in paths))

    def is_in(self, there: Mapping[str, Any]) -> bool:
        """Whether something usable is there."""
        by_type, otherwise = self.values
        values = [there[path] for path in self.paths if path in there]
        return any(by_type.get(type(value), otherwise)(value) is not UNUSABLE for value in values)


class ReplyReader(Generic[ReplyT]):
    """Reads the answers to one operation."""

    def __init__(self, row: Operation[ReplyT]) -> None:
        names = row.names_of_fields()
        self._row = row
        self._item = row.item
        self._shape = get_origin(row.reply)
        self._envelope = tuple(map(path_of, row.envelope))
        self._fields = tuple(
            FieldReader(field.name, names[field.name], values_of(field), field.is_required)
            for field in fields_of(row.item)
        )
        self._places = places_of(path for field in self._fields for path in field.paths)
        self._fields_among = lru_cache(SHAPES)(self._among)
        self._currencies = [field.name for field in fields_of(row.item) if field.read_as is ReadAs.CURRENCY]
        # The fields that some answer had, for whoever asks which names are right.
        self.found = set[str]()
        # Whether anything is read of the answer, besides that it succeeded.
        self.has_fields = bool(self._fields)

    def read(self, body: Any, currency: str | None = None) -> ReplyT:
        """The row's reply in a body; `currency` is that of amounts of which it tells none.

        Raises UpstreamFailed when it lacks something we cannot do without; inside a list such an item is left out,
        unless that leaves none.
        """
        if self._shape is None:
            return self._row.reply(**self._in_currency(self._fields_in_envelope(body), currency))
        items = self._items(body, currency)
        # mypy cannot see that the reply is one of these two here.
        return self._page(items, body) if self._shape is Page else items  # type: ignore[return-value]

    def _fields_in_envelope(self, body: Any) -> dict[str, Any]:
        """The fields in the first envelope that has all we cannot do without."""
        if not self.has_fields:
            return {}
        for where in self._envelope:
            found = at(body, where)
            if isinstance(found, dict) and (fields := self._read_fields(found)) is not None:
                return fields
        raise self._unreadable("lacks what it must have", body, *(at(body, where) for where in self._envelope))

    def _in_currency(self, fields: dict[str, Any], currency: str | None) -> dict[str, Any]:
        if currency is not None:
            for name in self._currencies:
                fields.setdefault(name, currency)
        return fields

    def _items(self, body: Any, currency: str | None) -> list[Any]:
        places = (at(body, where) for where in self._envelope)
        found = next((value for value in places if isinstance(value, list)), None)
        if found is None:
            raise self._unreadable("holds no list", body)
        kept = [
            self._item(**self._in_currency(fields, currency))
            for item in found
            if (fields := self._read_fields(item)) is not None
        ]
        if found and not kept:
            # That the program has nothing to offer would be a lie, and would take the place of the last good copy.
            raise self._unreadable("holds nothing that can be read", found[0], found[0])
        return kept

    def _unreadable(self, why: str, found: Any, *places: Any) -> Unreadable:
        """Says which of the fields that we cannot do without is in none of these places, and the names, not the values,
        that were found."""
        required = [field for field in self._fields if field.is_required]
        gathered = [gather(self._places, place) for place in places]
        lacking = [one.name for one in required if not any(map(one.is_in, gathered))]
        missing, there = ", ".join(lacking) if places else "the list", ", ".join(names_in(found)) or "nothing"
        log.error("reply_unreadable", vendor="okendo", operation=self._row.name, what=missing, where=there)
        count_unreadable("okendo", self._row.name)
        return Unreadable(f"Okendo's {self._row.name} answer {why}: {missing}. It has {there}.", sent=True)

    def _page(self, items: list[Any], body: Any) -> Page[Any]:
        """One page; where what names the next one gives no token for it, the list goes on out of our reach."""
        given = next(filter(None, (find(body, where) for where in self._row.next)), None)
        token = self._token(given) if isinstance(given, str) else None
        is_cut = given is not None and token is None
        if is_cut:
            there = ", ".join(names_in(body)) or "nothing"
            log.error("reply_unreadable", vendor="okendo", operation=self._row.name, what="the next page", where=there)
            count_unreadable("okendo", self._row.name)
        return Page(items=items, next=token, is_cut=is_cut)

    def _token(self, given: str) -> str | None:
        """The token that asks for the next page: as it is, or in the address of that page, which is not followed."""
        _, is_address, query = given.partition("?")
        if not is_address:
            return given
        return parse_qs(query.partition("#")[0]).get(self._row.sends.get("cursor", ""), [None])[0]

    def _read_fields(self, found: Any) -> dict[str, Any] | None:
        """The fields of one object under our names; None when a required one is missing or unusable."""
        fields = {}
        there = gather(self._places, found)
        # Nearly all of a list's objects have something at the same paths.
        for name, paths, (by_type, otherwise), is_required in self._fields_among(frozenset(there)):
            for path in paths:
                value = there[path]
                usable = by_type.get(type(value), otherwise)(value)
                if usable is not UNUSABLE:
                    fields[name] = usable
                    break
            else:
                if is_required:
                    return None
        if not self.found.issuperset(fields):
            self.found.update(fields)
        return fields

    def _among(self, paths: frozenset[str]) -> tuple[FieldReader, ...]:
        """The fields that an object with something at these paths can have, and those that it has to have."""
        fields = [field.among(paths) for field in self._fields]
        return tuple(field for field in fields if field.paths or field.is_required)


def names_in(found: Any) -> list[str]:
    """The names of an object's fields and of those one step below, as far as they look like names."""
    fields = found if isinstance(found, dict) else {}
    below = (f"{name}.{inner}" for name, value in fields.items() if isinstance(value, dict) for inner in value)
    return [name for name in sorted({*map(str, fields), *below}) if NAME.fullmatch(name)][:MOST_NAMES]
