"""More requests than can be worked on: the surplus is refused at once, and afterwards all is as before (K8)."""

import asyncio
import re
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from httpx2 import Response
from support.concurrency import until
from support.held_requests import TOKEN, connected, everything, head, held, in_flight, refused
from support.page_rules import flaws_of, nonce_of
from support.services import Log, Service, Start, Vendors
from support.shopper import Page
from support.store_outages import says_come_again

from bff.languages.catalogues import Catalogues
from bff.web.admission import BEAT_SECONDS, FEW, LATE_SECONDS, ROOM, Admission

MOST = 3
CODE = "overloaded"


@pytest.fixture
def small(start: Start) -> Service:
    """A service that works on three requests at once."""
    return start(REQUESTS_AT_ONCE=str(MOST), METRICS_TOKEN=TOKEN)


def is_full(service: Service) -> bool:
    return in_flight(service) == MOST


def test_K8_the_surplus_is_refused_before_anything_is_done_for_it(small: Service, vendors: Vendors, log: Log) -> None:
    ella = small.signed_in("ella")
    cookie = ella.session_cookie
    calls, before = len(vendors.state()["calls"]), refused(small, "requests")
    with held(small, MOST):
        until(lambda: is_full(small))
        log.clear()
        replies = [ella.api("GET", "/me"), ella.api("POST", "/me/redemptions", {}), ella.request("GET", "/rewards")]
        for reply in replies:
            assert says_come_again(reply), reply.text
            assert reply.headers["cache-control"] == "private, no-store"
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["x-request-id"]
        assert [reply.json()["code"] for reply in replies[:2]] == [CODE] * 2
        assert replies[0].headers["content-type"] == "application/problem+json"
        assert replies[0].headers["access-control-allow-origin"] == small.url
        assert (replies[0].json()["retryable"], replies[0].json()["type"]) == (True, f"{small.url}/problems/{CODE}")
        for reply in (replies[2], ella.request("GET", "/rewards")):
            assert flaws_of(page := Page(reply, f"{small.url}/rewards"), signed_in=False) == []
            assert reply.headers["x-request-id"] in page.text
            assert f"'nonce-{nonce_of(page)}'" in reply.headers["content-security-policy"]
        assert len(vendors.state()["calls"]) == calls
        assert refused(small, "requests") - before == len(replies) + 1
        # A flood must not become a flood of lines.
        assert len(log.events("overloaded")) <= 1
        assert log.events("request") == [line for line in log.events("request") if line["status"] == 200]
    assert ella.api("GET", "/me").status_code == 200
    assert ella.session_cookie == cookie


WHO_ASKS = [
    ("/rewards", {"accept": "text/html"}),
    ("/rewards", {"accept": "application/json"}),
    ("/api/v1/program", {}),
    ("/api/v1/program", {"origin": "https://evil.example"}),
]


@pytest.mark.parametrize(("path", "headers"), WHO_ASKS)
def test_K8_later_refusals_are_the_bytes_of_the_first(small: Service, path: str, headers: dict[str, str]) -> None:
    """All but the ids; the time that the first one took is told again."""
    with held(small, MOST):
        until(lambda: is_full(small))
        replies = [small.shopper().request("GET", path, headers=headers) for _ in range(3)]
        own = small.shopper().request("GET", path, headers=headers | {"x-request-id": "0123456789-of-a-router"})
    assert own.headers["x-request-id"] == "0123456789-of-a-router"
    ids, told = [reply.headers["x-request-id"] for reply in replies], {without_ids(reply) for reply in [*replies, own]}
    assert (len(set(ids)), len(told)) == (3, 1)


