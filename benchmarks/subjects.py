"""Who is measured: the service, its bare server, and peers that do the same work."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import PYTHON, RESULTS, process, until_up
from benchmarks.stand import Stand, ask, service, signed_in
from bff.devstack.servers import free_port
from bff.sandbox.config import OKENDO_USER_ID

PEERS = Path(__file__).parent / "peers"
FASTIFY = RESULTS / "fastify"
JWT = f"{'h' * 60}.{'p' * 500}.{'s' * 43}"
INSTALL_SECONDS = 180


class Running(NamedTuple):
    """A server that answers, with the cookies of so many members."""

    port: int
    pid: int
    cookies: list[str]


class Subject(NamedTuple):
    """`warm_up` says how many times as long as the service it is used before it counts: V8 compiles what is hot."""

    name: str
    run: Callable[[Stand, int], AbstractContextManager[Running]]
    warm_up: int = 1


@contextmanager
def ours(on: Stand, members: int) -> Iterator[Running]:
    with service(on) as pid:
        yield Running(on.port, pid, signed_in(on.port, members))


@contextmanager
def bare(on: Stand, members: int) -> Iterator[Running]:
    with _peer(on, "bare", [*PYTHON, "benchmarks.peers.bare"]) as running:
        yield running


@contextmanager
def textbook(on: Stand, members: int) -> Iterator[Running]:
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    command = [*PYTHON, "uvicorn", "benchmarks.peers.textbook:app", *options]
    with _peer(on, "textbook", command, port=port) as running:
        yield running._replace(cookies=_seeded(running.port, members))


@contextmanager
def fastify(on: Stand, members: int) -> Iterator[Running]:
    with _peer(on, "fastify", ["node", "server.mjs"], cwd=FASTIFY) as running:
        yield running._replace(cookies=_seeded(running.port, members))


@contextmanager
def _peer(on: Stand, name: str, command: list[str], *, port: int = 0, cwd: Path | None = None) -> Iterator[Running]:
    port, log = port or free_port(), on.folder / f"{name}.log"
    env = {
        "PORT": str(port),
        "REDIS_URL": on.settings["VALKEY_URL"],
        "VENDOR_URL": on.settings["OKENDO_API_URL"],
        "STORE": OKENDO_USER_ID,
        "SECRET": "a-secret-of-the-bench-with-enough-characters",
        "NODE_ENV": "production",
    }
    places = {"cwd": cwd} if cwd else {}
    with process(*command, env=env, log=log, cpus=on.cpus.server, **places) as running:
        until_up(running, log, port, "/healthz")
        yield Running(port, running.pid, [])


def _seeded(port: int, members: int) -> list[str]:
    """Sessions in the store of a peer, which has nobody sign in."""
    sessions = [
        {
            "customerId": f"gid://shopify/Customer/{number}",
            "name": "Ella Martin",
            "email": f"ella{number}@example.com",
            "jwt": JWT,
            "jwtExpires": time.time() + 7200,
            "accessToken": f"shcat_bench-{number}-{'e' * 300}",
            "state": "enrolled",
        }
        for number in range(1, members + 1)
    ]
    headers = {"content-type": "application/json"}
    return [ask(port, "POST", "/seed", json.dumps(session), headers).cookie for session in sessions]


def install_fastify() -> str:
    """Put the peer and its packages into .run/; returns why that cannot be, in a line, or nothing."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "Node.js with npm was not found, so the peer on fastify is left out."
    FASTIFY.mkdir(parents=True, exist_ok=True)
    for file in (PEERS / "fastify").iterdir():
        shutil.copy(file, FASTIFY)
    if (FASTIFY / "node_modules" / "fastify").is_dir():
        return ""
    print("Installing the packages of the peer on fastify (first run only) ...", flush=True)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
    try:
        subprocess.run(command, cwd=FASTIFY, check=True, timeout=INSTALL_SECONDS, stdout=sys.stderr)  # noqa: S603  # See above.
    except (subprocess.SubprocessError, OSError):
        return "npm could not install the packages of the peer on fastify, so it is left out."
    return ""


SERVICE = Subject("service", ours)
BARE = Subject("bare", bare)
FASTIFY_PEER = Subject("fastify", fastify, warm_up=4)
TEXTBOOK = Subject("textbook", textbook)
