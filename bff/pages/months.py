"""What happened, month by month."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")


class Month(NamedTuple, Generic[Item]):
    """`first` is a time in it, None for what has no time."""

    first: datetime | None
    of: list[Item]


def by_month(items: Iterable[Item], at: Callable[[Item], datetime | None]) -> list[Month[Item]]:
    """The items in their order, those of a month together as long as no other comes in between."""

    def month(item: Item) -> tuple[int, int] | None:
        moment = at(item)
        return (moment.year, moment.month) if moment else None

    found = [list(group) for _, group in groupby(items, month)]
    return [Month(at(group[0]), group) for group in found]
