"""What every server that is measured stands on: PostgreSQL, Valkey and quick vendors, all on this machine."""

import http.client
import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.processes import PYTHON, Cpus, process, until_up
from bff.cli import migrate_database
from bff.devstack.servers import Server, free_port, postgres, valkey
from bff.devstack.stack import environment, sandbox_environment

# What is measured is to be the service, not what keeps one shopper from asking too often.
LIMITLESS = {"REQUESTS_PER_MINUTE": "10000000", "OKENDO_MERCHANT_PER_SECOND": "1000", "TRUSTED_HOPS": "1"}


@dataclass(frozen=True)
class Stand:
    """`settings` are those of the service on `port`; logs lie in `folder`."""

    folder: Path
    settings: dict[str, str]
    port: int
    vendor_port: int
    database: Server
    store: Server
    cpus: Cpus

    def delay(self, milliseconds: int) -> None:
        """Have the vendors take so long for every answer."""
        ask(self.vendor_port, "POST", f"/_delay/{milliseconds}")


@contextmanager
def stand(cpus: Cpus) -> Iterator[Stand]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="loyalty-bench-")))
        database, store = stack.enter_context(postgres(folder)), stack.enter_context(valkey(folder))
        migrate_database(database.url)
        port, vendor_port = free_port(), free_port()
        settings = environment(port, vendor_port, database.url, store.url) | LIMITLESS
        stack.enter_context(vendors(folder, settings, vendor_port))
        yield Stand(folder, settings, port, vendor_port, database, store, cpus)


@contextmanager
def vendors(folder: Path, settings: dict[str, str], port: int, *before: str) -> Iterator[None]:
    """The quick vendors on this port; `before` is what the command begins with."""
    log, env = folder / "vendor.log", sandbox_environment(settings)
    with process(*before, *PYTHON, "benchmarks.vendor", env=env, log=log) as running:
        if not before:
            until_up(running, log, port, "/")
        yield


@contextmanager
def service(on: Stand) -> Iterator[int]:
    """The service, with a CPU for itself; yields the number of its process."""
    log = on.folder / "service.log"
    with process(*PYTHON, "bff", "serve", env=on.settings, log=log, cpus=on.cpus.server) as running:
        until_up(running, log, on.port, "/readyz")
        yield running.pid


def signed_in(port: int, members: int, host: str = "127.0.0.1", first: int = 1) -> list[str]:
    """The cookies of so many members who hand their token in, as a storefront's page does."""
    return [_signed_in(port, number, host) for number in range(first, first + members)]


def _signed_in(port: int, number: int, host: str) -> str:
    headers = {
        "origin": f"http://localhost:{port}",
        "host": f"localhost:{port}",
        "sec-fetch-site": "same-origin",
        "content-type": "application/json",
        "x-loyalty-csrf": "1",
        "x-forwarded-for": ".".join(map(str, secrets.token_bytes(4))),
        "x-forwarded-proto": "https",
    }
    body = json.dumps({"customerAccessToken": f"shcat_bench-{number}-{'e' * 300}"})
    return ask(port, "POST", "/api/v1/session", body, headers, host=host).cookie


class Reply(NamedTuple):
    """`cookie` is what a browser would send from now on."""

    body: bytes
    cookie: str
    etag: str


def ask(
    port: int,
    method: str,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    host: str = "127.0.0.1",
) -> Reply:
    """One answer, read to its end; ends the program unless it is a success."""
    connection = http.client.HTTPConnection(host, port, timeout=15)
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    if reply.status >= 300:
        sys.exit(f"{method} {path} on port {port} answered {reply.status}: {content[:300]!r}")
    cookies = [line.partition(";")[0] for line in reply.headers.get_all("set-cookie", [])]
    return Reply(content, "; ".join(cookies), reply.headers.get("etag", ""))