@pytest.mark.parametrize("tag", ["fr", "de", "ar"])
def test_K8_refusals_are_in_the_language_of_whoever_asks(small: Service, tag: str) -> None:
    """The first and the later ones, whichever language somebody asked in before."""
    words = Catalogues().words(tag)
    said = words.text("Too many people are here at once. Please try again.")
    with held(small, MOST):
        until(lambda: is_full(small))
        for _ in range(3):
            asked = {"accept-language": f"{tag}, en;q=0.5"}
            page = small.shopper().request("GET", "/rewards", headers={"accept": "text/html", **asked})
            reply = small.shopper().request("GET", "/api/v1/program", headers=asked)
            other = small.shopper().request("GET", "/rewards", headers={"accept": "text/html"})
            assert f'<html lang="{tag}" dir="{words.direction}">' in page.text
            assert said in page.text
            assert (reply.json()["detail"], reply.json()["title"]) == (said, words.text("Overloaded"))
            assert (page.headers["content-language"], reply.headers["content-language"]) == (tag, tag)
            assert "Too many people are here at once." in other.text


@pytest.mark.parametrize("chosen", ["x-content-type-options", "content-security-policy", "Something-went-wrong"])
def test_K8_M7_an_id_that_is_a_word_of_the_answer_spoils_no_later_one(small: Service, chosen: str) -> None:
    with held(small, MOST):
        until(lambda: is_full(small))
        small.shopper().request("GET", "/rewards", headers={"x-request-id": chosen})
        later = [small.shopper().request("GET", "/rewards") for _ in range(2)]
    for reply in later:
        assert (reply.status_code, reply.headers["x-content-type-options"]) == (503, "nosniff")
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert chosen not in reply.headers.values()


VARIES = {"date", "content-length"}


def without_ids(reply: Response) -> str:
    assert len(reply.content) == int(reply.headers["content-length"])
    fields = "".join(f"{name}: {value}\n" for name, value in sorted(reply.headers.items()) if name not in VARIES)
    told = f"{reply.status_code}\n{fields}\n{reply.text}".replace(reply.headers["x-request-id"], "ID")
    return re.sub(r"nonce(-|=\")[A-Za-z0-9_-]{24}", "nonce", told)


@pytest.mark.parametrize(
    "asked",
    [
        "GET /rewards HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
        "GET /rewards HTTP/1.0\r\nHost: {host}\r\n\r\n",
        "GET /rewards HTTP/1.1\r\nHost: {host}\r\nX: a\n\nGET / HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "GET /rewards HTTP/1.1\r\nX: y\r\n\r\n",
    ],
)
def test_K8_G4_what_is_not_plainly_one_request_is_parsed(small: Service, asked: str) -> None:
    """A refusal that is at hand would keep these connections open, and may leave a proxy waiting for an answer."""
    host = urlsplit(small.url).netloc
    with held(small, MOST):
        until(lambda: is_full(small))
        plain = head(small, "GET", "/rewards")
        with connected(small, plain) as connection:
            assert connection.recv(12) == b"HTTP/1.1 503"
        with connected(small, asked.format(host=host).encode()) as connection:
            said = everything(connection)
    assert said.startswith((b"HTTP/1.1 503 ", b"HTTP/1.1 400 "))


def test_K8_health_is_answered_before_any_limit(small: Service) -> None:
    with held(small, MOST):
        until(lambda: is_full(small))
        stranger = small.shopper()
        for path in ("/healthz", "/readyz"):
            assert stranger.request("GET", path).status_code == 200
        assert stranger.request("GET", "/signed-out").status_code == 503


def test_K8_other_origins_and_webhooks_are_refused_as_they_read(small: Service) -> None:
    stranger = small.shopper()
    with held(small, MOST):
        until(lambda: is_full(small))
        reply = stranger.api("GET", "/me", origin="https://evil.example")
        assert (reply.status_code, "access-control-allow-origin" in reply.headers) == (503, False)
        for _ in range(2):
            reply = stranger.api("GET", "/program", origin="https://evil.example")
            assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (503, "*")
        reply = stranger.request("POST", "/webhooks/subtotal", content=b"{}")
        assert (reply.status_code, reply.json()["code"]) == (503, CODE)


