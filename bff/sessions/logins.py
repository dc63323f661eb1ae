"""Pending sign-ins: what the callback needs to know, stored for ten minutes."""

import hashlib
from typing import cast

import msgspec
from redis.asyncio import Redis

from bff.stores.keyring import KeyRing, SealBroken
from bff.stores.valkey import store_errors
from bff.vendors.shopify.tokens import PendingLogin

LOGIN_SECONDS = 600


class PendingLogins:
    """Every method raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Redis, keys: KeyRing) -> None:
        self._valkey = valkey
        self._keys = keys

    async def begin(self, pending: PendingLogin) -> None:
        """Store a sign-in for ten minutes; several may be pending in one browser."""
        key = _key(pending.state)
        sealed = self._keys.seal("login", msgspec.msgpack.encode(pending), associated_data=key.encode())
        with store_errors():
            await self._valkey.set(key, sealed, ex=LOGIN_SECONDS)

    async def take(self, state: str) -> PendingLogin | None:
        """The pending sign-in of this state, once; None when it is unknown, used or too old."""
        key = _key(state)
        with store_errors():
            sealed = await self._valkey.getdel(key)
        if sealed is None:
            return None
        try:
            opened = self._keys.open("login", cast(bytes, sealed), associated_data=key.encode())
        except SealBroken:
            return None
        return msgspec.msgpack.decode(opened, type=PendingLogin)


def _key(state: str) -> str:
    return "login:" + hashlib.sha256(state.encode()).hexdigest()
