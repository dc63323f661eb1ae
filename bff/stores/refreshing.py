"""A cached value in this process: stale-while-revalidate and stale-if-error (RFC 5861)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from bff.errors import Problem, UpstreamFailed
from bff.telemetry.causes import origin

Value = TypeVar("Value")
RETRY_SECONDS = 5.0
log = structlog.get_logger("cache")


class StaleWhileRevalidate(Generic[Value]):
    """Up to `fresh_seconds` old, the value is served as it is. Up to `stale_seconds`, it is served at once while one
    task loads a new one, every few seconds if that fails. Older: whoever asks waits for the load, and gets its error.
    `made_at` returns when a value was made (Unix seconds), where that may be earlier than its load."""

    def __init__(
        self,
        load: Callable[[], Awaitable[Value]],
        clock: Callable[[], float],
        *,
        fresh_seconds: float,
        stale_seconds: float,
        made_at: Callable[[Value], float] | None = None,
    ) -> None:
        self._load = load
        self._clock = clock
        self._made_at = made_at or (lambda _: clock())
        self._fresh_seconds = fresh_seconds
        self._stale_seconds = stale_seconds
        self._cached: tuple[Value, float] | None = None
        self._tried_at = float("-inf")
        self._loading: asyncio.Task[Value] | None = None

    async def get(self, *, at_most_seconds: float | None = None) -> tuple[Value, float]:
        """The value and its age in seconds; with `at_most_seconds` never an older one, even if that means an error.

        Raises UpstreamFailed when even what was loaded is too old by now, besides what the load raises.
        """
        if found := self.ready(at_most_seconds):
            return found
        value = await self.renew()
        age = self._clock() - self._made_at(value)
        if age > self._limit(at_most_seconds):
            raise UpstreamFailed("What was loaded is too old.", sent=False)
        return value, max(0.0, age)

    async def renew(self) -> Value:
        """A newly loaded value, however fresh the cached one is; the load is shared with whoever else waits for one."""
        # Shielded: when one of many waiters gives up, the load goes on for the others.
        return await asyncio.shield(self._loading or self._start())

    @property
    def is_loading(self) -> bool:
        return self._loading is not None

    def _limit(self, at_most_seconds: float | None) -> float:
        return self._stale_seconds if at_most_seconds is None else at_most_seconds

    def ready(self, at_most_seconds: float | None = None) -> tuple[Value, float] | None:
        """The same without waiting; None when it must be waited for."""
        stale_limit = self._limit(at_most_seconds)
        if self._cached is not None:
            value, made_at = self._cached
            age = self._clock() - made_at
            if age <= min(self._fresh_seconds, stale_limit):
                return value, age
            if age <= stale_limit:
                self._refresh_in_background()
                return value, age
        return None

    def put(self, value: Value) -> None:
        """Cache this value, which was loaded in another way."""
        self._cached = (value, self._made_at(value))

    def _refresh_in_background(self) -> None:
        if self._loading is None and self._clock() - self._tried_at >= RETRY_SECONDS:
            self._start()

    def _start(self) -> asyncio.Task[Value]:
        self._tried_at = self._clock()
        self._loading = asyncio.create_task(self._reload())
        self._loading.add_done_callback(_log_failure)
        return self._loading

    async def _reload(self) -> Value:
        try:
            value = await self._load()
            self._cached = (value, self._made_at(value))
            return value
        finally:
            self._loading = None


def _log_failure(task: "asyncio.Task[Value]") -> None:
    """A background load that fails is no request's error; a Problem has been logged with its vendor call already."""
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, Problem):
        log.error("load_failed", **origin(error))
