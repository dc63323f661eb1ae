"""A server for tests that ends at once.

uvicorn's own looks ten times a second whether it shall end and whether everybody has left, so each end takes it a fifth
of a second. How that one ends is tested by all that serve with `as_process`.
"""

import asyncio
import socket
import threading
from contextlib import suppress
from itertools import count

import uvicorn

TICK_SECONDS = 0.1
LOOK_SECONDS = 0.001


class PromptServer(uvicorn.Server):
    """uvicorn's, which is told to end by `end` and looks a thousand times a second whether everybody has left."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, listener: socket.socket, name: str) -> threading.Thread:
        """Serve in a thread of this process, until `end`."""
        thread = threading.Thread(target=self.run, args=([listener],), name=name, daemon=True)
        thread.start()
        return thread

    def end(self) -> None:
        """From any thread: finish what is in flight and end."""
        self.should_exit = True
        # Without a loop it has not begun, and a closed one has ended by itself.
        with suppress(RuntimeError):
            if self._loop is not None and self._ending is not None:
                self._loop.call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        self._ending, self._loop = asyncio.Event(), asyncio.get_running_loop()
        for tick in count():
            if await self.on_tick(tick):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._everybody_has_left(), self.config.timeout_graceful_shutdown)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()

    async def _everybody_has_left(self) -> None:
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110  # Nobody tells when they go.
            await asyncio.sleep(LOOK_SECONDS)
