"""PostgreSQL goes away and comes back; nothing is sent that could not be written down (L4, M10).

The stores of this module are its own, so that nobody else misses them.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import httpx2
import psycopg
import pytest
import redis
from support.concurrency import at_once, meanwhile, same_browser, state_of, until
from support.services import Service, Start, Vendors
from support.shopper import Page
from support.store_outages import (
    OF_A_SESSION,
    PUBLIC,
    a_reward,
    agreement,
    is_ready,
    paused,
    redeem,
    says_come_again,
    stopped,
)

from bff.cli import migrate_database
from bff.devstack.servers import Server, postgres, valkey

# A use of the database may take three seconds; a busy machine gets two more.
SOON_SECONDS = 5.0


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres(tmp_path_factory.mktemp("own-postgres")) as server:
        migrate_database(server.url)
        yield server


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey(tmp_path_factory.mktemp("own-valkey")) as server:
        yield server


# The ledger ---------------------------------------------------------------------------------------------------------


def test_L4_the_ledger_outlives_everything_in_valkey(
    service: Service, stores: Mapping[str, str], vendors: Vendors
) -> None:
    ella = service.signed_in("ella")
    reward = a_reward(ella)
    first = redeem(ella, reward)
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        client.flushall()
    again = redeem(service.signed_in("ella"), reward)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json() == first.json()
    assert len(vendors.member("ella")["redemptions"]) == 1


def test_L4_the_ledger_outlives_a_restart_of_the_database(service: Service, database: Server, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    reward = a_reward(ella)
    first = redeem(ella, reward)
    with stopped(database):
        pass
    until(lambda: is_ready(service))
    again = redeem(ella, reward)
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(vendors.member("ella")["redemptions"]) == 1


# PostgreSQL ---------------------------------------------------------------------------------------------------------


def test_without_postgresql_nothing_is_redeemed_or_joined_and_reading_goes_on(
    service: Service, database: Server, vendors: Vendors
) -> None:
    ella, penny = service.signed_in("ella"), service.signed_in("penny")
    reward, agreed = a_reward(ella), agreement(penny)
    page, joining = ella.get(f"/rewards/{reward}"), penny.get("/join")
    with stopped(database):
        asked: list[Callable[[], httpx2.Response]] = [
            partial(redeem, ella, reward),
            partial(penny.api, "POST", "/me/enrolment", agreed),
            lambda: same_browser(service, ella).submit(page, f"/rewards/{reward}").reply,
            lambda: same_browser(service, penny).submit(joining, "/join").reply,
        ]
        replies = at_once(asked)
        assert [reply.status_code for reply in replies] == [503] * 4
        assert all(says_come_again(reply) for reply in replies[:2])
        assert all(Page(reply, "").heading for reply in replies[2:])
        for path in OF_A_SESSION:
            assert ella.request("GET", path).status_code == 200, path
        for path in PUBLIC:
            assert service.shopper().request("GET", path).status_code == 200, path
        assert "1,240" in ella.get("/").text
    assert (vendors.calls("redeem"), vendors.calls("customer_activation")) == ([], [])
    until(lambda: is_ready(service))
    assert redeem(ella, reward).status_code == 201
    assert penny.api("POST", "/me/enrolment", agreed).status_code == 201


def test_K3_a_form_that_has_to_wait_for_postgresql_says_how_long(service: Service, database: Server) -> None:
    ella, penny = service.signed_in("ella"), service.signed_in("penny")
    path = f"/rewards/{a_reward(ella)}"
    page, joining = ella.get(path), penny.get("/join")
    with stopped(database):
        forms = [partial(ella.submit, page, path), partial(penny.submit, joining, "/join")]
        assert [says_come_again(page.reply) for page in at_once(forms)] == [True, True]


def test_one_who_joined_while_postgresql_went_away_is_not_told_that_nothing_was_done(
    service: Service, database: Server, vendors: Vendors
) -> None:
    penny = service.signed_in("penny")
    agreed = agreement(penny)
    vendors.fault("customer_activation", "delay", seconds=1)
    with meanwhile(partial(penny.api, "POST", "/me/enrolment", agreed)) as joining:
        until(lambda: len(vendors.calls("customer_activation")) == 1)
        with stopped(database):
            reply = joining.result()
    assert vendors.member("penny")["state"] == "enrolled"
    assert (reply.status_code, reply.json()["state"]) == (201, "enrolled")


def test_one_who_redeemed_while_postgresql_went_away_is_told_to_wait_and_it_is_sent_once(
    service: Service, database: Server, vendors: Vendors, stores: Mapping[str, str]
) -> None:
    ella = service.signed_in("ella")
    reward = a_reward(ella)
    vendors.fault("redeem", "delay", seconds=1)
    with meanwhile(partial(redeem, ella, reward)) as redeeming:
        until(lambda: len(vendors.calls("redeem")) == 1)
        with stopped(database):
            assert redeeming.result().status_code in {202, 503}
    until(lambda: is_ready(service))
    assert redeem(ella, reward).status_code in {202, 409}
    assert len(vendors.calls("redeem")) == 1
    with psycopg.connect(stores["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT state FROM redemptions").fetchall() == [("sent",)]


# A silent PostgreSQL -------------------------------------------------------------------------------------------------


def test_B11_a_silent_postgresql_is_not_waited_for(service: Service, database: Server, vendors: Vendors) -> None:
    ella, penny = service.signed_in("ella"), service.signed_in("penny")
    reward, agreed = a_reward(ella), agreement(penny)
    # As many at once as the pool has room for, so that every one of its connections is there to be silent.
    at_once([partial(same_browser(service, ella).get, "/") for _ in range(8)])
    with paused(database):
        asked: list[Callable[[], httpx2.Response]] = [
            partial(same_browser(service, ella).request, "GET", "/"),
            partial(same_browser(service, ella).request, "GET", "/rewards"),
            partial(redeem, ella, reward),
            partial(penny.api, "POST", "/me/enrolment", agreed),
            partial(service.shopper().request, "GET", "/readyz"),
        ]
        replies = at_once(asked)
        assert [reply.status_code for reply in replies] == [200, 200, 503, 503, 503]
        assert all(says_come_again(reply) for reply in replies[2:4])
        assert [reply.json()["code"] for reply in replies[2:4]] == ["store_unavailable"] * 2
        assert "1,240" in Page(replies[0], "").text
        assert max(reply.elapsed.total_seconds() for reply in replies) < SOON_SECONDS
    assert (vendors.calls("redeem"), vendors.calls("customer_activation")) == ([], [])
    until(lambda: is_ready(service))
    assert redeem(ella, reward).status_code == 201
    assert penny.api("POST", "/me/enrolment", agreed).status_code == 201


def test_B11_a_postgresql_that_falls_silent_within_a_transaction_is_not_waited_for(
    service: Service, database: Server, vendors: Vendors, rows: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    ella = service.signed_in("ella")
    reward = a_reward(ella)
    with rows.transaction():
        rows.execute("LOCK TABLE redemptions")
        with meanwhile(partial(redeem, ella, reward)) as redeeming:
            until(lambda: is_waiting(database))
            with paused(database):
                reply = redeeming.result()
    assert (says_come_again(reply), reply.json()["code"]) == (True, "store_unavailable")
    assert reply.elapsed.total_seconds() < SOON_SECONDS
    until(lambda: is_ready(service))
    assert redeem(ella, reward).status_code == 201
    assert len(vendors.member("ella")["redemptions"]) == 1


def test_B11_a_request_that_is_over_does_not_wait_for_a_silent_postgresql(start: Start, database: Server) -> None:
    service = start(REQUEST_SECONDS="1")
    ella = service.signed_in("ella")
    reward = a_reward(ella)
    ella.get("/")
    with paused(database):
        reply = redeem(ella, reward)
        assert (reply.status_code, reply.json()["code"]) == (504, "upstream_timeout")
        assert reply.elapsed.total_seconds() < SOON_SECONDS


def is_waiting(database: Server) -> bool:
    """Whether somebody waits for a lock."""
    with psycopg.connect(database.url) as connection:
        return connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone() is not None


# Ready or not -------------------------------------------------------------------------------------------------------


def test_M10_ready_needs_both_stores_and_never_says_which_is_missing(
    service: Service, store: Server, database: Server
) -> None:
    watcher = service.shopper()
    assert is_ready(service)
    bodies = set()
    for server in (store, database):
        with stopped(server):
            reply = watcher.request("GET", "/readyz")
            assert reply.status_code == 503
            assert watcher.request("GET", "/healthz").status_code == 200
            bodies.add(reply.text)
        until(lambda: is_ready(service))
    assert bodies == {"not ready\n"}


def test_a_service_that_starts_before_its_stores_serves_what_it_can_and_then_everything(
    settings: dict[str, str], start: Start, store: Server, database: Server
) -> None:
    with stopped(store), stopped(database):
        service = start()
        stranger = service.shopper()
        assert Page(stranger.request("GET", "/"), "/").heading
        assert not is_ready(service)
    until(lambda: is_ready(service))
    assert state_of(service.signed_in("ella")) == "enrolled"
