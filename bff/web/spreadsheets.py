"""Tables that a spreadsheet opens, in which a vendor's words stay words."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from bff.vendors.sanitize import without_controls

# A cell that begins so is a formula to a spreadsheet: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n")


class Output(Protocol):
    def write(self, text: str, /) -> object: ...


def write_rows(output: Output, rows: Iterable[Sequence[object]], *, line_end: str = "\n") -> None:
    """CSV (RFC 4180)."""
    csv.writer(output, lineterminator=line_end).writerows([_cell(cell) for cell in row] for row in rows)


def _cell(cell: object) -> Any:
    """The cell without controls, and so that a spreadsheet shows it and does not compute it, even if a vendor chose its
    first character."""
    if not isinstance(cell, str):
        return cell
    text = without_controls(cell).replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
