"""Signing out at Shopify as well: what its end-session endpoint needs, until the shopper's browser fetches it.

Only a browser can end the session that Shopify keeps in a cookie of its own. It carries a one-use ticket, built like
the session cookie from an id and a key share, and the ID token stays here until the moment it is sent to Shopify.
"""

import hashlib
import secrets
from typing import cast

import msgspec
from redis.asyncio import Redis

from bff.stores.keyring import KeyRing, SealBroken
from bff.stores.valkey import store_errors

SIGN_OUT_SECONDS = 300
TICKET_LENGTH = 44


class SignOut(msgspec.Struct, frozen=True):
    """A sign-out that Shopify does not know of yet. `everywhere`: all of the customer's sessions were ended here."""

    id_token: str
    everywhere: bool = False

    def __repr__(self) -> str:
        return "<SignOut>"


class SignOuts:
    """Every method raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Redis, keys: KeyRing) -> None:
        self._valkey = valkey
        self._keys = keys

    async def begin(self, sign_out: SignOut) -> str:
        """Store it for five minutes; returns its ticket, 256 random bits."""
        ticket = secrets.token_urlsafe(16) + secrets.token_urlsafe(16)
        key, key_share = _key_and_key_share(ticket)
        sealed = self._keys.seal(
            "sign-out", msgspec.msgpack.encode(sign_out), associated_data=key.encode(), key_share=key_share
        )
        with store_errors():
            await self._valkey.set(key, sealed, ex=SIGN_OUT_SECONDS)
        return ticket

    async def find(self, ticket: str) -> SignOut | None:
        """The sign-out of this ticket; None when it is unknown, was taken, or is too old."""
        if len(ticket) != TICKET_LENGTH or not ticket.isascii():
            return None
        key, key_share = _key_and_key_share(ticket)
        with store_errors():
            sealed = await self._valkey.get(key)
        if sealed is None:
            return None
        try:
            opened = self._keys.open("sign-out", cast(bytes, sealed), associated_data=key.encode(), key_share=key_share)
        except SealBroken:
            return None
        return msgspec.msgpack.decode(opened, type=SignOut)

    async def take(self, ticket: str) -> bool:
        """Forget it; whether this call did, and no other one before."""
        key, _ = _key_and_key_share(ticket)
        with store_errors():
            return bool(await self._valkey.delete(key))


def _key_and_key_share(ticket: str) -> tuple[str, bytes]:
    """Its key in Valkey, and the key share that only its holder has."""
    identity, key_share = ticket[:22], ticket[22:]
    return f"sign-out:{hashlib.sha256(identity.encode()).hexdigest()}", key_share.encode()
