"""The HTTP server of the web process: uvicorn on uvloop and httptools, with the limits that those two lack.

httptools refuses most heads that could smuggle a request (two Content-Length, Content-Length with Transfer-Encoding,
folded lines, a space before a colon, NUL). `DeadlineProtocol` refuses the others, and sets a deadline for each head.
"""

import asyncio
import logging
import resource
import traceback
from contextlib import suppress
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.supervisors import Multiprocess

from bff.ops.connections import Turns, WaitingConnections, most_waiting, nobody
from bff.ops.ready_protocol import ReadyProtocol
from bff.ops.request_heads import check_shape, check_size, origin_form
from bff.web.flood import Flood
from bff.web.forwarded import Proxies
from bff.web.ready import Ready

APP = "bff.app:create_from_environment"
KEEP_ALIVE_SECONDS = 95
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\n"


def serve(
    *,
    host: str,
    port: int,
    workers: int,
    log_level: str = "info",
    keep_alive_seconds: int = KEEP_ALIVE_SECONDS,
    proxies: Proxies | None = None,
    app: str = APP,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in flight; each of several workers is a process."""
    _allow_many_connections()
    waiting = WaitingConnections(most_waiting(), counted_for=proxies.stranger if proxies else nobody)
    options: dict[str, Any] = {"timeout_keep_alive": keep_alive_seconds, "factory": True, "waiting": waiting}
    config = configuration(app, port=port, workers=workers, host=host, log_level=log_level, **options)
    # A taken port is reported before anything is built.
    sockets = [config.bind_socket()]
    with suppress(KeyboardInterrupt):
        if workers > 1:
            Multiprocess(config, sockets).run()
        else:
            uvicorn.Server(config).run(sockets)


def _allow_many_connections() -> None:
    """As many open files as the system allows: proxies keep connections, and often 1,024 is all one starts with."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def configuration(
    app: Any, *, log_level: str = "info", waiting: WaitingConnections | None = None, **more: Any
) -> uvicorn.Config:
    """uvicorn's configuration of an ASGI app, or of the name of its factory; `more` are options of uvicorn's own."""
    options: dict[str, Any] = {
        "http": DeadlineProtocol,
        "loop": "uvloop",
        "ws": "none",
        "lifespan": "on",
        "interface": "asgi3",
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        # Heroku kills a process 30 seconds after SIGTERM: half for requests, the rest for redemptions they began.
        "timeout_graceful_shutdown": 15,
    }
    # Below a warning uvicorn only reports starts and stops, and at its lowest level it would log whole requests.
    level = max(logging.getLevelNamesMapping()[log_level.upper()], logging.WARNING)
    config = OurConfig(app, **(options | more), log_config=None, log_level=level, access_log=False)
    config.waiting, config.turns = waiting or WaitingConnections(), Turns()
    return config


class OurConfig(uvicorn.Config):
    """uvicorn's configuration with what the connections of a process share, and with loggers that repeat nothing of
    a request; each worker process configures them."""

    waiting: WaitingConnections
    turns: Turns
    flood: Flood | None = None
    ready: Ready | None = None

    def load(self) -> None:
        super().load()
        state = getattr(self.loaded_app, "state", None)
        self.flood, self.ready = getattr(state, "flood", None), getattr(state, "ready", None)

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


