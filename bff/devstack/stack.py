"""What `make run` runs: an embedded PostgreSQL and Valkey, the sandbox and the service, started and stopped as one.

Tests use its pieces: `postgres`, `valkey`, `free_port` and `environment`.
"""

import base64
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bff.devstack.greeting import print_addresses, print_for_storefronts
from bff.devstack.servers import (
    Failed,
    Server,
    Stopped,
    asked_to_stop,
    free_port,
    launched,
    new_valkey,
    postgres,
    run_to_end,
    valkey,
)
from bff.sandbox.okendo.program import LINK_RETAILER, RETAIL_PURCHASE
from bff.settings.published import OF_A_STOREFRONT, OF_THE_SANDBOX

__all__ = ["Server", "environment", "free_port", "postgres", "run", "sandbox_environment", "valkey"]
ROOT = Path(__file__).parents[2]
PYTHON = (sys.executable, "-m")
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
# What the vendors would have told the merchant.
SHARED = OF_THE_SANDBOX | {
    "SHOPIFY_CLIENT_ID": "6f3a1c52-9d0e-4b7a-8c41-2e5d7f90ab13",
    "OKENDO_USER_ID": "3c2f8a10-64be-4d59-9f7a-1b0e6c8d2f47",
    "OKENDO_PARTNER_ID": "sandbox-partner",
    "SHOP_CURRENCY": "USD",
    "SUBTOTAL_CLIENT_ID": "01JSANDB0XC11ENT0000000000",
}
# What the pretended merchant would have entered in Subtotal's dashboard.
ACTIONS = f"""
[[actions]]
event = "account.linked"
name = "Link a retailer account"
earning_rule_id = "{LINK_RETAILER}"

[[actions]]
event = "purchase.created"
name = "Shop at a linked retailer"
earning_rule_id = "{RETAIL_PURCHASE}"
start_date = 2020-01-01
"""


# What the merchant knows of the program: the language it is written in.
OF_THE_MERCHANT = {"DEFAULT_LANGUAGE": "en"}
# What whoever builds a storefront sets for it. All else that is left in a shell changes nothing here.
PASSED_ON = (
    "PUBLIC_URL", "STOREFRONT_ORIGINS", "PREVIEW_ORIGINS", "CROSS_SITE_MODE", "SESSION_TICKETS_TOKEN",
    "SHOPIFY_LEGACY_TOKENS", "BRAND_NAME", "THEME", "LAYOUT", "DEFAULT_LANGUAGE", "LOCALE_DIR", "COPY",
    "COUPON_APPLY_URL", "CART_COOKIE", "SHOP_CURRENCY",
    "SESSION_IDLE_SECONDS", "SESSION_ABSOLUTE_SECONDS", "REQUESTS_PER_MINUTE", "LOG_LEVEL",
    "STRUCTURED_DATA", "EVENTS_WEBHOOK_URL", "EVENTS_WEBHOOK_SECRET",
)  # fmt: skip


def run(root: Path = ROOT) -> None:
    """Start everything, say where it is, and stay until Ctrl-C; raises SystemExit if a part fails.

    PORT, SANDBOX_PORT, BASE_PATH and what is `PASSED_ON` are read from the environment; every other setting is made up
    here.
    """
    port, sandbox_port = _port("PORT", 8000), _port("SANDBOX_PORT", 8001)
    if port == sandbox_port:
        sys.exit(f"PORT and SANDBOX_PORT are both {port}: choose another port with SANDBOX_PORT.")
    _note_signals()
    try:
        with TemporaryDirectory(prefix="loyalty-") as directory, ExitStack() as stack:
            given = OF_THE_MERCHANT | {name: value for name in PASSED_ON if (value := os.environ.get(name))}
            servers = _start(stack, Path(directory), root, environment(port, sandbox_port, "", "") | given)
            print_addresses(servers[-3:])
            # Other programs wait for this line.
            print(f"ready: http://localhost:{port}", flush=True)
            print_for_storefronts(servers[-2], servers[-3])
            _watch(servers)
    except Stopped:
        print("Everything has stopped.")
    except Failed as failure:
        sys.exit(str(failure))


def environment(port: int, sandbox_port: int, database_url: str, valkey_url: str) -> dict[str, str]:
    """Every setting that the service needs to run against the sandbox on this machine."""
    sandbox = f"http://localhost:{sandbox_port}"
    return SHARED | {
        "ENVIRONMENT": "development",
        # Whoever can reach this service can sign in as anybody, so only this machine may.
        "LISTEN_HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_URL": f"http://localhost:{port}",
        "STOREFRONT_ORIGINS": "http://localhost:3000",
        "SESSION_TICKETS_TOKEN": OF_A_STOREFRONT,
        "SECRET_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "DATABASE_URL": database_url,
        "VALKEY_URL": valkey_url,
        "SHOPIFY_SHOP_URL": sandbox,
        "OKENDO_API_URL": sandbox,
        "SUBTOTAL_API_URL": sandbox,
        "SUBTOTAL_LINK_URL": f"{sandbox}/link",
        "SUBTOTAL_SIMULATED_EVENTS": "on",
        "SUBTOTAL_ACTIONS": ACTIONS,
    }


