"""Sessions: what is stored of a signed-in shopper, and how it is kept in Valkey.

The cookie holds an id and a key share, both random. Valkey holds the SHA-256 of the id and a sealed record, which only
the key share together with the key ring opens: neither a cookie nor a dump of Valkey is enough to read it.
"""

import asyncio
import hashlib
import random
import secrets
import time
from typing import Any, cast

import msgspec
import structlog
from itsdangerous import BadSignature
from redis.asyncio import Redis

from bff.clock import Clock
from bff.errors import Problem
from bff.stores.keyring import KeyRing, SealBroken
from bff.stores.valkey import store_errors
from bff.vendors.shopify.tokens import ShopifyTokens

TOMBSTONE_SECONDS = 3600
CHANGE_TRIES = 100
log = structlog.get_logger("sessions")
# A source of its own: it spreads load and guards nothing, and nobody else's seed matters to it.
_jitter = random.Random()  # noqa: S311


class LoyaltyToken(msgspec.Struct, frozen=True, kw_only=True):
    """The Okendo customer JWT, a secret, and when to renew it at the latest (Unix seconds)."""

    jwt: str
    expires_at: float

    def __repr__(self) -> str:
        return "<LoyaltyToken>"


class SessionData(msgspec.Struct, frozen=True, kw_only=True):
    """What is encrypted. `session_nonce` is new at every sign-in and binds forms to it; `state` is the member's state
    when Okendo last told us."""

    customer_id: str
    # Stored under its earlier name, so that a deploy signs nobody out.
    session_nonce: str = msgspec.field(name="generation")
    created_at: float
    shopify: ShopifyTokens
    loyalty: LoyaltyToken | None = None
    state: str = "pending"
    name: str | None = None
    email: str | None = None

    def __repr__(self) -> str:
        return "<SessionData>"


