"""One Valkey: a bounded pool of connections to it, which follow the primary when it moves."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Connection, SSLConnection
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError

# How often a connection is waited for while Valkey answers on the others: what was begun should come to its end.
BUSY_WAITS = 3
# A connection that is younger leads to where the primary is now, as far as anybody knows: Sentinels are not asked more
# often either.
YOUNG_SECONDS = 0.25
Host = tuple[str, int]
Locate = Callable[[], Awaitable[Host]]


class PoolBusy(RedisConnectionError):
    """All connections were in use for as long as one is waited for, while Valkey answered on them."""


class Pool(BlockingConnectionPool):
    """redis-py's pool, which tells a Valkey that does not answer from more questions than connections.

    While nobody waits, a connection is taken and given back without the locks and the records of redis-py, which take
    longer than a question itself.
    """

    _answered = 0
    _waiting = 0

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> AbstractConnection:
        if self._available_connections and not self._waiting:
            return await self._at_hand()
        self._waiting += 1
        try:
            return await self._awaited()
        finally:
            self._waiting -= 1

    async def _at_hand(self) -> AbstractConnection:
        connection = cast(AbstractConnection, self.get_available_connection())  # type: ignore[no-untyped-call]  # redis-py's
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def _awaited(self) -> AbstractConnection:
        for _ in range(BUSY_WAITS):
            before = self._answered
            try:
                return cast(AbstractConnection, await super().get_connection())  # type: ignore[no-untyped-call]  # redis-py's
            except RedisConnectionError as error:
                is_busy = isinstance(error.__cause__, TimeoutError) and self._answered > before
                if not is_busy:
                    raise
        raise PoolBusy("all connections are in use")

    async def release(self, connection: AbstractConnection) -> None:
        # One on which no answer came has been closed.
        self._answered += connection.is_connected
        if self._waiting or connection.should_reconnect():  # type: ignore[no-untyped-call]  # redis-py's
            await super().release(connection)
            return
        self._in_use_connections.remove(connection)
        self._available_connections.append(connection)


class Following(Connection):
    """A connection to the primary. When it connects it asks `locate` where that is, or resolves its name anew; when it
    finds itself at a replica it is closed, so that the second try is made where the primary is now."""

    def __init__(self, *, locate: Locate | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._locate = locate
        self._connected_at = float("-inf")

    async def _connect(self) -> None:
        if self._locate is not None:
            self.host, self.port = await self._locate()
        await super()._connect()  # type: ignore[no-untyped-call]  # redis-py's
        self._connected_at = time.monotonic()

    def hand_over(self) -> asyncio.StreamWriter:
        """What has been connected, to somebody else, who closes it."""
        writer = cast(asyncio.StreamWriter, self._writer)
        self._reader = self._writer = None
        return writer

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*arguments, **options)
        except ReadOnlyError as error:
            if time.monotonic() - self._connected_at < YOUNG_SECONDS:
                raise
            await self.disconnect()
            raise RedisConnectionError("the primary has become a replica") from error


class FollowingWithTls(Following, SSLConnection):
    """The same with TLS."""


class Network:
    """How Valkey is reached, wherever it is: the parameters of `url`, and how long one waits. `url` is redis-py's."""

    def __init__(self, url: str, *, verify_tls: bool, timeout_seconds: float) -> None:
        options: dict[str, Any] = dict(parse_url(url))
        with_tls = options.pop("connection_class", None) is SSLConnection
        self._connection_class = FollowingWithTls if with_tls else Following
        if with_tls and not verify_tls:
            options |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
        self.seconds = timeout_seconds
        self._options = options | {"socket_timeout": timeout_seconds, "socket_connect_timeout": timeout_seconds}

    def pool(self, connections: int, *, tries: int = 2, **more: Any) -> Pool:
        """A pool of so many connections at most, in which every wait, for one of them or for an answer, is bounded and
        tried so often at most (B11). `more` takes the place of what the address says, such as its host."""
        return Pool(
            connection_class=self._connection_class,
            max_connections=connections,
            timeout=self.seconds,
            retry=Retry(NoBackoff(), tries - 1),
            **(self._options | more),
        )

    def connection(self, **more: Any) -> Following:
        """One that belongs to no pool and is tried once; in RESP2, in which nothing comes but answers."""
        return cast(Following, self.pool(1, tries=1, protocol=2, **more).make_connection())  # type: ignore[no-untyped-call]  # redis-py's
