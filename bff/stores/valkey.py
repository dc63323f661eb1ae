"""How Valkey is reached: one bounded pool, short deadlines, and one Problem for everything that goes wrong."""

import contextlib
from collections.abc import Iterator

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bff.errors import Problem
from bff.telemetry.timing import spent_on


def connect(url: str, *, verify_tls: bool, timeout_seconds: float, connections: int = 1) -> Redis:
    """A pool of so many connections at most, in which every wait, for one of them or for an answer, is bounded and
    tried at most twice (B11)."""
    address = url.replace("valkey", "redis", 1) if url.startswith("valkey") else url
    unverified = {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    tls = unverified if address.startswith("rediss") and not verify_tls else {}
    pool = BlockingConnectionPool.from_url(
        address,
        max_connections=connections,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 1),
        **tls,
    )
    return Redis.from_pool(pool)


@contextlib.contextmanager
def store_errors() -> Iterator[None]:
    """Whatever goes wrong with Valkey becomes `store_unavailable`: nobody is signed out because of it (B10)."""
    try:
        with spent_on("store"):
            yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Problem("store_unavailable", "Sessions cannot be read right now.", retry_after_seconds=5) from error
