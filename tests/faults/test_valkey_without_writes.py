"""A Valkey that still reads and does not write, being full or a replica: who is signed in reads on, nobody is signed
out, and what needs a write says that it cannot be done now.

The Valkey of this module is its own, so that nobody else misses anything.
"""

import base64
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import redis
from support.concurrency import until
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors, in_thread
from support.store_outages import OF_A_SESSION, is_ready, says_come_again

from bff.devstack.servers import Server, valkey


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey(tmp_path_factory.mktemp("own-valkey")) as server:
        yield server


@contextmanager
def full(client: redis.Redis) -> Iterator[None]:
    """As a plan of 25 MB is once it has them."""
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", 0)


@contextmanager
def replica(client: redis.Redis) -> Iterator[None]:
    """As after a failover of which our address has not heard."""
    client.replicaof("127.0.0.1", 1)
    try:
        yield
    finally:
        client.replicaof("NO", "ONE")


Without = Callable[[redis.Redis], AbstractContextManager[None]]
WAYS = (full, replica)


@pytest.fixture
def client(store: Server) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(store.url) as client:
        yield client


@pytest.mark.parametrize("without_writes", WAYS)
def test_B10_who_is_signed_in_reads_on(
    service: Service, vendors: Vendors, client: redis.Redis, without_writes: Without
) -> None:
    ella = service.signed_in("ella")
    with without_writes(client):
        # The first request that cannot be counted, and the one write that no lease would stop (K4).
        assert says_come_again(ella.api("PUT", "/me/birthday", {"day": 1, "month": 2}))
        for path in OF_A_SESSION:
            reply = ella.request("GET", path, headers={"accept": "*/*"})
            assert reply.status_code == 200, path
            assert "set-cookie" not in reply.headers
        assert ella.api("GET", "/session").json()["state"] == "enrolled"
        assert "1,240" in ella.get("/").text
        assert says_come_again(redeem(ella, FIVE_OFF, new_key()))
        assert vendors.calls("redeem") + vendors.calls("birthday") == []
    until(lambda: redeem(ella, FIVE_OFF, new_key()).status_code == 201)


@pytest.mark.parametrize("without_writes", WAYS)
def test_P9_nobody_is_told_that_all_sessions_have_ended(
    service: Service, client: redis.Redis, without_writes: Without
) -> None:
    ella, phone = service.signed_in("ella"), service.signed_in("ella")
    cookies = dict(ella.cookies)
    with without_writes(client):
        assert says_come_again(ella.api("DELETE", "/me/sessions"))
    assert ella.cookies == cookies
    until(lambda: ella.api("DELETE", "/me/sessions").status_code == 200)
    assert phone.api("GET", "/session").json() == {"state": "anonymous"}


@pytest.mark.parametrize("without_writes", WAYS)
def test_C4_a_session_under_an_older_key_is_read_and_moves_later(
    settings: dict[str, str], client: redis.Redis, without_writes: Without
) -> None:
    one, two = (f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in ("k1", "k2"))
    with in_thread(settings | {"SECRET_KEYS": one}) as service:
        cookies = dict(service.signed_in("ella").cookies)
    with in_thread(settings | {"SECRET_KEYS": f"{two},{one}"}) as service:
        ella = service.shopper()
        ella.cookies = dict(cookies)
        with without_writes(client):
            assert ella.api("GET", "/session").json()["state"] == "enrolled"
        until(lambda: ella.api("DELETE", "/me/sessions").status_code == 200)


@pytest.mark.parametrize("without_writes", WAYS)
def test_B4_the_idle_limit_holds_all_the_same(start: Start, client: redis.Redis, without_writes: Without) -> None:
    service = start(SESSION_IDLE_SECONDS="600")
    ella = service.signed_in("ella")
    with without_writes(client):
        service.clock.advance(500)
        assert ella.api("GET", "/session").json()["state"] == "enrolled"
        service.clock.advance(110)
        assert ella.api("GET", "/session").json() == {"state": "anonymous"}


@pytest.mark.parametrize("without_writes", WAYS)
def test_a_member_who_was_blocked_meanwhile_is(
    service: Service, vendors: Vendors, client: redis.Redis, without_writes: Without
) -> None:
    ella = service.signed_in("ella")
    with without_writes(client):
        vendors.control("member", persona="ella", state="blocked")
        assert ella.get("/").path == "/blocked"
        assert ella.api("GET", "/me").status_code == 403


@pytest.mark.parametrize("without_writes", WAYS)
def test_it_is_not_ready_and_the_doctor_says_why(
    settings: dict[str, str], service: Service, client: redis.Redis, without_writes: Without
) -> None:
    assert is_ready(service)
    with without_writes(client):
        assert not is_ready(service)
        said = bff(settings, "doctor").stdout
        assert "answers, but does not write" in said
        assert ("it is full" in said) is (without_writes is full)
        assert ("it is a replica" in said) is (without_writes is replica)
    assert "does not write" not in bff(settings, "doctor").stdout


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random"])
def test_the_doctor_warns_of_a_policy_that_ends_sessions(
    settings: dict[str, str], client: redis.Redis, policy: str
) -> None:
    client.config_set("maxmemory-policy", policy)
    try:
        assert f"its policy is {policy}" in bff(settings, "doctor").stdout
    finally:
        client.config_set("maxmemory-policy", "noeviction")
