"""Requests that stay under way for as long as a test wants: their bodies are announced and do not come."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import httpx2

from support.services import Service

TOKEN = "a-long-token-of-the-metrics-Zq81kfWc02"


def connected(service: Service, sent: bytes = b"") -> socket.socket:
    """A connection on which this has been sent."""
    address = urlsplit(service.url)
    connection = socket.create_connection(("127.0.0.1", address.port or 80), timeout=20)
    connection.sendall(sent)
    return connection


def head(service: Service, method: str, path: str, *lines: str) -> bytes:
    """The head of a request to this service."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {urlsplit(service.url).netloc}", *lines, "", ""]).encode()


@contextmanager
def held(service: Service, count: int) -> Iterator[list[socket.socket]]:
    """So many webhooks whose bodies do not come until the block has ended; then all are answered.

    Where they begin to be under way is told by `in_flight`.
    """
    webhook = head(service, "POST", "/webhooks/subtotal", "Content-Length: 2", "Connection: close")
    with ExitStack() as stack:
        waiting = [stack.enter_context(connected(service, webhook)) for _ in range(count)]
        yield waiting
        for connection in waiting:
            with suppress(ConnectionError):
                connection.sendall(b"{}")
        for connection in waiting:
            everything(connection)


def everything(connection: socket.socket) -> bytes:
    """What the server says until it hangs up; a reset is an end too."""
    said = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65_536):
            said += piece
    return said


def scraped(service: Service) -> str:
    """The metrics of a service with this METRICS_TOKEN, in Prometheus's text format."""
    with httpx2.Client(trust_env=False, timeout=20) as http:
        reply = http.get(f"{service.url}/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert reply.status_code == 200, reply.text
    return reply.text


def numbers(service: Service) -> dict[str, float]:
    """Every sample, by its name and labels."""
    samples = [line.rpartition(" ") for line in scraped(service).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in samples}


def total(samples: Mapping[str, float], name: str, *labels: str) -> float:
    """The sum of the samples of this name that have these labels, such as `state="unknown"`."""
    return sum(value for key, value in samples.items() if _is_of(key, name) and all(label in key for label in labels))


def _is_of(sample: str, name: str) -> bool:
    return sample == name or sample.startswith(name + "{")


def in_flight(service: Service) -> float:
    return total(numbers(service), "loyalty_requests_in_flight")


def refused(service: Service, reason: str) -> float:
    return total(numbers(service), "loyalty_requests_refused_total", f'reason="{reason}"')
