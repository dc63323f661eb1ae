"""Our commands as processes of their own, forked from one that has imported everything already.

A process that starts from nothing spends most of a second on imports, and the tests start hundreds. The command itself,
`python -m bff`, is shown to work by ops/test_boot.py, ops/test_devstack.py and all that serve with `as_process`.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from bff.cli import main
from support.temporary_files import folder_beside

ROOT = Path(__file__).resolve().parents[2]
KEPT = {"PATH", "HOME"}
SECONDS = 120
_ready = multiprocessing.get_context("forkserver")
_ready.set_forkserver_preload(["bff.app", "bff.cli", "bff.ops.doctor", "bff.ops.admin", "bff.worker"])


def start(settings: Mapping[str, str], *command: str, out: Path, err: Path | None = None) -> BaseProcess:
    """`python -m bff` with these settings and nothing else of our environment; what it says is added to the files."""
    environ = {name: value for name, value in os.environ.items() if name in KEPT}
    environ |= {"TMPDIR": folder_beside(out), **settings}
    process = _ready.Process(target=_become, args=(environ, command, out, err or out), daemon=True)
    process.start()
    return process


def bff(settings: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """One command of ours, and what it said."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = start(settings, *arguments, out=out, err=err)
        process.join(SECONDS)
        assert process.exitcode is not None, f"{arguments} does not end"
        return subprocess.CompletedProcess(arguments, process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def _become(environ: Mapping[str, str], command: tuple[str, ...], out: Path, err: Path) -> None:
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), number)
    sys.exit(main(list(command)))
