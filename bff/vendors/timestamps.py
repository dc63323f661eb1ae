"""Times as vendors write them: ISO 8601 with or without an offset, dates without a time, Unix milliseconds. All become
UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

# Unix seconds have ten digits for the next two centuries, milliseconds twelve or more since 1973.
MILLISECONDS_FROM = 100_000_000_000
DAY_CHARACTERS = len("2026-01-31")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse_timestamp(value: Any, *, is_end: bool) -> datetime | None:
    """In UTC, which is assumed without an offset; None when it is no time. A date without a time is its first second,
    or with `is_end` its last."""
    is_day = isinstance(value, str) and len(value) == DAY_CHARACTERS and DAY.fullmatch(value) is not None
    try:
        moment = msgspec.convert(_normalised(value, is_day=is_day), datetime, strict=False)
        if moment.tzinfo is not UTC:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return moment + timedelta(days=1, seconds=-1) if is_day and is_end else moment
    except (msgspec.ValidationError, OverflowError):
        return None


def _normalised(value: Any, *, is_day: bool) -> Any:
    if is_day:
        return f"{value}T00:00:00Z"
    number = value if isinstance(value, int | float) else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        number = int(value)
    return number / 1000 if number is not None and number >= MILLISECONDS_FROM else value
