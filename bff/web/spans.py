"""Spans of time as a person says them: a number of one unit."""

import math
from typing import Literal, NamedTuple

Unit = Literal["day", "hour", "minute", "second"]
SIZES: tuple[tuple[int, Unit], ...] = ((86_400, "day"), (3600, "hour"), (60, "minute"))
# An end that is nearer than this is worth counting the days to.
NEAR_SECONDS = 8 * 86_400


class Span(NamedTuple):
    number: int
    unit: Unit


def at_least(seconds: float) -> Span:
    """What is certainly left, in the largest unit of which there is a whole one."""
    return next((Span(int(seconds // size), unit) for size, unit in SIZES if seconds >= size), _seconds(seconds))


def near(seconds: float | None) -> Span | None:
    """The same of an end that is near; None of any other."""
    return at_least(seconds) if seconds is not None and 0 < seconds < NEAR_SECONDS else None


def at_most(seconds: float) -> Span:
    """How long to wait until it is certainly over, in a unit that is not much too long."""
    return next(
        (Span(math.ceil(seconds / size), unit) for size, unit in SIZES if seconds > 2 * size), _seconds(seconds)
    )


def _seconds(seconds: float) -> Span:
    return Span(max(1, math.ceil(seconds)), "second")
