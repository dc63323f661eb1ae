"""The examples as their developers start them: each a process of its own, against the test's service and sandbox."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

from bff.devstack.servers import free_port
from bff.sandbox.config import STOREFRONT_TOKEN
from support.concurrency import until
from support.services import ROOT, TICKETS_TOKEN
from tools.npm import BIN, npm

EXAMPLES = ROOT / "examples"
PACKAGE = ROOT / ".run" / "client" / "package"
ENDS_WITHIN_SECONDS = 10


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
    """`npm start` in the folder of an example, until the test ends; raises with what it said if it does not answer."""
    surroundings = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "TMPDIR": str(log.parent),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # An example of ours.
            [str(BIN / "npm"), "start", "--silent"],
            cwd=folder, env=surroundings | environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        shop = Storefront(folder.name, f"http://{host}:{environ['PORT']}", log)
        try:
            until(lambda: process.poll() is not None or _answers(int(environ["PORT"])), seconds=60)
            assert process.poll() is None, shop.said
            yield shop
        finally:
            _end(process)


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=20).status_code < 500
    except httpx2.TransportError:
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """With all that it has started; whoever does not go is made to."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN_SECONDS)
            return


def new_port() -> int:
    return free_port()
