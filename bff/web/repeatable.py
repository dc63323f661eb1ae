"""What a route says of an answer that whoever asks the same would get, too (`web/ready.py`)."""

from collections.abc import Callable
from typing import NamedTuple


def always() -> bool:
    return True


class Repeatable(NamedTuple):
    """Set in a scope as `repeatable`: whoever asks the same gets the same answer while it `is_current`.

    Its body has the request's id so many times. An answer for `any_address` is one to every address without a route.
    """

    is_current: Callable[[], bool] = always
    ids: int = 0
    any_address: bool = False


REPEATABLE = Repeatable()
