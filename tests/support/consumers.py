"""Storefront code against types that generators make of the OpenAPI document, compiled by a strict TypeScript."""

import fcntl
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.services import ROOT
from tools.npm import npm

SOURCES = ROOT / "tests" / "consumers"
DOCUMENT = ROOT / "docs" / "openapi.json"
# Where packages stay, so that they are installed once.
INSTALLED = ROOT / ".run" / "consumers"
# The package that generates, by the name of its folder.
PACKAGES = {"openapi-typescript": "openapi-typescript", "hey-api": "@hey-api/openapi-ts", "orval": "orval"}


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Of the processes that run tests, only one at a time installs or generates in a folder."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def installed(name: str, *, newest: bool = False) -> Path:
    """The folder of this generator with its packages: those of the lock file, or the newest there are."""
    source = SOURCES / name
    digest = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = INSTALLED / f"{name}-{'newest' if newest else digest}"
    with alone(folder.name):
        if newest:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        for file in (*source.iterdir(), SOURCES / "reads.ts", SOURCES / "tsconfig.json"):
            shutil.copy(file, folder)
        if not (folder / "node_modules").is_dir():
            done = npm(folder, "install", f"{PACKAGES[name]}@latest") if newest else npm(folder, "ci")
            assert done.returncode == 0, done.stderr
    return folder


def flaws(folder: Path, document: str) -> str:
    """What the generator and the compiler have against code that uses every operation of this document."""
    with alone(folder.name):
        return _flaws(folder, document)


def _flaws(folder: Path, document: str) -> str:
    (folder / "openapi.json").write_text(document, "utf-8")
    for old in (folder / "generated", folder / "generated.ts"):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    made = npm(folder, "run", "generate")
    if made.returncode != 0:
        return made.stdout + made.stderr
    return npm(folder, "exec", "--", "tsc", "--project", ".").stdout
