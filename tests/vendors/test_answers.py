"""Answers that two readers could understand in two ways, and connections that are not what they seem (RFC 9112)."""

import asyncio
import gzip
import json
import socket
import ssl
import time
from pathlib import Path

import httpx2
import pytest
from support.raw_server import RawServer, identity, partly, reply, silence
from support.vendor_door import a_get, a_post, door, failure, in_a_loop, lines_written, vendor

from bff.vendors.connecting import verifying
from bff.vendors.transport import Outgoing, Transport
from bff.vendors.upstream import Call

OK = reply()
LINE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b"Content-Length: 2\r\n\r\n{}"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
TWO_WAYS = {
    "two lengths": LINE + b"Content-Length: 2\r\nContent-Length: 12\r\n\r\n{}",
    "the same length twice": LINE + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": LINE + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": LINE + b"Content-Length: +2\r\n\r\n{}",
    "a length that is none": LINE + b"Content-Length: 0x2\r\n\r\n{}",
    "no length after its name": LINE + b"Content-Length:\r\n\r\n{}",
    "a length beyond all numbers": LINE + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "a length, then chunks": LINE + b"Content-Length: 2\r\n" + CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    "chunks, then a length": LINE + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunked twice": LINE + b"Transfer-Encoding: chunked\r\n" + CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    "packed and chunked": LINE + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunked, but not last": LINE + b"Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "almost chunked": LINE + b"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a space before the colon": LINE + b"Transfer-Encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a folded line": LINE + b"X-One: 1\r\n two\r\n" + BODY,
    "lines that end with LF": LINE.replace(b"\r", b"") + BODY.replace(b"\r", b""),
    "a CR in a line": LINE + b"X-One: 1\r2\r\n" + BODY,
    "a NUL in a line": LINE + b"X-One: 1\x002\r\n" + BODY,
    "a line without a colon": LINE + b"X-One\r\n" + BODY,
    "a chunk of no size": LINE + CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk of a negative size": LINE + CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk of a size with a prefix": LINE + CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond all numbers": LINE + CHUNKED + b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": LINE + CHUNKED + b"2\r\n{}}\r\n0\r\n\r\n",
    "chunks with bare LF": LINE + CHUNKED + b"2\n{}\n0\n\n",
    "a length after the chunks": LINE + CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n",
    "another protocol": LINE.replace(b"HTTP/1.1", b"RTSP/1.0") + BODY,
    "a version to come": LINE.replace(b"1.1", b"2.0") + BODY,
    "a version that is gone": LINE.replace(b"1.1", b"0.9") + BODY,
    "a status below all": LINE.replace(b"200", b"042") + BODY,
    "a status above all": LINE.replace(b"200", b"2000") + BODY,
    "another protocol from now on": b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" + OK,
    "the same, unnamed": b"HTTP/1.1 101 Switching\r\n\r\n" + OK,
    "an empty line first": b"\r\n" + OK,
    "a request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a head without end": LINE + b"X-One: " + b"1" * 70_000,
    "headers without end": LINE + b"X-One: 1\r\n" * 7_000,
    "a head larger than any": LINE + b"X-One: " + b"1" * 66_000 + b"\r\n" + BODY,
    "more hints than any": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3_000 + OK,
    "fields after the chunks without end": LINE + CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X-One: 1\r\n" * 10_000,
}


@pytest.mark.parametrize("name", TWO_WAYS)
@in_a_loop
async def test_G9_an_answer_that_can_be_understood_in_two_ways_is_none(name: str) -> None:
    async with vendor(TWO_WAYS[name], OK) as (server, upstream):
        with lines_written() as logs:
            assert (await failure(upstream, a_post(server))).sent is True
        assert (await upstream.call(a_get(server))).json() == {"ok": True}
    assert [line["failure"] for line in logs if line["operation"] == "redeem"] == ["RemoteProtocolError"]
    assert (len(server.requests), server.connections) == (2, 2), "nothing more is read from that connection"


@pytest.mark.parametrize("after", [OK, b"\r\nHTTP/1.1 200 OK", b"x", b"HTTP/1.1 100 Continue\r\n\r\n"])
@in_a_loop
async def test_G9_what_follows_an_answer_is_never_the_next_one(after: bytes) -> None:
    async with vendor(reply(body=b'"for anna"') + after, reply(body=b'"for ben"')) as (server, upstream):
        said = [(await upstream.call(a_post(server))).json() for _ in range(2)]
    assert (said, server.connections) == (["for anna", "for ben"], 2)


@pytest.mark.parametrize("chunked", [True, False])
@in_a_loop
async def test_G9_a_body_without_end_is_left_behind(chunked: bool) -> None:
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(LINE + (CHUNKED if chunked else b"Content-Length: 99999999999\r\n\r\n"))
        while True:
            writer.write((b"4000\r\n%s\r\n" if chunked else b"%s") % (b" " * 16_384))
            await writer.drain()

    async with vendor(endless, OK) as (server, upstream):
        assert (await failure(upstream, a_get(server, idempotent=True))).sent is True
        await server.left.wait()
    assert len(server.requests) == 1, "it would be as large the next time"


