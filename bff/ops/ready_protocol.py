"""uvicorn's connection, which writes an answer that is ready at once: no scope, no task, no ASGI cycle."""

import asyncio
from collections.abc import Callable
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bff.web.ready import Ready


class IdleTimer:
    """Calls `end` after `seconds` in which nothing came. One timer of the loop serves many of these times: when it
    rings, it looks how long it is still to wait. Making one for each answer costs as much as finding the answer."""

    def __init__(self, seconds: float, end: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._end = end
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Count from now on."""
        self._due = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look)

    def cancel(self) -> None:
        """Something has come."""
        self._due = None

    def close(self) -> None:
        """The connection has gone."""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if self._due is None:
            return
        left = self._due - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._end()


class ReadyProtocol(HttpToolsProtocol):
    """Asks `ready` where a request's head is complete, it comes after no other that is unanswered, and the client reads
    what it is sent."""

    ready: Ready | None = None
    _idle: IdleTimer | None = None
    _is_answered = False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._idle is not None:
            self._idle.close()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """No scope is made before it is known that there is need of one."""
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def go_the_long_way(self) -> None:
        """Make what an ASGI application is called with; the head is complete."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        # This list is in the scope already.
        self.headers += headers

    def answer_at_once(self, version: str) -> bool:
        """Write the answer if it is ready, and count it as uvicorn counts others."""
        if self.ready is None or not self._is_alone(version):
            return False
        peer = self.client[0] if self.client else ""
        written = self.ready.answer(self.parser.get_method(), self.url, self.headers, peer, self.usual_fields())
        if written is None:
            return False
        self.transport.write(written)
        self._is_answered = True
        self.server_state.total_requests += 1
        self.keep_open()
        return True

    def _is_alone(self, version: str) -> bool:
        """Whether it is a request in HTTP/1.1 on a connection that stays open, and the next to be answered."""
        is_next = self.cycle is None or self.cycle.response_complete
        may_write = not (self.flow.write_paused or self.transport.is_closing())
        return is_next and may_write and version == "1.1" and self.parser.should_keep_alive()

    def usual_fields(self) -> bytes:
        """The header fields that the server adds to each answer."""
        return b"".join([name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers])

    def keep_open(self) -> None:
        """Wait for the next request, as uvicorn does after an answer of its own."""
        if self._idle is None:
            self._idle = IdleTimer(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        self._unset_keepalive_if_required()
        self._idle.start()
        self.timeout_keep_alive_task = cast(asyncio.TimerHandle, self._idle)

    def on_message_complete(self) -> None:
        if self._is_answered:
            self._is_answered = False
        else:
            super().on_message_complete()
