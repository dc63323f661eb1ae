"""How many webhooks are taken a second, and how long the vendor waits for the answer while the worker is far behind.

Beside it in the same run, on the same process: `/healthz`, which touches nothing, as the server's own floor. Figures
are of this machine and only good for comparing within a run.
"""

import asyncio
import hashlib
import hmac
import json
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import psycopg

from bff.cli import migrate_database
from bff.devstack.servers import free_port, postgres, valkey
from bff.devstack.stack import environment
from bff.vendors.transport import Outgoing, Transport

ROOT = Path(__file__).parents[1]
REQUESTS = 3000
CONNECTIONS = 16
BACKLOG = 5000
GOAL_MEDIAN_MS = 50
MOST_BYTES = 1_048_576
Ask = Callable[[Transport], Awaitable[int]]


def main() -> None:
    with TemporaryDirectory() as folder, postgres(Path(folder)) as database, valkey(Path(folder)) as store:
        migrate_database(database.url)
        settings = environment(free_port(), free_port(), database.url, store.url)
        with served(settings):
            asyncio.run(measure(settings))


@contextmanager
def served(settings: dict[str, str]) -> Iterator[None]:
    """One web process and no worker, so that nothing is ever taken from the queue."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR"}}
    command = [sys.executable, "-m", "bff", "serve"]
    process = subprocess.Popen(command, env=kept | settings | {"LOG_LEVEL": "error"}, cwd=ROOT)  # noqa: S603
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


async def measure(settings: dict[str, str]) -> None:
    address, secret = settings["PUBLIC_URL"], settings["SUBTOTAL_SIGNING_SECRET"].encode()
    async with Transport(connections=CONNECTIONS) as http:
        await until_up(http, address)
        floor = await timed(http, lambda session: get(session, f"{address}/healthz"))
        behind(settings["DATABASE_URL"])
        new = await timed(http, lambda session: post(session, address, secret, event(secrets.token_hex(13))))
        again = await timed(http, lambda session: post(session, address, secret, event("the-same-event-again")))
    for name, figures in (("healthz (the floor)", floor), ("new events", new), ("repeated events", again)):
        rate, median, worst = figures
        print(
            f"{name:<20} {rate:>7,.0f} /s   median {median:>6.1f} ms   p99 {worst:>6.1f} ms   {rate / floor[0]:.2f} x"
        )
    print(f"goal: median of new events at most {GOAL_MEDIAN_MS} ms: {'met' if new[1] <= GOAL_MEDIAN_MS else 'MISSED'}")
    if new[1] > GOAL_MEDIAN_MS:
        sys.exit(1)


async def until_up(http: Transport, address: str) -> None:
    for _ in range(200):
        try:
            if await get(http, f"{address}/readyz") == 200:
                return
        except httpx2.TransportError:
            pass
        await asyncio.sleep(0.1)
    sys.exit("the service did not start")


def behind(database_url: str) -> None:
    """A worker that is this many jobs behind."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO procrastinate_jobs (task_name, queue_name, args, lock)"
            " SELECT 'pay_award', 'paying', jsonb_build_object('row', n), 'payee ' || n"
            " FROM generate_series(1, %s) AS n",
            (BACKLOG,),
        )


def event(name: str) -> bytes:
    connection = {"connection_id": "01HZX3K7B2M9QW4T6V8Y0A1C3E", "customer_id": "gid://shopify/Customer/1",
                  "retailer_id": "walmart", "status": "active", "email": "ella@example.com"}  # fmt: skip
    product = {"product_id": "p", "name": "Daily moisturiser", "upc": "012345678905"}
    items = [{"item_id": str(n), "price": "8.49", "quantity": 1, "product": product} for n in range(12)]
    purchase = {"purchase_id": name, "date": "2026-11-03T10:15:00Z", "total": "101.88", "items": items}
    payload = {"connection": connection, "purchase": purchase}
    return json.dumps({"type": "purchase.created", "id": name, "payload": payload}).encode()


async def get(http: Transport, url: str) -> int:
    return await status_of(http, Outgoing(method="GET", url=url))


async def post(http: Transport, address: str, secret: bytes, body: bytes) -> int:
    stamp = str(int(time.time()))
    mac = hmac.digest(secret, stamp.encode() + b"." + body, hashlib.sha256).hex()
    headers = {"x-subtotal-timestamp": stamp, "x-subtotal-signature": mac, "content-type": "application/json"}
    url = f"{address}/webhooks/subtotal"
    return await status_of(http, Outgoing(method="POST", url=url, headers=tuple(headers.items()), body=body))


async def status_of(http: Transport, outgoing: Outgoing) -> int:
    """The status of an answer that was read to its end."""
    incoming = await http.send(outgoing)
    try:
        await incoming.read(MOST_BYTES)
    finally:
        incoming.close()
    return incoming.status


async def timed(http: Transport, ask: Ask) -> tuple[float, float, float]:
    """Requests a second, and median and 99th percentile of what one took, in milliseconds."""
    took: list[float] = []
    waiting = iter(range(REQUESTS))

    async def one_after_the_other() -> None:
        for _ in waiting:
            began = time.perf_counter()
            status = await ask(http)
            took.append((time.perf_counter() - began) * 1000)
            if status not in {200, 204}:
                sys.exit(f"answered {status}")

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(CONNECTIONS)))
    seconds = time.perf_counter() - began
    return REQUESTS / seconds, statistics.median(took), statistics.quantiles(took, n=100)[98]


if __name__ == "__main__":
    main()
