"""The door to the vendors, against real sockets that misbehave."""

import asyncio
import gzip
import os
import re
import socket
import sys
import time
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import httpx2
import pytest
from support.raw_server import (
    Answer,
    RawServer,
    closed_port,
    deaf_port,
    drip,
    hang_up,
    identity,
    partly,
    reply,
    reset,
    silence,
)
from support.vendor_door import a_get, a_post, door, failure, in_a_loop, lines_written, vendor

from bff.errors import Problem, UpstreamFailed, UpstreamTimeout
from bff.telemetry.metrics import exposition
from bff.vendors.addresses import url_for
from bff.vendors.transport import Incoming, Outgoing, Transport
from bff.vendors.upstream import Call, HttpReply, Upstream

OK = reply()
CUT_BODY = partly(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
BAD_CHUNK = partly(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nbad\r\n")
NOT_HTTP = partly(b"SSH-2.0-OpenSSH_9.2\r\n")


# What goes out


@in_a_loop
async def test_G3_the_vendor_sees_our_headers_and_no_others() -> None:
    async with vendor(OK) as (server, upstream):
        await upstream.call(a_post(server, headers={"authorization": "Bearer x", "accept-encoding": "br, zstd"}))
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /redeem HTTP/1.1"
    (trace,) = (header for header in headers if header.startswith("Traceparent: "))
    assert re.fullmatch(r"Traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace)
    assert sorted(set(headers) - {trace}) == [
        "Accept-Encoding: gzip",
        "Accept: application/json",
        "Authorization: Bearer x",
        "Content-Length: 2",
        f"Host: 127.0.0.1:{server.port}",
        "User-Agent: loyalty-bff",
    ]
    assert body == b"{}"


@in_a_loop
async def test_G5_a_cookie_set_for_one_call_is_never_sent_with_another() -> None:
    async with vendor(reply(set_cookie="member=anna; Path=/")) as (server, upstream):
        first = await upstream.call(a_get(server))
        await upstream.call(a_get(server))
    assert "set-cookie" not in first.headers
    assert len(server.requests) == 2
    assert not any(b"cookie" in request.lower() for request in server.requests)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\u2028b", "é"])
@in_a_loop
async def test_G13_what_cannot_stand_on_one_line_reaches_no_header(value: str) -> None:
    async with vendor(OK) as (server, upstream):
        for headers in ({"x-member": value}, {value: "x"}):
            with pytest.raises(Problem) as caught:
                await upstream.call(a_get(server, headers=headers))
            assert caught.value.status == 400
    assert server.requests == []


@pytest.mark.parametrize("path", ["/a\r\nX-Evil: 1", "/a?b=c\nd", "/a\0"])
@in_a_loop
async def test_G13_what_cannot_stand_on_one_line_reaches_no_address(path: str) -> None:
    async with vendor(OK) as (server, upstream):
        with pytest.raises(Problem) as caught:
            await upstream.call(a_get(server, path))
    assert caught.value.status == 400
    assert server.requests == []


@in_a_loop
async def test_G12_a_proxy_in_the_environment_is_not_used() -> None:
    program = """if True:
        import asyncio, sys
        from bff.vendors.transport import Transport
        from bff.vendors.upstream import Call, Upstream
        async def main():
            upstream = Upstream(Transport())
            await upstream.call(Call(vendor="okendo", operation="probe", method="GET", url=sys.argv[1]))
            await upstream.aclose()
        asyncio.run(main())"""
    async with RawServer(OK) as server, RawServer(OK) as proxy:
        names = ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY")
        env = {**os.environ, **dict.fromkeys(names, proxy.url), "NO_PROXY": "", "no_proxy": ""}
        command = [sys.executable, "-c", program, server.url]
        child = await asyncio.create_subprocess_exec(*command, env=env, cwd=Path(__file__).parents[2])
        assert await child.wait() == 0
        assert (len(server.requests), proxy.connections) == (1, 0)


@pytest.mark.parametrize("framing", [{"transfer-encoding": "chunked"}, {"content-length": "99"}])
@in_a_loop
async def test_G3_a_body_is_measured_once_whatever_a_client_says_about_it(framing: dict[str, str]) -> None:
    async with RawServer(OK) as server, Transport() as transport:
        answer = await transport.send(Outgoing(method="POST", url=server.url, headers=[*framing.items()], body=b"abc"))
        answer.close()
    head = server.requests[0].lower()
    assert (head.count(b"content-length: 3\r\n"), head.count(b"content-length"), b"chunked" in head) == (1, 1, False)


@in_a_loop
async def test_G13_the_transport_itself_sends_nothing_it_cannot_write() -> None:
    async with RawServer(OK) as server, Transport() as transport:
        for url, value in (
            (server.url, "\udcff"),
            ("/relative", "x"),
            ("ftp://127.0.0.1", "x"),
            (server.url, "a\r\nb: c"),
        ):
            request = Outgoing(method="GET", url=url, headers=[("X-Name", value)])
            with pytest.raises(httpx2.LocalProtocolError):
                await transport.send(request)
            assert request.sent is False
    assert server.requests == []


# Where it goes


@pytest.mark.parametrize(
    "segment",
    ["", ".", "..", "a/b", "../x", "a\\b", "%2e%2e", "%252e", "a%", "a\0", "a\nb", "\x1f", "\x85", "\ud800", "x" * 129],
)
def test_G1_a_segment_that_could_leave_its_place_is_not_found(segment: str) -> None:
    with pytest.raises(Problem) as caught:
        url_for("https://api.example", "/customers/{id}", id=segment)
    assert caught.value.status == 404


@in_a_loop
async def test_G1_a_segment_arrives_percent_encoded_and_in_its_place() -> None:
    async with vendor(OK) as (server, upstream):
        url = url_for(server.url + "/v1/", "/c/{who}/r/{what}", who="anna+1@example.com?x=1#y", what="é {who} ...;a&b")
        await upstream.call(a_get(server, url=url))
    target = server.requests[0].split(b" ")[1]
    assert target == b"/v1/c/anna%2B1%40example.com%3Fx%3D1%23y/r/%C3%A9%20%7Bwho%7D%20...%3Ba%26b"


@in_a_loop
async def test_G6_a_redirect_is_an_error_and_is_not_followed() -> None:
    async with RawServer(OK) as elsewhere:
        async with vendor(reply(302, location=elsewhere.url), reply(304, b"")) as (server, upstream):
            assert (await failure(upstream, a_get(server, idempotent=True))).sent
            assert (await failure(upstream, a_get(server, idempotent=True))).sent
        assert (len(server.requests), elsewhere.connections) == (2, 0)


# What may have happened when it fails


@in_a_loop
async def test_a_call_that_found_nobody_was_not_sent() -> None:
    async with door() as upstream:
        for url in (f"http://127.0.0.1:{closed_port()}/", "http://nobody.invalid/", "https://:0/"):
            call = Call(vendor="okendo", operation="redeem", method="POST", url=url, body=b"{}")
            assert (await failure(upstream, call)).sent is False


@pytest.mark.parametrize(
    ("host", "days", "trusted", "kind"),
    [
        ("127.0.0.1", 2, False, "certificate_issuer"),
        ("127.0.0.2", 2, True, "certificate_name"),
        ("elsewhere.example", 2, True, "certificate_name"),
        ("127.0.0.1", -1, True, "certificate_expired"),
    ],
)
@in_a_loop
async def test_C10_a_vendor_that_cannot_prove_its_name_is_sent_nothing_and_the_log_says_why(
    tmp_path: Path, host: str, days: int, trusted: bool, kind: str
) -> None:
    server_side, client_side = identity(tmp_path, host, days=days)
    transport = Transport(ssl_context=client_side if trusted else None)
    before = counted(kind)
    async with RawServer(OK, tls=server_side) as server, door(transport) as upstream:
        with lines_written() as logs:
            failures = [
                await failure(upstream, a_post(server)),
                await failure(upstream, a_get(server, idempotent=True)),
            ]
    assert [(each.sent, "TLS certificate" in each.why) for each in failures] == [(False, True)] * 2
    assert (server.requests, [(line["failure"], line["tries"]) for line in logs]) == ([], [(kind, 1)] * 2)
    assert counted(kind) == before + 2


@in_a_loop
async def test_a_vendor_that_speaks_no_tls_is_told_as_that() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    call = Call(vendor="okendo", operation="redeem", method="POST", url=f"https://127.0.0.1:{port_of(server)}/")
    async with server, door() as upstream:
        with lines_written() as logs:
            assert (await failure(upstream, call)).sent is False
    assert [line["failure"] for line in logs] == ["tls"]


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def counted(outcome: str) -> float:
    """How many calls have ended so, by the metric."""
    named = re.findall(
        rf'^loyalty_vendor_call_seconds_count{{.*outcome="{outcome}".*}} (.*)$', exposition().decode(), re.M
    )
    return sum(map(float, named))


@in_a_loop
async def test_C10_a_vendor_that_proves_its_name_is_spoken_to(tmp_path: Path) -> None:
    server_side, client_side = identity(tmp_path, "127.0.0.1")
    async with RawServer(OK, tls=server_side) as server, door(Transport(ssl_context=client_side)) as upstream:
        answers = [await upstream.call(a_post(server)) for _ in range(3)]
    assert [answer.json() for answer in answers] == [{"ok": True}] * 3
    assert server.connections == 1


@pytest.mark.parametrize("answer", [hang_up, reset, CUT_BODY, BAD_CHUNK, NOT_HTTP])
@in_a_loop
async def test_G10_a_write_that_broke_off_was_sent_once_and_says_so(answer: Answer) -> None:
    async with vendor(answer) as (server, upstream):
        assert (await failure(upstream, a_post(server, idempotent=True))).sent is True
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("answer", [hang_up, reset])
@in_a_loop
async def test_G10_nothing_is_repeated_when_a_kept_connection_turns_out_dead(method: str, answer: Answer) -> None:
    async with vendor(OK, answer, OK) as (server, upstream):
        await upstream.call(a_get(server))
        assert (await failure(upstream, a_post(server, method=method))).sent is True
    assert (len(server.requests), server.connections) == (2, 1)


@pytest.mark.parametrize("noticed", [True, False])
@pytest.mark.parametrize("event", ["answer", "goodbye"])
@in_a_loop
async def test_a_kept_connection_with_something_to_say_is_not_used_again(event: str, noticed: bool) -> None:
    said: list[asyncio.StreamWriter] = []

    async def remember(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(writer)
        writer.write(reply(body=b'"for anna"'))

    async with RawServer(OK) as other, vendor(remember, reply(body=b'"for ben"')) as (server, upstream):
        await upstream.call(a_get(server))
        if event == "answer":
            said[0].write(reply(body=b'"for anna, once more"'))
        else:
            said[0].get_extra_info("socket").shutdown(socket.SHUT_WR)
        if noticed:
            # What was said before this round trip has been read by the end of it.
            await upstream.call(a_get(other))
        assert [(await upstream.call(a_post(server))).json() for _ in range(2)] == ["for ben", "for ben"]
    assert (len(server.requests), server.connections) == (3, 2)


@in_a_loop
async def test_when_all_kept_connections_turn_out_unfit_nothing_was_sent() -> None:
    said: list[asyncio.StreamWriter] = []

    async def wait_for_three(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(writer)
        if len(said) == 3:
            for each in said:
                each.write(OK)

    async with vendor(wait_for_three) as (server, upstream):
        await asyncio.gather(*(upstream.call(a_get(server)) for _ in range(3)))
        for each in said:
            each.write(OK)
        assert (await failure(upstream, a_post(server))).sent is False
    assert (len(server.requests), server.connections) == (3, 3)


# How long it takes


@pytest.mark.parametrize("answer", [silence, drip(OK), drip(reply(body=b" " * 1000), pause_seconds=0.01)])
@in_a_loop
async def test_G10_the_deadline_holds_against_silence_and_dripping(answer: Answer) -> None:
    async with vendor(answer) as (server, upstream):
        started = time.monotonic()
        failed = await failure(upstream, a_post(server, timeout_seconds=1.0))
        assert 0.95 < time.monotonic() - started < 2.5
    assert isinstance(failed, UpstreamTimeout)
    assert failed.sent is True


@pytest.mark.parametrize("seconds", [0.4, 1.2])
@in_a_loop
async def test_G10_a_vendor_nobody_can_connect_to_was_sent_nothing(seconds: float) -> None:
    async with door() as upstream:
        with deaf_port() as port:
            url, started = f"http://127.0.0.1:{port}/", time.monotonic()
            call = Call(vendor="okendo", operation="redeem", method="POST", url=url, timeout_seconds=seconds)
            failed = await failure(upstream, call)
    assert time.monotonic() - started < seconds
    assert isinstance(failed, UpstreamTimeout)
    assert failed.sent is False


@in_a_loop
async def test_a_deadline_that_comes_before_the_connection_was_sent_nothing() -> None:
    class Patient(Transport):
        async def send(self, outgoing: Outgoing) -> Incoming:
            outgoing.connect_seconds = None
            return await super().send(outgoing)

    async with door(Patient()) as upstream:
        with deaf_port() as port:
            url = f"http://127.0.0.1:{port}/"
            call = Call(vendor="okendo", operation="redeem", method="POST", url=url, timeout_seconds=0.2)
            assert (await failure(upstream, call)).sent is False


@in_a_loop
async def test_a_call_that_got_no_connection_from_the_pool_was_not_sent() -> None:
    async with RawServer(silence) as server, Transport(connections=1) as transport:
        holding = asyncio.create_task(transport.send(Outgoing(method="GET", url=server.url)))
        await server.asked.wait()
        with pytest.raises(httpx2.PoolTimeout) as caught:
            await transport.send(Outgoing(method="POST", url=server.url + "/?canary", connect_seconds=0.1))
        assert "canary" not in str(caught.value)
        holding.cancel()
        await asyncio.wait([holding])
        await server.left.wait()
    assert len(server.requests) == 1


@in_a_loop
async def test_a_cancelled_call_leaves_no_connection_behind() -> None:
    async with vendor(silence, OK, concurrency_per_vendor=1) as (server, upstream):
        with lines_written() as logs:
            calling = asyncio.create_task(upstream.call(a_get(server)))
            await server.asked.wait()
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
        await server.left.wait()
        assert (await upstream.call(a_get(server))).status == 200
    assert [line["failure"] for line in logs] == ["cancelled"]


@in_a_loop
async def test_an_answer_that_is_not_wanted_is_not_waited_for() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n")
        await silence(reader, writer)

    async with RawServer(endless) as server, Transport() as transport:
        await failure(Upstream(transport), a_get(server))
        await server.left.wait()


@in_a_loop
async def test_where_the_status_says_all_no_body_is_waited_for_whatever_it_is() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 100\r\n\r\n")
        await silence(reader, writer)

    async with RawServer(endless) as server, Transport() as transport:
        answer = await Upstream(transport).call(a_post(server, reads_body=False))
        assert (answer.status, answer.body) == (200, b"")
        await server.left.wait()


@in_a_loop
async def test_a_connection_is_kept_for_the_next_call_also_after_a_refusal() -> None:
    async with vendor(OK, reply(404), reply(429), reply(503), reply(204, b""), OK) as (server, upstream):
        for _ in range(6):
            await asyncio.gather(upstream.call(a_get(server, backs_off=False)), return_exceptions=True)
    assert (len(server.requests), server.connections) == (6, 1)


# A second try


@pytest.mark.parametrize("first", [reply(502), reply(503), reply(504), hang_up, reset, CUT_BODY, BAD_CHUNK])
@in_a_loop
async def test_G10_a_harmless_read_is_tried_once_more(first: Answer) -> None:
    async with vendor(first, OK) as (server, upstream):
        assert (await upstream.call(a_get(server, idempotent=True))).json() == {"ok": True}
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "changes", "requests"),
    [
        (reply(503), {"idempotent": True}, 2),
        (reply(503), {"idempotent": False}, 1),
        (reply(503), {"idempotent": True, "method": "POST"}, 1),
        (hang_up, {"idempotent": True, "method": "PUT"}, 1),
        (reply(429), {"idempotent": True}, 1),
        (reply(500), {"idempotent": True}, 1),
        (silence, {"idempotent": True, "timeout_seconds": 0.4}, 1),
    ],
)
@in_a_loop
async def test_G10_nothing_else_is_tried_again(answer: Answer, changes: dict[str, Any], requests: int) -> None:
    async with vendor(answer) as (server, upstream):
        await failure(upstream, a_get(server, **changes))
    assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 0), ("3600", 60), ("9" * 5000, 60), ("Fri, 31 Dec 2100 23:59:59 GMT", 60), ("-1", 60), ("", None)],
)
@in_a_loop
async def test_a_vendor_that_is_too_busy_did_nothing_and_says_when_to_return(header: str, seconds: int | None) -> None:
    async with vendor(reply(429, retry_after=header)) as (server, upstream):
        failed = await failure(upstream, a_post(server))
    assert (failed.sent, failed.retry_after_seconds) == (False, seconds)


