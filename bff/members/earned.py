"""What a completed way to earn paid, kept for an hour so that the page after the form can show it, reload and all."""

import hashlib
from typing import cast

import msgspec
from redis.asyncio import Redis

from bff.errors import Problem
from bff.schemas.redemption import Result
from bff.sessions.store import Session
from bff.stores.keyring import KeyRing, SealBroken
from bff.stores.valkey import store_errors

KEPT_SECONDS = 3600


class EarnedResults:
    """Only the session that earned it can open it. It may be lost: then what the program tells is shown."""

    def __init__(self, valkey: Redis, keys: KeyRing) -> None:
        self._valkey = valkey
        self._keys = keys

    async def keep(self, session: Session, rule_id: str, result: Result) -> None:
        """Left out while Valkey does not write: what was earned is earned."""
        key = _key(session, rule_id)
        sealed = self._keys.seal(
            "earned", msgspec.msgpack.encode(result), associated_data=key.encode(), key_share=session.key_share
        )
        try:
            with store_errors():
                await self._valkey.set(key, sealed, ex=KEPT_SECONDS)
        except Problem:
            return

    async def find(self, session: Session, rule_id: str) -> Result | None:
        """What this session has earned by this rule within the hour; None where that is not known."""
        key = _key(session, rule_id)
        try:
            with store_errors():
                sealed = await self._valkey.get(key)
            if sealed is None:
                return None
            opened = self._keys.open(
                "earned", cast(bytes, sealed), associated_data=key.encode(), key_share=session.key_share
            )
            return msgspec.msgpack.decode(opened, type=Result)
        except (Problem, SealBroken, msgspec.MsgspecError):
            return None


def _key(session: Session, rule_id: str) -> str:
    return f"earned:{hashlib.sha256(f'{session.key}/{rule_id}'.encode()).hexdigest()}"
