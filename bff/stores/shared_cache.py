"""The cache that all processes share through Valkey, and the lock by which only one of them asks the vendor.

Nothing depends on it: while Valkey does not answer, every process asks the vendor for itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, TypeVar, cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bff.errors import UpstreamFailed
from bff.stores.keyring import KeyRing, SealBroken

Value = TypeVar("Value")
# A refresh may take so long; then another process may try.
REFRESH_LOCK_SECONDS = 10
# For so long after a failed refresh no process tries again.
FAILED_SECONDS = 2
POLL_SECONDS = 0.05
POLLS = 60
REFRESHING = b"asking"
# How many entries there may be of those that clients can make more of: by language, country and currency.
MAX_BOUNDED_ENTRIES = 256
BOUNDED_ENTRIES = "copies-of-many"
STORE_ERRORS = (RedisError, OSError, TimeoutError)


class Cached(msgspec.Struct, Generic[Value], frozen=True):
    """A vendor's answer, when it was asked for (Unix seconds), and the language it is in where the vendor has told."""

    value: Value
    asked_at: float
    language: str | None = None


class RefreshInProgress(Exception):
    """Another process is refreshing the entry, or has just failed to: `failed` says which."""

    def __init__(self, *, failed: bool) -> None:
        super().__init__()
        self.failed = failed


class SharedCache:
    """Sealed like everything in Valkey, so that nobody who can write there changes what the program says."""

    def __init__(self, valkey: Redis, keys: KeyRing, clock: Callable[[], float]) -> None:
        self._valkey = valkey
        self._keys = keys
        self._clock = clock

    async def get(self, name: str, kind: Any) -> Cached[Any] | None:
        """The entry of this name, if there is one whose value is of type `kind`."""
        key = _entry_key(name)
        try:
            sealed = await self._valkey.get(key)
            if not isinstance(sealed, bytes):
                return None
            return msgspec.json.decode(self._keys.open("copy", sealed, associated_data=key.encode()), type=Cached[kind])
        except (*STORE_ERRORS, SealBroken, msgspec.DecodeError):
            return None

    async def put(self, name: str, cached: Cached[Any], *, seconds: float, bounded: bool = False) -> None:
        """Keep an entry so long; of the `bounded` ones only the latest 256 are kept."""
        key = _entry_key(name)
        sealed = self._keys.seal("copy", msgspec.json.encode(cached), associated_data=key.encode())
        with contextlib.suppress(*STORE_ERRORS):
            await self._valkey.set(key, sealed, ex=int(seconds))
            if bounded:
                await self._evict_oldest(key, int(seconds))

    async def _evict_oldest(self, latest: str, seconds: int) -> None:
        await self._valkey.zadd(BOUNDED_ENTRIES, {latest: self._clock()})
        await self._valkey.expire(BOUNDED_ENTRIES, seconds)
        surplus = cast(list[bytes], await self._valkey.zrange(BOUNDED_ENTRIES, 0, -1 - MAX_BOUNDED_ENTRIES))
        if surplus:
            for key in surplus:
                await self._valkey.delete(key)
            await self._valkey.zrem(BOUNDED_ENTRIES, *surplus)

    @contextlib.asynccontextmanager
    async def refresh_lock(self, name: str) -> AsyncIterator[None]:
        """Ask the vendor inside of this: one process at a time does, and none for a moment after a failure.

        Raises RefreshInProgress before anything inside is done.
        """
        key = _lock_key(name)
        held = await self._acquire(key)
        if held is not None and (held == REFRESHING or float(held) > self._clock()):
            raise RefreshInProgress(failed=held != REFRESHING)
        try:
            yield
        except UpstreamFailed as failure:
            seconds = failure.retry_after_seconds or FAILED_SECONDS
            with contextlib.suppress(*STORE_ERRORS):
                await self._valkey.set(key, str(self._clock() + seconds).encode(), ex=seconds)
            raise
        with contextlib.suppress(*STORE_ERRORS):
            await self._valkey.delete(key)

    async def wait_for_refresh(self, name: str) -> None:
        """Wait until the process that refreshes the entry has done so, but not for long."""
        with contextlib.suppress(*STORE_ERRORS):
            for _ in range(POLLS):
                if await self._valkey.get(_lock_key(name)) != REFRESHING:
                    return
                await asyncio.sleep(POLL_SECONDS)

    async def _acquire(self, key: str) -> bytes | None:
        """None when the lock is ours now, else its value: REFRESHING, or until when a failure counts."""
        with contextlib.suppress(*STORE_ERRORS):
            before = await self._valkey.set(key, REFRESHING, nx=True, ex=REFRESH_LOCK_SECONDS, get=True)
            return before if isinstance(before, bytes) else None
        return None


def _entry_key(name: str) -> str:
    return f"copy:{name}"


def _lock_key(name: str) -> str:
    return f"refreshing:{name}"
