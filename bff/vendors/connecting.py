"""How a connection to a vendor is opened: its name becomes addresses, one of them answers, TLS proves who that is."""

import asyncio
import re
import socket
import ssl
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohappyeyeballs

from bff.tasks import DetachedTasks
from bff.vendors.connection import Connection

KNOWN_SECONDS = 10.0
# RFC 8305 §8: how long one address has before the next one is tried beside it.
NEXT_ADDRESS_SECONDS = 0.25
HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", re.ASCII)
PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Whom to speak to; `named` is how a request names it (RFC 9110 §7.2)."""

    host: str
    port: int
    is_tls: bool
    named: str


@lru_cache(64)
def origin_of(written: str) -> Origin:
    """Of an address up to its path. Raises ValueError for one with a user, an impossible port or no plain host."""
    parts = urlsplit(written)
    host = parts.hostname or ""
    if "@" in written or not HOST.fullmatch(host) or parts.port == 0:
        raise ValueError("nobody is at this address")
    port = parts.port or PORTS[parts.scheme]
    name = f"[{host}]" if ":" in host else host
    return Origin(host, port, parts.scheme == "https", name if port == PORTS[parts.scheme] else f"{name}:{port}")


@cache
def verifying() -> ssl.SSLContext:
    """Of the issuers that this machine trusts. They are read from files, so this takes its time, once."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Connecting:
    """Opens connections. Many who want one at once look its name up once; what was found holds for ten seconds."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._tasks = DetachedTasks()
        self._lookups: dict[tuple[str, int], tuple[asyncio.Task[list[Any]], float]] = {}

    async def open(self, origin: Origin) -> Connection:
        """Raises OSError, of which ssl.SSLError is one, and UnicodeError for a name that cannot be one."""
        addresses = await self._addresses(origin.host, origin.port)
        found = await aiohappyeyeballs.start_connection(addresses, happy_eyeballs_delay=NEXT_ADDRESS_SECONDS)
        context, name = (self._context, origin.host) if origin.is_tls else (None, None)
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(Connection, sock=found, ssl=context, server_hostname=name)
        except BaseException:
            found.close()
            raise
        return connection

    async def _addresses(self, host: str, port: int) -> list[Any]:
        """As getaddrinfo has them."""
        if literal := _literal(host, port):
            return literal
        loop = asyncio.get_running_loop()
        lookup, began = self._lookups.get((host, port), (None, 0.0))
        if lookup is None or (lookup.done() and (lookup.exception() or loop.time() - began > KNOWN_SECONDS)):
            asked = loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            lookup, began = self._tasks.start(asked), loop.time()
            self._lookups[host, port] = (lookup, began)
        # Shielded: when one of many waiters gives up, the others still want to know.
        return await asyncio.shield(lookup)


@lru_cache(64)
def _literal(host: str, port: int) -> list[Any]:
    """Of a host that is an address itself; nothing for a name."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return []
