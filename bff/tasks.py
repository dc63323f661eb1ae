"""Work that outlives the request that began it: what changes something at a vendor is never cut off by us."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class DetachedTasks:
    """Tasks that go on when whoever waits for them gives up: the shopper leaves, a deadline passes.

    A vendor may have acted by then, so the outcome has to be recorded all the same: rotated tokens, an enrolment.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Begin it now. Its error is retrieved even when nobody waits for it."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for it to end; when this wait is cancelled, the work goes on."""
        return await asyncio.shield(self.start(work))

    async def finish(self, seconds: float) -> None:
        """Wait for what is under way, at most so long, before the process stops."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
