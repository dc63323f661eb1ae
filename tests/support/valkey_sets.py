"""Several real Valkeys that work together: a primary with replicas, watched by Sentinels, and a Valkey Cluster."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.crc import key_slot

from bff.devstack.servers import Server, free_port, new_valkey, running
from support.concurrency import until

# A failover begins after this long without an answer.
GONE_MILLISECONDS = 400
SLOTS = 16384
SERVICE = "mymaster"


def port_of(server: Server) -> int:
    return urlsplit(server.url).port or 0


@contextmanager
def client_of(server: Server) -> Iterator[Any]:
    with redis.Redis.from_url(server.url) as client:
        yield client


def kill(server: Server) -> None:
    """End it as a machine ends that loses its power."""
    server.stop_signal = server.stop_signal.SIGKILL
    server.stop()


def started(stack: ExitStack, folder: Path, name: str, *more: str) -> Server:
    """One more Valkey, with these arguments besides."""
    place = folder / name
    place.mkdir()
    server = new_valkey(place)
    # A replica gets its first copy at once.
    server.command += ("--repl-diskless-sync-delay", "0", *more)
    return stack.enter_context(running(server))


def replicates(replica: Server, primary_port: int) -> None:
    """Have it follow the primary, and wait until it does."""
    with client_of(replica) as client:
        client.replicaof("127.0.0.1", primary_port)
        until(lambda: client.info("replication")["master_link_status"] == "up")


@dataclass
class SentinelSet:
    """A primary, its replica, and a Sentinel. `url` names one more Sentinel, which is not there."""

    url: str
    primary: Server
    replica: Server
    sentinel: Server

    def has_failed_over(self) -> bool:
        with client_of(self.replica) as client:
            return bool(client.info("replication")["role"] == "master")


@contextmanager
def sentinel_set(folder: Path) -> Iterator[SentinelSet]:
    with ExitStack() as stack:
        primary, replica = (started(stack, folder, name) for name in ("primary", "replica"))
        replicates(replica, port_of(primary))
        sentinel = stack.enter_context(running(_sentinel(folder / "sentinel", port_of(primary))))
        with client_of(sentinel) as client:
            until(lambda: client.execute_command("SENTINEL REPLICAS", SERVICE))
        hosts = f"127.0.0.1:{free_port()},127.0.0.1:{port_of(sentinel)}"
        yield SentinelSet(f"valkey+sentinel://{hosts}/{SERVICE}", primary, replica, sentinel)


def _sentinel(place: Path, primary_port: int) -> Server:
    place.mkdir()
    server = new_valkey(place)
    file = place / "sentinel.conf"
    file.write_text(
        f"port {port_of(server)}\nbind 127.0.0.1\nsentinel monitor {SERVICE} 127.0.0.1 {primary_port} 1\n"
        f"sentinel down-after-milliseconds {SERVICE} {GONE_MILLISECONDS}\nsentinel failover-timeout {SERVICE} 2000\n"
    )
    server.command = [server.command[0], str(file), "--sentinel"]
    return server


@dataclass
class ClusterSet:
    """Three primaries, the first of which has a replica."""

    url: str
    primaries: list[Server]
    replica: Server

    def owner_of(self, key: str) -> Server:
        """The primary that has this key while no slot has moved."""
        return self.primaries[key_slot(key.encode()) * len(self.primaries) // SLOTS]

    def ports_told_by(self, server: Server) -> set[int]:
        """Where clients are told to find the primaries."""
        with client_of(server) as client:
            return {int(primary[1]) for _, _, primary, *_ in client.execute_command("CLUSTER", "SLOTS")}

    def is_whole(self) -> bool:
        return all(_info(server)["cluster_state"] == "ok" for server in (*self.primaries, self.replica))


@contextmanager
def cluster_set(folder: Path) -> Iterator[ClusterSet]:
    with ExitStack() as stack:
        *primaries, replica = (_node(stack, folder, name) for name in ("one", "two", "three", "replica"))
        for number, server in enumerate(primaries):
            first, last = -(-number * SLOTS // 3), -(-(number + 1) * SLOTS // 3) - 1
            with client_of(server) as client:
                client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
                client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        nodes = [*primaries, replica]
        with client_of(primaries[0]) as client:
            for server in nodes[1:]:
                bus = server.command[server.command.index("--cluster-port") + 1]
                client.execute_command("CLUSTER MEET", "127.0.0.1", port_of(server), bus)
            own_id = client.execute_command("CLUSTER MYID")
        until(lambda: all(int(_info(server)["cluster_known_nodes"]) == len(nodes) for server in nodes))
        with client_of(replica) as client:
            client.execute_command("CLUSTER REPLICATE", own_id)
            until(lambda: client.info("replication")["master_link_status"] == "up")
        # The one that is named first is not there: the others are asked.
        hosts = [free_port(), port_of(primaries[1]), port_of(replica)]
        url = "valkey+cluster://" + ",".join(f"127.0.0.1:{port}" for port in hosts)
        cluster = ClusterSet(url, primaries, replica)
        until(cluster.is_whole)
        yield cluster


def _node(stack: ExitStack, folder: Path, name: str) -> Server:
    timeout = ("--cluster-node-timeout", str(GONE_MILLISECONDS))
    return started(stack, folder, name, "--cluster-enabled", "yes", "--cluster-port", str(free_port()), *timeout)


def _info(server: Server) -> dict[str, str]:
    with client_of(server) as client:
        lines = client.execute_command("CLUSTER INFO")
        text = lines if isinstance(lines, dict) else dict(line.split(":", 1) for line in lines.decode().split())
        return {str(name): str(value) for name, value in text.items()}
