"""Which sessions a customer has, which the member with an email, and when all of a customer's were ended at once.

A customer and an email are known by their HMAC, so that a dump of Valkey names nobody. What an older key of the ring
made the name of is found as well. A session is known by the digest in its key, 32 bytes: with members of more than 64
bytes Valkey keeps even a small set as a skiplist, which takes five times as much.
https://valkey.io/topics/memory-optimization/
"""

import hashlib
from collections.abc import Sequence
from typing import Any, cast

from redis.asyncio import Redis

from bff.stores.keyring import KeyRing
from bff.stores.replicas import write_to_replica
from bff.stores.valkey import store_errors

KEY_PREFIX = "session:"
DIGEST_BYTES = 32


class SessionIndex:
    """Sorted sets of sessions in Valkey, by when each session began (Unix seconds). `seconds` is how long a session
    lives at most. Every method raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Redis, keys: KeyRing, *, seconds: int) -> None:
        self._valkey = valkey
        self._keys = keys
        self._seconds = seconds

    async def add(self, key: str, customer_id: str, email: str | None, began_at: float) -> None:
        """Add a session to the indexes of its customer and of their email, if they have one."""
        newest = [self._of_customer(customer_id)[0]]
        if email is not None:
            newest.append(self._of_email(email)[0])
        with store_errors():
            for index in newest:
                await self._valkey.zadd(index, {_member_of(key): began_at})
                await self._valkey.expire(index, self._seconds)

    async def of_customer(self, customer_id: str) -> list[str]:
        """The keys of the customer's sessions, the oldest first."""
        return await self._alive(self._of_customer(customer_id))

    async def began(self, customer_id: str) -> list[float]:
        """When each of the customer's sessions began (Unix seconds), the oldest first."""
        with store_errors():
            found = [await self._alive_in(index) for index in self._of_customer(customer_id)]
        return sorted({key: at for alive in found for key, at in alive}.values())

    async def of_email(self, email: str) -> list[str]:
        """The keys of the sessions of the member with this email, the oldest first."""
        return await self._alive(self._of_email(email))

    async def end_all_before(self, customer_id: str, moment: float) -> None:
        """From now on no session of the customer counts that was begun at or before this moment (Unix seconds).

        Under the name by every key: one of them may be removed while what it sealed could still come back.
        """
        with store_errors():
            for name in self._ended(customer_id):
                await write_to_replica(self._valkey, "SET", name, moment, "EX", self._seconds)

    async def was_ended(self, customer_id: str, begun_at: float) -> bool:
        """Whether all the customer's sessions were ended since this moment (Unix seconds)."""
        with store_errors():
            moments = [await self._valkey.get(name) for name in self._ended(customer_id)]
        return any(begun_at <= float(moment) for moment in moments if moment is not None)

    def _of_customer(self, customer_id: str) -> list[str]:
        return [f"customer:{hmac}" for hmac in self._keys.hmacs("customer index", customer_id)]

    def _ended(self, customer_id: str) -> list[str]:
        return [f"ended:{hmac}" for hmac in self._keys.hmacs("customer index", customer_id)]

    def _of_email(self, email: str) -> list[str]:
        return [f"member:{hmac}" for hmac in self._keys.hmacs("customer index", "email", email.casefold())]

    async def _alive(self, indexes: Sequence[str]) -> list[str]:
        """The sessions of these indexes that still exist, oldest first; those that ended are taken out."""
        with store_errors():
            # One that was indexed anew under a newer key is in two of them.
            began = {key: at for index in indexes for key, at in await self._alive_in(index)}
        return sorted(began, key=lambda key: began[key])

    async def _alive_in(self, index: str) -> list[tuple[str, float]]:
        members = cast(list[tuple[bytes, float]], await self._valkey.zrange(index, 0, -1, withscores=True))
        exists = [await cast(Any, self._valkey.hexists(_key_of(member), "record")) for member, _ in members]
        ended = [member for (member, _), there in zip(members, exists, strict=True) if not there]
        if ended:
            await self._valkey.zrem(index, *ended)
        return [(_key_of(member), at) for (member, at), there in zip(members, exists, strict=True) if there]


def _member_of(key: str) -> bytes:
    return bytes.fromhex(key.removeprefix(KEY_PREFIX))


def _key_of(member: bytes) -> str:
    """The key of a session from its member of an index; in those of the version before that was the key itself."""
    return KEY_PREFIX + member.hex() if len(member) == DIGEST_BYTES else member.decode()


def key_and_key_share(token: str) -> tuple[str, bytes]:
    """The key in Valkey of a cookie's session, and the key share that only the cookie has."""
    identity, key_share = token[:22], token[22:]
    return KEY_PREFIX + hashlib.sha256(identity.encode()).hexdigest(), key_share.encode()
