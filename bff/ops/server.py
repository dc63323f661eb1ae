"""The HTTP server of the web process: uvicorn on uvloop and httptools, with the limits that those two lack.

httptools refuses most heads that could smuggle a request (two Content-Length, Content-Length with Transfer-Encoding,
folded lines, a space before a colon, NUL). `DeadlineProtocol` refuses the others, and sets a deadline for each head.
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


def serve(*, host: str, port: int, workers: int, log_level: str = "info", app: str = APP) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in flight; each of several workers is a process."""
    config = configuration(app, port=port, workers=workers, host=host, log_level=log_level, factory=True)
    # A taken port is reported before anything is built.
    sockets = [config.bind_socket()]
    with suppress(KeyboardInterrupt):
        if workers > 1:
            Multiprocess(config, sockets).run()
        else:
            uvicorn.Server(config).run(sockets)


def configuration(app: Any, *, log_level: str = "info", **more: Any) -> uvicorn.Config:
    """uvicorn's configuration of an ASGI app, or of the name of its factory; `more` are options of uvicorn's own."""
    options: dict[str, Any] = {
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
    # Below a warning uvicorn only reports starts and stops, and at its lowest level it would log whole requests.
    level = max(logging.getLevelNamesMapping()[log_level.upper()], logging.WARNING)
    return QuietConfig(app, **(options | more), log_config=None, log_level=level, access_log=False)


class QuietConfig(uvicorn.Config):
    """uvicorn's configuration with loggers that repeat nothing of a request; each worker process configures them."""

    def configure_logging(self) -> None:
        super().configure_logging()
        logging.getLogger("uvicorn.access").disabled = True
        logging.getLogger("uvicorn.error").addFilter(without_exception_text)


def without_exception_text(record: logging.LogRecord) -> bool:
    """Keep an exception's type and place, and drop its message, which may quote a path or a token."""
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__))
        record.msg, record.args = "%s: %s\n%s", (record.getMessage().strip(), type(error).__qualname__, frames)
        record.exc_info = record.exc_text = None
    return True


class RefusedRequest(Exception):
    """A request head of a size or shape that is not served; the parser answers 400 and closes the connection."""


class DeadlineProtocol(HttpToolsProtocol):
    """uvicorn's connection, with a deadline for each request head and stricter checks of its size and shape."""

    # Counted from the connection's start, or from the previous answer. Waiting for the first byte counts too, so that
    # neither blank lines nor the rest of an unread body keep a connection open.
    head_seconds: ClassVar[float] = 10.0
    head_bytes: ClassVar[int] = 16 * 1024
    head_fields: ClassVar[int] = 100

    _head_deadline: asyncio.TimerHandle | None = None
    _in_body = False
    _bytes_without_progress = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._bytes_without_progress += len(data)
        super().data_received(data)
        # The bytes of an unfinished head, endless trailers or chunk extensions become neither a request nor a body.
        if self._bytes_without_progress > self.head_bytes and not self.transport.is_closing():
            self.send_400_response("Request head too large.")

    def on_headers_complete(self) -> None:
        self.url = origin_form(self.url, self.headers)
        check_size(self.url, self.headers, self.head_bytes, self.head_fields)
        check_shape(self.parser.get_http_version(), self.url, self.headers, upgrade=self.parser.should_upgrade())
        self._bytes_without_progress = 0
        self._cancel_deadline()
        super().on_headers_complete()
        self._in_body = True
        # The parser reports trailers as headers. The request has its list already, which must not grow.
        self.headers = []
        if self.parser.should_upgrade():
            # We never upgrade, and what follows such a head may be something else than HTTP.
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._bytes_without_progress = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._bytes_without_progress = 0
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete:
            self._start_deadline()

    def send_400_response(self, msg: str) -> None:
        """Answer the malformed request; close the connection when another answer has begun or has to come first."""
        unanswered = self.cycle is not None and not self.cycle.response_complete
        # A malformed body belongs to the latest request; a malformed head comes after every request still unanswered.
        too_late = self.cycle.response_started or bool(self.pipeline) if self._in_body else unanswered
        if unanswered:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if too_late:
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: every client that offers HTTP/2 would cause two lines."""

    def _start_deadline(self) -> None:
        self._cancel_deadline()
        self._head_deadline = self.loop.call_later(self.head_seconds, self.shutdown)

    def _cancel_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None


def origin_form(url: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The path and query of a target in absolute form (RFC 9112 §3.2.2), as some proxies send it; any other as it is.

    Raises RefusedRequest where the target names another host than Host does: one of two servers might believe either.
    """
    scheme, separator, rest = url.partition(b"://")
    if not separator or scheme.lower() not in {b"http", b"https"}:
        return url
    authority, slash, path = rest.partition(b"/")
    authority, question, query = authority.partition(b"?")
    if [authority.lower()] != [value.lower() for name, value in headers if name == b"host"]:
        raise RefusedRequest("the target names another host than Host")
    return b"/" + path if slash and not question else b"/" + question + query + slash + path


def check_size(url: bytes, headers: list[tuple[bytes, bytes]], most_bytes: int, most_fields: int) -> None:
    """Raises RefusedRequest for a head that is too large, even if it arrived in one piece."""
    size = len(url) + sum(len(name) + len(value) + 4 for name, value in headers)
    if size > most_bytes or len(headers) > most_fields:
        raise RefusedRequest("the head is too large")


def check_shape(version: str, url: bytes, headers: list[tuple[bytes, bytes]], *, upgrade: bool) -> None:
    """Raises RefusedRequest for a head that another server could read differently."""
    fields, names = dict(headers), [name for name, _ in headers]
    coding, coded = fields.get(b"transfer-encoding", b""), names.count(b"transfer-encoding")
    if version not in {"1.0", "1.1"} or not url.startswith(b"/"):
        raise RefusedRequest("neither HTTP/1.0 nor HTTP/1.1, or not a path of ours")
    if names.count(b"host") > 1 or (version == "1.1" and b"host" not in fields):
        raise RefusedRequest("exactly one Host is needed")
    if coded and (coded > 1 or version == "1.0" or coding.lower() != b"chunked"):
        raise RefusedRequest("the only transfer coding is chunked")
    if upgrade and (coded or fields.get(b"content-length", b"0").strip(b"0")):
        # The parser would read the body as the next request.
        raise RefusedRequest("an upgrade cannot carry a body")
