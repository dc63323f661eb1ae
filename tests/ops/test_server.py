"""The server under the app: what it refuses, how long it waits and how it stops (checklist H9, H10, K9).

Raw sockets talk to a real uvicorn with our protocol and a small app behind it; only the deadline is shorter.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from support.concurrency import until

from bff.devstack.servers import free_port
from bff.ops.connections import WaitingConnections
from bff.ops.server import DeadlineProtocol, configuration
from bff.settings.table import SETTINGS

ROOT = Path(__file__).parents[2]
HOST = b"Host: shop.example\r\n"
DEADLINE = 0.5
# A busy machine may be late, but not by this much.
SOON = 5.0
# More than the system keeps for a client that does not read.
LARGE_ANSWER = 12_000_000


class HastyProtocol(DeadlineProtocol):
    head_seconds: ClassVar[float] = DEADLINE
    read_seconds: ClassVar[float] = DEADLINE


class PatientProtocol(DeadlineProtocol):
    """Leaves it to the bounds to close a connection."""

    head_seconds: ClassVar[float] = 60.0


@dataclass
class Running:
    """A server in a thread, and what its app was asked."""

    port: int
    connections: set[Any] = field(default_factory=set)
    seen: list[tuple[str, str, list[tuple[bytes, bytes]]]] = field(default_factory=list)

    def connect(self, *parts: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        for part in parts:
            connection.sendall(part)
        return connection

    def ask(self, *parts: bytes) -> bytes:
        """Send, read until the server hangs up, and return what it said."""
        with self.connect(*parts) as connection:
            return rest(connection)


@contextmanager
def running(protocol: type[DeadlineProtocol], **more: Any) -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = Running(listener.getsockname()[1])
        server = uvicorn.Server(configuration(little_app(here), http=protocol, timeout_graceful_shutdown=2, **more))
        here.connections = server.server_state.connections
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield here
        finally:
            server.should_exit = True
            thread.join()


def little_app(here: Running) -> Starlette:
    async def echo(request: Request) -> Response:
        here.seen.append((request.method, request.url.path, list(request.scope["headers"])))
        return PlainTextResponse(b"read " + await request.body())

    async def large(request: Request) -> Response:
        return PlainTextResponse(b"a" * LARGE_ANSWER)

    async def early(request: Request) -> Response:
        return PlainTextResponse("answered before the body came")

    async def boom(request: Request) -> Response:
        raise RuntimeError(f"nothing at {request.url}")

    return Starlette(
        routes=[
            Route("/early", early, methods=["POST"]),
            Route("/boom", boom),
            Route("/large", large),
            Route("/{path:path}", echo, methods=["GET", "POST"]),
        ]
    )


@pytest.fixture(scope="module")
def patient() -> Iterator[Running]:
    """A server with the deadlines of production, for whatever must not depend on them."""
    with running(DeadlineProtocol) as server:
        yield server


@pytest.fixture(scope="module")
def hasty() -> Iterator[Running]:
    with running(HastyProtocol) as server:
        yield server


def rest(connection: socket.socket) -> bytes:
    """Everything until the end of the connection; a reset is an end too."""
    said = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            said += piece
    return said


def answer(connection: socket.socket) -> bytes:
    """One answer with a Content-Length from a connection that stays open."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += connection.recv(1) or pytest.fail("the server hung up")
    head, _, _ = said.lower().partition(b"\r\n\r\n")
    length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += connection.recv(length - len(body)) or pytest.fail("the server hung up")
    return said + body


def seconds_kept(connection: socket.socket, drip: bytes) -> float:
    """How long the server keeps a connection on which `drip` arrives ten times a second."""
    started = time.monotonic()
    connection.settimeout(0.1)
    with suppress(ConnectionResetError, BrokenPipeError):
        while time.monotonic() - started < 10:
            connection.sendall(drip)
            with suppress(TimeoutError):
                if not connection.recv(65536):
                    break
    return time.monotonic() - started


# H9: deadlines and sizes


def test_H9_a_head_that_dribbles_in_is_cut_off_at_the_deadline(hasty: Running) -> None:
    with hasty.connect(b"GET / HTTP/1.1\r\nX: ") as connection:
        assert DEADLINE / 2 < seconds_kept(connection, b"a") < SOON


def test_H9_a_connection_that_says_nothing_is_cut_off_at_the_deadline(hasty: Running) -> None:
    with hasty.connect() as connection:
        assert rest(connection) == b""


