"""The examples as their developers start them: each a process of its own, against the test's service and sandbox."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2

from bff.devstack.servers import Server, free_port, running
from bff.sandbox.config import STOREFRONT_TOKEN
from support.services import ROOT, TICKETS_TOKEN
from tools.npm import BIN, npm

EXAMPLES = ROOT / "examples"
PACKAGE = ROOT / ".run" / "client" / "package"


@dataclass(frozen=True)
class Storefront:
    """An example that runs; `origin` is what stands in the browser's address bar."""

    name: str
    origin: str
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")


def environment(loyalty: str, sandbox: str, port: int, **more: str) -> dict[str, str]:
    """What every example is told (examples/README.md)."""
    return {
        "PORT": str(port),
        "LOYALTY_URL": loyalty,
        "SHOPIFY_STOREFRONT_URL": f"{sandbox}/api/2026-07/graphql.json",
        "SHOPIFY_STOREFRONT_TOKEN": STOREFRONT_TOKEN,
        "SESSION_TICKETS_TOKEN": TICKETS_TOKEN,
        "SANDBOX_URL": sandbox,
    } | more


def prepared(name: str) -> Path:
    """The folder of an example, with its packages and built, if it has any of that."""
    folder = EXAMPLES / name
    if (folder / "package-lock.json").exists():
        assert (PACKAGE / "package.json").exists(), "run `make client` first"
        done = npm(folder, "ci")
        assert done.returncode == 0, done.stdout + done.stderr
        done = npm(folder, "run", "build", "--if-present")
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@contextmanager
def storefront(folder: Path, environ: dict[str, str], log: Path, host: str = "localhost") -> Iterator[Storefront]:
    """`npm start` in the folder of an example, until the test ends, in whatever way; raises Failed with what it said if
    it does not answer."""
    surroundings = {"PATH": f"{BIN}:{os.environ['PATH']}", "TMPDIR": str(log.parent)}
    url = f"http://{host}:{environ['PORT']}"
    server = Server(
        folder.name, url, [str(BIN / "npm"), "start", "--silent"], partial(_answers, int(environ["PORT"])), log,
        {"cwd": folder, "env": surroundings | environ},
    )  # fmt: skip
    with running(server):
        yield Storefront(folder.name, url, log)


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=20).status_code < 500
    except httpx2.TransportError:
        return False


def new_port() -> int:
    return free_port()
