"""How a request is sent: httpx2's transport interface over aiohttp, with errors that say what was sent."""

import select
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from weakref import WeakSet

import aiohttp
import httpx2
from aiohttp.connector import Connection
from yarl import URL

# aiohttp writes the framing itself from the finished body; headers of ours that differ would allow request smuggling.
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_NOTHING_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
# Answers that reached us but are not valid HTTP, as opposed to a connection that broke.
_INVALID_RESPONSES = (aiohttp.ClientPayloadError, aiohttp.ClientResponseError)
_CONNECTIONS_TRIED = 3
# The protocols of connections that have carried a request before; they leave with their connection.
_USED: WeakSet[object] = WeakSet()


class AioTransport(httpx2.AsyncBaseTransport):
    """One pool of verified, kept-alive connections for the whole process.

    No cookies, no redirects, no proxy or netrc from the environment, nothing sent twice, and no connection used that
    is no longer clean. The first request opens the pool, inside the loop that uses it; `aclose()` closes it.

    While a request runs, `request.extensions["sent"]` is False until its first byte leaves and True from then on, so
    whoever cancels it knows whether the other side may have acted. httpx2's `timeout` extension is honoured in
    seconds: `pool` and `connect` are one allowance together (name resolution included), `read` is between two reads.
    Writing has no timeout of its own; a total deadline is the caller's.

    Raises ConnectError, ConnectTimeout, PoolTimeout, LocalProtocolError: certainly nothing was sent.
    Raises ReadError, ReadTimeout, RemoteProtocolError: the request may have been carried out.
    """

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        connections: int = 300,
        connections_per_host: int = 100,
        keepalive_seconds: float = 15.0,
        max_wire_bytes: int = 4_194_304,
    ) -> None:
        self._ssl_context = ssl_context
        self._connections = connections
        self._connections_per_host = connections_per_host
        self._keepalive_seconds = keepalive_seconds
        self._max_wire_bytes = max_wire_bytes
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send `request` once and return the status, the headers and a body that is read as it arrives, as sent."""
        progress = request.extensions
        progress |= {"sent": False, "queued": False}
        with _translate_errors(progress):
            session = self._session = self._session or self._open()
            answer = await session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=[(k.decode("ascii"), v.decode("ascii")) for k, v in _own_headers(request)],
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=_timeout(progress.get("timeout") or {}),
                trace_request_ctx=progress,
            )
        body = _Body(answer, progress, self._max_wire_bytes)
        return httpx2.Response(answer.status, headers=list(answer.raw_headers), stream=body)

    def shared(self) -> httpx2.AsyncBaseTransport:
        """The same pool for a client that reads bodies without a limit and closes its transport when it is done."""
        return _Shared(self)

    async def aclose(self) -> None:
        """Close every connection; later requests fail."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._ssl_context or True,
                limit=self._connections,
                limit_per_host=self._connections_per_host,
                keepalive_timeout=self._keepalive_seconds,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            # The bytes stay as they came: whoever reads them unpacks them, in pieces it can count.
            auto_decompress=False,
            skip_auto_headers=_NOTHING_ADDED,
            request_class=_Request,
            middlewares=(_no_retry,),
            trace_configs=[_watch()],
        )


class _ConnectionNotClean(aiohttp.ClientConnectionError):
    """A pooled connection that was given up before anything was sent over it."""


class _Request(aiohttp.ClientRequest):
    """A request that leaves only over a connection on which nothing waits to be read.

    What waits may be the end of the connection: then the request can still go over another one. Or it is an answer
    that nobody asked for: aiohttp would take it for the answer to this request, and every later answer for that to
    the request after its own.
    """

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if not _is_clean(conn):
            raise _ConnectionNotClean
        return await super().send(conn)


