"""The examples with React: installed and built as `npm start` does it, which takes longer than a server's start may."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from bff.devstack.servers import Server, running
from support.storefronts import EXAMPLES, PACKAGE, Storefront, environment, new_port
from tools.npm import BIN, npm

BUILT_WITHIN_SECONDS = 300


@contextmanager
def react_storefront(name: str, loyalty: str, sandbox: str, folder: Path) -> Iterator[Storefront]:
    """`npm ci && npm start`, until the tests end; `folder` is for its log and what it keeps for a while."""
    assert (PACKAGE / "package.json").exists(), "run `make client` first"
    port, place = new_port(), EXAMPLES / name
    url = f"http://localhost:{port}"
    surroundings = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/"), "TMPDIR": str(folder)}
    options: dict[str, Any] = {"cwd": place, "env": surroundings | environment(loyalty, sandbox, port)}
    installed = npm(place, "ci")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    build = [str(BIN / "npm"), "run", "build"]
    built = subprocess.run(build, **options, capture_output=True, text=True, timeout=BUILT_WITHIN_SECONDS)  # noqa: S603
    assert built.returncode == 0, built.stdout + built.stderr
    server = Server(name, url, [str(BIN / "npm"), "run", "serve"], lambda: _answers(url), folder / "log", options)
    with running(server):
        yield Storefront(name, url, folder / "log")


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/sign-in", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False
