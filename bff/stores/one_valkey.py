"""redis-py's client of a Valkey, and beside it the line on which the questions of all requests go together."""

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bff.stores.line import Line, Words
from bff.stores.valkey_node import Network, Pool


class Valkey(Redis):
    """What of redis-py's client is used here, and questions that are written at once."""

    @abstractmethod
    async def ask_at_once(self, commands: Sequence[Words]) -> list[Any]:
        """The answers, errors among them, to commands that may be asked twice, each with keys of one slot.

        Raises PoolBusy when too many questions wait while Valkey answers, and redis-py's errors when it does not.
        """

    @abstractmethod
    def connections(self) -> tuple[int, int]:
        """How many connections are in use now, and how many may be; in a cluster, to the node that has most in use."""


class OneValkey(Valkey):
    """One Valkey, or the primary that `where` leads to, with so many connections at most. One of them is the line, on
    which as many questions are on their way at once."""

    def __init__(self, network: Network, connections: int, *, tries: int = 2, **where: Any) -> None:
        super().__init__(connection_pool=network.pool(max(1, connections - 1), tries=tries, **where))
        self._most = connections
        self._line = Line(
            partial(network.connection, **where),
            self._let_go_of_idle_ones,
            at_once=connections,
            seconds=network.seconds,
            tries=tries,
        )
        self._letting_go: asyncio.Task[None] | None = None

    async def ask_at_once(self, commands: Sequence[Words]) -> list[Any]:
        return await self._line.ask(commands)

    def connections(self) -> tuple[int, int]:
        # The line counts as full when it is: then questions wait.
        by_pool = len(cast(Pool, self.connection_pool)._in_use_connections)
        return max(self._line.on_their_way, min(by_pool + 1, self._most)), self._most

    def _let_go_of_idle_ones(self) -> None:
        """Whoever asks a Valkey that was silent connects first. So what counts once, such as a ticket, is not sent into
        the silence, to be used up there when it is over."""
        self._letting_go = asyncio.create_task(self._disconnect_idle_ones())

    async def _disconnect_idle_ones(self) -> None:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await self.connection_pool.disconnect(inuse_connections=False)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await self._line.aclose()
        await super().aclose(close_connection_pool)