class _Body(httpx2.AsyncByteStream):
    """The answer's bytes as they arrive. Closed before its end, its connection is dropped and never used again."""

    def __init__(self, answer: aiohttp.ClientResponse, progress: dict[str, Any], max_bytes: int) -> None:
        self._answer = answer
        self._progress = progress
        self._bytes_left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translate_errors(self._progress):
            async for chunk in self._answer.content.iter_any():
                self._bytes_left -= len(chunk)
                if self._bytes_left < 0:
                    raise httpx2.RemoteProtocolError("the body is larger than any answer we expect")
                yield chunk

    async def aclose(self) -> None:
        self._answer.close()


class _Shared(httpx2.AsyncBaseTransport):
    """Its client unpacks bodies without a limit, so none may come compressed: then the limit on the wire is enough."""

    def __init__(self, engine: AioTransport) -> None:
        self._engine = engine

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"
        response = await self._engine.handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            await response.aclose()
            raise httpx2.RemoteProtocolError("a compressed answer, although none was accepted")
        return response


@contextmanager
def _translate_errors(progress: dict[str, Any]) -> Iterator[None]:
    """Name an error by what had happened before it. Messages carry no address: aiohttp's own quote the whole URL."""
    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError) as exc:
        raise _error_type(exc, progress)(type(exc.__cause__ or exc).__name__) from None


def _error_type(exc: Exception, progress: dict[str, Any]) -> type[httpx2.TransportError]:
    is_timeout = isinstance(exc, TimeoutError)
    if progress["sent"]:
        if is_timeout:
            return httpx2.ReadTimeout
        return httpx2.RemoteProtocolError if isinstance(exc, _INVALID_RESPONSES) else httpx2.ReadError
    if is_timeout:
        return httpx2.PoolTimeout if progress["queued"] else httpx2.ConnectTimeout
    # What is left is a socket or TLS that failed, or an address or header that nobody could have written.
    return httpx2.ConnectError if isinstance(exc, aiohttp.ClientConnectionError) else httpx2.LocalProtocolError


async def _no_retry(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Take another connection while nothing was sent, and never again after that.

    A broken connection is hidden from aiohttp, which would silently repeat a GET, PUT or DELETE on a fresh one.
    """
    for _ in range(_CONNECTIONS_TRIED):
        try:
            return await handler(request)
        except _ConnectionNotClean:
            continue
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
            raise aiohttp.ClientConnectionError from exc
    raise _ConnectionNotClean


def _is_clean(conn: Connection) -> bool:
    """Whether neither aiohttp nor, where it can be asked, the system holds anything the other side has sent.

    On a fresh connection the system may hold the end of the TLS handshake, so it is asked only from the second use on.
    """
    if conn.protocol is None or conn.transport is None or conn.protocol.should_close:
        return False
    if conn.protocol not in _USED or not hasattr(select, "poll"):
        _USED.add(conn.protocol)
        return True
    poll = select.poll()
    poll.register(conn.transport.get_extra_info("socket").fileno(), select.POLLIN)
    return not poll.poll(0)


def _watch() -> aiohttp.TraceConfig:
    """Keep `sent` and `queued` true to what the pool is doing for a request."""

    def record(**facts: bool) -> Any:
        async def on_event(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
            context.trace_request_ctx.update(facts)

        return on_event

    watch = aiohttp.TraceConfig()
    watch.on_connection_queued_start.append(record(queued=True))
    watch.on_connection_queued_end.append(record(queued=False))
    watch.on_request_headers_sent.append(record(sent=True))
    return watch


def _own_headers(request: httpx2.Request) -> Iterator[tuple[bytes, bytes]]:
    return ((name, value) for name, value in request.headers.raw if name.lower() not in _FRAMING)


def _timeout(seconds: dict[str, float | None]) -> aiohttp.ClientTimeout:
    """httpx2's four timeouts as aiohttp counts them, unrounded (aiohttp rounds longer ones up to whole seconds)."""
    connect, pool = seconds.get("connect"), seconds.get("pool")
    together = None if connect is None or pool is None else connect + pool
    return aiohttp.ClientTimeout(
        connect=together, sock_connect=connect, sock_read=seconds.get("read"), ceil_threshold=float("inf")
    )
