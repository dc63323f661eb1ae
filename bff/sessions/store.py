"""Sessions: what is stored of a signed-in shopper, and how it is kept in Valkey.

The cookie holds an id and a key share, both random. Valkey holds the SHA-256 of the id and a sealed record, which only
the key share together with the key ring opens: neither a cookie nor a dump of Valkey is enough to read it.
"""

import asyncio
import random
import secrets
import time
from typing import Any, cast

import msgspec
import structlog
from itsdangerous import BadSignature
from redis.exceptions import RedisError

from bff.clock import Clock
from bff.errors import STORE_FAILS, Problem
from bff.sessions.data import Limits, SessionData
from bff.sessions.flights import shared_as
from bff.sessions.index import KEY_PREFIX, SessionIndex, key_and_key_share
from bff.sessions.lifetime import ends_at
from bff.sessions.records import read, written
from bff.sessions.scripts import BEGIN, END, LOAD, SAVE
from bff.stores.keyring import KeyRing, SealBroken
from bff.stores.one_valkey import Valkey
from bff.stores.replicas import write_to_replica
from bff.stores.scripts import Beside, run_beside
from bff.stores.valkey import can_write, refuses_writes, store_errors
from bff.telemetry.logs import cause

TOMBSTONE_SECONDS = 3600
CHANGE_TRIES = 100
log = structlog.get_logger("sessions")
# A source of its own: it spreads load and guards nothing, and nobody else's seed matters to it.
_jitter = random.Random()  # noqa: S311  # See above.


class Session:
    """Session data with its key in the store; `data` is replaced whenever the store gives a newer one. `is_stale`:
    Okendo has said that something about the member is not as it was. `storefront` is the origin where this visit's
    coupons are applied; whoever loads the session for a visit sets it. `shared_as` names whose reads this one's may be
    shared with; None for nobody's."""

    def __init__(self, key: str, key_share: bytes, version: int, data: SessionData) -> None:
        self.key = key
        self.key_share = key_share
        self.version = version
        self.data = data
        self.is_stale = False
        self.storefront = ""
        self.shared_as: str | None = None


