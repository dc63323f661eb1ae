"""The client as npm gets it, built of the sources that are here, once for the run."""

import fcntl
import os

import pytest

from support.client_package import Package
from tools.client import build, served


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The first process that needs it builds it, and the others wait."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder, finished = root / "client", root / "client.built"
    with (root / "client.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            build(folder)
            finished.touch()
    return Package(folder, served(folder))