def test_H9_the_deadline_of_production_is_ten_seconds_and_more_than_a_router_keeps_between_requests() -> None:
    assert DeadlineProtocol.head_seconds == 10
    # Heroku's router keeps idle connections for 90 seconds.
    assert configuration(little_app(Running(0))).timeout_keep_alive == 95
    assert [row.default for row in SETTINGS if row.name == "KEEP_ALIVE_SECONDS"] == ["95"]


def test_an_idle_connection_is_taken_up_again_long_after_the_deadline_of_a_head(hasty: Running) -> None:
    with hasty.connect(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") as connection:
        for _ in range(2):
            assert b" 200 " in answer(connection)
            connection.settimeout(DEADLINE * 2)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.settimeout(10)
            connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert b" 200 " in answer(connection)


def test_H9_a_kept_connection_ends_by_itself() -> None:
    asked = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    with running(HastyProtocol, timeout_keep_alive=1) as server, server.connect(asked) as connection:
        assert b" 200 " in answer(connection)
        assert rest(connection) == b""


def test_H9_the_next_request_on_a_kept_connection_has_a_deadline_too(hasty: Running) -> None:
    with hasty.connect(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") as connection:
        assert b" 200 " in answer(connection)
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert seconds_kept(connection, b"a") < SOON


def test_H9_blank_lines_do_not_keep_a_connection(hasty: Running) -> None:
    with hasty.connect(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") as connection:
        assert b" 200 " in answer(connection)
        assert seconds_kept(connection, b"\r\n") < SOON


def test_H9_a_body_that_nobody_reads_does_not_keep_a_connection(hasty: Running) -> None:
    with hasty.connect(b"POST /early HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n") as connection:
        assert b" 200 " in answer(connection)
        assert seconds_kept(connection, b"a") < SOON


def test_H9_a_slow_body_is_not_cut_off_by_the_deadline_of_the_head(hasty: Running) -> None:
    with hasty.connect(
        b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: 2\r\n\r\na"
    ) as connection:
        connection.settimeout(DEADLINE * 2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.sendall(b"b")
        assert rest(connection).endswith(b"read ab")


def test_H9_a_hundred_slow_clients_are_all_cut_off_while_others_are_served(hasty: Running) -> None:
    slow = [hasty.connect(b"GET / HTTP/1.1\r\nX: a") for _ in range(100)]
    assert b" 200 " in hasty.ask(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    started = time.monotonic()
    for connection in slow:
        with connection:
            assert rest(connection) == b""
    assert time.monotonic() - started < SOON


LARGE = b"a" * 17_000


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([b"GET / HTTP/1.1\r\n" + HOST + b"X: " + LARGE + b"\r\n\r\n"], id="one header"),
        pytest.param([b"GET /" + LARGE + b" HTTP/1.1\r\n" + HOST + b"\r\n"], id="the address"),
        pytest.param(
            [b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9_000, b"\r\nY: " + b"b" * 9_000], id="unfinished"
        ),
        pytest.param([b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 120 + b"\r\n"], id="120 fields"),
    ],
)
def test_H9_a_head_that_is_too_large_is_refused(patient: Running, parts: list[bytes]) -> None:
    before = list(patient.seen)
    assert patient.ask(*parts).startswith(b"HTTP/1.1 400 ")
    assert patient.seen == before


def test_H9_a_head_of_15_000_bytes_is_served(patient: Running) -> None:
    cookie = b"Cookie: a=" + b"b" * 15_000 + b"\r\n"
    assert b" 200 " in patient.ask(b"GET / HTTP/1.1\r\n" + HOST + cookie + b"Connection: close\r\n\r\n")


CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "start", [b"0\r\nX: ", b"1;x="], ids=["a trailer without end", "a chunk extension without end"]
)
def test_H9_bytes_that_never_become_a_body_are_not_collected(patient: Running, start: bytes) -> None:
    with patient.connect(CHUNKED + start) as connection, suppress(ConnectionResetError, BrokenPipeError):
        for _ in range(1000):
            connection.sendall(b"a" * 100_000)
        pytest.fail("the server took 100 MB")


def test_H9_a_large_body_is_served(patient: Running) -> None:
    body = b"".join(b"10000\r\n" + b"a" * 0x10000 + b"\r\n" for _ in range(20))
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert patient.ask(head + body + b"0\r\n\r\n").endswith(b"a" * 0x10000)


# K8: connections


def unread(server: Running, *lines: bytes) -> socket.socket:
    """A client that asks for a large answer and does not read it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(b"GET /large HTTP/1.1\r\n" + HOST + b"".join(lines) + b"\r\n")
    return connection


@pytest.mark.parametrize("lines", [(), (b"Connection: close\r\n",)], ids=["kept", "to be closed"])
def test_H9_K8_a_client_that_does_not_read_its_answer_is_dropped(hasty: Running, lines: tuple[bytes, ...]) -> None:
    with unread(hasty, *lines) as connection:
        until(lambda: bool(hasty.connections))
        until(lambda: not hasty.connections)
        assert len(rest(connection)) < LARGE_ANSWER


def test_K8_a_client_that_reads_a_large_answer_gets_all_of_it(patient: Running) -> None:
    with unread(patient, b"Connection: close\r\n") as connection:
        assert len(rest(connection)) > LARGE_ANSWER


def is_open(connection: socket.socket) -> bool:
    """Whether the server has not hung up on a connection on which it owes no answer."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nX: "], ids=["silent", "half a head"])
