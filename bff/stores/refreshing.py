"""One value that is loaded when needed, by one task at a time, and used on for a while when it cannot be renewed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from bff.errors import Problem

Value = TypeVar("Value")
RETRY_SECONDS = 5.0
log = structlog.get_logger("remembered")


class StaleWhileRevalidate(Generic[Value]):
    """`fresh_seconds`: served as it is. Until `stale_seconds`: served at once while a task loads it anew, and that
    is tried every few seconds while it fails. Older: whoever asks waits for the load, and gets its error.
    `dated` tells when a value was made, where that may be earlier than its load."""

    def __init__(
        self,
        load: Callable[[], Awaitable[Value]],
        clock: Callable[[], float],
        *,
        fresh_seconds: float,
        stale_seconds: float,
        dated: Callable[[Value], float] | None = None,
    ) -> None:
        self._load = load
        self._clock = clock
        self._dated = dated or (lambda _: clock())
        self._fresh_seconds = fresh_seconds
        self._stale_seconds = stale_seconds
        self._held: tuple[Value, float] | None = None
        self._tried_at = float("-inf")
        self._loading: asyncio.Task[Value] | None = None

    async def get(self, *, at_most_seconds: float | None = None) -> tuple[Value, float]:
        """The value and its age in seconds; with `at_most_seconds` never an older one, even if that means an error."""
        stale_limit = self._stale_seconds if at_most_seconds is None else at_most_seconds
        if self._held is not None:
            value, loaded_at = self._held
            age = self._clock() - loaded_at
            if age <= min(self._fresh_seconds, stale_limit):
                return value, age
            if age <= stale_limit:
                self._refresh_quietly()
                return value, age
        # Shielded: when one of many waiters gives up, the load goes on for the others.
        return await asyncio.shield(self._loading or self._start()), 0.0

    def put(self, value: Value) -> None:
        """Remember this one, which was found out otherwise."""
        self._held = (value, self._dated(value))

    def _refresh_quietly(self) -> None:
        if self._loading is None and self._clock() - self._tried_at >= RETRY_SECONDS:
            self._start()

    def _start(self) -> asyncio.Task[Value]:
        self._tried_at = self._clock()
        self._loading = asyncio.create_task(self._reload())
        self._loading.add_done_callback(_seen)
        return self._loading

    async def _reload(self) -> Value:
        try:
            value = await self._load()
            self._held = (value, self._dated(value))
            return value
        finally:
            self._loading = None


def _seen(task: "asyncio.Task[Value]") -> None:
    """A background load that fails is not an error of anybody's request; the vendor call has been logged already."""
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, Problem):
        log.warning("load_failed", reason=type(error).__name__)
