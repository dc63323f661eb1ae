"""Session handles: how a storefront's server acts for one customer while it renders a page.

A handle is built like the session cookie, from an id and a key share, and signed for a purpose of its own, so that
neither counts as the other. What it opens is a session of a quarter of an hour. It stands in no index: whoever ends all
sessions of a customer leaves a mark, and every use of a handle looks for it.

Why: docs/decisions/server-rendering.md
"""

import hashlib
import secrets

from itsdangerous import BadSignature
from msgspec import structs

from bff.errors import Problem
from bff.sessions.data import SessionData
from bff.sessions.index import SessionIndex
from bff.sessions.records import written
from bff.sessions.scripts import BEGIN
from bff.sessions.store import Session, Sessions
from bff.stores.keyring import KeyRing
from bff.stores.one_valkey import Valkey
from bff.stores.valkey import store_errors

HANDLE_SECONDS = 900
KEY_PREFIX = "handle:"


class Handles:
    """Every method raises Problem `store_unavailable` when Valkey does not answer in time."""

    def __init__(self, valkey: Valkey, keys: KeyRing, sessions: Sessions, index: SessionIndex) -> None:
        self._keys = keys
        self._sessions = sessions
        self._index = index
        self._begin = valkey.register_script(BEGIN)

    async def issue(self, data: SessionData, *, begun_at: float) -> tuple[str, Session]:
        """A new handle, and the session that it opens.

        Raises Problem `session_expired` when all sessions of the customer were ended since `begun_at` (Unix seconds).
        """
        token, now = secrets.token_urlsafe(16) + secrets.token_urlsafe(16), self._sessions.clock()
        key, key_share = _key_and_key_share(token)
        data = structs.replace(data, ends_by=now + HANDLE_SECONDS)
        sealed = self._keys.seal("session", written(data), associated_data=key.encode(), key_share=key_share)
        with store_errors():
            await self._begin(keys=[key], args=[sealed, now, HANDLE_SECONDS])
        if await self._index.was_ended(data.customer_id, begun_at):
            await self._sessions.end(key)
            raise Problem("session_expired", "They were signed out everywhere meanwhile.")
        return self._keys.signer("session handle").sign(token).decode(), Session(key, key_share, 1, data)

    async def load(self, handle: str) -> Session | None:
        """The session behind a handle; None when it is malformed, unknown, too old, or ended. Use does not prolong
        it."""
        try:
            token = self._keys.signer("session handle").unsign(handle.encode("ascii")).decode("ascii")
        except (BadSignature, UnicodeError):
            return None
        session = await self._sessions.find(*_key_and_key_share(token))
        if session is None or await self._index.was_ended(session.data.customer_id, session.data.created_at):
            return None
        return session


def _key_and_key_share(token: str) -> tuple[str, bytes]:
    """The key in Valkey of a handle's session, and the key share that only the handle has."""
    identity, key_share = token[:22], token[22:]
    return KEY_PREFIX + hashlib.sha256(identity.encode()).hexdigest(), key_share.encode()
