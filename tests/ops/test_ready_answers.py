"""An answer that is ready is, byte for byte, the one that would be made."""

import asyncio
import functools
import http.client
import re
import socket
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from support.concurrency import until
from support.held_requests import TOKEN, scraped
from support.services import Log, Service, Start, Vendors, in_thread
from support.shopper import COOKIE

from bff.ops.ready_protocol import IdleTimer

STOREFRONT = "http://localhost:3000"
# No header that is read: said twice, it sends a request on the long way and changes nothing else.
ORDINARY = [("x-nothing", "a"), ("x-nothing", "b")]
OWN = "0f0f0f0f-of-this-request"
PROGRAM = "/api/v1/program"
ADDRESSES = (
    "/healthz", PROGRAM, f"{PROGRAM}?locale=fr", "/api/v1/faqs", "/api/v1/openapi.json", "/api/v1/docs",
    "/problems/not_found", "/nowhere", "/no/where?at=all", "/api/v1/nowhere", "/webhooks/nowhere", "/api/v1/me",
    "/api/v1/me/rewards", "/api/v1/me?include=nothing",
)  # fmt: skip
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"accept-encoding": "gzip, deflate, br"},
    {"accept-encoding": "gzip;q=1, *;q=0"},
    {"accept-encoding": "zstd"},
    {"origin": STOREFRONT},
    {"origin": "https://evil.test"},
    {"if-none-match": "*"},
    {"if-none-match": '"another"'},
    {"accept": "application/json"},
    {"accept": "text/html", "accept-language": "fr, de;q=0.5"},
    {"sec-fetch-site": "cross-site", "sec-fetch-dest": "empty"},
    {"x-request-id": OWN},
    {"x-request-id": "short"},
    {"cookie": "of-another=service"},
)


class Answer(NamedTuple):
    """`told` is all of it, with words in place of what is another each time."""

    status: int
    headers: dict[str, str]
    body: bytes
    told: tuple[Any, ...]


