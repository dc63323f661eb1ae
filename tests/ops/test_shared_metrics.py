"""Whichever process is scraped answers for all, workers too, and for what waits; a store that is away fails nothing."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from support.concurrency import until
from support.counting_wire import CountingWire
from support.enrolment_clients import Rows
from support.held_requests import TOKEN, numbers, total
from support.kill_schedules import Process
from support.lying_shopify import KEY, crooked_shopify, signed
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors, Work, as_process
from support.store_outages import stopped
from support.subtotal_events import ACTIONS, FAST, bought, connection_of, deliver

from bff.devstack.servers import Server

# So long the figures of PostgreSQL are told again.
KEPT_SECONDS = 10
WATCHED = {"METRICS_TOKEN": TOKEN}
CALLS = "loyalty_vendor_call_seconds_count"
SESSIONS = ("loyalty_request_seconds_count", 'route="/api/v1/session"')


@pytest.fixture
def service(start: Start) -> Service:
    return start(SUBTOTAL_ACTIONS=ACTIONS, **FAST, **WATCHED)


@contextmanager
def working(service: Service, folder: Path, **more: str) -> Iterator[Process]:
    """A worker as a process of its own, on a dyno of its own."""
    process = Process({**service.settings, "DYNO": "worker.1", **more}, "worker", folder / "worker.log")
    process.start()
    try:
        yield process
    finally:
        process.kill()


def processes(service: Service) -> set[str]:
    names = (sample.partition('process="')[2].partition('"')[0] for sample in numbers(service))
    return {name for name in names if name}


def shows(service: Service, counts: Mapping[str, int]) -> bool:
    """Whether so many requests of each of these processes are in what this service answers."""
    seen = numbers(service)
    return all(total(seen, *SESSIONS, f'process="{process}"') == count for process, count in counts.items())


# Several processes --------------------------------------------------------------------------------------------------


def test_what_the_worker_does_is_in_the_webs_metrics(service: Service, vendors: Vendors, tmp_path: Path) -> None:
    """It has no port of its own; and an award is paid by nobody else."""
    with working(service, tmp_path):
        assert deliver(service, bought(connection_of(vendors, "ella"), "9.00")).status_code == 204
        paid = (CALLS, 'process="worker.1"', 'vendor="okendo"', 'outcome="200"')
        until(lambda: total(numbers(service), *paid) > 0, 30)


def test_dynos_are_told_apart_whichever_of_them_is_asked(
    urls: list[str], settings: dict[str, str], logfile: Path
) -> None:
    second = settings | {"PUBLIC_URL": urls[3], "PORT": urls[3].rpartition(":")[2]}
    with (
        as_process(settings, logfile, DYNO="web.1", **WATCHED) as one,
        as_process(second, logfile.with_suffix(".second"), DYNO="web.2", WEB_CONCURRENCY="2", **WATCHED) as two,
    ):
        for service, count in ((one, 3), (two, 5)):
            for _ in range(count):
                assert service.shopper().api("GET", "/session").status_code == 200
        for asked in (one, two):
            until(partial(shows, asked, {"web.1": 3, "web.2": 5}))


def test_a_process_that_ends_is_gone(
    service: Service, settings: dict[str, str], urls: list[str], logfile: Path
) -> None:
    other = settings | {"PUBLIC_URL": urls[3], "PORT": urls[3].rpartition(":")[2]}
    with as_process(other, logfile, DYNO="web.2", **WATCHED):
        until(lambda: "web.2" in processes(service))
    assert "web.2" not in processes(service)


def test_a_process_that_is_killed_is_gone_soon(service: Service, tmp_path: Path) -> None:
    with working(service, tmp_path):
        until(lambda: "worker.1" in processes(service))
    assert "worker.1" in processes(service)
    service.clock.advance(60)
    assert "worker.1" not in processes(service)


def test_a_process_without_the_token_shows_nothing(service: Service, tmp_path: Path, rows: Rows) -> None:
    with working(service, tmp_path, METRICS_TOKEN=""):
        until(lambda: rows.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (3,))
        assert processes(service).isdisjoint({"worker.1"})


def test_who_can_write_to_valkey_makes_up_no_numbers(service: Service, settings: Mapping[str, str]) -> None:
    with redis.Redis.from_url(settings["VALKEY_URL"]) as store:
        until(lambda: store.zcard("metrics") == 1)
        [known] = store.zrange("metrics", 0, -1)
        sealed = store.get(f"metrics:{known.decode()}")
        for name, value in (("made-up", b"loyalty_problems_total 1.0\n"), ("moved", sealed), ("empty", b"")):
            store.set(f"metrics:{name}", value)
            store.zadd("metrics", {name: time.time() + 5})
    assert processes(service) == {known.decode()}


# What waits in the stores -------------------------------------------------------------------------------------------


def test_a_worker_that_lives_is_seen(service: Service, work: Work) -> None:
    assert total(numbers(service), "loyalty_worker_seen_timestamp_seconds") == 0
    work()
    until(lambda: abs(total(numbers(service), "loyalty_worker_seen_timestamp_seconds") - time.time()) < 60, 30)


def test_what_waits_is_counted(start: Start, vendors: Vendors, rows: Rows) -> None:
    service = start(SUBTOTAL_ACTIONS=ACTIONS, **WATCHED)
    ella = service.signed_in("ella")
    vendors.fault("redeem", "cut_before")
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 202
    for total_spent in ("9.00", "10.00"):
        assert deliver(service, bought(connection_of(vendors, "ella"), total_spent)).status_code == 204
    rows.execute("UPDATE procrastinate_events SET at = now() - interval '5 minutes'")
    rows.execute("UPDATE redemptions SET created_at = now() - interval '2 hours'")
    rows.execute("UPDATE webhook_events SET state = 'needs_review' WHERE id = (SELECT min(id) FROM webhook_events)")
    rows.execute(
        "INSERT INTO member_requests (reference, kind, state, received_at, due_at)"
        " SELECT state, 'data_request', state, now(), now() FROM (VALUES ('waiting'), ('closed')) AS given (state)"
    )
    rows.execute(
        "INSERT INTO outbound_events (message_id, type, customer_id, data, state, happened_at, try_until)"
        " SELECT 'msg_' || minutes, 'signed_in', 'c', '{}', state, now() - make_interval(mins => minutes), now()"
        " FROM (VALUES ('waiting', 10), ('waiting', 5), ('undelivered', 90), ('delivered', 99)) AS one (state, minutes)"
    )
    seen = numbers(service)
    assert seen['loyalty_jobs_due{queue="requests"}'] == 0
    assert total(seen, "loyalty_jobs_due", 'queue="paying"') == 2
    assert 290 < total(seen, "loyalty_jobs_oldest_seconds", 'queue="paying"') < 400
    assert seen['loyalty_jobs_due{queue="members"}'] == 0
    assert seen["loyalty_redemptions_unknown"] == 1
    assert 7190 < seen["loyalty_redemptions_unknown_oldest_seconds"] < 7400
    whats = ("awards", "events", "redemptions", "member_requests", "outbound_events")
    assert {what: seen[f'loyalty_needs_review{{what="{what}"}}'] for what in whats} == {
        "awards": 0,
        "events": 1,
        "redemptions": 0,
        "member_requests": 1,
        "outbound_events": 1,
    }
    assert seen["loyalty_outbound_events_waiting"] == 2
    assert 590 < seen["loyalty_outbound_events_oldest_seconds"] < 800


def test_a_redemption_that_the_worker_gave_up_and_an_award_wait_for_a_person(
    start: Start, work: Work, vendors: Vendors, rows: Rows
) -> None:
    more = {"SUBTOTAL_ACTIONS": ACTIONS, **FAST, **WATCHED}
    service = start(**more)
    ella = service.signed_in("ella")
    vendors.fault("redeem", "cut_before")
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 202
    rows.execute("UPDATE redemptions SET check_until = NULL")
    vendors.fault("earning_transactions", "status:422", times=99)
    work(**more)
    assert deliver(service, bought(connection_of(vendors, "ella"), "9.00")).status_code == 204
    until(lambda: total(numbers(service), "loyalty_needs_review", 'what="awards"') == 1, 40)
    assert total(numbers(service), "loyalty_needs_review", 'what="redemptions"') == 1


def test_scraping_often_asks_postgresql_no_more_often(start: Start, stores: Mapping[str, str]) -> None:
    port = urlsplit(stores["DATABASE_URL"]).port or 0
    with closing(CountingWire(port)) as wire:
        url = stores["DATABASE_URL"].replace(f":{port}", f":{wire.port}", 1)
        service = start(DATABASE_URL=url, **WATCHED)
        before = wire.questions
        numbers(service)
        once = wire.questions - before
        asked, began = wire.questions, time.monotonic()
        for _ in range(20):
            numbers(service)
        terms = 1 + (time.monotonic() - began) // KEPT_SECONDS
        assert wire.questions - asked <= once * terms, "once more at most whenever ten seconds have passed"


# Stores that are away -----------------------------------------------------------------------------------------------


def up(service: Service, store: str) -> float:
    return numbers(service)[f'loyalty_store_up{{store="{store}"}}']


def test_without_postgresql_a_scrape_says_that_and_the_rest(service: Service, database: Server) -> None:
    assert up(service, "postgresql") == 1
    with stopped(database):
        until(lambda: up(service, "postgresql") == 0, 30)
        seen = numbers(service)
        assert not [name for name in seen if name.startswith("loyalty_jobs")], "no number is better than an old one"
        assert total(seen, "loyalty_store_up", 'store="valkey"') == 1
        assert total(seen, "loyalty_store_connections_limit", 'store="postgresql"') == 5
    until(lambda: up(service, "postgresql") == 1, 30)


def test_without_valkey_a_scrape_says_that_and_the_rest(service: Service, store: Server) -> None:
    assert up(service, "valkey") == 1
    with stopped(store):
        until(lambda: up(service, "valkey") == 0, 30)
        seen = numbers(service)
        assert total(seen, "loyalty_store_up", 'store="postgresql"') == 1
        assert total(seen, "loyalty_request_seconds_count") > 0
    until(lambda: up(service, "valkey") == 1, 30)


def test_a_valkey_that_takes_no_writes_is_not_up(service: Service, settings: Mapping[str, str]) -> None:
    with redis.Redis.from_url(settings["VALKEY_URL"]) as client:
        client.replicaof("127.0.0.1", 1)
        try:
            until(lambda: up(service, "valkey") == 0, 30)
        finally:
            client.replicaof("NO", "ONE")
    until(lambda: up(service, "valkey") == 1, 30)


# What shoppers do ---------------------------------------------------------------------------------------------------


def sign_ins(service: Service) -> dict[str, float]:
    outcomes = ("signed_in", "not_completed", "unverified", "unavailable")
    return {each: total(numbers(service), "loyalty_sign_ins_total", f'outcome="{each}"') for each in outcomes}


def test_sign_ins_are_counted_by_what_became_of_them(service: Service, vendors: Vendors) -> None:
    before = sign_ins(service)
    service.signed_in("ella")
    assert service.shopper().get("/callback").status == 400
    vendors.fault("shopify_token", "status:500", times=2)
    assert service.shopper().sign_in("ella").status == 502
    gained = {outcome: count - before[outcome] for outcome, count in sign_ins(service).items()}
    assert gained == {"signed_in": 1, "not_completed": 1, "unverified": 0, "unavailable": 1}


def test_a_sign_in_that_cannot_be_verified_is_counted_as_that(start: Start, vendors: Vendors) -> None:
    """A clock of ours that is an hour behind shows here: nobody can sign in any more."""
    with crooked_shopify(vendors.url) as shopify:
        shopify.forge = lambda claims: signed({**claims, "iat": claims["iat"] + 3600, "exp": claims["exp"] + 3600}, KEY)
        service = start(SHOPIFY_SHOP_URL=shopify.url, **WATCHED)
        before = sign_ins(service)
        assert service.shopper().sign_in("ella").status == 401
        assert sign_ins(service)["unverified"] - before["unverified"] == 1


def test_the_pools_are_shown(service: Service) -> None:
    service.signed_in("ella")
    seen = numbers(service)
    assert total(seen, "loyalty_store_connections_limit", 'store="valkey"') == 64
    assert total(seen, "loyalty_store_connections_limit", 'store="postgresql"') == 5
    in_use = [value for name, value in seen.items() if name.startswith("loyalty_store_connections_in_use")]
    assert len(in_use) == 2
    assert all(0 <= value <= 64 for value in in_use)
