"""The time as an argument, so that tests can move it."""

from collections.abc import Callable

Clock = Callable[[], float]
