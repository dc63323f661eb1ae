"""JSON as vendors write it. A text that was cut in the middle of an emoji ends with half of a surrogate pair, which
JSON can spell and Unicode does not have (RFC 8259 §8.2); the rest of the answer is as good as ever."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

# Every escape, so that none is looked for in the middle of another; the group is half of a pair.
ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.S
)
REPLACEMENT = rb"\ufffd"
NESTS = frozenset({list, dict})


def decode_json(body: bytes, decode: Callable[[bytes], Any] = msgspec.json.decode) -> Any:
    """The value in a body, with U+FFFD for half of a surrogate pair. Raises ValueError for what is no JSON in
    UTF-8, and RecursionError."""
    try:
        return decode(body)
    except ValueError:
        return decode(ESCAPE.sub(lambda escape: REPLACEMENT if escape[1] else escape[0], body))


def nests_deeper(body: bytes, value: Any, limit: int) -> bool:
    """Whether lists and objects lie more than `limit` deep in a body's value, looked at one level at a time."""
    if body.count(b"[") + body.count(b"{") <= limit:
        # Too few begin in it at all.
        return False
    level = [value] if type(value) in NESTS else []
    for _ in range(limit):
        children = [each.values() if type(each) is dict else each for each in level]
        level = [child for each in children for child in each if type(child) in NESTS]
        if not level:
            return False
    return bool(level)
