"""What a value of the vendor's may be at most, before anything is done with it (checklist P3).

A text that is shown is cut; anything that has to be right to be of use, such as a coupon's code, an address or a token,
is taken whole or not at all. Control characters are dropped, except from what goes back to the vendor, and what is not
shown as a text is on one line.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bff.vendors.okendo.fields import ReadAs
from bff.vendors.sanitize import one_line, plain_words, without_controls

# By how a text is read; any other, such as a code, an address or a word, has LONGEST_OTHER characters at most.
LONGEST: Mapping[ReadAs | None, int] = {ReadAs.HTML: 50_000, ReadAs.EXACT: 16_384}
LONGEST_OTHER = 2_048
# Far more points, or money in any currency, than anybody has. Up to here a float holds whole numbers, and the database
# holds them too.
LARGEST_NUMBER = 2**53
# Of one that goes back as it came, such as a version that is a moment in nanoseconds: what JSON is written with.
LARGEST_EXACT = 2**63 - 1
UNUSABLE = object()


def bounded(value: Any, read_as: ReadAs | None) -> Any:
    """The value as it may be used; UNUSABLE for one that is too long, too large, or holds what it must not."""
    if isinstance(value, str):
        return text_bounds(read_as)(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return number_bounds(read_as)(value) if is_number else value


def number_bounds(read_as: ReadAs | None) -> Callable[[float], Any]:
    """The same for numbers that are read so."""
    largest = LARGEST_EXACT if read_as is ReadAs.EXACT else LARGEST_NUMBER
    # Not a number is not at most anything either.
    return lambda number: number if -largest <= number <= largest else UNUSABLE


def text_bounds(read_as: ReadAs | None) -> Callable[[str], Any]:
    """The same for texts that are read so."""
    if read_as is ReadAs.TEXT:
        return plain_words
    if read_as not in LONGEST:
        return _line
    return partial(_whole, LONGEST[read_as], read_as is ReadAs.EXACT)


def _line(text: str) -> Any:
    """A code, an address or a word has one line, and is none when nothing is left."""
    if len(text) > LONGEST_OTHER:
        return UNUSABLE
    is_one = text.isprintable() and " " not in text
    return (text if is_one else one_line(text)) or UNUSABLE


def _whole(longest: int, is_exact: bool, text: str) -> Any:
    if len(text) > longest:
        return UNUSABLE
    clean = without_controls(text)
    is_lost = not clean and bool(text)
    return UNUSABLE if is_lost or (is_exact and clean != text) else clean
