"""What was seen first, kept for all processes: whoever sees something else later is told what it was."""

from typing import cast

from redis.asyncio import Redis

from bff.stores.valkey import store_errors


class Pins:
    """Kept in Valkey without an end. Raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Redis) -> None:
        self._valkey = valkey

    async def pin(self, name: str, value: str) -> str:
        """The first value that any process pinned under this name: this one, if there was none."""
        with store_errors():
            earlier = await self._valkey.set(f"pin:{name}", value.encode(), nx=True, get=True)
        return cast(bytes, earlier).decode() if earlier is not None else value

    async def find(self, name: str) -> str | None:
        """What is pinned under this name."""
        with store_errors():
            pinned = await self._valkey.get(f"pin:{name}")
        return cast(bytes, pinned).decode() if pinned is not None else None
