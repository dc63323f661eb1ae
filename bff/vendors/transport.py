"""How a request is sent: over a pool of connections of ours, with httpx2's errors, which say what was sent."""

import asyncio
import re
import ssl
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Self

import httpx2
import msgspec

from bff.vendors.answers import Answer
from bff.vendors.connecting import Connecting, Origin, origin_of, verifying
from bff.vendors.connection import Connection
from bff.vendors.tls_failures import tls_failure

# We write the framing from the finished body; headers that differ from it would allow request smuggling.
_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection"})
# HEAD and CONNECT are answered in a frame of their own.
_METHOD = re.compile(r"(?!HEAD$|CONNECT$)[A-Z]+", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
# Whom to ask and what for; what follows a # is nobody else's business.
_ADDRESS = re.compile(r"(https?://[^/?# ]+)([^# ]*)(?:#.*)?", re.IGNORECASE)
_CONNECTIONS_TRIED = 3


class Outgoing(msgspec.Struct, kw_only=True):
    """A request as it is sent: a whole address, percent-encoded, and all header fields.

    `connect_seconds` is the time to get a connection: half of it for a place among the pool's, half for opening one
    (name resolution and TLS included). All that follows has no timeout of its own; a total deadline is the caller's.

    `sent` is False until the first byte leaves and True from then on, so whoever cancels it knows whether the other
    side may have acted.
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | None = None
    connect_seconds: float | None = None
    sent: bool = False

    def __repr__(self) -> str:
        """Without address, headers and body, so that a logged request gives nothing away."""
        return f"Outgoing({self.method})"


class Incoming:
    """An answer whose head has come: `status`, `headers` in lower case, and the body, still packed."""

    def __init__(self, transport: "Transport", origin: Origin, connection: Connection, answer: Answer) -> None:
        self.status = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._transport = transport
        self._origin = origin
        self._connection: Connection | None = connection
        self._answer = answer

    async def read(self, most_bytes: int) -> bytearray:
        """The whole body; of one that is larger, somewhat more than that, and the rest is not waited for.

        Raises ReadError, RemoteProtocolError.
        """
        while self._connection and not self._answer.is_complete and len(self._answer.body) <= most_bytes:
            await self._connection.more()
        return self._answer.body

    def close(self) -> None:
        """Before the body's end this drops the connection, so that it is never used again."""
        if self._connection is not None:
            self._transport.take_back(self._origin, self._connection)
            self._connection = None


class Transport:
    """One pool of verified, kept-alive connections for the whole process.

    No cookies, no redirects, no proxy or netrc from the environment, nothing sent twice, and no connection used that
    is no longer clean. It belongs to the loop in which it is first used; `aclose()` closes it.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        connections: int = 300,
        keepalive_seconds: float = 15.0,
        max_wire_bytes: int = 4_194_304,
    ) -> None:
        self._connecting = Connecting(ssl_context or verifying())
        self._places = asyncio.Semaphore(connections)
        self._keepalive_seconds = keepalive_seconds
        self._max_wire_bytes = max_wire_bytes
        self._open = set[Connection]()
        # The latest used is the last of its list, and used next.
        self._idle = defaultdict[Origin, list[Connection]](list)
        self._sweeper: asyncio.TimerHandle | None = None

    async def send(self, outgoing: Outgoing) -> Incoming:
        """Send a request once and return its answer as soon as its head is there.

        Raises httpx2's ConnectError, ConnectTimeout, PoolTimeout, LocalProtocolError: certainly nothing was sent.
        Raises its ReadError, RemoteProtocolError: the request may have been carried out.
        """
        origin, request = _written(outgoing)
        answer = Answer(self._max_wire_bytes)
        connection = await self._connection(origin, outgoing.connect_seconds)
        try:
            outgoing.sent = True
            connection.begin(request, answer)
            while not answer.status:
                await connection.more()
        except BaseException:
            self.take_back(origin, connection)
            raise
        return Incoming(self, origin, connection, answer)

    def take_back(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection for the next request, or close it where its answer did not come to a clean end."""
        self._places.release()
        if not connection.is_reusable:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle[origin].append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._keepalive_seconds, self._sweep)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in self._open:
            connection.close()
        await asyncio.gather(*(connection.closed for connection in self._open))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _connection(self, origin: Origin, seconds: float | None) -> Connection:
        half = None if seconds is None else seconds / 2
        if self._places.locked():
            await self._wait_for_place(half)
        else:
            # A free place is taken without a timer.
            await self._places.acquire()
        try:
            return self._kept(origin) or await self._opened(origin, half)
        except BaseException:
            self._places.release()
            raise

    async def _wait_for_place(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._places.acquire()
        except TimeoutError:
            raise httpx2.PoolTimeout("no place") from None

    def _kept(self, origin: Origin) -> Connection | None:
        """A connection that was used before and is still clean, None when there is none."""
        idle, tried = self._idle[origin], 0
        while idle:
            connection = idle.pop()
            if not connection.is_open:
                continue
            if connection.is_quiet():
                return connection
            connection.close()
            tried += 1
            if tried == _CONNECTIONS_TRIED:
                raise httpx2.ConnectError("no connection was clean")
        return None

    async def _opened(self, origin: Origin, seconds: float | None) -> Connection:
        try:
            async with asyncio.timeout(seconds):
                connection = await self._connecting.open(origin)
        except TimeoutError:
            raise httpx2.ConnectTimeout("nobody answered") from None
        except OSError as error:
            raise tls_failure(error) or httpx2.ConnectError(type(error).__name__) from None
        except UnicodeError:
            raise httpx2.LocalProtocolError("no name of a host") from None
        if not connection.is_open:
            # It spoke first, or ended before it was asked.
            raise httpx2.ConnectError("no connection was clean")
        self._open.add(connection)
        connection.closed.add_done_callback(lambda _: self._open.discard(connection))
        return connection

    def _sweep(self) -> None:
        """Close what nobody has used for a while."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for idle in self._idle.values():
            while idle and now - idle[0].idle_since >= self._keepalive_seconds:
                idle.pop(0).close()
        since = [idle[0].idle_since for idle in self._idle.values() if idle]
        self._sweeper = loop.call_at(min(since) + self._keepalive_seconds, self._sweep) if since else None


def _written(outgoing: Outgoing) -> tuple[Origin, bytes]:
    """To whom a request goes, and its bytes. Raises LocalProtocolError for what cannot be written as one request."""
    address, is_one = _ADDRESS.fullmatch(outgoing.url), _METHOD.fullmatch(outgoing.method)
    words = "".join(chain((outgoing.url,), *outgoing.headers))
    if not (address and is_one and words.isascii() and words.isprintable()):
        raise httpx2.LocalProtocolError("this cannot be written as a request")
    try:
        origin = origin_of(address[1])
        fields = [f"{_name(name)}: {value}\r\n" for name, value in outgoing.headers if name.lower() not in _FRAMING]
    except ValueError as error:
        raise httpx2.LocalProtocolError(str(error)) from None
    body = outgoing.body or b""
    length = f"Content-Length: {len(body)}\r\n" if body or outgoing.method != "GET" else ""
    target = address[2] if address[2].startswith("/") else f"/{address[2]}"
    head = f"{outgoing.method} {target} HTTP/1.1\r\nHost: {origin.named}\r\n{''.join(fields)}{length}\r\n"
    return origin, head.encode("ascii") + body


@lru_cache(256)
def _name(name: str) -> str:
    """The name of a header field, if it can be one. Raises ValueError."""
    if not _TOKEN.fullmatch(name):
        raise ValueError("no name of a header field")
    return name