def test_K8_E5_a_kept_refusal_names_whoever_asks(small: Service) -> None:
    """One is kept for all that may call: in development, and by a pattern, these are any number."""
    with held(small, MOST):
        until(lambda: is_full(small))
        for origin in (small.url, "http://localhost:3000", "http://localhost:3001", "http://a.localhost:3000"):
            for _ in range(2):
                reply = small.shopper().api("GET", "/me", origin=origin)
                assert reply.status_code == 503
                assert reply.headers["access-control-allow-origin"] == origin
                assert reply.headers["timing-allow-origin"] == origin
                assert reply.json()["type"] == f"{small.url}/problems/{CODE}"


def test_K8_a_refused_connection_is_read_on(small: Service) -> None:
    """Also when what it asks is refused again, and when a body comes with it."""
    with held(small, MOST):
        until(lambda: is_full(small))
        asked = head(small, "POST", "/webhooks/subtotal", "Content-Length: 2") + b"{}"
        last = head(small, "GET", "/api/v1/program", "Connection: close")
        with connected(small, asked) as connection:
            for _ in range(3):
                assert connection.recv(12) == b"HTTP/1.1 503"
                said = b""
                while b'"retryable":true}' not in said:
                    said += connection.recv(65_536)
                connection.sendall(asked)
            connection.sendall(last)
            assert everything(connection).count(b"HTTP/1.1 503 ") == 2


def test_K8_after_the_flood_all_is_as_before(small: Service) -> None:
    shoppers = [small.signed_in("ella") for _ in range(2)]

    def ask(visit: int) -> int:
        return shoppers[visit % 2].api("GET", "/me").status_code

    with held(small, MOST):
        until(lambda: is_full(small))
        storm = [connected(small, head(small, "GET", "/rewards", "Connection: close")) for _ in range(200)]
        for connection in storm:
            with connection:
                assert everything(connection).startswith(b"HTTP/1.1 503 ")
    until(lambda: in_flight(small) == 0)
    assert [ask(visit) for visit in range(6)] == [200] * 6
    assert in_flight(small) == 0


def test_K8_idle_connections_keep_nobody_out(small: Service) -> None:
    with ExitStack() as stack:
        for _ in range(10 * MOST):
            stack.enter_context(connected(small))
        assert small.shopper().api("GET", "/program").status_code == 200


def test_K8_clients_that_break_off_give_their_places_back(small: Service) -> None:
    webhook = head(small, "POST", "/webhooks/subtotal", "Content-Length: 2")
    gone = [connected(small, webhook) for _ in range(MOST)]
    until(lambda: is_full(small))
    for connection in gone:
        connection.close()
    until(lambda: in_flight(small) == 0)
    assert small.shopper().api("GET", "/program").status_code == 200


def test_K8_requests_that_only_wait_make_room_for_more(start: Start) -> None:
    service = start(METRICS_TOKEN=TOKEN)
    webhook = head(service, "POST", "/webhooks/subtotal", "Content-Length: 2", "Connection: close")
    with ExitStack() as stack:

        def is_beyond_few() -> bool:
            for _ in range(ROOM):
                stack.enter_context(connected(service, webhook))
            return in_flight(service) > FEW

        until(is_beyond_few, 60)


def test_K8_requests_that_keep_the_processor_busy_make_less_room() -> None:
    async def is_full_once_busy() -> bool:
        admission = Admission(most=1000)
        with ExitStack() as places:
            while admission.under_way < 2 * FEW:
                while admission.is_full():  # noqa: ASYNC110  # Nobody tells when there is room.
                    await asyncio.sleep(0)
                places.enter_context(admission.place())
            for _ in range(100):
                busy_until = time.monotonic() + 2 * (BEAT_SECONDS + LATE_SECONDS)
                while time.monotonic() < busy_until:
                    pass
                await asyncio.sleep(0)
                if admission.is_full():
                    return True
        return False

    assert asyncio.run(is_full_once_busy())
