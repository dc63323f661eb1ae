"""The addresses of vendors' operations: whatever is put into a path stays one segment of it."""

from unicodedata import category
from urllib.parse import quote

from bff.errors import Problem

MAX_SEGMENT_CHARACTERS = 128


class VendorId(str):
    """An id that the vendor itself has given and that was checked when it was read: whatever it holds, in a path it is
    one segment, percent-encoded."""

    __slots__ = ()


def url_for(base: str, template: str, **segments: str) -> str:
    """`base` with `template` after it, each `{name}` in it filled with that segment, percent-encoded.

    Raises Problem `not_found` for a segment that could change the path: empty, a dot segment, longer than 128
    characters, or with a slash, a backslash, a percent sign or a control character in it, unless it is a VendorId.
    """
    return base.rstrip("/") + template.format_map({name: _segment(value) for name, value in segments.items()})


def _segment(value: str) -> str:
    if isinstance(value, VendorId):
        return quote(value, safe="")
    fits = 0 < len(value) <= MAX_SEGMENT_CHARACTERS and value not in (".", "..")
    if not fits or any(c in "/\\%" or category(c) in ("Cc", "Cs") for c in value):
        raise Problem("not_found", "There is nothing at this address.")
    return quote(value, safe="")
