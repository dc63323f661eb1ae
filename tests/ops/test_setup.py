"""What `make` puts into .venv and when, and what it makes of checks that fail, with stand-ins for the programs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = """#!/bin/sh
echo "python $*" >>calls
case "$*" in
    *print*) echo 3.13.0;;
    "-m venv "*) rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
    "-m pip "*requirements-uv.txt) cp uv .venv/bin/uv;;
    "-m pip "*) echo "$PIP_SAYS"; exit ${PIP_STATUS:-0};;
esac
"""
UV = """#!/bin/sh
echo "uv $*" >>calls
echo "Downloading ..."
"""
# Breaks off the recipe that runs it, as a Ctrl-C does.
BREAKING_UV = "#!/bin/sh\nkill -9 $PPID\n"
FAILING_UV = "#!/bin/sh\necho 'no such processor'; exit 132\n"

FIRST_RUN = ["Creating .venv with Python 3.13.0 ...", "Fetching uv, which installs the rest ..."]


class Checkout:
    """A fresh checkout on a machine with these programs."""

    def __init__(self, root: Path, uv: str = UV) -> None:
        self.root = root
        for path in (ROOT / "Makefile", *ROOT.glob("requirements*.txt")):
            shutil.copy2(path, root)
        self.program("python3.13", PYTHON)
        self.program("uv", uv)

    def program(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)
        (self.root / name).chmod(0o755)

    def make(self, target: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self._wait()
        (self.root / "calls").write_text("")
        shell = {"PATH": f"{self.root}:/usr/local/bin:/usr/bin:/bin", "CHROMIUM": "sh"}
        return subprocess.run(  # noqa: S603  # The command is ours.
            ["make", "--no-print-directory", target],  # noqa: S607  # Wherever it is.
            cwd=self.root,
            env=shell | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def says(self, target: str, **environment: str) -> list[str]:
        """The steps that `make TARGET` tells of, up to what the target itself says."""
        done = self.make(target, **environment)
        assert done.returncode == 0, done.stderr
        return [line for line in done.stdout.splitlines() if line.endswith("...")]

    def installed(self) -> list[str]:
        """The lists that uv was given in the last run of make."""
        calls = (self.root / "calls").read_text().splitlines()
        return [call.split()[-1] for call in calls if call.startswith("uv ")]

    def change(self, name: str) -> None:
        self._wait()
        (self.root / name).touch()

    def _wait(self) -> None:
        """Let ten seconds pass for all files: old ones of make tell only seconds apart."""
        for path in (*self.root.glob("requirements*.txt"), *self.root.glob(".venv/**/*")):
            then = path.stat().st_mtime - 10
            os.utime(path, (then, then))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_what_runs_it_and_what_tests_it_are_installed_once_and_apart(checkout: Checkout) -> None:
    [creating, fetching, packages] = checkout.says("run")
    assert [creating, fetching] == FIRST_RUN
    assert packages.startswith("Installing ")
    assert checkout.installed() == ["requirements-run.txt"]
    assert checkout.says("run") == []
    assert checkout.says("chromium") == ["Installing the tools for tests (first run only) ..."]
    assert checkout.installed() == ["requirements-dev.txt"]
    assert checkout.says("run") == checkout.says("chromium") == []


@pytest.mark.parametrize(
    ("changed", "installed"),
    [
        ("requirements-dev.txt", ["requirements-dev.txt"]),
        ("requirements-run.txt", ["requirements-run.txt", "requirements-dev.txt"]),
        ("requirements-uv.txt", ["requirements-run.txt", "requirements-dev.txt"]),
        ("requirements.txt", []),
    ],
)
def test_a_list_that_changed_is_installed_again(checkout: Checkout, changed: str, installed: list[str]) -> None:
    checkout.says("chromium")
    checkout.change(changed)
    assert not any(step.startswith(("Creating", "Installing")) for step in checkout.says("chromium"))
    assert checkout.installed() == installed
    assert checkout.says("chromium") == []


def test_an_installation_that_was_broken_off_begins_anew(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, BREAKING_UV)
    assert checkout.make("run").returncode != 0
    checkout.program("uv", UV)
    assert checkout.says("run")[:2] == FIRST_RUN
    assert checkout.says("run") == []


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.says("run")
    (checkout.root / ".venv" / "bin" / "python").unlink()
    assert checkout.says("run")[:2] == FIRST_RUN


def test_where_uv_does_not_run_pip_installs(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, FAILING_UV)
    assert checkout.says("run")[-1] == "uv cannot install here, so pip does, which takes longer ..."
    assert checkout.says("run") == []


def test_what_installers_say_is_shown_only_if_they_fail(tmp_path: Path) -> None:
    good = Checkout(tmp_path).make("run")
    assert "Downloading" not in good.stdout + good.stderr
    (tmp_path / ".venv" / "bin" / "python").unlink()
    bad = Checkout(tmp_path, FAILING_UV).make("run", PIP_SAYS="the network is away", PIP_STATUS="1")
    assert bad.returncode != 0
    assert bad.stderr.startswith("no such processor\nthe network is away\n")


@pytest.mark.parametrize("failing", ["ruff", "mypy", "lint-imports"])
def test_a_check_that_fails_is_shown_and_hides_no_other(checkout: Checkout, failing: str) -> None:
    checkout.says("chromium")
    tools = ("ruff", "mypy", "lint-imports")
    for tool in tools:
        checkout.program(f".venv/bin/{tool}", f"#!/bin/sh\necho 'this is {tool}'; exit {int(tool == failing)}\n")
    done = checkout.make("check")
    assert done.returncode != 0
    assert all(f"this is {tool}" in done.stdout for tool in tools)
    checkout.program(f".venv/bin/{failing}", "#!/bin/sh\n")
    assert checkout.make("check").returncode == 0
