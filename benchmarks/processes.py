"""Processes that are measured: how they start, what they cost, and what machine they run on.

What a process costs is the time that its threads, and those of its children, spent on a CPU. Linux tells it in
nanoseconds (/proc/PID/task/*/schedstat; Documentation/scheduler/sched-stats).
"""

import http.client
import os
import platform
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / ".run" / "bench"
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG")
START_SECONDS = 60
PYTHON = (sys.executable, "-m")


class Cpus(NamedTuple):
    """Which CPUs the measured server has for itself, and which all others share; the same ones where there is one."""

    server: frozenset[int]
    others: frozenset[int]


def need_linux() -> None:
    """Ends the program, in one line, where the system does not tell what a thread costs."""
    if not Path("/proc/self/schedstat").exists():
        sys.exit("This needs Linux: no other system tells in /proc how long a thread was on a CPU.")


def allow_many_files() -> None:
    """As many as the system lets this process and its children open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def prepare() -> Cpus:
    """Leaves one CPU to the server that is measured, where there are two."""
    allow_many_files()
    usable = os.sched_getaffinity(0)
    last = frozenset({max(usable)})
    cpus = Cpus(last, frozenset(usable - last or last))
    os.sched_setaffinity(0, cpus.others)
    return cpus


@contextmanager
def process(
    *command: str, env: Mapping[str, str], log: Path, cpus: frozenset[int] | None = None, cwd: Path = ROOT
) -> Iterator["subprocess.Popen[bytes]"]:
    """A command, with no more of our environment than it needs; ended on leaving."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    with log.open("ab") as output:
        options: Any = {"env": kept | dict(env), "cwd": cwd, "stdout": output, "stderr": output}
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)  # noqa: S603  # Written here.
    if cpus is not None:
        # Threads and children that come later have the same.
        os.sched_setaffinity(running.pid, cpus)
    try:
        yield running
    finally:
        running.terminate()
        with suppress(subprocess.TimeoutExpired):
            running.wait(20)
        running.kill()
        running.wait()


def until_up(running: "subprocess.Popen[bytes]", log: Path, port: int, path: str, host: str = "127.0.0.1") -> None:
    """Wait until it answers with 200; ends the program with the last lines of its log when it does not."""
    latest = time.monotonic() + START_SECONDS
    while time.monotonic() < latest and running.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(host, port, timeout=5)
            connection.request("GET", path, headers={"Host": f"localhost:{port}"})
            status = connection.getresponse().status
            connection.close()
            if status == 200:
                return
        time.sleep(0.05)
    lines = log.read_text(errors="replace").splitlines()[-10:]
    sys.exit("\n".join([f"{log.stem} does not answer on port {port}. It said last:", *lines]))


def cpu_seconds(pid: int) -> float:
    """How long all threads of a process and of its children have been on a CPU."""
    spent, todo = 0, [pid]
    while todo:
        for task in Path(f"/proc/{todo.pop()}/task").glob("*"):
            # A thread may end meanwhile.
            with suppress(OSError):
                spent += int((task / "schedstat").read_text().split()[0])
                todo += map(int, (task / "children").read_text().split())
    return spent / 1e9


def memory_mb(pid: int) -> float:
    """What a process has in memory (RSS), without its children."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def machine() -> str:
    """What is measured on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cpu = model[1] if model else platform.machine()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} x {cpu}, {platform.system()}, Python {platform.python_version()}, load {load}"
