"""Forgetting a member: everything goes that need not stay, in one transaction, and the trail says so."""

from collections.abc import Sequence

import msgspec

from bff.awards.ledger import Awards
from bff.members.consents import Consents
from bff.privacy.trail import CustomerTrail
from bff.redemptions.ledger import Ledger
from bff.sessions.store import Sessions
from bff.stores.audit import Audit, NewLine
from bff.stores.database import Database
from bff.stores.inbox import Inbox
from bff.stores.outbox import Outbox


class Forgotten(msgspec.Struct, kw_only=True):
    """How many were ended, deleted, or kept because they must be."""

    sessions_ended: int = 0
    redemptions_deleted: int = 0
    redemptions_kept: int = 0
    consents_deleted: int = 0
    consents_kept: int = 0
    awards_deleted: int = 0
    awards_kept: int = 0
    webhooks_emptied: int = 0
    events_deleted: int = 0


class Forgetting:
    """Every method raises Problem `store_unavailable` when a store does not answer."""

    def __init__(
        self,
        *,
        database: Database,
        sessions: Sessions,
        ledger: Ledger,
        consents: Consents,
        awards: Awards,
        inbox: Inbox,
        outbox: Outbox,
        audit: Audit,
        customer_trail: CustomerTrail,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._ledger = ledger
        self._consents = consents
        self._awards = awards
        self._inbox = inbox
        self._outbox = outbox
        self._audit = audit
        self._customer_trail = customer_trail

    async def forget(self, names: Sequence[str], *, who: str, why: str | None) -> Forgotten:
        """Forget the customer of these names (`privacy.names`), of which the first is Shopify's id.

        The sessions end first, so that nothing new is written for the member while the rest is deleted. Raises Problem
        `request_in_progress` while a redemption of theirs is under way.
        """
        gone = Forgotten()
        for name in names:
            # An email is a name in purchases elsewhere alone.
            if "@" in name:
                continue
            gone.sessions_ended += await self._sessions.end_all_of(name)
        async with self._database.together():
            for name in names:
                await self._forget(name, gone)
            target, after = self._customer_trail.target(names[0]), msgspec.structs.asdict(gone)
            line = NewLine(who=who, action="members forget", target=target, why=why, before=None, after=after)
            await self._audit.add(line)
        return gone

    async def _forget(self, name: str, gone: Forgotten) -> None:
        for table, kind in (
            (self._ledger, "redemptions"),
            (self._consents, "consents"),
            (self._awards, "awards"),
        ):
            deleted, kept = await table.forget(name)
            setattr(gone, f"{kind}_deleted", getattr(gone, f"{kind}_deleted") + deleted)
            setattr(gone, f"{kind}_kept", getattr(gone, f"{kind}_kept") + kept)
        gone.webhooks_emptied += await self._inbox.forget(name)
        gone.events_deleted += await self._outbox.forget(name)