@in_a_loop
async def test_K7_who_can_wait_for_longer_waits_as_long_as_was_asked() -> None:
    now = [1000.0]
    async with vendor(reply(429, retry_after="3600"), OK, clock=lambda: now[0]) as (server, upstream):
        patient = a_post(server, most_retry_after_seconds=86_400)
        assert (await failure(upstream, patient)).retry_after_seconds == 3600
        now[0] += 3599
        assert (await failure(upstream, patient)).retry_after_seconds == 1
        now[0] += 1
        await upstream.call(patient)
    assert len(server.requests) == 2


@in_a_loop
async def test_K7_an_operation_that_was_too_busy_is_left_alone_until_then() -> None:
    now = [1000.0]
    answers = [reply(429, retry_after="7"), OK, OK, reply(503, retry_after="3600"), OK]
    async with vendor(*answers, clock=lambda: now[0]) as (server, upstream):
        await failure(upstream, a_post(server))
        refused = await failure(upstream, a_post(server))
        assert (refused.sent, refused.retry_after_seconds, len(server.requests)) == (False, 7, 1)
        # Others are not waited for, nor is one that has a pace of its own.
        await upstream.call(a_get(server))
        await upstream.call(a_post(server, backs_off=False))
        now[0] += 7
        await failure(upstream, a_get(server, operation="redeem", idempotent=True))
        assert len(server.requests) == 4, "a vendor that says when to come back is not tried twice"
        now[0] += 59
        assert (await failure(upstream, a_post(server))).retry_after_seconds == 1
        now[0] += 1
        await upstream.call(a_post(server))
    assert len(server.requests) == 5


