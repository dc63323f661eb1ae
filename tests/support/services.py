"""The real service on a real port: in a thread whose clock a test can move, or as processes of their own."""

import asyncio
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx2

from bff.app import create_app
from bff.devstack.stack import environment
from bff.ops.server import configuration
from bff.services import build
from bff.settings.read import read_settings
from bff.worker import jobs_of
from support.prompt_shutdown import PromptServer
from support.shopper import AWAY, TRUSTED, Shopper
from support.temporary_files import folder_beside

ROOT = Path(__file__).parents[2]
# A process reads all its modules first, and on a busy machine many start at once.
STARTS_WITHIN_SECONDS = 60
SIGN_IN_ATTEMPTS = 5
# For two seconds a vendor that has just failed is not asked.
SPARED_SECONDS = 3
TICKETS_TOKEN = "tickets-token-of-a-storefront-server-0123456789"


class Clock:
    """The service's clock: real time plus what a test has added."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += seconds


@dataclass
class Vendors:
    """The sandbox, as a test speaks to it."""

    url: str
    http: httpx2.Client

    def control(self, what: str, **body: Any) -> Any:
        reply = self.http.post(f"{self.url}/_control/{what}", json=body)
        assert reply.is_success, reply.text
        return reply.json()

    def reset(self) -> None:
        self.control("reset")

    def fault(self, operation: str, kind: str, times: int = 1, **more: Any) -> None:
        self.control("faults", operation=operation, kind=kind, times=times, **more)

    def state(self) -> Any:
        return self.http.get(f"{self.url}/_control/state").json()

    def member(self, persona: str) -> Any:
        return self.state()["members"][persona]

    def calls(self, operation: str) -> list[Any]:
        return [call for call in self.state()["calls"] if call["operation"] == operation]

    def token(self, persona: str, **more: str) -> str:
        return str(self.control("token", persona=persona, **more)["token"])


@dataclass
class Service:
    """A running service and the shoppers who visit it."""

    url: str
    clock: Clock = field(default_factory=Clock)
    settings: Mapping[str, str] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)
    # Of a service in a thread: how many of its answers were ready.
    ready: Callable[[], int] = lambda: 0

    def shopper(self) -> Shopper:
        shopper = Shopper(self.url)
        self.stack.callback(shopper.close)
        return shopper

    def ticket(self, customer_token: str) -> str:
        """What the storefront's server gets for a customer's token, and its redirect carries."""
        headers = {"authorization": f"Bearer {self.settings['SESSION_TICKETS_TOKEN']}"}
        body = {"customerAccessToken": customer_token}
        reply = self.shopper().request("POST", "/api/v1/session-tickets", json=body, headers=headers)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["ticket"])

    def handle(self, customer_token: str) -> str:
        """What the storefront's server acts for a customer with."""
        headers = {"authorization": f"Bearer {self.settings['SESSION_TICKETS_TOKEN']}"}
        body = {"customerAccessToken": customer_token}
        reply = self.shopper().request("POST", "/api/v1/session-handles", json=body, headers=headers)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["handle"])

    def signed_in(self, persona: str) -> Shopper:
        """A shopper who has signed in; as a page that could not reach the shop in time asks, they try again."""
        shopper = self.shopper()
        for _ in range(SIGN_IN_ATTEMPTS):
            page = shopper.sign_in(persona)
            if page.status not in AWAY:
                break
            self.clock.advance(SPARED_SECONDS)
        assert page.status == 200, page.text
        return shopper


Start: TypeAlias = Callable[..., Service]
Work: TypeAlias = Callable[..., Clock]


def settings_for(url: str, stores: Mapping[str, str], sandbox: str, **changes: str) -> dict[str, str]:
    """The stack's own environment, pointed at these stores and this sandbox; a change to "" leaves a setting out."""
    port = int(url.rpartition(":")[2])
    given = environment(port, 1, stores["DATABASE_URL"], stores["VALKEY_URL"])
    given |= {"PUBLIC_URL": url, "SHOPIFY_SHOP_URL": sandbox, "OKENDO_API_URL": sandbox}
    # A busy machine stops a process for longer than the quarter of a second that Valkey has by default.
    given |= {
        "SUBTOTAL_API_URL": sandbox,
        "SUBTOTAL_LINK_URL": f"{sandbox}/link",
        "VALKEY_TIMEOUT_SECONDS": "2",
        "VALKEY_CONNECTIONS": "64",
        "SESSION_TICKETS_TOKEN": TICKETS_TOKEN,
    } | changes
    return {name: value for name, value in given.items() if value}


