"""One folder for everything temporary of a run, which ends with it, and in which tests may leave nothing."""

import os
import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

# What pytest removes with the folder, what `multiprocessing` removes when the process ends that asked for it, and what
# Chromium leaves when it is told to end while it starts.
OWN = ("pytest-of-", "pymp-", ".org.chromium.")
LAST = -1000


class Folder:
    """Processes that are started from now on have it as their TMPDIR."""

    def __init__(self) -> None:
        # A short name: sockets are made in it, whose paths may have a hundred characters.
        self._path = Path(tempfile.mkdtemp(prefix="bff-"))
        os.environ["TMPDIR"] = tempfile.tempdir = str(self._path)
        # When this process ends, and after `multiprocessing` has removed its own.
        Finalize(None, shutil.rmtree, (self._path,), {"ignore_errors": True}, exitpriority=LAST)

    def left(self) -> list[str]:
        """Names of what tests have left in it."""
        return sorted(path.name for path in self._path.iterdir() if not path.name.startswith(OWN))


def folder_beside(file: Path) -> str:
    """A TMPDIR for the process that writes this log: what it leaves when it is killed goes with the log."""
    folder = file.with_suffix(".tmp")
    folder.mkdir(exist_ok=True)
    return str(folder)