# What comes back


@in_a_loop
async def test_a_clear_no_is_an_answer_with_the_few_headers_anyone_may_see() -> None:
    no = reply(401, b"[]", www_authenticate="Bearer", server="nginx", set_cookie="a=b", location="/", X_Request_Id="7")
    async with vendor(no) as (server, upstream):
        answer = await upstream.call(a_get(server))
    kept = {"content-type": "application/json", "www-authenticate": "Bearer", "x-request-id": "7"}
    assert (answer.status, answer.headers, answer.json()) == (401, kept, [])


@in_a_loop
async def test_G9_a_small_bomb_is_put_down_before_it_has_grown() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([*(packer.compress(bytes(1_000_000)) for _ in range(200)), packer.flush()])
    assert len(bomb) < 200_000
    async with vendor(reply(body=bomb, content_encoding="gzip")) as (server, upstream):
        tracemalloc.start()
        try:
            assert (await failure(upstream, a_get(server, idempotent=True))).sent
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8_000_000
    assert len(server.requests) == 1


@in_a_loop
async def test_G9_a_body_up_to_the_cap_is_read_and_one_byte_more_is_not() -> None:
    fitting, too_large = b'"' + b"x" * 998 + b'"', b'"' + b"x" * 999 + b'"'
    packed = reply(body=gzip.compress(too_large), content_encoding="gzip")
    answers = (reply(body=fitting), reply(body=too_large), packed, OK)
    async with vendor(*answers, max_body_bytes=1000) as (server, upstream):
        assert (await upstream.call(a_get(server))).body == fitting
        await failure(upstream, a_get(server))
        await failure(upstream, a_get(server))
        assert (await upstream.call(a_get(server))).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        reply(body=b"<html>", content_type="text/html"),
        reply(body=b"{}", content_type="text/html"),
        reply(body=b""),
        reply(body=b'{"a": NaN}'),
        reply(body=b'"\xff"'),
        reply(body=b"[" * 33 + b"]" * 33),
        reply(body=b'{"a":' * 33 + b"1" + b"}" * 33),
        reply(body=b"[" * 500_000),
        reply(body=gzip.compress(gzip.compress(b"{}")), content_encoding="gzip, gzip"),
        reply(body=b"{}", content_encoding="br"),
        reply(body=b"{}", content_encoding="gzip"),
        reply(body=gzip.compress(b'{"a": "b"}')[:-12], content_encoding="gzip"),
    ],
)
@in_a_loop
async def test_G9_what_is_not_honest_json_is_an_error(answer: bytes) -> None:
    async with vendor(answer) as (server, upstream):
        with pytest.raises(UpstreamFailed) as caught:
            (await upstream.call(a_post(server))).json()
    assert caught.value.sent


