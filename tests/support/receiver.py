"""The merchant's server that is told of events: it answers as a test says, and checks each signature by itself, from
the specification and not with our code (Standard Webhooks 1.0: "Signature scheme", "Webhook headers")."""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from support.concurrency import until

TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Posted:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """`answers` are given one after the other, then 204: a status, a status with headers, "cut" for none at all, or
    "late" for one that does not come before `release`."""

    url: str
    secret: str
    answers: list[int | tuple[int, Mapping[str, str]] | str] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    taken: list[Posted] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def settings(self) -> dict[str, str]:
        return {"EVENTS_WEBHOOK_URL": self.url, "EVENTS_WEBHOOK_SECRET": self.secret}

    def events(self, *types: str) -> list[Any]:
        """What it has taken, each once: by the id, as a receiver tells a repetition. Of these types, or of all."""
        once = {posted.id: posted.event for posted in self.taken}
        return [event for event in once.values() if not types or event["type"] in types]

    def wait_for(self, *types: str, seconds: float = 20) -> list[Any]:
        """What it was told, once it was told as many events of these types."""
        until(lambda: len(self.events(*types)) >= len(types), seconds)
        return self.events(*types)

    def answer_to(self, posted: Posted) -> int | tuple[int, Mapping[str, str]] | str:
        self.posted.append(posted)
        answer = self.answers.pop(0) if self.answers else 204
        if answer == "late":
            self.released.wait(30)
        status = answer if isinstance(answer, int) else answer[0]
        if isinstance(status, int) and 200 <= status < 300:
            self.taken.append(posted)
        return answer

    def trusts(self, posted: Posted) -> bool:
        """Whether one of the signatures is ours over id, time and body, and the time is about now."""
        stamp, given = posted.headers["webhook-timestamp"], posted.headers["webhook-signature"]
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = posted.id.encode() + b"." + stamp.encode() + b"." + posted.body
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        is_signed = any(hmac.compare_digest(expected, one) for one in given.split(" "))
        return is_signed and abs(time.time() - int(stamp)) <= TOLERANCE_SECONDS


@contextmanager
def receiving(path: str = "/hooks/loyalty/?from=loyalty") -> Iterator[Receiver]:
    """A receiver on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        receiver: ClassVar[Receiver]

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = self.receiver.answer_to(Posted(self.path, headers, body))
            if isinstance(answer, str):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, more = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in ({"content-length": "0"} | dict(more)).items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            """Whoever follows a redirect comes here."""
            self.receiver.posted.append(Posted(self.path, {}, b""))
            self.send_error(405)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}{path}", secret)
    Handler.receiver = receiver
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
