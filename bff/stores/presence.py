"""Which processes are alive, as they say themselves in Valkey: nothing secret, and gone a minute after the last word.

It is for `doctor`, who compares them; nothing that serves a shopper depends on it.
"""

from typing import Any, Literal, cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bff.clock import Clock
from bff.stores.keyring import KeyId
from bff.stores.valkey import store_errors

Kind = Literal["web", "worker"]
ALIVE_SECONDS = 60
PROCESSES = "processes"
IN_FRONT = "keys-in-front"


class Process(msgspec.Struct, frozen=True):
    """One process: where it is and its number there, a fingerprint of its code, the keys it has, the first first, and
    how many connections to each store it may hold."""

    name: str
    kind: Kind
    code: str
    keys: tuple[KeyId, ...]
    postgresql: int
    valkey: int


class Presence:
    """Every method raises Problem `store_unavailable` when Valkey does not answer in time. `seconds` is how long a
    session lives at most: for so long it is remembered when a key was the last time the first of a process."""

    def __init__(self, valkey: Redis, clock: Clock, *, seconds: int) -> None:
        self._valkey = valkey
        self._clock = clock
        self._seconds = seconds

    async def publish(self, identity: str, process: Process) -> None:
        """Say that this process is alive, for a minute."""
        now = self._clock()
        with store_errors():
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.set(_key(identity), msgspec.json.encode(process), ex=ALIVE_SECONDS)
                pipe.sadd(PROCESSES, identity)
                pipe.expire(PROCESSES, ALIVE_SECONDS)
                pipe.zadd(IN_FRONT, {str(process.keys[0]): now})
                pipe.zremrangebyscore(IN_FRONT, "-inf", now - self._seconds)
                pipe.expire(IN_FRONT, self._seconds)
                await pipe.execute()

    async def withdraw(self, identity: str) -> None:
        """This process ends."""
        with store_errors():
            await self._valkey.delete(_key(identity))

    async def alive(self) -> list[Process]:
        """The processes that are alive, by their names."""
        with store_errors():
            members = [cast(bytes, one).decode() for one in await cast(Any, self._valkey.smembers(PROCESSES))]
            found = [await self._valkey.get(_key(one)) for one in members]
            gone = [one for one, text in zip(members, found, strict=True) if text is None]
            if gone:
                await cast(Any, self._valkey.srem(PROCESSES, *gone))
        processes = [process for text in found if text is not None and (process := _read(cast(bytes, text)))]
        return sorted(processes, key=lambda process: (process.kind, process.name))

    async def last_in_front(self) -> dict[KeyId, float]:
        """When each key was the last time the first of a process (Unix seconds), for as long as a session lives."""
        with store_errors():
            found = cast(list[tuple[bytes, float]], await self._valkey.zrange(IN_FRONT, 0, -1, withscores=True))
        return {KeyId.read(name.decode()): at for name, at in found}

    async def most_connections(self) -> int | None:
        """How many connections Valkey gives to everybody together; None where it does not tell."""
        with store_errors():
            try:
                return int((await cast(Any, self._valkey.info("clients")))["maxclients"])
            except (ResponseError, KeyError):
                return None


def _key(identity: str) -> str:
    return f"process:{identity}"


def _read(text: bytes) -> Process | None:
    """None for what another version of the service wrote in another form."""
    try:
        return msgspec.json.decode(text, type=Process)
    except msgspec.DecodeError:
        return None
