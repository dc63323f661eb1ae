"""A connection to a vendor, over which one request at a time goes out and its answer comes back."""

import asyncio
import select
from typing import cast

import httpx2

from bff.vendors.answers import Answer


class Connection(asyncio.Protocol):
    """`closed` is done once it is gone. asyncio calls the methods down to `connection_lost`."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.idle_since = 0.0
        self._answer: Answer | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._failure: httpx2.TransportError | None = None
        self._poll: select.poll | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.is_complete:
            # Nobody has asked: it would be taken for the answer to the next request, and so on ever after.
            self.close()
            return
        try:
            self._answer.feed(data)
        except httpx2.RemoteProtocolError as failure:
            self._failure = failure
            self.close()
        self._wake()

    def eof_received(self) -> None:
        if self._answer is not None:
            self._answer.end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._failure = self._failure or httpx2.ReadError(type(exc).__name__ if exc else "the connection ended")
        self._wake()
        self.closed.set_result(None)

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    @property
    def is_reusable(self) -> bool:
        """Whether the answer has come to its end, and another request may follow."""
        done = self._answer is not None and self._answer.is_complete and self._answer.may_go_on
        return done and self.is_open and not self._transport.get_write_buffer_size()

    def is_quiet(self) -> bool:
        """Whether, where the system can be asked, it holds nothing that the other side has sent.

        On a fresh connection that may be the end of the TLS handshake, so it is asked only from the second use on.
        """
        if self._answer is None or not hasattr(select, "poll"):
            return True
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not self._poll.poll(0)

    def begin(self, request: bytes, answer: Answer) -> None:
        """Send a whole request; what comes from now on is its answer."""
        self._answer = answer
        self._transport.write(request)

    async def more(self) -> None:
        """Wait for more of the answer. Raises ReadError or RemoteProtocolError when no more will come."""
        if self._failure is not None:
            raise self._failure
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def close(self) -> None:
        """At once, whatever is under way."""
        self._transport.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
