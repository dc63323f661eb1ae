"""What becomes of a process that is asked for far more than it can do: who is served, who is refused, and how soon.

Clients ask for the rewards page, each on a connection of its own, and ask again as soon as they are answered, whatever
the answer; beside them somebody asks for `/healthz`. First come as many as the process can serve, which tells its
capacity, then 800 and 3,000. Server, stores and clients share this machine, so it must be quiet, and figures are only
good for comparing within a run.

    python -m benchmarks.overload            a table
    python -m benchmarks.overload --smoke    whether it works at all: seconds, and the figures are no good
"""

import argparse
import asyncio
import resource
import secrets
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.webhooks import get, served, until_up
from bff.cli import migrate_database
from bff.devstack.servers import free_port, postgres, valkey
from bff.devstack.stack import environment, sandbox_environment
from bff.vendors.transport import Transport


class Extent(NamedTuple):
    """How long so many clients ask: as many as the process can serve, and far more."""

    seconds: float = 8
    few: int = 32
    floods: tuple[int, ...] = (800, 3000)


SMOKE = Extent(seconds=0.5, few=4, floods=(60,))
PROBES_PER_SECOND = 20
# By status, how many milliseconds each answer took.
Took = dict[int, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="measure so briefly that only errors show")
    extent = SMOKE if parser.parse_args().smoke else Extent()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with TemporaryDirectory() as folder, postgres(Path(folder)) as database, valkey(Path(folder)) as store:
        migrate_database(database.url)
        settings = environment(free_port(), free_port(), database.url, store.url)
        # One machine plays many shoppers, who are not to be limited as one.
        settings |= {"TRUSTED_HOPS": "1", "REQUESTS_PER_MINUTE": "10000000"}
        with sandbox(settings), served(settings), ProcessPoolExecutor(1, get_context("spawn")) as clients:
            asyncio.run(measure(settings["PUBLIC_URL"], clients, extent))


@contextmanager
def sandbox(settings: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "bff.sandbox"], env=sandbox_environment(settings))
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


async def measure(address: str, clients: ProcessPoolExecutor, extent: Extent) -> None:
    async with Transport() as http:
        await until_up(http, address)
        await get(http, f"{address}/rewards")
        print(f"{'connections':>11} {'served/s':>9} {'of capacity':>11} {'p50':>8} {'p99':>8}", end="")
        print(f" {'refused/s':>10} {'p50':>8} {'/healthz p99':>13}")
        capacity = 0.0
        for connections in (extent.few, *extent.floods, extent.few):
            loop = asyncio.get_running_loop()
            flood = loop.run_in_executor(clients, flooded, address, connections, extent.seconds)
            probes = await probed(http, address, flood)
            took = await flood
            capacity = capacity or len(took[200]) / extent.seconds
            show(connections, capacity, took, probes, extent.seconds)


def flooded(address: str, connections: int, seconds: float) -> Took:
    """What so many clients were answered; anything but 200 and 503 ends the run."""
    took = asyncio.run(_flooded(address, connections, seconds))
    if not took.keys() <= {200, 503}:
        sys.exit(f"answered {sorted(took)}")
    return took


async def _flooded(address: str, connections: int, seconds: float) -> Took:
    host, _, port = urlsplit(address).netloc.partition(":")
    loop, took = asyncio.get_running_loop(), defaultdict[int, list[float]](list)
    until = time.perf_counter() + seconds
    connected = [
        await loop.create_connection(lambda: Client(f"{host}:{port}", took, until), host, int(port))
        for _ in range(connections)
    ]
    crowd = [client for _, client in connected]
    for client in crowd:
        client.ask()
    # Everybody waits for the last answer, so that no work is left over for whoever comes next.
    await asyncio.wait([client.has_left for client in crowd])
    return {200: [], 503: []} | took


class Client(asyncio.Protocol):
    """Asks, reads the answer, and asks again until it is late (`perf_counter`); each time as another shopper."""

    def __init__(self, host: str, took: Took, until: float) -> None:
        self.has_left = asyncio.get_running_loop().create_future()
        self._host = host
        self._took = took
        self._until = until
        self._said = b""
        self._asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # asyncio gives a TCP client nothing else.
        self._transport = transport

    def ask(self) -> None:
        shopper = ".".join(str(byte) for byte in secrets.token_bytes(4))
        self._said, self._asked = b"", time.perf_counter()
        head = f"GET /rewards HTTP/1.1\r\nHost: {self._host}\r\nAccept: text/html\r\nX-Forwarded-For: {shopper}\r\n\r\n"
        self._transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        self._said += data
        head, end, body = self._said.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            self._took[int(head[9:12])].append((time.perf_counter() - self._asked) * 1000)
            if time.perf_counter() < self._until:
                self.ask()
            else:
                self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.has_left.set_result(None)


async def probed(http: Transport, address: str, flood: "asyncio.Future[Took]") -> list[float]:
    """How many milliseconds `/healthz` took each time, until the flood is over."""
    took = []
    while not flood.done():
        began = time.perf_counter()
        if await get(http, f"{address}/healthz") != 200:
            sys.exit("/healthz was refused")
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(1 / PROBES_PER_SECOND)
    return took


def show(connections: int, capacity: float, took: Took, probes: Sequence[float], seconds: float) -> None:
    served, refused = took[200], took[503]
    rate = len(served) / seconds
    print(
        f"{connections:>11,} {rate:>9,.0f} {rate / capacity:>11.2f} {part(served, 50):>8} {part(served, 99):>8}"
        f" {len(refused) / seconds:>10,.0f} {part(refused, 50):>8} {part(probes, 99):>13}",
        flush=True,
    )


def part(took: Sequence[float], percent: int) -> str:
    """A percentile of some milliseconds."""
    return f"{statistics.quantiles(took, n=100)[percent - 1]:,.0f} ms" if len(took) > 1 else "-"


if __name__ == "__main__":
    main()