def test_K8_beyond_the_bound_the_connection_that_has_waited_longest_is_closed(start: bytes) -> None:
    with running(PatientProtocol, waiting=WaitingConnections(most=3)) as server, ExitStack() as stack:
        busy = stack.enter_context(server.connect(POST + b"Content-Length: 1\r\n\r\n"))
        until(lambda: len(server.seen) == 1)
        waiting = []
        for count in range(2, 7):
            waiting.append(stack.enter_context(server.connect(start)))
            until(lambda: len(server.connections) == min(count, 4))  # noqa: B023  # It is called at once.
        until(lambda: [is_open(connection) for connection in waiting] == [False, False, True, True, True])
        busy.sendall(b"a")
        assert b"read a" in answer(busy)


def test_K8_a_connection_that_was_used_lately_is_not_the_one_that_is_closed() -> None:
    asked = GET + HOST + b"\r\n"
    with running(DeadlineProtocol, waiting=WaitingConnections(most=2)) as server, ExitStack() as stack:
        first = stack.enter_context(server.connect(asked))
        answer(first)
        second = stack.enter_context(server.connect(asked))
        answer(second)
        first.sendall(asked)
        answer(first)
        third = stack.enter_context(server.connect(asked))
        answer(third)
        until(lambda: [is_open(connection) for connection in (first, second, third)] == [True, False, True])


def test_K8_one_address_has_its_own_bound_and_proxies_have_none() -> None:
    def open_of(four: WaitingConnections) -> list[bool]:
        with running(DeadlineProtocol, waiting=four) as server, ExitStack() as stack:
            waiting = [stack.enter_context(server.connect()) for _ in range(4)]
            with server.connect(GET + HOST + b"Connection: close\r\n\r\n") as last:
                assert rest(last)
            return [is_open(connection) for connection in waiting]

    assert open_of(WaitingConnections(most_of_one=2, counted_for=lambda peer: peer)) == [False, False, False, True]
    assert open_of(WaitingConnections(most_of_one=2)) == [True] * 4


# H10: requests that another server could read differently

GET = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
SHAPES = {
    "Content-Length and Transfer-Encoding": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding and Content-Length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two equal Content-Length": POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "two Content-Length": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a list in Content-Length": POST + b"Content-Length: 1, 1\r\n\r\na",
    "a sign in Content-Length": POST + b"Content-Length: +1\r\n\r\na",
    "an empty Content-Length": POST + b"Content-Length: \r\n\r\na",
    "two Hosts": GET + HOST + b"Host: evil.example\r\n\r\n",
    "no Host": GET + b"\r\n",
    "a folded header": GET + HOST + b"X: a\r\n b\r\n\r\n",
    "a header folded by a tab": GET + HOST + b"X: a\r\n\tb\r\n\r\n",
    "a space before the first header": GET + b" X: a\r\n" + HOST + b"\r\n",
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "NUL in a value": GET + HOST + b"X: a\0b\r\n\r\n",
    "NUL in a name": GET + HOST + b"X\0: a\r\n\r\n",
    "NUL in the path": b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a lone line feed": GET + HOST + b"X: a\nY: b\r\n\r\n",
    "a lone carriage return": GET + HOST + b"X: a\rY: b\r\n\r\n",
    "gzip as transfer coding": POST + b"Transfer-Encoding: gzip\r\n\r\na",
    "gzip and chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two Transfer-Encoding": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip and chunked in two headers": POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding that resembles chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/2 in HTTP/1 clothes": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/0.9 with headers": b"GET / HTTP/0.9\r\n" + HOST + b"\r\n",
    "somebody else's address": b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header without a colon": GET + HOST + b"X\r\n\r\n",
    "a header without a name": GET + HOST + b": a\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", SHAPES.values(), ids=SHAPES)