@in_a_loop
async def test_G9_more_wrapping_than_content_is_left_behind() -> None:
    """Chunks of a byte with a long extension each: the body stays small, and what comes does not."""

    async def wrapped(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(LINE + CHUNKED)
        while True:
            writer.write(b"1;a=%s\r\n \r\n" % (b"b" * 16_000))
            await writer.drain()

    async with vendor(wrapped) as (server, upstream):
        with lines_written() as logs:
            assert (await failure(upstream, a_post(server, timeout_seconds=15))).sent is True
        await server.left.wait()
    assert [line["failure"] for line in logs] == ["RemoteProtocolError"]


@in_a_loop
async def test_G9_the_rest_of_an_answer_that_was_left_is_never_the_next_one() -> None:
    begun = b"HTTP/1.1 302 Found\r\nContent-Length: 300\r\n\r\n<p>"
    async with vendor(begun, reply(body=b'"for ben"')) as (server, upstream):
        await failure(upstream, a_post(server))
        assert (await upstream.call(a_post(server))).json() == "for ben"
    assert server.connections == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 20",
        LINE,
        LINE + b"Content-Length: 2\r\n\r\n",
        LINE + b"Content-Length: 9\r\n\r\n{}",
        LINE + CHUNKED + b"2\r\n{}\r\n",
        LINE + CHUNKED + b"2\r\n{}\r\n0\r\n",
    ],
)
@in_a_loop
async def test_G9_an_answer_that_ends_early_is_none(data: bytes) -> None:
    async with vendor(partly(data)) as (server, upstream):
        with lines_written() as logs:
            assert (await failure(upstream, a_post(server))).sent is True
    assert ([line["failure"] for line in logs], len(server.requests)) == (["ReadError"], 1)


@in_a_loop
async def test_a_body_of_no_stated_length_ends_with_the_connection() -> None:
    for line in (LINE, LINE.replace(b"1.1", b"1.0")):
        async with vendor(partly(line + b'\r\n{"a": 1}'), OK) as (server, upstream):
            assert (await upstream.call(a_post(server))).json() == {"a": 1}
            assert (await upstream.call(a_post(server))).json() == {"ok": True}
        assert server.connections == 2


@pytest.mark.parametrize("last", [b"Connection: close", b"connection: x, Close"])
@in_a_loop
async def test_a_connection_that_is_to_end_is_not_used_again(last: bytes) -> None:
    async with vendor(LINE + last + b"\r\n" + BODY, OK) as (server, upstream):
        for _ in range(2):
            await upstream.call(a_post(server))
    assert server.connections == 2


@in_a_loop
async def test_hints_before_an_answer_are_not_the_answer() -> None:
    hints = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\nX-Request-Id: no\r\n\r\n"
    )
    async with vendor(hints + OK) as (server, upstream):
        answers = [await upstream.call(a_post(server)) for _ in range(2)]
    assert [(one.status, one.headers, one.json()) for one in answers] == [
        (200, {"content-type": "application/json"}, {"ok": True})
    ] * 2
    assert server.connections == 1