class Sessions:
    """The session store. Every method raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Valkey, keys: KeyRing, limits: Limits, clock: Clock = time.time) -> None:
        self.limits = limits
        self.clock = clock
        self._valkey = valkey
        self._keys = keys
        self._index = SessionIndex(valkey, keys, seconds=limits.absolute_seconds)
        self._begin = valkey.register_script(BEGIN)
        self._save = valkey.register_script(SAVE)

    async def ping(self) -> bool:
        """Whether the store answers and takes writes."""
        try:
            return await can_write(self._valkey)
        except Problem:
            return False

    async def create(self, data: SessionData, *, begun_at: float, replaces: str | None = None) -> str:
        """Store a new session under a new id and return the cookie's value (at most 100 bytes).

        The customer's oldest sessions beyond the limit are ended; the one that this one `replaces`, by its key, does
        not count any more. Raises Problem `session_expired` when all their
        sessions were ended since this sign-in was begun (Unix seconds): what was under way then revives nothing.
        """
        token = secrets.token_urlsafe(16) + secrets.token_urlsafe(16)
        key, key_share = key_and_key_share(token)
        sealed = self._seal(key, key_share, data)
        with store_errors():
            await self._begin(keys=[key], args=[sealed, self.clock(), self.limits.idle_seconds])
        await self._index.add(key, data.customer_id, data.email, self.clock())
        # Looked at last: whoever ends all sessions meanwhile finds this one, or is found here.
        if await self._index.was_ended(data.customer_id, begun_at):
            await self.end(key)
            raise Problem("session_expired", "You were signed out everywhere meanwhile. Please sign in again.")
        await self._end_surplus(data.customer_id, replaces)
        return self._keys.signer("session cookie").sign(token).decode()

    async def _end_surplus(self, customer_id: str, replaced: str | None) -> None:
        """End the customer's oldest sessions beyond the limit (B13)."""
        counted = [key for key in await self._index.of_customer(customer_id) if key != replaced]
        for surplus in counted[: -self.limits.per_customer]:
            await self.end(surplus)

    def resign_cookie(self, cookie: str) -> str | None:
        """The same cookie, one that was loaded, under the newest key; None when it is that already."""
        newest = self._keys.newest()
        # Where there is one key, it was loaded by that.
        if newest is self._keys or newest.signer("session cookie").validate(cookie):
            return None
        return newest.signer("session cookie").sign(cookie.rpartition(".")[0]).decode()

    async def load(self, cookie: str, beside: Beside | None = None, *, writes: bool = False) -> Session | None:
        """The session behind a cookie, or None when it is malformed, unknown, expired, ended or cannot be opened. That
        this visit `writes` is noted, so that no later one hears what was read before."""
        try:
            token = self._keys.signer("session cookie").unsign(cookie.encode("ascii")).decode("ascii")
        except (BadSignature, UnicodeError):
            return None
        key, key_share = key_and_key_share(token)
        with store_errors():
            fields = await self._load_fields(key, beside, writes)
        if fields is None:
            return None
        session = await self._open(key, key_share, fields[:2])
        if session is not None:
            session.is_stale = fields[2] is not None
            is_shared = len(fields) > 3 and not (writes or session.is_stale)
            session.shared_as = shared_as(key, fields[3], self.clock()) if is_shared else None
        return session

    async def _load_fields(self, key: str, beside: Beside | None, writes: bool) -> list[bytes] | None:
        """Record, version, whether it is stale, and when a write began, while this counts as a use of the session.
        Where Valkey only reads, being full or a replica, the use is not counted, nobody is turned away for that, and
        the last is missing."""
        try:
            load = LOAD.of(key, self.clock(), self.limits.idle_seconds, int(writes))
            [found] = await run_beside(self._valkey, key, beside, load)
        except RedisError as error:
            if not refuses_writes(error):
                raise
            log.warning("session_use_not_counted", **cause(error))
            names = ["record", "version", "stale", "seen"]
            record, version, stale, seen = await cast(Any, self._valkey.hmget(key, names))
            is_alive = record and seen and self.clock() - float(seen) <= self.limits.idle_seconds
            found = [record, version, stale] if is_alive else None
        return cast(list[bytes] | None, found)

    async def change(self, session: Session, **fields: Any) -> None:
        """Write these fields of the record, keeping whatever others wrote meanwhile (compare-and-set).

        Raises Problem `session_expired` when the session has ended: it is never brought back (B8), and `overloaded`
        when others were first each time.
        """
        for attempt in range(CHANGE_TRIES):
            if await self.change_if_unchanged(session, **fields):
                return
            # Many writers at once are done sooner when they do not all try again together.
            await asyncio.sleep(_jitter.uniform(0, 0.002 * attempt))
            await self.reload(session)
        log.warning("session_contended")
        raise Problem("overloaded", "Too much happens in this session at once. Try again.", retry_after_seconds=1)

    async def change_if_unchanged(self, session: Session, **fields: Any) -> bool:
        """Write these fields, unless anybody has written to the session since it was read; whether that was done."""
        data = msgspec.structs.replace(session.data, **fields)
        sealed = self._seal(session.key, session.key_share, data)
        with store_errors():
            written = await self._save(keys=[session.key], args=[session.version, sealed])
        if written:
            session.data, session.version = data, session.version + 1
        return bool(written)

    async def change_if_possible(self, session: Session, **fields: Any) -> None:
        """The same for what may as well be written at the next visit: while Valkey does not write, it is left out."""
        try:
            await self.change(session, **fields)
        except Problem as problem:
            _left_for_the_next_visit(problem)

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
        """Delete the record and leave a tombstone, so that a slow request cannot write it back, nor a failover bring it
        back where a replica answers. Idempotent."""
        with store_errors():
            await write_to_replica(self._valkey, "EVAL", END, 1, key, TOMBSTONE_SECONDS)

    async def end_all_of(self, customer_id: str, *, but: str | None = None) -> int:
        """End every session of one customer, and whatever sign-in of theirs is under way; returns how many sessions
        there were. `but` is the key of one that is left to whoever asks."""
        await self._index.end_all_before(customer_id, self.clock())
        keys = [key for key in await self._index.of_customer(customer_id) if key != but]
        for key in keys:
            await self.end(key)
        log.warning("sessions_revoked", who=self.pseudonym(customer_id))
        return len(keys)

    def pseudonym(self, customer_id: str) -> str:
        """A short keyed hash of the customer, by which log lines of one customer are found and nobody is named (M4)."""
        return self._keys.hmac("customer index", "log", customer_id)[:16]

    async def mark_member_stale(self, email: str) -> None:
        """Have every session of the member with this email ask Okendo anew at their next visit."""
        for key in await self._index.of_email(email):
            with store_errors():
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
            session = Session(key, key_share, int(version), read(opened))
        except (SealBroken, msgspec.DecodeError, ValueError):
            log.warning("session_refused", reason="it was changed, moved, or sealed by a key that is not listed")
            return None
        if self.clock() >= ends_at(session.data, self.limits):
            await self.end(key)
            return None
        is_indexed = key.startswith(KEY_PREFIX)
        return session if self._keys.is_newest(sealed) or not is_indexed else await self._under_newest_key(session)

    async def _under_newest_key(self, session: Session) -> Session | None:
        """The same session, sealed and indexed anew, so that it is found and ended when the older key is gone; None
        when it was ended while its key was not listed."""
        data = session.data
        log.info("session_resealed", who=self.pseudonym(data.customer_id))
        if await self._index.was_ended(data.customer_id, data.created_at):
            await self.end(session.key)
            return None
        try:
            await self._index.add(session.key, data.customer_id, data.email, data.created_at)
            await self.change(session)
        except Problem as problem:
            _left_for_the_next_visit(problem)
        return session

    def _seal(self, key: str, key_share: bytes, data: SessionData) -> bytes:
        return self._keys.seal("session", written(data), associated_data=key.encode(), key_share=key_share)


def _left_for_the_next_visit(problem: Problem) -> None:
    if problem.code not in STORE_FAILS:
        raise problem
    log.warning("session_not_written")