def test_G9_json_is_not_read_beyond_a_mebibyte() -> None:
    declared, fitting = {"content-type": "application/json"}, b'"' + b"x" * (1_048_576 - 2) + b'"'
    assert len(HttpReply(200, declared, fitting).json()) == 1_048_574
    with pytest.raises(UpstreamFailed):
        HttpReply(200, declared, fitting + b" ").json()


@in_a_loop
async def test_G9_json_is_read_packed_in_chunks_and_thirty_two_deep() -> None:
    deep = gzip.compress(b"[" * 32 + b"]" * 32)
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Encoding: gzip\r\n"
    chunked += b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(deep), deep)
    async with vendor(chunked) as (server, upstream):
        value = (await upstream.call(a_get(server))).json()
    assert str(value) == "[" * 32 + "]" * 32


# One vendor's trouble stays its own


@in_a_loop
async def test_G11_a_vendor_that_hangs_fails_fast_and_leaves_the_others_alone() -> None:
    all_places_taken = asyncio.Barrier(3)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await all_places_taken.wait()
        await silence(reader, writer)

    async with RawServer(hang) as hanging, vendor(OK, concurrency_per_vendor=2) as (healthy, upstream):
        stuck = [asyncio.create_task(upstream.call(a_get(hanging))) for _ in range(2)]
        await all_places_taken.wait()
        started = time.monotonic()
        failed = await failure(upstream, a_post(hanging))
        assert (failed.sent, time.monotonic() - started < 0.5) == (False, True)
        assert (await upstream.call(a_get(healthy, vendor="shopify"))).status == 200
        for call in stuck:
            call.cancel()
        await asyncio.wait(stuck)
        assert (await upstream.call(a_get(healthy))).status == 200


@in_a_loop
async def test_M4_a_call_leaves_one_line_without_address_header_or_body() -> None:
    secret = {"headers": {"authorization": "Bearer canary"}, "body": b"canary"}
    async with vendor(OK, reply(503, b"canary"), reset, silence) as (server, upstream):
        with lines_written() as logs:
            call = a_get(server, "/canary?email=canary", method="POST", timeout_seconds=0.4, **secret)
            answer = await upstream.call(call)
            failures = [await failure(upstream, call) for _ in range(3)]
    assert "canary" not in repr([call, answer, logs, failures, [f.detail for f in failures]])
    assert all(f.__cause__ is None and f.__suppress_context__ for f in failures[1:])
    assert {"vendor": "okendo", "operation": "rewards", "method": "POST", "level": "info"}.items() <= logs[0].items()
    assert [(line["status"], line["failure"]) for line in logs] == [
        (200, None),
        (503, "unusable"),
        (None, "ReadError"),
        (None, "deadline"),
    ]
