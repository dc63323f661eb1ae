"""On a Valkey Cluster everything works as it does on one Valkey, and keys of all kinds are spread over its nodes."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial

import pytest
from redis.crc import key_slot
from support.concurrency import at_once, same_browser, state_of, until
from support.expired_tokens import aged
from support.held_requests import TOKEN, refused
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Log, Service, Start, Vendors
from support.slow_wire import SlowWire
from support.valkey_sets import ClusterSet, client_of, cluster_set, port_of

from bff.devstack.servers import Server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterSet]:
    with cluster_set(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def service(start: Start, cluster: ClusterSet) -> Service:
    return start(VALKEY_URL=cluster.url)


def sessions_at(server: Server) -> set[str]:
    with client_of(server) as client:
        return {key.decode() for key in client.scan_iter("session:*") if client.hexists(key, "record")}


def test_a_session_begins_is_renewed_and_ends(service: Service, vendors: Vendors) -> None:
    ella, phone, tara = (service.signed_in(persona) for persona in ("ella", "ella", "tara"))
    before = same_browser(service, ella)
    assert ella.sign_in("ella").status == 200
    assert state_of(before) == "anonymous"
    aged(service, vendors, 3700)
    replies = at_once([partial(same_browser(service, ella).api, "GET", "/me") for _ in range(8)])
    assert {reply.status_code for reply in replies} == {200}
    assert ella.submit(ella.get("/"), "/logout").path == "/signed-out"
    assert [state_of(each) for each in (ella, phone, tara)] == ["anonymous", "enrolled", "enrolled"]


def test_P9_all_of_a_customers_sessions_end_wherever_they_are(service: Service) -> None:
    browsers = [service.signed_in("ella") for _ in range(6)]
    tara = service.signed_in("tara")
    assert browsers[0].api("DELETE", "/me/sessions").status_code == 200
    assert {state_of(browser) for browser in browsers} == {"anonymous"}
    assert state_of(tara) == "enrolled"


def test_B13_the_oldest_sessions_end_wherever_they_are(start: Start, cluster: ClusterSet) -> None:
    service = start(VALKEY_URL=cluster.url, SESSIONS_PER_CUSTOMER="2")
    browsers = [service.signed_in("penny") for _ in range(5)]
    assert [state_of(browser) for browser in browsers] == [*["anonymous"] * 3, "pending", "pending"]


def test_a_ticket_works_once(service: Service, vendors: Vendors) -> None:
    ticket = service.ticket(vendors.token("ella"))
    params = {"ticket": ticket, "return_to": "/rewards"}
    arrived = [service.shopper().request("GET", "/session/continue", params=params).status_code for _ in range(2)]
    assert arrived == [303, 400]


def test_L3_points_are_spent_once(service: Service, vendors: Vendors) -> None:
    ella, key = service.signed_in("ella"), new_key()
    tabs = [same_browser(service, ella) for _ in range(6)]
    at_once([partial(redeem, tab, FIVE_OFF, key) for tab in tabs])
    assert redeem(ella, FIVE_OFF, key).status_code == 201
    assert len(vendors.member("ella")["redemptions"]) == 1


def test_K2_limits_are_counted_by_all_nodes_together(service: Service) -> None:
    browsers = [service.signed_in("ella"), service.signed_in("tara")]
    friend = {"email": "a-friend-of-both@example.com"}
    statuses = [browsers[number % 2].api("POST", "/me/referrals", friend).status_code for number in range(6)]
    assert statuses == [202] * 5 + [429]
    left = [int(browsers[0].api("GET", "/me").headers["ratelimit"].partition("r=")[2]) for _ in range(3)]
    assert left == [left[0], left[0] - 1, left[0] - 2]


def test_sessions_are_spread_over_the_nodes(service: Service, cluster: ClusterSet) -> None:
    for _ in range(60):
        if all(map(sessions_at, cluster.primaries)):
            break
        service.signed_in("tara")
    assert all(map(sessions_at, cluster.primaries))


def test_B11_a_process_holds_no_more_connections_to_a_node_than_it_may(start: Start, cluster: ClusterSet) -> None:
    service = start(VALKEY_URL=cluster.url, VALKEY_CONNECTIONS="3")
    shoppers = [service.signed_in(persona) for persona in ("ella", "tara", "penny")]
    others = [connections_of(server) for server in cluster.primaries]
    tabs = [same_browser(service, shopper) for shopper in shoppers for _ in range(12)]
    assert set(at_once([partial(state_of, tab) for tab in tabs])) == {"enrolled", "pending"}
    for server, before in zip(cluster.primaries, others, strict=True):
        assert connections_of(server) - before <= 3


def connections_of(server: Server) -> int:
    with client_of(server) as client:
        return sum(1 for each in client.client_list() if each["flags"] == "N") - 1


def test_a_slot_that_moves_takes_nobody_out(service: Service, cluster: ClusterSet) -> None:
    known = set().union(*map(sessions_at, cluster.primaries))
    ella = service.signed_in("ella")
    [key] = set().union(*map(sessions_at, cluster.primaries)) - known
    slot, source = key_slot(key.encode()), cluster.owner_of(key)
    target = next(server for server in cluster.primaries if server is not source)
    # Half of the way it is asked for at its old place and found at its new one, and afterwards the old one says so.
    with client_of(source) as giving, client_of(target) as taking:
        ids = [client.execute_command("CLUSTER MYID") for client in (giving, taking)]
        taking.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[0])
        giving.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[1])
        assert state_of(ella) == "enrolled"
        for moving in giving.execute_command("CLUSTER GETKEYSINSLOT", slot, 100):
            giving.execute_command("MIGRATE", "127.0.0.1", port_of(target), moving, 0, 1000)
        assert state_of(ella) == "enrolled"
        for client in (taking, giving):
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[1])
        assert state_of(ella) == "enrolled"
        assert ella.api("DELETE", "/session").status_code == 200
        assert taking.hget(key, "version") == b"ended"


def test_the_doctor_looks_at_every_node(settings: dict[str, str], cluster: ClusterSet) -> None:
    one = cluster.primaries[1]
    with client_of(one) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", 1)
        full = bff(settings | {"VALKEY_URL": cluster.url}, "doctor").stdout
        client.config_set("maxmemory", 0)
        said = bff(settings | {"VALKEY_URL": cluster.url}, "doctor").stdout
        client.config_set("maxmemory-policy", "noeviction")
    assert "a cluster of 3 primaries, replicas: 1" in said
    assert f"127.0.0.1:{port_of(one)}: its policy is allkeys-lru" in said
    assert said.count("its policy is") == 1
    assert said.count("no replica follows it") == 2
    assert f"127.0.0.1:{port_of(one)}: answers, but does not write: it is full" in full


@pytest.fixture
def wires(cluster: ClusterSet) -> Iterator[list[SlowWire]]:
    """What leads to the primaries: each tells everybody that it is to be found there."""
    with ExitStack() as stack:
        wires = [stack.enter_context(closing(SlowWire(port_of(server)))) for server in cluster.primaries]
        try:
            announce(cluster, [wire.port for wire in wires])
            yield wires
        finally:
            announce(cluster, [port_of(server) for server in cluster.primaries])


def announce(cluster: ClusterSet, ports: list[int]) -> None:
    for server, port in zip(cluster.primaries, ports, strict=True):
        with client_of(server) as client:
            client.config_set("cluster-announce-port", port)
    until(lambda: all(cluster.ports_told_by(server) == set(ports) for server in cluster.primaries))
    until(cluster.is_whole)


def test_K8_a_busy_cluster_is_not_called_broken(
    start: Start, cluster: ClusterSet, wires: list[SlowWire], log: Log
) -> None:
    service = start(VALKEY_URL=cluster.url, VALKEY_CONNECTIONS="2", VALKEY_TIMEOUT_SECONDS="1", METRICS_TOKEN=TOKEN)
    ella = service.signed_in("ella")
    tabs = [same_browser(service, ella) for _ in range(48)]
    before = refused(service, "valkey")
    log.clear()
    for wire in wires:
        wire.seconds = 0.12
    replies = at_once([partial(tab.api, "GET", "/session") for tab in tabs])
    for wire in wires:
        wire.seconds = 0
    failed = [reply for reply in replies if reply.status_code != 200]
    assert failed
    assert {reply.json()["code"] for reply in failed} == {"overloaded"}
    assert refused(service, "valkey") - before >= len(failed)
    assert {line["what"] for line in log.events("store_busy")} == {"valkey"}
    assert [state_of(tab) for tab in tabs[:4]] == ["enrolled"] * 4
