"""A store that answers, and has more to answer than there are connections, is busy and not broken (K8)."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from support.concurrency import at_once, same_browser, state_of
from support.held_requests import TOKEN, in_flight, refused
from support.services import Log, Service, Start, Vendors
from support.slow_wire import SlowWire
from support.store_outages import says_come_again
from support.subtotal_events import connection_of, deliver, linked

from bff.stores.valkey import connect
from bff.stores.valkey_node import PoolBusy

AT_ONCE = 40


@pytest.fixture
def wire(settings: dict[str, str]) -> Iterator[SlowWire]:
    with closing(SlowWire(urlsplit(settings["VALKEY_URL"]).port or 0)) as wire:
        yield wire


def test_K8_a_busy_valkey_is_not_called_broken(start: Start, wire: SlowWire, log: Log) -> None:
    """Two connections, an answer every quarter of a second on each: many wait for a connection for too long."""
    url = f"valkey://127.0.0.1:{wire.port}/0"
    service = start(VALKEY_URL=url, VALKEY_CONNECTIONS="2", VALKEY_TIMEOUT_SECONDS="2", METRICS_TOKEN=TOKEN)
    ella = service.signed_in("ella")
    tabs = [same_browser(service, ella) for _ in range(AT_ONCE)]
    before = refused(service, "valkey")
    log.clear()
    wire.seconds = 0.12
    replies = at_once([partial(tab.api, "GET", "/session") for tab in tabs])
    wire.seconds = 0
    failed = [reply for reply in replies if reply.status_code != 200]
    assert failed
    assert {reply.json()["code"] for reply in failed} == {"overloaded"}
    assert all(says_come_again(reply) for reply in failed)
    assert refused(service, "valkey") - before >= len(failed)
    assert {line["what"] for line in log.events("store_busy")} == {"valkey"}
    assert [state_of(tab) for tab in tabs[:4]] == ["enrolled"] * 4
    assert in_flight(service) == 0


async def _many_values(wire: SlowWire) -> list[object]:
    url = f"valkey://127.0.0.1:{wire.port}/0"
    valkey = connect(url, verify_tls=True, timeout_seconds=1, connections=2)
    try:
        assert await valkey.get("nothing") is None
        wire.seconds = 0.1
        return list(await asyncio.gather(*(valkey.get("nothing") for _ in range(AT_ONCE)), return_exceptions=True))
    finally:
        await valkey.aclose(close_connection_pool=True)


def test_K8_more_questions_than_the_pool_has_connections_are_no_outage(wire: SlowWire) -> None:
    found = asyncio.run(_many_values(wire))
    assert {type(each) for each in found} == {type(None), PoolBusy}


@pytest.fixture
def slow_inbox(rows: "psycopg.Connection[tuple[object, ...]]") -> Iterator[None]:
    """Every event takes PostgreSQL half a second to write."""
    rows.execute(
        "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;"
        "CREATE TRIGGER takes_time BEFORE INSERT ON webhook_events FOR EACH ROW EXECUTE FUNCTION take_time()"
    )
    try:
        yield
    finally:
        rows.execute("DROP TRIGGER takes_time ON webhook_events; DROP FUNCTION take_time")


@pytest.mark.usefixtures("slow_inbox")
def test_K8_a_busy_postgresql_is_not_called_broken(start: Start, vendors: Vendors, log: Log) -> None:
    service = start(METRICS_TOKEN=TOKEN)
    before = refused(service, "postgresql")
    log.clear()

    def told(service: Service) -> httpx2.Response:
        return deliver(service, linked(connection_of(vendors, "ella")))

    replies = at_once([partial(told, service) for _ in range(AT_ONCE)])
    failed = [reply for reply in replies if not reply.is_success]
    assert 0 < len(failed) < len(replies)
    assert {reply.json()["code"] for reply in failed} == {"overloaded"}
    assert all(says_come_again(reply) for reply in failed)
    assert refused(service, "postgresql") - before == len(failed)
    assert {line["what"] for line in log.events("store_busy")} == {"postgresql"}
    assert log.events("store_unavailable") == []
