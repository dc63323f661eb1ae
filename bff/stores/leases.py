"""Leases in Valkey, each with one holder among all processes, and records of what was done a moment ago."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import LockError, RedisError

from bff.errors import Busy
from bff.stores.keyring import KeyRing
from bff.stores.valkey import store_errors

LEASE_SECONDS = 10.0


class Leases:
    """Every method raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Redis, keys: KeyRing) -> None:
        self._valkey = valkey
        self._keys = keys

    @contextlib.asynccontextmanager
    async def lease(self, name: str, *, wait_seconds: float) -> AsyncIterator[None]:
        """Hold the lease of this name: one holder among all processes, renewed while it is held.

        Raises Busy when it does not become free within `wait_seconds`.
        """
        lock = self._valkey.lock(f"lease:{name}", timeout=LEASE_SECONDS, sleep=0.03, blocking_timeout=wait_seconds)
        with store_errors():
            if not await lock.acquire():
                raise Busy
        renewal = asyncio.create_task(_renew(lock))
        try:
            yield
        finally:
            renewal.cancel()
            # A lease that was lost or cannot be released expires by itself.
            with contextlib.suppress(LockError, RedisError, OSError):
                await lock.release()

    async def mark_done(self, what: str, *, seconds: int) -> None:
        """Record for a while that something was done."""
        with store_errors():
            await self._valkey.set(self._done_key(what), b"1", ex=seconds)

    async def is_done(self, what: str) -> bool:
        """Whether that was recorded, and not long ago."""
        with store_errors():
            return bool(await self._valkey.exists(self._done_key(what)))

    def _done_key(self, what: str) -> str:
        return f"done:{self._keys.hmac('customer index', what)}"


async def _renew(lock: Any) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        # While Valkey does not answer the lease expires; whoever writes under it compares a version as well.
        with contextlib.suppress(LockError, RedisError, OSError):
            await lock.reacquire()
