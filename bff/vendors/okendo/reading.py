"""Reading what Okendo answers, tolerantly, since most of its field names are not public.

Any declared name will do, unknown fields are dropped, unusable optional ones are left out. Only a missing field that we
cannot do without is a failure.
"""

import contextlib
import math
from typing import Any, get_origin
from urllib.parse import parse_qs

import msgspec

from bff.errors import UpstreamFailed
from bff.vendors.okendo.fields import ReadAs, ReplyField, fields_of
from bff.vendors.okendo.row import Operation, Page, ReplyT
from bff.vendors.sanitize import strip_html
from bff.vendors.timestamps import parse_timestamp

MISSING = object()


def read(row: Operation[ReplyT], body: Any) -> ReplyT:
    """The row's reply in a body.

    Raises UpstreamFailed when it lacks something we cannot do without; inside a list such an item is left out, unless
    that leaves none.
    """
    kind = get_origin(row.reply)
    if kind is None:
        return row.reply(**_fields_in_envelope(row, body))
    items = _items(row, body)
    # mypy cannot see that the reply is one of these two here.
    return Page(items=items, next=_next(row, body)) if kind is Page else items  # type: ignore[return-value]


def has_fields(row: Operation[Any]) -> bool:
    """Whether anything is read of the answer, besides that it succeeded."""
    return bool(fields_of(row.item))


def _fields_in_envelope(row: Operation[Any], body: Any) -> dict[str, Any]:
    """The fields in the first envelope that has all we cannot do without."""
    if not has_fields(row):
        return {}
    for where in row.envelope:
        found = find(body, where)
        if isinstance(found, dict):
            with contextlib.suppress(UpstreamFailed):
                return _fields(row, found)
    raise UpstreamFailed(f"Okendo's {row.name} answer lacks what it must have.", sent=True)


def _items(row: Operation[Any], body: Any) -> list[Any]:
    found = next((value for value in (find(body, where) for where in row.envelope) if isinstance(value, list)), None)
    if found is None:
        raise UpstreamFailed(f"Okendo's {row.name} answer holds no list.", sent=True)
    kept = []
    for item in found:
        with contextlib.suppress(UpstreamFailed):
            kept.append(row.item(**_fields(row, item)))
    if found and not kept:
        # That the program has nothing to offer would be a lie, and would take the place of the last good copy.
        raise UpstreamFailed(f"Okendo's {row.name} answer holds nothing that can be read.", sent=True)
    return kept


def _next(row: Operation[Any], body: Any) -> str | None:
    """The token that asks for the next page: as it is, or inside the address of that page, which is not followed."""
    given = next((value for value in (find(body, where) for where in row.next) if isinstance(value, str)), "")
    _, is_address, query = given.partition("?")
    if not is_address:
        return given or None
    return parse_qs(query.partition("#")[0]).get(row.sends.get("cursor", ""), [None])[0]


def _fields(row: Operation[Any], found: Any) -> dict[str, Any]:
    """The fields of one object under our names; raises UpstreamFailed when a required one is missing or unusable."""
    fields = {}
    for field in fields_of(row.item):
        value = _first_usable(found, row.names.get(field.name, field.names), field)
        if value is not MISSING:
            fields[field.name] = value
        elif field.is_required:
            raise UpstreamFailed(f"Okendo's answer lacks {field.name}.", sent=True)
    return fields


def _first_usable(found: Any, names: tuple[str, ...], field: ReplyField) -> Any:
    values = (find(found, name) for name in names)
    usable = (_usable(value, field) for value in values if value is not None)
    return next((value for value in usable if value is not MISSING), MISSING)


def _usable(value: Any, field: ReplyField) -> Any:
    """The value as the field wants it, MISSING when it is unusable."""
    if field.read_as in {ReadAs.TIME, ReadAs.EXPIRY}:
        return parse_timestamp(value, is_end=field.read_as is ReadAs.EXPIRY) or MISSING
    if field.read_as is ReadAs.ID and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if field.read_as is ReadAs.WORD and isinstance(value, str):
        value = value.strip().casefold()
    try:
        usable = msgspec.convert(value, field.type, strict=False)
    except msgspec.ValidationError:
        return MISSING
    if isinstance(usable, float) and not math.isfinite(usable):
        return MISSING
    return strip_html(usable) if field.read_as is ReadAs.TEXT else usable


def find(value: Any, path: str) -> Any:
    """What lies at a dotted path, None when there is nothing; "" is the value itself."""
    for part in path.split(".") if path else ():
        value = value.get(part) if isinstance(value, dict) else None
    return value