class DeadlineProtocol(ReadyProtocol):
    """uvicorn's connection, with a deadline for each request head and stricter checks of its size and shape."""

    # Counted from the connection's start, and from the first byte that comes after an answer, whatever it is: neither
    # blank lines nor the rest of an unread body keep a connection open. While nothing comes after an answer, uvicorn's
    # keep-alive counts, which is longer: a proxy may take up its connection again.
    head_seconds: ClassVar[float] = 10.0
    head_bytes: ClassVar[int] = 16 * 1024
    head_fields: ClassVar[int] = 100
    # Counted from when an answer does not fit into the socket until the client has read all of it.
    read_seconds: ClassVar[float] = 30.0

    config: OurConfig
    _head_deadline: asyncio.TimerHandle | None = None
    _read_deadline: asyncio.TimerHandle | None = None
    _in_body = False
    _bytes_without_progress = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.ready = self.config.ready
        self._start_deadline()
        self._begin_to_wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        self._cancel_read_deadline()
        self.config.waiting.remove(self, self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if refusal := self._refusal_of(data):
            self._refuse(refusal)
            return
        self._bytes_without_progress += len(data)
        super().data_received(data)
        if self._is_between_requests() and self._head_deadline is None:
            self._start_deadline()
        # The bytes of an unfinished head, endless trailers or chunk extensions become neither a request nor a body.
        if self._bytes_without_progress > self.head_bytes and not self.transport.is_closing():
            self.send_400_response("Request head too large.")

    def _refusal_of(self, data: bytes) -> bytes | None:
        """What this request is refused with before it is parsed; None when it is not, or is in the middle of others."""
        flood = self.config.flood
        if flood is None or not flood.admission.will_be_full():
            return None
        is_first = self.cycle is None or self.cycle.response_complete
        if not is_first or self._bytes_without_progress or self._in_body:
            return None
        may_write = not (self.transport.is_closing() or self.transport.get_write_buffer_size())
        return flood.answer_to(data) if may_write else None

    def _refuse(self, refusal: bytes) -> None:
        self._cancel_deadline()
        self.transport.write(REFUSED + self.usual_fields() + refusal)
        self.keep_open()
        self.config.waiting.remove(self, self._peer)
        self._wait_for_another()
        self._wait_for_turn()

    def _wait_for_turn(self) -> None:
        self.flow.pause_reading()
        self.config.turns.wait(self)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self.config.flood is not None:
            self.config.flood.admission.hand_over()
        super()._start_asgi_task(cycle, app)

    def on_headers_complete(self) -> None:
        self.url = origin_form(self.url, self.headers)
        version = self.parser.get_http_version()
        check_size(self.url, self.headers, self.head_bytes, self.head_fields)
        check_shape(version, self.url, self.headers, upgrade=self.parser.should_upgrade())
        self._bytes_without_progress = 0
        self._cancel_deadline()
        if not self.transport.get_write_buffer_size():
            self._cancel_read_deadline()
        if self.answer_at_once(version):
            self._expect_to_be_read()
            self.config.waiting.wait_on(self, self._peer)
            return
        self.config.waiting.remove(self, self._peer)
        self.go_the_long_way()
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
        was_refused = self.cycle.scope.get("refused")
        super().on_response_complete()
        if self.transport.is_closing() or not self.cycle.response_complete:
            self._expect_to_be_read()
            return
        self._wait_for_another()
        if was_refused:
            self._wait_for_turn()

    def _wait_for_another(self) -> None:
        """An answer is written, and no request is under way."""
        self._expect_to_be_read()
        self._begin_to_wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_to_be_read()

    def read_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def drop(self) -> None:
        self.config.waiting.remove(self, self._peer)
        self.transport.abort()

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

    @property
    def _peer(self) -> str:
        return self.client[0] if self.client else ""

    def _begin_to_wait(self) -> None:
        self.config.waiting.add(self, self._peer)

    def _is_between_requests(self) -> bool:
        """Whether every answer is out and uvicorn does not count the time."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and self.timeout_keep_alive_task is None and not self.transport.is_closing()

    def _start_deadline(self) -> None:
        self._cancel_deadline()
        self._head_deadline = self.loop.call_later(self.head_seconds, self.shutdown)

    def _cancel_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _expect_to_be_read(self) -> None:
        if self._read_deadline is None and self.transport.get_write_buffer_size():
            self._read_deadline = self.loop.call_later(self.read_seconds, self._end_unread)

    def _end_unread(self) -> None:
        self._read_deadline = None
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _cancel_read_deadline(self) -> None:
        if self._read_deadline is not None:
            self._read_deadline.cancel()
            self._read_deadline = None
