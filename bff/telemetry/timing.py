"""What a request spends its time on, told by whoever spends it: reading the session, stores, vendors, rendering."""

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Literal

Phase = Literal["session", "store", "vendor", "render"]


class Timings:
    """One request's. Calls that run side by side count the time that passes, not its sum."""

    def __init__(self) -> None:
        self.calls = 0
        self._began = time.perf_counter()
        self._seconds: dict[Phase, float] = {}
        self._running: dict[Phase, int] = {}
        self._since: dict[Phase, float] = {}

    @contextlib.contextmanager
    def spent_on(self, phase: Phase) -> Iterator[None]:
        if not self._running.get(phase):
            self._since[phase] = time.perf_counter()
        self._running[phase] = self._running.get(phase, 0) + 1
        try:
            yield
        finally:
            self._running[phase] -= 1
            if not self._running[phase]:
                spent = time.perf_counter() - self._since[phase]
                self._seconds[phase] = self._seconds.get(phase, 0.0) + spent

    @property
    def seconds(self) -> float:
        """Since the request began."""
        return time.perf_counter() - self._began

    def milliseconds(self) -> dict[Phase, float]:
        """Of each phase that is over, with one decimal."""
        return {phase: round(seconds * 1000, 1) for phase, seconds in self._seconds.items()}

    def header(self) -> str:
        """`Server-Timing` (W3C Server Timing §3)."""
        calls = f';desc="{self.calls} calls"' if self.calls else ""
        parts = [f"{name};dur={spent}{calls * (name == 'vendor')}" for name, spent in self.milliseconds().items()]
        return ", ".join([*parts, self.total()])

    def total(self) -> str:
        return f"total;dur={round(self.seconds * 1000, 1)}"


_current: ContextVar[Timings | None] = ContextVar("timings", default=None)
_within: ContextVar[bool] = ContextVar("within", default=False)


def begin() -> Timings:
    """The timings of everything that this task does from now on."""
    timings = Timings()
    _current.set(timings)
    return timings


@contextlib.contextmanager
def spent_on(phase: Phase) -> Iterator[None]:
    """Counts what happens inside for the current request; what lies inside of that counts no second time."""
    timings = _current.get()
    if timings is None or _within.get():
        yield
        return
    token = _within.set(True)
    try:
        with timings.spent_on(phase):
            yield
    finally:
        _within.reset(token)


def count_call() -> None:
    """One more vendor call of the current request."""
    if timings := _current.get():
        timings.calls += 1
