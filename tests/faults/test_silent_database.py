"""A PostgreSQL that falls silent without closing anything: requests end soon, and the connections are replaced."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from support.concurrency import until
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors
from support.silent_wire import SilentWire
from support.store_outages import is_ready, says_come_again

from bff.devstack.servers import Server
from bff.stores.database import CONNECTION, Database

# What TCP does on a connection by which nothing comes: asked after 3 s, twice, 2 s apart; gone after 7 s at most.
# Not every system has each of them.
OF_TCP = {"TCP_KEEPIDLE": 3, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 2, "TCP_USER_TIMEOUT": 7000}
OPTIONS = {
    (socket.IPPROTO_TCP, getattr(socket, name)): value for name, value in OF_TCP.items() if hasattr(socket, name)
} | {(socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1}


@pytest.fixture
def wire(database: Server) -> Iterator[SilentWire]:
    with closing(SilentWire(urlsplit(database.url).port or 0)) as wire:
        yield wire


@pytest.fixture
def service(start: Start, database: Server, wire: SilentWire) -> Service:
    return start(DATABASE_URL=through(wire, database))


def through(wire: SilentWire, database: Server) -> str:
    return database.url.replace(f":{urlsplit(database.url).port}/", f":{wire.port}/")


def test_every_connection_asks_whether_the_other_side_is_there(database: Server) -> None:
    async def options() -> dict[tuple[int, int], int]:
        kept = Database(database.url)
        await kept.open()
        try:
            async with kept.connection() as connection:
                with socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
                    return {name: duplicate.getsockopt(*name) for name in OPTIONS}
        finally:
            await kept.close()

    assert asyncio.run(options()) == OPTIONS
    assert CONNECTION["prepare_threshold"] is None


def test_a_request_on_a_silent_connection_ends_soon_and_the_next_one_has_another(
    service: Service, vendors: Vendors, wire: SilentWire
) -> None:
    ella, key = service.signed_in("ella"), new_key()
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 201
    assert wire.fall_silent() >= 1
    first = redeem(ella, FIVE_OFF, key)
    assert first.status_code == 201 or says_come_again(first)
    until(lambda: redeem(ella, FIVE_OFF, key).status_code == 201)
    assert ella.get("/rewards").status == 200
    assert is_ready(service)
    assert len(vendors.member("ella")["redemptions"]) == 2