def test_H10_a_request_that_could_be_read_two_ways_is_refused_and_the_connection_closed(
    patient: Running, request_bytes: bytes
) -> None:
    before = list(patient.seen)
    said = patient.ask(request_bytes)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1
    assert patient.seen == before


def test_H10_a_trailer_never_becomes_a_header(patient: Running) -> None:
    patient.ask(
        b"POST /trailer HTTP/1.1\r\n" + HOST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\na\r\n0\r\nCookie: stolen\r\n\r\n",
    )
    [headers] = [headers for _, path, headers in patient.seen if path == "/trailer"]
    assert [name for name, _ in headers] == [b"host", b"connection", b"transfer-encoding"]


def test_H10_the_body_of_an_upgrade_is_never_taken_for_a_request(patient: Running) -> None:
    hidden = b"GET /hidden HTTP/1.1\r\n" + HOST + b"\r\n"
    head = POST + b"Connection: upgrade\r\nUpgrade: other\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    assert patient.ask(head + hidden).startswith(b"HTTP/1.1 400 ")
    assert not [path for _, path, _ in patient.seen if path == "/hidden"]


def test_H10_the_chunked_body_of_an_upgrade_is_refused_too(patient: Running) -> None:
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n")
    assert patient.ask(head + b"0\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_a_client_that_offers_http2_is_answered_in_http1(patient: Running) -> None:
    said = patient.ask(
        GET + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in said


def test_H10_a_malformed_second_request_is_not_the_answer_to_the_first(patient: Running) -> None:
    assert patient.ask(GET + HOST + b"\r\nGET /\0 HTTP/1.1\r\n" + HOST + b"\r\n") == b""


def test_H10_a_malformed_chunk_after_an_early_answer_adds_no_second_answer(patient: Running) -> None:
    with patient.connect(CHUNKED.replace(b"POST /", b"POST /early")) as connection:
        assert b" 200 " in answer(connection)
        connection.sendall(b"no chunk\r\n")
        assert rest(connection) == b""


def test_two_requests_on_one_connection_are_answered_in_turn(patient: Running) -> None:
    close = b"Connection: close\r\n\r\n"
    said = patient.ask(POST + b"Content-Length: 3\r\n\r\none" + POST + b"Content-Length: 3\r\n" + close + b"two")
    assert said.index(b"read one") < said.index(b"read two")


def test_no_answer_names_the_server(patient: Running) -> None:
    assert b"\r\nserver:" not in patient.ask(GET + HOST + b"Connection: close\r\n\r\n").lower()


def test_the_logs_of_the_server_repeat_nothing_of_a_request(patient: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    patient.ask(b"GET /boom?token=secret HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    patient.ask(b"GET /boom?token=secret HTTP/1.1\r\n\r\n")
    written = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert "RuntimeError" in written
    assert "in boom" in written
    assert "Invalid HTTP request received." in written
    assert "secret" not in written
    assert "http://" not in written


# K9: stopping

STAND_IN = """
import asyncio
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

async def in_two_parts(request):
    async def parts():
        yield "begun "
        await asyncio.sleep(0.5)
        yield "finished"
    return StreamingResponse(parts())

def create():
    return Starlette(routes=[Route("/", in_two_parts)])
"""
SERVE = (
    "import sys; from bff.ops.server import serve; "
    "serve(port=int(sys.argv[1]), workers=int(sys.argv[2]), host='127.0.0.1', app='stand_in:create')"
)


@pytest.mark.parametrize("workers", [1, 2])
def test_K9_what_is_in_flight_at_sigterm_is_finished_before_the_process_ends(tmp_path: Path, workers: int) -> None:
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    port = free_port()
    process = subprocess.Popen(  # noqa: S603  # The command is ours.
        [sys.executable, "-c", SERVE, str(port), str(workers)],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )
    try:
        with connected(process, port) as connection:
            connection.sendall(GET + HOST + b"\r\n")
            said = b""
            while b"begun" not in said:
                said += connection.recv(65536) or pytest.fail("the server hung up")
            process.send_signal(signal.SIGTERM)
            assert b"finished" in rest(connection)
        assert process.wait(timeout=10) in {0, -signal.SIGTERM}
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
    finally:
        process.kill()
        process.wait()


def connected(process: subprocess.Popen[bytes], port: int) -> socket.socket:
    """Connect as soon as the process listens."""
    while process.poll() is None:
        with suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    pytest.fail("the server ended before it listened")
