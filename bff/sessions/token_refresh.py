"""New Shopify tokens for a session whose old ones end.

Shopify's refresh tokens are used once, and a second use ends the whole sign-in. A lease can be lost while it is held: a
store is restarted, a process stands still. So the session itself says that its refresh token is being sent, written by
compare-and-set before it is, and whoever reads that waits for the outcome.
"""

import structlog

from bff.errors import Busy, UpstreamFailed, VendorRefused
from bff.sessions.store import Session, Sessions
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import ShopifyTokens

log = structlog.get_logger("exchange")


class TokenRefresh:
    """`seconds` is how long a refresh is waited for at most, more than a call can take: then its holder is taken for
    dead, and the token, whose fate nobody knows, is sent again."""

    def __init__(self, *, shopify: ShopifyClient, sessions: Sessions, seconds: float) -> None:
        self._shopify = shopify
        self._sessions = sessions
        self._seconds = seconds

    async def refresh(self, session: Session) -> ShopifyTokens:
        """The session's new tokens, stored before they are used, since the old refresh token does not work any more.

        Raises Busy while another one refreshes them, VendorRefused when the grant is dead, UpstreamFailed, and Problem
        `session_expired`.
        """
        before = session.data.shopify
        begun_at = await self._begin(session, before)
        if begun_at is None:
            return session.data.shopify
        try:
            tokens = await self._shopify.refresh(before)
        except UpstreamFailed:
            await self._give_up(session, begun_at)
            raise
        except VendorRefused:
            await self._sessions.reload(session)
            if session.data.shopify == before:
                raise
            return session.data.shopify
        await self._sessions.change(session, shopify=tokens, refresh_begun_at=0.0)
        return tokens

    async def _begin(self, session: Session, before: ShopifyTokens) -> float | None:
        """Write that this token is being sent, and when (Unix seconds). None when others have new ones meanwhile."""
        while session.data.shopify == before:
            now = self._sessions.clock()
            if self._is_under_way(session):
                raise Busy
            if await self._sessions.change_if_unchanged(session, refresh_begun_at=now):
                # Who stood still while it was written may have been taken for dead.
                if self._sessions.clock() - now >= self._seconds / 2:
                    raise Busy
                return now
            await self._sessions.reload(session)
        return None

    def _is_under_way(self, session: Session) -> bool:
        return abs(self._sessions.clock() - session.data.refresh_begun_at) < self._seconds

    async def _give_up(self, session: Session, begun_at: float) -> None:
        """It has failed: the next one may try at once, unless somebody else does already."""
        await self._sessions.reload(session)
        if session.data.refresh_begun_at == begun_at:
            await self._sessions.change_if_unchanged(session, refresh_begun_at=0.0)
