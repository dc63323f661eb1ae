"""Leases in Valkey, each with one holder among all processes, and records of what was done a moment ago."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator

from redis.exceptions import RedisError

from bff.errors import Busy
from bff.stores.keyring import KeyRing
from bff.stores.one_valkey import Valkey
from bff.stores.scripts import Script, run_beside
from bff.stores.valkey import store_errors

LEASE_SECONDS = 10.0
# Whoever waits for one asks so often.
POLL_SECONDS = 0.03
# Each may be asked twice: a holder is told so again, and what is somebody else's by now is left alone.
ACQUIRE = Script("""
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0
""")
RENEW = Script("""
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0
""")
RELEASE = Script("""
return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0
""")


class Leases:
    """Every method raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Valkey, keys: KeyRing) -> None:
        self._valkey = valkey
        self._keys = keys

    @contextlib.asynccontextmanager
    async def lease(self, name: str, *, wait_seconds: float) -> AsyncIterator[None]:
        """Hold the lease of this name: one holder among all processes, renewed while it is held.

        Raises Busy when it does not become free within `wait_seconds`.
        """
        key, token = f"lease:{name}", secrets.token_hex(16)
        with store_errors():
            await self._acquire(key, token, wait_seconds)
        renewal = asyncio.create_task(self._renew(key, token))
        try:
            yield
        finally:
            renewal.cancel()
            # A lease that cannot be released expires by itself.
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await self._is_done_by(RELEASE, key, token)

    async def _acquire(self, key: str, token: str, wait_seconds: float) -> None:
        ends_at = time.monotonic() + wait_seconds
        while not await self._is_done_by(ACQUIRE, key, token):
            if time.monotonic() + POLL_SECONDS > ends_at:
                raise Busy
            await asyncio.sleep(POLL_SECONDS)

    async def _renew(self, key: str, token: str) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            # While Valkey does not answer the lease expires; whoever writes under it compares a version as well.
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await self._is_done_by(RENEW, key, token)

    async def _is_done_by(self, script: Script, key: str, token: str) -> bool:
        [answer] = await run_beside(self._valkey, key, None, script.of(key, token, round(LEASE_SECONDS * 1000)))
        return bool(answer == 1)

    async def mark_done(self, what: str, *, seconds: int) -> None:
        """Record for a while that something was done."""
        with store_errors():
            await self._valkey.set(self._done_keys(what)[0], b"1", ex=seconds)

    async def is_done(self, what: str) -> bool:
        """Whether that was recorded, and not long ago."""
        with store_errors():
            async with self._valkey.pipeline(transaction=False) as pipe:
                for key in self._done_keys(what):
                    pipe.exists(key)
                return any(await pipe.execute())

    def _done_keys(self, what: str) -> list[str]:
        """Under the name by every key, since another process may have another one first."""
        return [f"done:{hmac}" for hmac in self._keys.hmacs("customer index", what)]
