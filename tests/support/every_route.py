"""Every address of the service, read from its own route table, and requests that no ordinary client would send."""

import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, Mount, Route

from bff.app import create_app
from bff.settings.read import read_settings
from support.services import Vendors

REWARD = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
KEY = "a-key-of-twenty-four-abc"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# The one page among the JSON routes: what they are, for people.
DOCS = "/api/v1/docs"
# Called by other servers, which send no Origin: each of them checks a signature or a bearer token instead.
SIGNED = frozenset(
    {
        "/api/v1/session-tickets",
        "/api/v1/session-handles",
        "/webhooks/subtotal",
        "/webhooks/okendo",
        "/webhooks/shopify",
    }
)


def surface(settings: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The methods of every path the app has under these settings, placeholders filled in."""
    found: dict[str, frozenset[str]] = {}
    for template, methods in _walk(create_app(read_settings(settings)).routes, ""):
        path = filled(template)
        found[path] = found.get(path, frozenset()) | methods
    assert len(found) > 20, "the walk has missed most of the service"
    return found


def filled(template: str) -> str:
    named = {"id": REWARD, "key": KEY, "name": "loyalty.css", "code": "not_found"}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: named[found[1]], template)


def _walk(routes: Sequence[BaseRoute], prefix: str) -> Iterator[tuple[str, frozenset[str]]]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _walk(route.routes, prefix + route.path)
        else:
            assert isinstance(route, Route), f"{route!r} is a kind of route that this walk does not know"
            yield prefix + route.path, frozenset(route.methods or ())


def api_paths(found: Mapping[str, frozenset[str]], method: str = "GET") -> list[str]:
    """The JSON addresses that take this method."""
    return [path for path, methods in found.items() if method in methods and "/api/v1/" in path]


def member_paths(found: Mapping[str, frozenset[str]]) -> list[str]:
    """The JSON addresses that answer differently to different people."""
    return [path for path in api_paths(found) if re.search(r"/api/v1/(me|session)\b", path)]


def page_paths(found: Mapping[str, frozenset[str]]) -> list[str]:
    """The addresses that shoppers look at."""
    outside = re.compile(
        r"/api/|/static/|/problems/|/(healthz|readyz|metrics|docs|activity\.csv|(client|hooks|elements)\.)"
    )
    return [path for path, methods in found.items() if "GET" in methods and not outside.search(path)]


def talk(url: str, request: bytes, *more: bytes) -> bytes:
    """Send these bytes to the server and read until it hangs up, or says nothing for a while."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=12) as connection:
        # The server may hang up while we are still talking; what it said is what counts.
        with suppress(ConnectionError):
            for part in (request, *more):
                connection.sendall(part)
        return _heard(connection)


def _heard(connection: socket.socket) -> bytes:
    said = b""
    with suppress(ConnectionError):
        while part := connection.recv(65536):
            said += part
    return said


def effects(vendors: Vendors) -> Any:
    """What the vendors know of everybody, without the tokens that come and go."""
    return {who: member | {"storefrontToken": ""} for who, member in vendors.state()["members"].items()}
