"""Clients that ask as fast as they are answered, in a process of their own, and what they were answered.

Each has a connection that it keeps, asks, reads the whole answer, and asks what comes next in the list.
"""

import asyncio
import itertools
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple, cast

import httptools
import uvloop


class Load(NamedTuple):
    """`requests` are complete HTTP/1.1 requests. They are sent in turns, over so many `connections`, for so many
    `seconds`; where each may be sent but `once`, until there are no more."""

    host: str
    port: int
    requests: Sequence[bytes]
    connections: int
    seconds: float
    once: bool = False


class Answers(NamedTuple):
    """How many answers had which status, how long each took in milliseconds, and how long all took together."""

    statuses: dict[int, int]
    took_ms: list[float]
    seconds: float

    def percentile(self, percent: int) -> float:
        """In milliseconds."""
        if len(self.took_ms) < 2:
            return self.took_ms[0] if self.took_ms else 0.0
        return statistics.quantiles(self.took_ms, n=100, method="inclusive")[percent - 1]


class Clients:
    """A process that asks, so that asking costs the measuring process nothing; a context manager."""

    def __init__(self) -> None:
        self._pool = ProcessPoolExecutor(1, get_context("spawn"))

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def ask(self, load: Load) -> Answers:
        """Raises ConnectionError when a connection ends before its answer."""
        return self.asking(load).result()

    def asking(self, load: Load) -> Future[Answers]:
        """The same, without waiting for it."""
        return self._pool.submit(asked, load)


def asked(load: Load) -> Answers:
    return uvloop.run(_asked(load))


async def _asked(load: Load) -> Answers:
    requests = iter(load.requests) if load.once else itertools.cycle(load.requests)
    crowd = Crowd(requests, time.perf_counter() + load.seconds)
    loop = asyncio.get_running_loop()
    for _ in range(load.connections):
        _, client = await loop.create_connection(lambda: Client(crowd), load.host, load.port)
        crowd.clients.append(client)
    began = time.perf_counter()
    crowd.until = began + load.seconds
    for client in crowd.clients:
        client.ask()
    # Everybody waits for the last answer, so that no work is left over for what is measured next.
    await asyncio.gather(*(client.has_left for client in crowd.clients))
    return Answers(dict(crowd.statuses), crowd.took_ms, time.perf_counter() - began)


class Crowd:
    """What all clients of one load share."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.requests = requests
        self.until = until
        self.clients: list[Client] = []
        self.statuses: Counter[int] = Counter()
        self.took_ms: list[float] = []


class Client(asyncio.Protocol):
    """Asks until it is late (`perf_counter`), or nothing is left to ask. httptools calls the methods named `on_`."""

    def __init__(self, crowd: Crowd) -> None:
        self.has_left = asyncio.get_running_loop().create_future()
        self._crowd = crowd
        self._parser = httptools.HttpResponseParser(self)
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def ask(self) -> None:
        request = next(self._crowd.requests, None) if time.perf_counter() < self._crowd.until else None
        if request is None:
            self.has_left.set_result(None)
            self._transport.close()
            return
        self._asked_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._crowd.took_ms.append((time.perf_counter() - self._asked_at) * 1000)
        self._crowd.statuses[self._parser.get_status_code()] += 1
        self.ask()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.has_left.done():
            self.has_left.set_exception(ConnectionError("a connection ended before its answer came"))


def expect(answers: Answers, status: int, what: str) -> None:
    """Ends the program where none was answered with this status, or any with another than that and 503: what they cost
    would say nothing."""
    if status not in answers.statuses or not answers.statuses.keys() <= {status, 503}:
        sys.exit(f"{what}: {status} was expected, and this many answers had these statuses: {answers.statuses}")
