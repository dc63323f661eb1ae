"""One-use tickets: the tokens that the storefront's server handed in for a shopper, until their browser fetches them.

A ticket is built like the session cookie, from an id and a key share: Valkey alone cannot open one.
"""

import hashlib
import secrets
from typing import Literal, cast

import msgspec
from redis.asyncio import Redis

from bff.stores.keyring import KeyRing, SealBroken
from bff.stores.valkey import store_errors
from bff.vendors.shopify.tokens import ShopifyCustomer, ShopifyTokens

# A ticket is brought in an address, or by a script. A question's is in the form of the page that asks before somebody
# is signed in, and lasts longer, since they have to read first; neither counts as the other.
Kind = Literal["ticket", "question"]
TICKET_SECONDS = 60
LASTS_SECONDS: dict[Kind, int] = {"ticket": TICKET_SECONDS, "question": 600}
TICKET_LENGTH = 44


class TicketPayload(msgspec.Struct, frozen=True):
    """Who is signed in with a ticket: a customer whose tokens Shopify has accepted. `begun_at` is when the tokens were
    handed in (Unix seconds), `origin` the storefront whose pages alone may bring it, where its server has named one."""

    tokens: ShopifyTokens
    customer: ShopifyCustomer
    # What an earlier version stored does not tell; that counts as begun before everything else.
    begun_at: float = 0.0
    origin: str | None = None

    def __repr__(self) -> str:
        return "<TicketPayload>"


class Tickets:
    """Every method raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Redis, keys: KeyRing) -> None:
        self._valkey = valkey
        self._keys = keys

    async def issue(self, payload: TicketPayload, kind: Kind = "ticket") -> str:
        """A new ticket: 256 random bits."""
        ticket = secrets.token_urlsafe(16) + secrets.token_urlsafe(16)
        key, key_share = _key_and_key_share(ticket, kind)
        sealed = self._keys.seal(
            "ticket", msgspec.msgpack.encode(payload), associated_data=key.encode(), key_share=key_share
        )
        with store_errors():
            await self._valkey.set(key, sealed, ex=LASTS_SECONDS[kind])
        return ticket

    async def take(self, ticket: str, kind: Kind = "ticket") -> TicketPayload | None:
        """Who is signed in with it, once; None when it is unknown, of the other kind, used or too old."""
        if len(ticket) != TICKET_LENGTH or not ticket.isascii():
            return None
        key, key_share = _key_and_key_share(ticket, kind)
        with store_errors():
            sealed = await self._valkey.getdel(key)
        if sealed is None:
            return None
        try:
            opened = self._keys.open("ticket", cast(bytes, sealed), associated_data=key.encode(), key_share=key_share)
        except SealBroken:
            return None
        return msgspec.msgpack.decode(opened, type=TicketPayload)


def _key_and_key_share(ticket: str, kind: Kind) -> tuple[str, bytes]:
    """Its key in Valkey, and the key share that only its holder has."""
    identity, key_share = ticket[:22], ticket[22:]
    return f"{kind}:{hashlib.sha256(identity.encode()).hexdigest()}", key_share.encode()
