"""The folder in which web processes that serve side by side keep their numbers, so that any of them can add them up.

Its owner holds a lock on it. The system gives the lock back when the owner ends, however it ends, so that a folder
without a lock was left behind by a process that was killed.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir, mkdtemp

PREFIX = "loyalty-metrics-"


@contextlib.contextmanager
def metrics_folder() -> Iterator[Path]:
    """A new folder for as long as this is open; what killed processes left behind is removed first."""
    temporary = Path(gettempdir())
    for left_behind in temporary.glob(f"{PREFIX}*"):
        _remove_if_abandoned(left_behind)
    # It is locked before it has its name, so that no other process takes it for abandoned.
    unnamed = Path(mkdtemp(prefix="new-", dir=temporary))
    with _locked(unnamed):
        folder = unnamed.rename(temporary / f"{PREFIX}{unnamed.name.removeprefix('new-')}")
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_if_abandoned(folder: Path) -> None:
    # Somebody else's folder cannot be opened, and one that another process just removed is not there.
    with contextlib.suppress(OSError), _locked(folder):
        shutil.rmtree(folder)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises OSError when another process holds the lock, or when the folder cannot be opened."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
