"""Every process shows its metrics to all others, through Valkey: whoever is asked answers for them all.

A worker has no port, and behind a router or a load balancer nobody can choose which process is asked. Sealed like
everything in Valkey, so that nobody who can write there makes up numbers.
"""

import asyncio
import contextlib
import zlib
from typing import Any, cast

from redis.asyncio import Redis

from bff.clock import Clock
from bff.stores.keyring import KeyRing, SealBroken
from bff.stores.shared_cache import STORE_ERRORS

PUBLISH_SECONDS = 10
# A process that has not shown its metrics for so long has ended.
ENDED_SECONDS = 35
NAMES = "metrics"


class SharedMetrics:
    """No request waits for it, so of a Valkey that does not answer the metrics tell, and no line of the log."""

    def __init__(self, valkey: Redis, keys: KeyRing, clock: Clock) -> None:
        self._valkey = valkey
        self._keys = keys
        self._clock = clock

    async def publish(self, process: str, text: str) -> bool:
        """Show the metrics of this process; False when Valkey does not take them."""
        key = f"{NAMES}:{process}"
        compressed = await asyncio.to_thread(zlib.compress, text.encode())
        sealed = self._keys.seal("metrics", compressed, associated_data=key.encode())
        now = self._clock()
        try:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.set(key, sealed, ex=ENDED_SECONDS)
                pipe.zadd(NAMES, {process: now})
                pipe.zremrangebyscore(NAMES, "-inf", now - ENDED_SECONDS)
                pipe.expire(NAMES, ENDED_SECONDS)
                await pipe.execute()
        except STORE_ERRORS:
            return False
        return True

    async def withdraw(self, process: str) -> None:
        """This process ends."""
        with contextlib.suppress(*STORE_ERRORS):
            await self._valkey.zrem(NAMES, process)
            await self._valkey.delete(f"{NAMES}:{process}")

    async def of_others(self, process: str) -> dict[str, str]:
        """What all other processes show, by their names; nothing while Valkey does not answer."""
        try:
            found = await self._valkey.zrangebyscore(NAMES, self._clock() - ENDED_SECONDS, "+inf")
            names = sorted(name for name in map(bytes.decode, cast(list[bytes], found)) if name != process)
            async with self._valkey.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.get(f"{NAMES}:{name}")
                texts = await pipe.execute()
        except STORE_ERRORS:
            return {}
        shown = {name: self._opened(name, text) for name, text in zip(names, texts, strict=True)}
        return {name: text for name, text in shown.items() if text}

    def _opened(self, name: str, sealed: Any) -> str:
        """Empty when it has ended, or was not sealed by us."""
        try:
            compressed = self._keys.open("metrics", sealed or b"", associated_data=f"{NAMES}:{name}".encode())
            return zlib.decompress(compressed).decode()
        except SealBroken:
            return ""
