"""How Valkey is reached: bounded pools, short deadlines, and a Problem for everything that goes wrong."""

from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError

from bff.errors import Problem
from bff.settings.valkey_address import read_valkey_address
from bff.stores.busy import pool_busy, unavailable
from bff.stores.cluster import Cluster
from bff.stores.one_valkey import OneValkey, Valkey
from bff.stores.sentinels import Sentinels, SentinelValkey
from bff.stores.valkey_node import Network, PoolBusy
from bff.telemetry.timing import spent_on

PROBE = "probe"
PROBE_SECONDS = 10


def connect(url: str, *, verify_tls: bool, timeout_seconds: float, connections: int = 1) -> Valkey:
    """A client of one Valkey, of the primary that Sentinels know, or of a Valkey Cluster, as the address says, with so
    many connections at most to each Valkey."""
    address = read_valkey_address(url)
    network = Network(address.url, verify_tls=verify_tls, timeout_seconds=timeout_seconds)
    if address.topology == "cluster":
        return Cluster(network, address.hosts, connections)
    if address.topology == "sentinel":
        sentinels = Sentinels(network, address.hosts, address.service, address.sentinel_login)
        return SentinelValkey(network, sentinels, connections)
    return OneValkey(network, connections)


def refuses_writes(error: RedisError) -> bool:
    """Whether Valkey still reads but does not write: it is full, a replica, or cannot save to its disk."""
    return isinstance(error, OutOfMemoryError | ReadOnlyError) or str(error).startswith("MISCONF")


class Primary(NamedTuple):
    """One Valkey that takes writes, called by its address where there are several, and a key of its own."""

    name: str
    client: Redis
    key: str


async def primaries_of(valkey: Redis) -> list[Primary]:
    """All of a cluster, else the one there is; raises redis-py's errors."""
    if not isinstance(valkey, Cluster):
        return [Primary("", valkey, PROBE)]
    return [Primary("{}:{}".format(*node.host), node.client, key) for node, key in await valkey.primaries()]


async def can_write(valkey: Redis, key: str = PROBE) -> bool:
    """Whether Valkey takes a write of this key; raises Problem `store_unavailable` when it does not answer."""
    try:
        with store_errors():
            await valkey.set(key, b"1", ex=PROBE_SECONDS)
    except Problem as problem:
        if isinstance(problem.__cause__, RedisError) and refuses_writes(problem.__cause__):
            return False
        raise
    return True


class store_errors(spent_on):  # noqa: N801  # It is used like the function it stands for.
    """Whatever goes wrong with Valkey becomes a Problem, `store_unavailable` or `overloaded`: nobody is signed out
    because of it (B10)."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("store")

    def __exit__(self, *raised: object) -> None:
        super().__exit__(*raised)
        error = raised[1]
        if isinstance(error, PoolBusy):
            raise pool_busy("valkey") from error
        if isinstance(error, RedisError | OSError | TimeoutError):
            raise unavailable("valkey", error, "Sessions cannot be read right now.") from error
