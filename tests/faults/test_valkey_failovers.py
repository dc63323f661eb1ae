"""The primary dies and a replica takes its place, by Sentinels, in a cluster, or behind an address that moves: requests
are answered as designed meanwhile, everything goes on by itself, and who has signed out stays signed out (B8, B10).

The Valkeys of this module are their own, so that nobody else misses them.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from support.concurrency import same_browser, state_of, until
from support.processes import bff
from support.services import Log, Service, Start, Vendors
from support.shopper import Shopper
from support.silent_wire import SilentWire
from support.slow_wire import SlowWire
from support.store_outages import is_ready, paused, says_come_again
from support.valkey_sets import client_of, cluster_set, kill, port_of, replicates, sentinel_set, started

from bff.devstack.servers import Server

# Sentinels and clusters of these tests find out within half a second, and need as much again to agree.
RECOVERED_SECONDS = 8.0


class MovingWire(SilentWire):
    """An address that leads somewhere else from now on; connections there are stay where they are, as with DNS."""

    def lead_to(self, server: Server) -> None:
        self._server_port = port_of(server)


class Visits:
    """Requests that go on in the background; `replies` is how each was answered."""

    def __init__(self, shoppers: list[Shopper]) -> None:
        self.replies: list[tuple[int, str]] = []
        self._shoppers = shoppers
        self._ended = threading.Event()

    def visit(self, shopper: Shopper) -> None:
        while not self._ended.wait(0.01):
            reply = shopper.api("GET", "/session")
            refused = reply.json().get("code", "") if says_come_again(reply) else ""
            self.replies.append((reply.status_code, refused or reply.json().get("state", "")))

    @contextmanager
    def going_on(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.visit, args=(shopper,)) for shopper in self._shoppers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()


def check_failover(service: Service, vendors: Vendors, fail: Callable[[], None]) -> None:
    """What holds whatever fails over."""
    shoppers = [service.signed_in(persona) for persona in ("ella", "ella", "tara", "tara", "tara")]
    gone = service.signed_in("ella")
    old = same_browser(service, gone)
    ticket = service.ticket(vendors.token("tara"))
    friend = {"email": "one-friend-of-all@example.com"}
    for shopper in shoppers[:3]:
        assert shopper.api("POST", "/me/referrals", friend).status_code == 202
    visits = Visits([same_browser(service, shopper) for shopper in shoppers])
    with visits.going_on():
        assert gone.api("DELETE", "/session").status_code == 200
        fail()
        until(lambda: is_ready(service), RECOVERED_SECONDS)
        for shopper in (*shoppers, old):
            until(partial(lambda each: each.api("GET", "/session").status_code == 200, shopper), RECOVERED_SECONDS)
        before = len(visits.replies)
        until(lambda: len(visits.replies) > before + 20)
    assert set(visits.replies) <= {(200, "enrolled"), (503, "store_unavailable")}
    assert (200, "enrolled") in visits.replies
    assert set(visits.replies[before + len(shoppers) :]) == {(200, "enrolled")}
    assert state_of(old) == "anonymous"
    assert [state_of(shopper) for shopper in shoppers] == ["enrolled"] * 5
    # A connection that has just been made asks for the primary four times a second at most.
    other = {"email": "another-friend@example.com"}
    until(lambda: shoppers[0].api("POST", "/me/referrals", other).status_code == 202, RECOVERED_SECONDS)
    statuses = [shopper.api("POST", "/me/referrals", friend).status_code for shopper in shoppers[2:]]
    assert statuses == [202, 202, 429]
    params = {"ticket": ticket, "return_to": "/rewards"}
    assert service.shopper().request("GET", "/session/continue", params=params).status_code == 303
    assert service.signed_in("ella").api("DELETE", "/me/sessions").status_code == 200
    assert [state_of(shopper) for shopper in shoppers[:2]] == ["anonymous"] * 2


def test_B10_a_primary_that_sentinels_watch_dies(start: Start, vendors: Vendors, tmp_path: Path) -> None:
    with sentinel_set(tmp_path) as found:
        service = start(VALKEY_URL=found.url, VALKEY_TIMEOUT_SECONDS="0.5")
        patient = {**service.settings, "VALKEY_TIMEOUT_SECONDS": "10"}
        assert "a primary, as Sentinel says, replicas: 1" in bff(patient, "doctor").stdout
        check_failover(service, vendors, partial(kill, found.primary))
        assert found.has_failed_over()
        assert "no replica follows it" in bff(patient, "doctor").stdout


def test_B10_a_primary_of_a_cluster_dies(start: Start, vendors: Vendors, tmp_path: Path) -> None:
    with cluster_set(tmp_path) as cluster:
        service = start(VALKEY_URL=cluster.url, VALKEY_TIMEOUT_SECONDS="0.5")
        check_failover(service, vendors, partial(kill, cluster.primaries[0]))


@contextmanager
def pair(folder: Path) -> Iterator[tuple[Server, Server]]:
    with ExitStack() as stack:
        primary, replica = (started(stack, folder, name) for name in ("one", "two"))
        replicates(replica, port_of(primary))
        yield primary, replica


def test_B10_the_primary_moves_and_its_address_with_it(start: Start, vendors: Vendors, tmp_path: Path) -> None:
    with pair(tmp_path) as (old, new), closing(MovingWire(port_of(old))) as wire:

        def fail_over() -> None:
            """The old one goes on as a replica, and nobody closes a connection to it."""
            wire.lead_to(new)
            with client_of(new) as client:
                client.replicaof("NO", "ONE")
            with client_of(old) as client:
                client.execute_command("REPLICAOF", "127.0.0.1", port_of(new))

        service = start(VALKEY_URL=f"valkey://127.0.0.1:{wire.port}/0", VALKEY_TIMEOUT_SECONDS="0.5")
        check_failover(service, vendors, fail_over)


def test_B8_who_has_signed_out_stays_so_when_the_primary_dies_at_once(
    start: Start, vendors: Vendors, tmp_path: Path, urls: list[str]
) -> None:
    """What the replica has not got when the primary dies is lost with it; each write takes its time to get there."""
    with ExitStack() as stack:
        primary, replica = (
            started(stack, tmp_path, name, "--repl-diskless-sync-delay", "0") for name in ("one", "two")
        )
        wire = stack.enter_context(closing(SlowWire(port_of(primary))))
        replicates(replica, wire.port)
        service = start(VALKEY_URL=primary.url)
        browsers = [handed_in(service, vendors) for _ in range(3)]
        tabs = [same_browser(service, browser) for browser in browsers]
        wire.seconds = 0.02
        assert [browser.api("DELETE", "/session").status_code for browser in browsers] == [200] * 3
        wire.close()
        kill(primary)
        with client_of(replica) as client:
            client.replicaof("NO", "ONE")
        other = start(VALKEY_URL=replica.url, PUBLIC_URL=urls[1], PORT=urls[1].rpartition(":")[2])
        assert [state_of(same_browser(other, tab)) for tab in tabs] == ["anonymous"] * 3
        assert other.signed_in("ella").api("GET", "/me").status_code == 200


def handed_in(service: Service, vendors: Vendors) -> Shopper:
    """Signed in by a token, so that signing out has nobody else to ask."""
    shopper = service.shopper()
    assert shopper.api("POST", "/session", {"customerAccessToken": vendors.token("ella")}).status_code == 201
    return shopper


def test_a_replica_that_is_late_is_not_waited_for(start: Start, tmp_path: Path, log: Log) -> None:
    with pair(tmp_path) as (primary, replica):
        service = start(VALKEY_URL=primary.url)
        ella = service.signed_in("ella")
        tab = same_browser(service, ella)
        log.clear()
        with paused(replica):
            assert ella.api("DELETE", "/session").status_code == 200
        assert log.events("replica_late")
        assert state_of(tab) == "anonymous"
