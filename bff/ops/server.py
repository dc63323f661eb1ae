"""How the web process serves: uvicorn on uvloop and httptools, with the limits that those two leave out.

httptools refuses most of what could smuggle a request (two Content-Length, Content-Length with Transfer-Encoding,
folded lines, a space before a colon, NUL). `DeadlineProtocol` adds what it lets through, and a clock.
"""

import asyncio
import logging
import traceback
from contextlib import suppress
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

APP = "bff.app:create_from_environment"
EVERYWHERE = "0.0.0.0"  # noqa: S104  # A router in front reaches us from another machine.


def serve(*, port: int, workers: int = 1, host: str = EVERYWHERE, log_level: str = "info", app: str = APP) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight; more than one worker is a process each."""
    config = configuration(app, port=port, workers=workers, host=host, log_level=log_level, factory=True)
    # A taken port is reported before anything is built.
    sockets = [config.bind_socket()]
    with suppress(KeyboardInterrupt):
        if workers > 1:
            Multiprocess(config, sockets).run()
        else:
            uvicorn.Server(config).run(sockets)


def configuration(app: Any, *, log_level: str = "info", **more: Any) -> uvicorn.Config:
    """uvicorn's settings: `app` is an ASGI app or the name of its factory, `more` overrides anything but the log."""
    settings: dict[str, Any] = {
        "http": DeadlineProtocol,
        "loop": "uvloop",
        "ws": "none",
        "lifespan": "on",
        "interface": "asgi3",
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": 5,
        # Heroku kills a process 30 seconds after SIGTERM: half for requests, the rest for redemptions they began.
        "timeout_graceful_shutdown": 15,
        # Connections of one process; beyond it the answer is 503 at once.
        "limit_concurrency": 1000,
    }
    # Of its own life uvicorn only reports trouble, and at its lowest level it would log whole requests.
    level = max(logging.getLevelNamesMapping()[log_level.upper()], logging.WARNING)
    return QuietConfig(app, **(settings | more), log_config=None, log_level=level, access_log=False)


class QuietConfig(uvicorn.Config):
    """uvicorn's configuration, whose loggers repeat nothing of a request; each worker process runs it again."""

    def configure_logging(self) -> None:
        super().configure_logging()
        logging.getLogger("uvicorn.access").disabled = True
        logging.getLogger("uvicorn.error").addFilter(without_exception_text)


def without_exception_text(record: logging.LogRecord) -> bool:
    """Keep where an exception happened and its type, and drop what it says, for that may quote a path or a token."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        record.msg, record.args = "%s: %s\n%s", (record.getMessage().strip(), type(error).__qualname__, frames)
        record.exc_info = record.exc_text = None
    return True


class RefusedRequest(Exception):
    """A request head of a shape or size that we do not serve; the parser turns it into a 400 and hangs up."""


class DeadlineProtocol(HttpToolsProtocol):
    """One connection: uvicorn's, with a deadline for each request head and stricter about its size and shape."""

    # From the connection's start, or from the previous answer: waiting for the first byte counts too, so that neither
    # blank lines nor the rest of an unread body keep a connection.
    head_seconds: ClassVar[float] = 10.0
    head_bytes: ClassVar[int] = 16 * 1024
    head_fields: ClassVar[int] = 100

    _head_due: asyncio.TimerHandle | None = None
    _in_body = False
    _fruitless_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_expecting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._fruitless_bytes += len(data)
        super().data_received(data)
        # An unfinished head, endless trailers and chunk extensions all are bytes that never become a request or body.
        if self._fruitless_bytes > self.head_bytes and not self.transport.is_closing():
            self.send_400_response("Request head too large.")

    def on_headers_complete(self) -> None:
        refuse_size(self.url, self.headers, self.head_bytes, self.head_fields)
        refuse_shape(self.parser.get_http_version(), self.url, self.headers, upgrade=self.parser.should_upgrade())
        self._fruitless_bytes = 0
        self._stop_expecting()
        super().on_headers_complete()
        self._in_body = True
        # The parser reports trailers as headers; the request has its list already and must not grow.
        self.headers = []
        if self.parser.should_upgrade():
            # We never upgrade, and whatever follows such a head is not surely HTTP.
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._fruitless_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._fruitless_bytes = 0
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete:
            self._expect_head()

    def send_400_response(self, msg: str) -> None:
        """Answer only the request that is at fault; over an answer begun or owed to an earlier one, just hang up."""
        owed = self.cycle is not None and not self.cycle.response_complete
        # A body at fault belongs to the latest request; a head at fault waits behind every answer still owed.
        taken = self.cycle.response_started or bool(self.pipeline) if self._in_body else owed
        if owed:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if taken:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: every client that offers HTTP/2 would cause two lines."""

    def _expect_head(self) -> None:
        self._stop_expecting()
        self._head_due = self.loop.call_later(self.head_seconds, self.shutdown)

    def _stop_expecting(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None


def refuse_size(url: bytes, headers: list[tuple[bytes, bytes]], most_bytes: int, most_fields: int) -> None:
    """Raise RefusedRequest for a head that is too large, even if it arrived in one piece."""
    size = len(url) + sum(len(name) + len(value) + 4 for name, value in headers)
    if size > most_bytes or len(headers) > most_fields:
        raise RefusedRequest("the head is too large")


def refuse_shape(version: str, url: bytes, headers: list[tuple[bytes, bytes]], *, upgrade: bool) -> None:
    """Raise RefusedRequest for a head that another server could read differently."""
    fields, names = dict(headers), [name for name, _ in headers]
    coding, coded = fields.get(b"transfer-encoding", b""), names.count(b"transfer-encoding")
    if version not in {"1.0", "1.1"} or not url.startswith(b"/"):
        raise RefusedRequest("neither HTTP/1.0 nor HTTP/1.1, or not a path of ours")
    if names.count(b"host") > 1 or (version == "1.1" and b"host" not in fields):
        raise RefusedRequest("exactly one Host is needed")
    if coded and (coded > 1 or version == "1.0" or coding.lower() != b"chunked"):
        raise RefusedRequest("the only transfer coding is chunked")
    if upgrade and (coded or fields.get(b"content-length", b"0").strip(b"0")):
        # The parser would take the body for the next request.
        raise RefusedRequest("an upgrade cannot carry a body")
