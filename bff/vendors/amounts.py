"""Amounts of money as vendors write them."""

import re
from decimal import Decimal
from typing import Any

# A number, with at most the sign of a currency around it. Letters would say which currency, and commas may mean two
# things, so such a text is not guessed at.
WRITTEN = re.compile(r"[^\w.,%+\-]{0,3}(-?\d{1,16}(?:\.\d{1,9})?)[^\w.,%+\-]{0,3}", re.ASCII)
LARGEST = Decimal(2**53)


def decimal_of(value: Any) -> Decimal | None:
    """The amount in a number or a text such as "8.00"; None where there is none that can be relied on."""
    if type(value) is int and abs(value) <= LARGEST:
        return Decimal(value)
    if isinstance(value, str):
        written = WRITTEN.fullmatch(value.strip())
        value = Decimal(written[1]) if written else None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # As it was written: 0.1 is a tenth.
        value = Decimal(repr(value))
    return value if isinstance(value, Decimal) and value.is_finite() and abs(value) <= LARGEST else None


def currency_of(value: Any) -> str | None:
    """An ISO 4217 code in capitals; None for anything else."""
    is_code = isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha()
    return value.upper() if is_code else None
