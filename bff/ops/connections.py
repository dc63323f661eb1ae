"""What the connections of one process share: how many may wait for a request, and whose turn it is to be read on."""

import asyncio
import resource
from collections import deque
from collections.abc import Callable
from typing import Protocol

# Connections on which no request is under way, and how many of them one address may have that is no proxy of ours.
MOST_WAITING = 4000
MOST_OF_ONE = 100
# Refused connections that are read on between two passes of the event loop.
EACH_PASS = 64


class Connection(Protocol):
    """What is asked of a connection here."""

    def drop(self) -> None:
        """Close it now."""

    def read_on(self) -> None:
        """Take its next request."""


def most_waiting() -> int:
    """How many may wait: the others of the open files that the system allows are for requests and what they need."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_WAITING if allowed == resource.RLIM_INFINITY else min(MOST_WAITING, allowed // 2)


def nobody(_: str) -> None:
    """Count no connection for anybody: all peers are proxies."""


class WaitingConnections:
    """The connections on which no request is under way, be they idle or in the middle of a head, the longest waiting
    first. Beyond a bound that one is closed.

    `counted_for` says whom a peer's connections are counted for, None for a proxy of ours.
    """

    def __init__(
        self,
        most: int = MOST_WAITING,
        most_of_one: int = MOST_OF_ONE,
        counted_for: Callable[[str], str | None] = nobody,
    ) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._counted_for = counted_for
        self._all: dict[Connection, None] = {}
        self._of_one: dict[str, dict[Connection, None]] = {}

    def add(self, connection: Connection, peer: str) -> None:
        """It begins to wait; one that has waited for longer may be closed for it."""
        self._all[connection] = None
        if len(self._all) > self._most:
            next(iter(self._all)).drop()
        who = self._counted_for(peer)
        if who is not None:
            own = self._of_one.setdefault(who, {})
            own[connection] = None
            if len(own) > self._most_of_one:
                next(iter(own)).drop()

    def wait_on(self, connection: Connection, peer: str) -> None:
        """One that waited has had its answer at once, and begins to wait anew."""
        who = self._counted_for(peer)
        for place in (self._all, self._of_one.get(who, {}) if who is not None else {}):
            if connection in place:
                place[connection] = place.pop(connection)

    def remove(self, connection: Connection, peer: str) -> None:
        """A request has come, or the connection has gone."""
        self._all.pop(connection, None)
        who = self._counted_for(peer)
        if who is not None and (own := self._of_one.get(who)) is not None:
            own.pop(connection, None)
            if not own:
                del self._of_one[who]


class Turns:
    """Reads on from refused connections, a few in each pass of the event loop.

    A client that asks again as soon as it is refused would otherwise be refused again in the same pass, and a flood of
    them would make each pass so long that the requests under way, which need several passes, come to no end.
    """

    def __init__(self) -> None:
        self._queue: deque[Connection] = deque()

    def wait(self, connection: Connection) -> None:
        """Have it read on when its turn comes."""
        if not self._queue:
            asyncio.get_running_loop().call_soon(self._next)
        self._queue.append(connection)

    def _next(self) -> None:
        for _ in range(min(EACH_PASS, len(self._queue))):
            self._queue.popleft().read_on()
        if self._queue:
            asyncio.get_running_loop().call_soon(self._next)