def sandbox_environment(settings: dict[str, str]) -> dict[str, str]:
    """What the sandbox must know of a service with these settings: where it is, and the secrets that both share."""
    shared = {name: value for name, value in settings.items() if name.startswith(("SHOPIFY_", "OKENDO_", "SUBTOTAL_"))}
    here, sandbox = settings["PUBLIC_URL"], settings["SHOPIFY_SHOP_URL"]
    base = settings.get("BASE_PATH", "")
    # Where browsers see it, maybe through a storefront's server, and where it is.
    service, local = here + base, _local_url(settings) + base
    return shared | {
        "SANDBOX_PORT": sandbox.rpartition(":")[2],
        "SANDBOX_URL": sandbox,
        "SANDBOX_REDIRECT_URIS": f"{service}/callback",
        "SANDBOX_JAVASCRIPT_ORIGINS": f"{here},{settings['STOREFRONT_ORIGINS']}",
        "SANDBOX_SUBTOTAL_WEBHOOK_URL": f"{local}/webhooks/subtotal",
        "SANDBOX_SUBTOTAL_SIMULATED": settings["SUBTOTAL_SIMULATED_EVENTS"],
        "SANDBOX_OKENDO_WEBHOOK_URL": f"{local}/webhooks/okendo",
        "SANDBOX_SHOPIFY_WEBHOOK_URL": f"{local}/webhooks/shopify",
    }


def _local_url(settings: Mapping[str, str]) -> str:
    """The service itself, which PUBLIC_URL may be in front of."""
    return f"http://localhost:{settings['PORT']}"


def _port(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        sys.exit(f"{name} must be a port from 1 to 65535.")
    if reason := _why_unusable(int(text)):
        sys.exit(f"Port {text} {reason}: choose another port with {name}, such as {name}={free_port()}.")
    return int(text)


def _why_unusable(port: int) -> str:
    # A listener on ::1 would not keep us from 127.0.0.1, but browsers would find it first.
    with suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
        return "is taken by another program"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return f"cannot be used ({error.strerror})"
    return ""


def _note_signals() -> None:
    """Only note a signal: what runs goes on to its next wait, so nothing is left half started or half stopped."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Under nohup the end of the terminal is to be ignored.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: asked_to_stop.set())


def _start(stack: ExitStack, directory: Path, root: Path, settings: dict[str, str]) -> list[Server]:
    """Everything, started as early as what it needs is there; the last three are the programs people use.

    PostgreSQL takes longest, so Valkey and the sandbox start meanwhile. Nothing that reads tables runs before them.
    """
    settings["BASE_PATH"] = os.environ.get("BASE_PATH", "").rstrip("/")
    # The first storefront is where links to the shop lead, and only the sandbox serves one here.
    settings["STOREFRONT_ORIGINS"] = f"{settings['SHOPIFY_SHOP_URL']},{settings['STOREFRONT_ORIGINS']}"
    store, sandbox = new_valkey(directory), _sandbox(directory, root, settings)
    # Only if we are killed; else the directory is deleted where it was made.
    store.scratch = directory
    for server in (store, sandbox):
        stack.enter_context(launched(server))
    with _timed("PostgreSQL"):
        database = stack.enter_context(postgres(directory))
    _wait_for(store, sandbox)
    settings |= {"DATABASE_URL": database.url, "VALKEY_URL": store.url}
    service, worker = _service(directory, root, settings), _worker(directory, root, settings)
    with _timed("Tables"):
        run_to_end("python -m bff migrate", [*PYTHON, "bff", "migrate"], directory / "migrate.log", service.options)
    for server in (service, worker):
        stack.enter_context(launched(server))
    _wait_for(service, worker)
    return [database, store, sandbox, service, worker]


def _sandbox(directory: Path, root: Path, settings: dict[str, str]) -> Server:
    url = settings["SHOPIFY_SHOP_URL"]
    options = {"cwd": root, "env": sandbox_environment(settings) | UNBUFFERED}
    answers = partial(_all_answer, f"{url}/healthz")
    return Server("Sandbox", url, [*PYTHON, "bff.sandbox"], answers, directory / "sandbox.log", options)


def _service(directory: Path, root: Path, settings: dict[str, str]) -> Server:
    here = _local_url(settings)
    url = here + settings["BASE_PATH"]
    options = {"cwd": root, "env": settings | UNBUFFERED}
    answers = partial(_all_answer, f"{here}/healthz", f"{url}/")
    return Server("Service", url, [*PYTHON, "bff", "serve"], answers, directory / "service.log", options)


def _worker(directory: Path, root: Path, settings: dict[str, str]) -> Server:
    log = directory / "worker.log"
    options = {"cwd": root, "env": settings | UNBUFFERED}
    return Server("Worker", "", [*PYTHON, "bff", "worker"], partial(_log_contains, log, "worker_started"), log, options)


def _wait_for(*servers: Server) -> None:
    for server in servers:
        with _timed(server.name):
            server.wait_until_up()


@contextmanager
def _timed(name: str) -> Iterator[None]:
    """One line: its beginning while we wait, and its end once that is over."""
    print(f"{name} ...", end=" ", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print("stopped", flush=True)
        raise
    print(f"up ({time.monotonic() - started:.1f} s)", flush=True)


def _all_answer(*urls: str) -> bool:
    """Whether each of these pages of this machine answers 200."""
    for url in urls:
        parts = urlsplit(url)
        with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=5)) as connection:
            try:
                connection.request("GET", parts.path)
                if connection.getresponse().status != 200:
                    return False
            except (OSError, HTTPException):
                return False
    return True


def _log_contains(log: Path, word: str) -> bool:
    """Whether a program without an address has said so."""
    return log.exists() and word in log.read_text(errors="replace")


def _watch(servers: list[Server]) -> None:
    while not asked_to_stop.wait(0.2):
        for server in servers:
            server.check()
    print("\nStopping ...", flush=True)
    raise Stopped
