"""The last good answer to each public question, shared by all processes through Valkey, and whose turn it is to ask.

Nothing depends on it: while Valkey is away, every process asks the vendor for itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, TypeVar

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bff.errors import UpstreamFailed
from bff.stores.keyring import KeyRing, SealBroken

Value = TypeVar("Value")
# Whoever asks may take so long; then somebody else may.
REFRESH_LOCK_SECONDS = 10
# For so long after a failure nobody asks again.
FAILED_SECONDS = 2
LOOK_SECONDS = 0.05
LOOKS = 60
ASKING = b"asking"
# So many of those that strangers can make more of: copies for a language, country or currency.
MOST_OF_MANY = 256
OF_MANY = "copies-of-many"
STORE_TROUBLE = (RedisError, OSError, TimeoutError)
log = structlog.get_logger("copies")


class Cached(msgspec.Struct, Generic[Value], frozen=True):
    """A vendor's answer, and when it was asked for (Unix seconds)."""

    value: Value
    asked_at: float


class RefreshInProgress(Exception):
    """Another process is asking, or has just failed: `failed` tells which."""

    def __init__(self, *, failed: bool) -> None:
        super().__init__()
        self.failed = failed


class SharedCache:
    """Sealed like everything in Valkey, so that nobody who can write there puts words into the program's mouth."""

    def __init__(self, valkey: Redis, keys: KeyRing, clock: Callable[[], float]) -> None:
        self._valkey = valkey
        self._keys = keys
        self._clock = clock

    async def find(self, name: str, kind: Any) -> Cached[Any] | None:
        """The copy kept under this name, if there is one of this kind."""
        key = f"copy:{name}"
        try:
            sealed = await self._valkey.get(key)
            if not isinstance(sealed, bytes):
                return None
            return msgspec.json.decode(self._keys.open("copy", sealed, associated_data=key.encode()), type=Cached[kind])
        except (*STORE_TROUBLE, SealBroken, msgspec.DecodeError):
            return None

    async def keep(self, name: str, copy: Cached[Any], seconds: float, *, is_one_of_many: bool = False) -> None:
        """Keep it so long; of those that are one of many only the latest are kept."""
        key = f"copy:{name}"
        sealed = self._keys.seal("copy", msgspec.json.encode(copy), associated_data=key.encode())
        with contextlib.suppress(*STORE_TROUBLE):
            await self._valkey.set(key, sealed, ex=int(seconds))
            if is_one_of_many:
                await self._make_room(key, int(seconds))

    async def _make_room(self, latest: str, seconds: int) -> None:
        await self._valkey.zadd(OF_MANY, {latest: self._clock()})
        await self._valkey.expire(OF_MANY, seconds)
        surplus = await self._valkey.zrange(OF_MANY, 0, -1 - MOST_OF_MANY)
        if surplus:
            await self._valkey.delete(*surplus)
            await self._valkey.zrem(OF_MANY, *surplus)

    @contextlib.asynccontextmanager
    async def refresh_lock(self, name: str) -> AsyncIterator[None]:
        """Ask the vendor inside of this: one process at a time does, and none for a moment after a failure.

        Raises NotMyTurn, before anything inside is done.
        """
        key = f"refreshing:{name}"
        taken = await self._take(key)
        if taken is not None and (taken == ASKING or float(taken) > self._clock()):
            raise RefreshInProgress(failed=taken != ASKING)
        try:
            yield
        except UpstreamFailed as failure:
            seconds = failure.retry_after_seconds or FAILED_SECONDS
            await self._put(key, str(self._clock() + seconds).encode(), seconds)
            raise
        await self._put(key, None)

    async def wait_for_refresh(self, name: str) -> None:
        """Wait until whoever is asking has done so, but not for long."""
        with contextlib.suppress(*STORE_TROUBLE):
            for _ in range(LOOKS):
                if await self._valkey.get(f"refreshing:{name}") != ASKING:
                    return
                await asyncio.sleep(LOOK_SECONDS)

    async def _take(self, key: str) -> bytes | None:
        """None when it is ours from now on, else what stands in the way: ASKING, or the time until which a failure
        counts."""
        with contextlib.suppress(*STORE_TROUBLE):
            before = await self._valkey.set(key, ASKING, nx=True, ex=REFRESH_LOCK_SECONDS, get=True)
            return before if isinstance(before, bytes) else None
        return None

    async def _put(self, key: str, state: bytes | None, seconds: int = 1) -> None:
        with contextlib.suppress(*STORE_TROUBLE):
            await (self._valkey.set(key, state, ex=seconds) if state else self._valkey.delete(key))