@pytest.mark.parametrize("size", [1, 7, 100])
@in_a_loop
async def test_it_does_not_matter_where_the_wire_cuts_an_answer(size: int) -> None:
    value = {"a": list(range(40))}
    packed = gzip.compress(json.dumps(value).encode())
    whole = LINE + b"Content-Encoding: gzip\r\n" + CHUNKED
    whole += b"%x;a=b\r\n%s\r\n%x\r\n%s\r\n0\r\nX-After: 1\r\n\r\n" % (20, packed[:20], len(packed) - 20, packed[20:])

    async def in_parts(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(whole), size):
            writer.write(whole[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)

    async with vendor(in_parts) as (server, upstream):
        assert [(await upstream.call(a_get(server))).json() for _ in range(2)] == [value, value]
    assert server.connections == 1


@in_a_loop
async def test_header_fields_that_come_twice_are_one_list() -> None:
    packed = gzip.compress(gzip.compress(b"{}"))
    twice = reply(body=packed, content_encoding="gzip\r\nContent-Encoding: gzip")
    kinds = reply(content_type="text/html\r\nContent-Type: application/json")
    async with vendor(twice, kinds) as (server, upstream):
        assert (await failure(upstream, a_post(server))).sent is True
        assert (await upstream.call(a_post(server))).is_page


@in_a_loop
async def test_an_answer_that_comes_before_the_request_is_through_is_taken_and_the_connection_left() -> None:
    """Most of a large body waits on our side when a vendor that has heard enough answers."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(413, b"{}"))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0, limit=4096)
    port = server.sockets[0].getsockname()[1]
    call = Call(
        vendor="okendo",
        operation="redeem",
        method="POST",
        url=f"http://127.0.0.1:{port}/",
        body=b" " * 50_000_000,
        timeout_seconds=10,
    )
    async with server, door() as upstream:
        assert (await upstream.call(call)).status == 413


@in_a_loop
async def test_kept_connections_are_closed_when_nobody_uses_them() -> None:
    async with RawServer(OK) as server, Transport(keepalive_seconds=0.05) as transport:
        answer = await transport.send(Outgoing(method="GET", url=server.url))
        assert bytes(await answer.read(1000)) == b'{"ok": true}'
        answer.close()
        await server.left.wait()


@pytest.mark.parametrize("many", [1, 5])
@in_a_loop
async def test_G11_a_call_that_is_given_up_gives_its_place_back(many: int) -> None:
    async with RawServer(silence) as server, Transport(connections=1) as transport:
        for _ in range(many):
            calling = asyncio.create_task(transport.send(Outgoing(method="GET", url=server.url)))
            await server.asked.wait()
            server.asked.clear()
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
    assert (len(server.requests), server.connections) == (many, many)


@in_a_loop
async def test_a_vendor_with_several_addresses_is_reached_over_one_that_answers() -> None:
    """`localhost` may be ::1 as well, where nobody listens."""
    async with RawServer(OK) as server, door() as upstream:
        calls = [a_get(server, url=f"http://localhost:{server.port}/") for _ in range(8)]
        answers = await asyncio.gather(*map(upstream.call, calls))
    assert {answer.status for answer in answers} == {200}
    assert {f"\r\nHost: localhost:{server.port}\r\n".encode() in request for request in server.requests} == {True}


@in_a_loop
async def test_C10_tls_names_the_host_and_speaks_http_1(tmp_path: Path) -> None:
    names: list[str | None] = []
    server_side, client_side = identity(tmp_path, "localhost")
    server_side.sni_callback = lambda _socket, name, _context: names.append(name)
    server_side.set_alpn_protocols(["h2", "http/1.1"])
    client_side.set_alpn_protocols(["http/1.1"])
    async with RawServer(OK, tls=server_side) as server, door(Transport(ssl_context=client_side)) as upstream:
        answer = await upstream.call(a_get(server, url=f"https://localhost:{server.port}/"))
    assert (answer.status, names) == (200, ["localhost"])


def test_C10_the_context_of_all_calls_verifies() -> None:
    context = verifying()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    "url",
    [
        "http://anna:secret@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1 /",
        "http://[::1/",
        "http://a\\b/",
        "http://a%2fb/",
        "http:///path",
        "http://127.0.0.1/a b",
        "https:/127.0.0.1/",
    ],
)
@in_a_loop
async def test_G1_an_address_that_could_mean_somebody_else_is_not_written(url: str) -> None:
    async with Transport() as transport:
        request = Outgoing(method="GET", url=url)
        with pytest.raises(httpx2.LocalProtocolError):
            await transport.send(request)
    assert request.sent is False


@pytest.mark.parametrize("method", ["HEAD", "CONNECT", "get", "GET / HTTP/1.1\r\nX", "", "G T"])
@in_a_loop
async def test_G13_a_method_whose_answer_would_be_read_wrongly_is_not_written(method: str) -> None:
    async with RawServer(OK) as server, Transport() as transport:
        with pytest.raises(httpx2.LocalProtocolError):
            await transport.send(Outgoing(method=method, url=server.url))
        for name in ("X One", "X:One", ""):
            with pytest.raises(httpx2.LocalProtocolError):
                await transport.send(Outgoing(method="GET", url=server.url, headers=[(name, "x")]))
    assert server.connections == 0


@in_a_loop
async def test_G3_whom_a_request_is_for_is_written_once_whatever_a_client_says() -> None:
    async with RawServer(OK) as server, Transport() as transport:
        headers = [("Host", "elsewhere.example"), ("Connection", "close"), ("X-One", "1")]
        (await transport.send(Outgoing(method="DELETE", url=server.url + "?a=b#c", headers=headers))).close()
    expected = f"DELETE /?a=b HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-One: 1\r\nContent-Length: 0\r\n\r\n"
    assert server.requests == [expected.encode()]


@in_a_loop
async def test_a_closed_transport_leaves_nothing_open() -> None:
    async with RawServer(OK, silence) as server:
        transport = Transport()
        (await transport.send(Outgoing(method="GET", url=server.url))).close()
        under_way = asyncio.create_task(transport.send(Outgoing(method="GET", url=server.url)))
        while len(server.requests) < 2:
            await server.asked.wait()
            await asyncio.sleep(0)
        began = time.monotonic()
        await transport.aclose()
        with pytest.raises(httpx2.ReadError):
            await under_way
        assert time.monotonic() - began < 5
        await server.left.wait()