@contextmanager
def in_thread(settings: Mapping[str, str], **more: Any) -> Iterator[Service]:
    """Serve in a thread of this process, so that the test can move the service's clock; `more` is for uvicorn."""
    clock = Clock()
    app = create_app(read_settings(settings), clock)
    # Only a socket that says it is TCP gets TCP_NODELAY from asyncio; without it every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(settings["PORT"])))
    listener.listen()
    server = PromptServer(configuration(app, loop="asyncio", timeout_graceful_shutdown=2, **more))
    thread = server.start(listener, "service")
    with ExitStack() as stack:
        try:
            _wait_until_answering(_behind(settings))
            yield Service(settings["PUBLIC_URL"], clock, settings, stack, lambda: int(app.state.ready.given))
        finally:
            server.end()
            thread.join()
            listener.close()


@contextmanager
def worker_in_thread(settings: Mapping[str, str]) -> Iterator[Clock]:
    """The worker in a thread of this process, so that the test can move its clock."""
    started, running, clock = threading.Event(), _Running(), Clock()

    async def work() -> None:
        read = read_settings(settings)
        async with build(read, clock, is_worker=True) as state:
            running.loop, running.stop = asyncio.get_running_loop(), asyncio.Event()
            started.set()
            await jobs_of(state).run(running.stop)

    thread = threading.Thread(target=asyncio.run, args=(work(),), name="worker", daemon=True)
    thread.start()
    try:
        assert started.wait(STARTS_WITHIN_SECONDS), "the worker did not start"
        yield clock
    finally:
        running.loop.call_soon_threadsafe(running.stop.set)
        thread.join(30)
        assert not thread.is_alive(), "the worker did not stop"


class _Running:
    """The event loop of a worker's thread, and what stops it."""

    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event


@contextmanager
def as_process(settings: Mapping[str, str], log: Path, **more: str) -> Iterator[Service]:
    """Serve with `python -m bff serve`, as production does; `log` receives everything it says."""
    surroundings = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    surroundings["TMPDIR"] = folder_beside(log)
    with log.open("wb") as output, ExitStack() as stack:
        process = subprocess.Popen(
            [sys.executable, "-m", "bff", "serve"],
            env=surroundings | dict(settings) | more,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_answering(f"http://127.0.0.1:{settings['PORT']}", process)
            yield Service(settings["PUBLIC_URL"], Clock(), settings, stack)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _behind(settings: Mapping[str, str]) -> str:
    """The service itself, which PUBLIC_URL may be in front of."""
    public = urlsplit(settings["PUBLIC_URL"])
    return f"{public.scheme}://{public.hostname}:{settings['PORT']}"


def _wait_until_answering(url: str, process: "subprocess.Popen[bytes] | None" = None) -> None:
    transport = httpx2.HTTPTransport(retries=0, verify=TRUSTED)
    with httpx2.Client(transport=transport, trust_env=False, timeout=5) as http:
        latest = time.monotonic() + STARTS_WITHIN_SECONDS
        while time.monotonic() < latest:
            assert process is None or process.poll() is None, "the service ended by itself"
            try:
                if http.get(f"{url}/healthz").status_code == 200:
                    return
            except httpx2.TransportError:
                threading.Event().wait(0.02)
    raise AssertionError(f"{url} does not answer")


class Log(io.StringIO):
    """What the service in the thread logs; it is never closed, since the loggers keep it."""

    def close(self) -> None:
        """Keep it open."""

    def clear(self) -> None:
        self.seek(0)
        self.truncate()

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of this event since it was cleared."""
        lines = (json.loads(line) for line in self.getvalue().splitlines())
        return [line for line in lines if line["event"] == name]