class Asking:
    """One connection that is kept."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=20)

    def answer(self, method: str, path: str, *headers: tuple[str, str]) -> Answer:
        names = {name for name, _ in headers}
        self.connection.putrequest(method, path, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in headers:
            self.connection.putheader(name, value)
        self.connection.endheaders()
        reply = self.connection.getresponse()
        body, given = reply.read(), reply.getheaders()
        fields = dict(given)
        others = (fields["x-request-id"], "ID"), *((nonce, "NONCE") for nonce in _nonces(fields))
        text = repr((reply.status, reply.reason, given, body))
        for found, name in others:
            text = text.replace(found, name)
        text = re.sub(r"dur=[\d.]+", "dur=0", text.replace(fields["date"], "DATE"))
        # An id of a client's own may be longer than one of ours.
        text = text.replace(f"'{len(body)}'", "LENGTH")
        return Answer(reply.status, fields, body, (text,))

    def is_ready(self, method: str, path: str, *headers: tuple[str, str]) -> bool:
        before = self.service.ready()
        self.answer(method, path, *headers)
        return self.service.ready() > before


def _nonces(fields: dict[str, str]) -> list[str]:
    return re.findall(r"'nonce-([^']+)'", fields.get("content-security-policy", ""))


@pytest.fixture
def asking(start: Start) -> Iterator[Asking]:
    asking = Asking(start(STOREFRONT_ORIGINS=STOREFRONT, METRICS_TOKEN=TOKEN))
    yield asking
    asking.connection.close()


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_ready_answer_is_the_one_that_would_be_made(asking: Asking, path: str) -> None:
    were_ready = list[dict[str, str]]()
    for method in ("GET", "HEAD"):
        for headers in HEADERS:
            given = [*headers.items()]
            # A public answer says how old it is: the two are of the same second.
            until(functools.partial(alike, asking, method, path, given))
            if asking.is_ready(method, path, *given):
                were_ready.append(headers)
    # Whoever has a cookie is looked for where that makes a difference.
    assert [headers for headers in HEADERS * 2 if headers not in were_ready] in ([], [HEADERS[-1]] * 2)
    assert len(were_ready) >= 2 * len(HEADERS) - 2


def alike(asking: Asking, method: str, path: str, given: list[tuple[str, str]]) -> bool:
    """Whether both answers are the same. The second to be asked is ready, where any is."""
    asking.answer(method, path, *given)
    ordinary, before = asking.answer(method, path, *given, *ORDINARY), asking.service.ready()
    ready = asking.answer(method, path, *given)
    assert asking.service.ready() - before <= 1
    return ordinary.told == ready.told


def test_each_ready_answer_has_its_own_id_and_nonce_and_line(asking: Asking, log: Log) -> None:
    for _ in range(3):
        asking.answer("GET", "/nowhere")
    log.clear()
    before = asking.service.ready()
    answers = [asking.answer("GET", f"/nowhere-{number}") for number in range(20)]
    answers.append(asking.answer("GET", "/nowhere", ("x-request-id", OWN)))
    assert asking.service.ready() - before == 21
    assert answers[-1].headers["x-request-id"] == OWN
    assert len({answer.headers["x-request-id"] for answer in answers}) == 21
    assert len({nonce for answer in answers for nonce in _nonces(answer.headers)}) == 21
    answers.append(asking.answer("GET", "/nowhere", *ORDINARY))
    ids = [answer.headers["x-request-id"] for answer in answers]
    until(lambda: {line["request_id"] for line in log.events("request")} >= {*ids})
    told = {line["request_id"]: line for line in log.events("request")}
    *lines, ordinary = (told[one] for one in ids)
    assert len({line["trace_id"] for line in lines}) == 21
    own = {"request_id", "trace_id", "timestamp", "ms", "session_ms"}
    assert {str({name: line[name] for name in sorted(line.keys() - own)}) for line in lines} == {
        str({name: ordinary[name] for name in sorted(ordinary.keys() - own)})
    }
    assert all(line.keys() == ordinary.keys() for line in lines)


def test_M7_an_id_that_is_a_word_of_the_answer_spoils_no_later_one(start: Start) -> None:
    word, accept = "a-word-of-every-page", ("accept", "text/html")
    asking = Asking(start(BASE_PATH=f"/{word}"))
    for path in (f"/{word}/nowhere", "/nowhere"):
        for _ in range(3):
            page = asking.answer("GET", path, accept, ("x-request-id", word))
        later = asking.answer("GET", path, accept)
        assert word.encode() in page.body
        assert later.told == asking.answer("GET", path, accept, *ORDINARY).told
    asking.connection.close()


def test_a_ready_answer_ends_with_what_it_says(asking: Asking, vendors: Vendors) -> None:
    asking.answer("GET", PROGRAM)
    first = asking.answer("GET", PROGRAM)
    asking.service.clock.advance(30)
    assert int(asking.answer("GET", PROGRAM).headers["age"]) >= int(first.headers["age"]) + 30
    before = len(vendors.calls("vip_program"))
    asking.service.clock.advance(40)
    assert "stale" in asking.answer("GET", PROGRAM).headers["cache-status"]
    # As any reader, whoever is given a ready answer has a new one asked for.
    until(lambda: asking.is_ready("GET", PROGRAM) and len(vendors.calls("vip_program")) > before)
    until(lambda: int(asking.answer("GET", PROGRAM).headers["age"]) < 30)


def test_what_is_refused_or_personal_is_never_ready(asking: Asking) -> None:
    ella = asking.service.signed_in("ella")
    member = ("cookie", f"{COOKIE}={ella.cookies[COOKIE]}")
    for _ in range(3):
        assert not asking.is_ready("GET", "/api/v1/me", member)
        assert not asking.is_ready("GET", "/api/v1/session")
        assert not asking.is_ready("GET", "/nowhere", member)
        assert not asking.is_ready("GET", "/rewards/nothing-here")
        assert not asking.is_ready("GET", PROGRAM, ("host", "evil.test"))
        assert not asking.is_ready("GET", PROGRAM, ("sec-fetch-site", "none"), ("sec-fetch-site", "none"))
        assert not asking.is_ready("GET", f"{PROGRAM}?unknown=1")
        assert not asking.is_ready("GET", "/nowhere", ("connection", "close"))
        assert not asking.is_ready("OPTIONS", PROGRAM, ("origin", STOREFRONT))
    assert [asking.is_ready("GET", PROGRAM) for _ in range(9)].count(True) >= 6


def test_a_ready_answer_is_in_the_language_of_whoever_asks(asking: Asking) -> None:
    accept, german = ("accept", "text/html"), ("accept-language", "de")
    chosen, other = ("cookie", f"{COOKIE}-language=fr"), ("cookie", "of-another=service")

    def spoken(path: str, *headers: tuple[str, str]) -> str:
        (tag,) = re.findall(rb'<html lang="([a-z]+)"', asking.answer("GET", path, accept, *headers).body)
        return str(tag.decode())

    for _ in range(3):
        assert (spoken("/nowhere"), spoken("/nowhere", other)) == ("en", "en")
        assert (spoken("/nowhere", german), spoken("/nowhere", german, other)) == ("de", "de")
        assert (spoken("/nowhere", chosen), spoken("/nowhere", german, chosen)) == ("fr", "fr")
        assert (spoken("/nowhere?lang=fr"), spoken("/nowhere?lang=es", german)) == ("fr", "es")
    assert asking.is_ready("GET", "/nowhere", accept, german)


def test_M9_ready_answers_are_counted_as_others(asking: Asking) -> None:
    def counted() -> float:
        told = scraped(asking.service)
        found = re.findall(r'^loyalty_request_seconds_count{.*route="/healthz".*} (.*)$', told, re.MULTILINE)
        return sum(map(float, found))

    asking.answer("GET", "/healthz")
    before, ready = counted(), asking.service.ready()
    for _ in range(5):
        asking.answer("GET", "/healthz")
    assert (counted() - before, asking.service.ready() - ready) == (5, 5)


def test_requests_that_come_together_are_answered_in_their_order(asking: Asking) -> None:
    for path in ("/healthz", PROGRAM):
        asking.answer("GET", path)
    place = urlsplit(asking.service.url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as connection:
        paths = ("/healthz", "/api/v1/session", "/healthz", PROGRAM, "/readyz", "/nowhere")
        ends = ["", "", "", "", "", "connection: close\r\n"]
        heads = [
            f"GET {path} HTTP/1.1\r\nhost: {place.netloc}\r\n{end}\r\n" for path, end in zip(paths, ends, strict=True)
        ]
        connection.sendall("".join(heads).encode())
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    assert [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", said)] == [200, 200, 200, 200, 200, 404]
    bodies = [said.index(word) for word in (b"anonymous", b"earningRules", b"<!doctype html>")]
    assert bodies == sorted(bodies)


def test_H9_a_connection_that_had_a_ready_answer_ends_by_itself(settings: dict[str, str]) -> None:
    with in_thread(settings, timeout_keep_alive=1) as service:
        asking = Asking(service)
        asking.answer("GET", "/healthz")
        assert asking.is_ready("GET", "/healthz")
        assert asking.connection.sock.recv(1) == b""
        asking.connection.close()


def test_a_connection_ends_so_long_after_its_last_answer_and_not_earlier() -> None:
    async def ends_after(*uses: float) -> float:
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        idle = IdleTimer(0.2, lambda: ended.set_result(loop.time()))
        began = loop.time()
        idle.start()
        for used in uses:
            loop.call_later(used, idle.cancel)
            loop.call_later(used + 0.05, idle.start)
        return float(await ended) - began

    for uses, earliest in (((), 0.2), ((0.1,), 0.35), ((0.1, 0.18), 0.43), ((0.17,), 0.42)):
        took = asyncio.run(ends_after(*uses))
        assert took >= earliest - 0.01, (uses, took)