class Session:
    """Session data with its key in the store; `data` is replaced whenever the store gives a newer one. `is_stale`:
    Okendo has said that something about the member is not as it was."""

    def __init__(self, key: str, key_share: bytes, version: int, data: SessionData) -> None:
        self.key = key
        self.key_share = key_share
        self.version = version
        self.data = data
        self.is_stale = False


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a session lives, unused and in all, and how many one customer may have."""

    idle_seconds: int
    absolute_seconds: int
    per_customer: int


# Both scripts touch one key, so they also work in a cluster. Times come from the service's clock, not the store's.
LOAD = """
local fields = redis.call('HMGET', KEYS[1], 'record', 'version', 'seen', 'stale')
if not fields[1] then return nil end
local seen = tonumber(fields[3])
if not seen or tonumber(ARGV[1]) - seen > tonumber(ARGV[2]) then redis.call('DEL', KEYS[1]) return nil end
redis.call('HSET', KEYS[1], 'seen', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {fields[1], fields[2], fields[4]}
"""
SAVE = """
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'version', ARGV[1] + 1)
return 1
"""


class Sessions:
    """The session store. Every method raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Redis, keys: KeyRing, limits: Limits, clock: Clock = time.time) -> None:
        self.limits = limits
        self.clock = clock
        self._valkey = valkey
        self._keys = keys
        self._load = valkey.register_script(LOAD)
        self._save = valkey.register_script(SAVE)

    async def ping(self) -> bool:
        """Whether the store answers."""
        try:
            with store_errors():
                return bool(await cast(Any, self._valkey.ping()))
        except Problem:
            return False

    async def create(self, data: SessionData) -> str:
        """Store a new session under a new id and return the cookie's value (at most 100 bytes).

        The customer's oldest sessions beyond the limit are ended.
        """
        token = secrets.token_urlsafe(16) + secrets.token_urlsafe(16)
        key, key_share = _key_and_key_share(token)
        fields = {"record": self._seal(key, key_share, data), "version": 1, "seen": self.clock()}
        with store_errors():
            async with self._valkey.pipeline(transaction=True) as pipe:
                pipe.hset(key, mapping=cast(Any, fields))
                pipe.expire(key, self.limits.idle_seconds)
                await pipe.execute()
            await self._index(data, key)
        return self._keys.signer("session cookie").sign(token).decode()

    def resign_cookie(self, cookie: str) -> str | None:
        """The same cookie under the newest key; None when it is that already."""
        newest = self._keys.newest().signer("session cookie")
        if newest.validate(cookie):
            return None
        return newest.sign(cookie.rpartition(".")[0]).decode()

    async def load(self, cookie: str) -> Session | None:
        """The session behind a cookie, or None when it is malformed, unknown, expired, ended or cannot be opened."""
        try:
            token = self._keys.signer("session cookie").unsign(cookie.encode("ascii")).decode("ascii")
        except (BadSignature, UnicodeError):
            return None
        key, key_share = _key_and_key_share(token)
        with store_errors():
            fields = await self._load(keys=[key], args=[self.clock(), self.limits.idle_seconds])
        if fields is None:
            return None
        session = await self._open(key, key_share, fields[:2])
        if session is not None:
            session.is_stale = fields[2] is not None
        return session

    async def change(self, session: Session, **fields: Any) -> None:
        """Write these fields of the record, keeping whatever others wrote meanwhile (compare-and-set).

        Raises Problem `session_expired` when the session has ended: it is never brought back (B8).
        """
        for attempt in range(CHANGE_TRIES):
            data = msgspec.structs.replace(session.data, **fields)
            sealed = self._seal(session.key, session.key_share, data)
            with store_errors():
                written = await self._save(keys=[session.key], args=[session.version, sealed])
            if written:
                session.data, session.version = data, session.version + 1
                return
            # Many writers at once are done sooner when they do not all try again together.
            await asyncio.sleep(_jitter.uniform(0, 0.002 * attempt))
            await self.reload(session)
        raise Problem("store_unavailable", "The session is being changed too often at once.", retry_after_seconds=1)

    async def reload(self, session: Session) -> None:
        """Read the record anew; raises Problem `session_expired` when the session has ended."""
        fresh = await self.find(session.key, session.key_share)
        if fresh is None:
            raise Problem("session_expired", "Your session has ended. Please sign in again.")
        session.data, session.version = fresh.data, fresh.version

    async def find(self, key: str, key_share: bytes) -> Session | None:
        """The session under this key, or None; unlike `load`, this does not count as a use of it."""
        with store_errors():
            fields = await cast(Any, self._valkey.hmget(key, ["record", "version"]))
        return await self._open(key, key_share, fields) if fields[0] else None

    async def end(self, key: str) -> None:
        """Delete the record and leave a tombstone, so that a slow request cannot write it back. Idempotent."""
        with store_errors():
            async with self._valkey.pipeline(transaction=True) as pipe:
                pipe.delete(key)
                pipe.hset(key, "version", "ended")
                pipe.expire(key, TOMBSTONE_SECONDS)
                await pipe.execute()

    async def end_all_of(self, customer_id: str) -> int:
        """End every session of one customer; returns how many there were."""
        indexes = [f"customer:{hmac}" for hmac in self._keys.hmacs("customer index", customer_id)]
        with store_errors():
            keys = [key for index in indexes for key in await self._alive(index)]
            await self._valkey.delete(*indexes)
        for key in keys:
            await self.end(key)
        return len(keys)

    async def mark_member_stale(self, email: str) -> None:
        """Have every session of the member with this email ask Okendo anew at their next visit."""
        with store_errors():
            for hmac in self._keys.hmacs("customer index", "email", email.casefold()):
                for key in await self._alive(f"member:{hmac}"):
                    await cast(Any, self._valkey.hset(key, "stale", 1))

    async def mark_stale(self, session: Session) -> None:
        """Have this session ask Okendo anew at its next visit."""
        with store_errors():
            await cast(Any, self._valkey.hset(session.key, "stale", 1))
        session.is_stale = True

    async def clear_stale(self, session: Session) -> None:
        """Before Okendo is asked, so that what changes meanwhile is not missed."""
        with store_errors():
            await cast(Any, self._valkey.hdel(session.key, "stale"))
        session.is_stale = False

    async def _open(self, key: str, key_share: bytes, fields: list[bytes]) -> Session | None:
        sealed, version = fields
        try:
            opened = self._keys.open("session", sealed, associated_data=key.encode(), key_share=key_share)
            session = Session(key, key_share, int(version), msgspec.msgpack.decode(opened, type=SessionData))
        except (SealBroken, msgspec.DecodeError, ValueError):
            log.warning("session_refused", reason="it was changed, moved, or sealed by a key that is not listed")
            return None
        if self.clock() - session.data.created_at >= self.limits.absolute_seconds:
            await self.end(key)
            return None
        if not self._keys.is_newest(sealed):
            await self.change(session)
        return session

    def _seal(self, key: str, key_share: bytes, data: SessionData) -> bytes:
        return self._keys.seal(
            "session", msgspec.msgpack.encode(data), associated_data=key.encode(), key_share=key_share
        )

    async def _index(self, data: SessionData, key: str) -> None:
        """Add the session to the indexes by customer and by email, and end the oldest ones beyond the limit (B13)."""
        indexes = [f"customer:{hmac}" for hmac in self._keys.hmacs("customer index", data.customer_id)]
        newest = indexes[:1]
        if data.email is not None:
            newest.append("member:" + self._keys.newest().hmac("customer index", "email", data.email.casefold()))
        for index in newest:
            await self._valkey.zadd(index, {key: self.clock()})
            await self._valkey.expire(index, self.limits.absolute_seconds)
        oldest_first = [key for index in reversed(indexes) for key in await self._alive(index)]
        for surplus in oldest_first[: -self.limits.per_customer]:
            await self.end(surplus)

    async def _alive(self, index: str) -> list[str]:
        """The sessions of an index that still exist, oldest first; those that ended are taken out."""
        keys = [cast(bytes, key).decode() for key in await self._valkey.zrange(index, 0, -1)]
        exists = [await cast(Any, self._valkey.hexists(key, "record")) for key in keys]
        ended = [key for key, there in zip(keys, exists, strict=True) if not there]
        if ended:
            await self._valkey.zrem(index, *ended)
        return [key for key, there in zip(keys, exists, strict=True) if there]


def _key_and_key_share(token: str) -> tuple[str, bytes]:
    """The key in Valkey of a cookie's session, and the key share that only the cookie has."""
    identity, key_share = token[:22], token[22:]
    return "session:" + hashlib.sha256(identity.encode()).hexdigest(), key_share.encode()
