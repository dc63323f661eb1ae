"""How long a request takes in each phase: reading the session, asking stores, calling vendors, rendering."""

import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Literal

Phase = Literal["session", "store", "vendor", "render"]


class Timings:
    """The timings of one request. Calls that run side by side count the time that passes, not its sum."""

    def __init__(self) -> None:
        self.calls = 0
        self._began = time.perf_counter()
        self._seconds: dict[Phase, float] = {}
        self._running: dict[Phase, int] = {}
        self._since: dict[Phase, float] = {}

    def begin(self, phase: Phase) -> None:
        if not self._running.get(phase):
            self._since[phase] = time.perf_counter()
        self._running[phase] = self._running.get(phase, 0) + 1

    def end(self, phase: Phase) -> None:
        self._running[phase] -= 1
        if not self._running[phase]:
            spent = time.perf_counter() - self._since[phase]
            self._seconds[phase] = self._seconds.get(phase, 0.0) + spent

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Those that have ended."""
        return tuple(self._seconds)

    def skip(self, phases: Iterable[Phase]) -> None:
        """They took no time."""
        self._seconds = dict.fromkeys(phases, 0.0)

    @property
    def seconds(self) -> float:
        """Seconds since the request began."""
        return time.perf_counter() - self._began

    def milliseconds(self) -> dict[Phase, float]:
        """Milliseconds of each phase that has ended, with one decimal."""
        return {phase: round(seconds * 1000, 1) for phase, seconds in self._seconds.items()}

    def header(self) -> str:
        """The value of `Server-Timing` (W3C Server Timing §3)."""
        calls = f';desc="{self.calls} calls"' if self.calls else ""
        parts = [f"{name};dur={spent}{calls * (name == 'vendor')}" for name, spent in self.milliseconds().items()]
        return ", ".join([*parts, self.total()])

    def total(self) -> str:
        return f"total;dur={round(self.seconds * 1000, 1)}"


_current: ContextVar[Timings | None] = ContextVar("timings", default=None)
_in_a_phase: ContextVar[bool] = ContextVar("in_a_phase", default=False)


def begin() -> Timings:
    """Start the timings of everything that this task does from now on."""
    timings = Timings()
    _current.set(timings)
    return timings


class spent_on:  # noqa: N801  # It is used like the function it stands for.
    """Count the time of the block for the current request; a phase inside of another is not counted again."""

    __slots__ = ("_phase", "_timings", "_token")

    def __init__(self, phase: Phase) -> None:
        self._phase = phase

    def __enter__(self) -> None:
        self._timings = None if _in_a_phase.get() else _current.get()
        if self._timings is not None:
            self._token = _in_a_phase.set(True)
            self._timings.begin(self._phase)

    def __exit__(self, *_: object) -> None:
        if self._timings is not None:
            self._timings.end(self._phase)
            _in_a_phase.reset(self._token)


def count_call() -> None:
    """Count one more vendor call of the current request."""
    if timings := _current.get():
        timings.calls += 1
