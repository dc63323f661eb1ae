"""How commands print: a terminal shows what it is given and obeys none of it.

What a vendor wrote may have been stored before control characters were dropped where replies are read, and what an
operator pastes may hold anything. So whatever is printed goes through here.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import msgspec


def printable(text: str) -> str:
    """The text on one line, with nothing in it that is not seen (Unicode's controls, formats and separators)."""
    return "".join(char if char.isprintable() else " " * char.isspace() for char in text)


def say(line: str, to: TextIO | None = None) -> None:
    """Print one line, to standard output unless another stream is given."""
    print(printable(line), file=to or sys.stdout)


def say_lines(text: str) -> None:
    """Print a text of several lines that we have made."""
    for line in text.removesuffix("\n").split("\n"):
        say(line)


def say_json(value: Any) -> None:
    """Print a value as JSON on one line. No text loses a character: what is not seen is escaped (RFC 8259 §7)."""
    say("".join(map(_escaped, msgspec.json.encode(value).decode())))


def say_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of as many cells each, in columns."""
    for line in _aligned([[printable(cell) for cell in row] for row in rows]):
        say(line)


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _escaped(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]
