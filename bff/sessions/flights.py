"""Reads of one member that are under way at the same time are asked of Okendo once.

Nothing is kept: what comes back goes to the requests that wait for it, and is gone. A read is shared within one
session, by requests that saw the same last write of it, and by none for a while after a write began.

Why so: docs/decisions/shared-reads.md
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar, cast

from bff.telemetry.timing import spent_on

# Longer than any request may take in all, and than clocks of two machines differ: whatever write began before then has
# been answered.
QUIET_SECONDS = 30.0
Answer = TypeVar("Answer")


class Flights:
    """The reads of this process that are under way."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Flight] = {}

    async def share(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """What `ask` comes to, or what another request with this key is about to hear. It ends when nobody waits for it
        any more; whoever leaves earlier ends it for nobody else."""
        flight = self._under_way.get(key)
        if flight is not None and not flight.is_over:
            with spent_on("vendor"):
                return cast(Answer, await flight.wait())
        begun = self._under_way[key] = _Flight(asyncio.create_task(ask()))
        begun.task.add_done_callback(lambda _: self._land(key, begun))
        return cast(Answer, await begun.wait())

    def _land(self, key: Hashable, flight: "_Flight") -> None:
        if self._under_way.get(key) is flight:
            del self._under_way[key]


class _Flight:
    """One read, and how many wait for it."""

    def __init__(self, task: "asyncio.Task[Any]") -> None:
        self.task = task
        self._waiting = 0
        # Its error is retrieved even when everybody has left.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or is about to because nobody waited for it any more."""
        return self.task.done() or self.task.cancelling() > 0

    async def wait(self) -> Any:
        self._waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.task.cancel()


def shared_as(key: str, written: bytes | None, now: float) -> str | None:
    """The name under which reads of this session are shared: another one after each write. None for a while after one
    began. `written` is when that was (Unix seconds), as Valkey has it."""
    if written is not None and abs(now - float(written)) < QUIET_SECONDS:
        return None
    return f"{key} {(written or b'').decode()}"
