"""What a member can do about their accounts at other retailers: see them, link another, sign in again, unlink.

Whether an account is linked is what Subtotal's API says at that moment; that a shopper came back from its page says
nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from bff.awards.ledger import Award, Awards
from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.schemas.money import Money
from bff.schemas.retailers import LinkedAccount, RetailAward, Retailer
from bff.sessions.store import Session
from bff.stores.leases import Leases
from bff.tasks import DetachedTasks
from bff.vendors.sanitize import with_clean_texts
from bff.vendors.subtotal.client import LONGEST_EMAIL, SubtotalClient
from bff.vendors.subtotal.replies import Connection

LEASE_WAIT_SECONDS = 6.0
AWARDS_SHOWN = 10
# Subtotal's words that say something; any other means that the shopper has to do something about it.
STATES = frozenset({"initialized", "active", "unauthenticated", "disconnected"})


class LinkTarget(NamedTuple):
    """An account to sign in to, for the first time or again; with neither the shopper chooses at Subtotal."""

    retailer_id: str | None = None
    connection_id: str | None = None


class LinkedRetailers:
    """One store's linked accounts; `currency` is the shop's, since Subtotal tells none. Without Subtotal every method
    raises Problem `feature_unavailable`; besides what they say, all raise UpstreamFailed when Subtotal fails, and
    Problem `store_unavailable`."""

    def __init__(
        self,
        *,
        subtotal: SubtotalClient | None,
        awards: Awards,
        leases: Leases,
        retailer_ids: Sequence[str],
        tasks: DetachedTasks,
        currency: str | None,
    ) -> None:
        self._given = subtotal
        self._currency = currency
        self._awards = awards
        self._leases = leases
        self._tasks = tasks
        self._retailer_ids = retailer_ids

    async def accounts(self, session: Session) -> list[LinkedAccount]:
        return [_shown(connection) for connection in await self._connections(session)]

    async def awards(self, session: Session) -> list[RetailAward]:
        """The latest points from other retailers, newest first."""
        found = await self._awards.listed(state="all", customer_id=session.data.customer_id, limit=AWARDS_SHOWN)
        return [
            _award_shown(with_clean_texts(award), self._currency)
            for award in found
            if award.state != "needs_review" or award.possibly_paid
        ]

    def available(self) -> list[Retailer] | None:
        """Which retailers earn something here; None when any does."""
        return [_retailer(name) for name in self._retailer_ids] or None

    async def link(self, session: Session, wanted: LinkTarget, return_url: str) -> str:
        """The address of Subtotal's page for this; the account carries the member's customer id and email.

        Raises Problem `not_found` for an account or a retailer that is not theirs to choose, `feature_unavailable` for
        a member without an email address, `invalid_email` for one that Subtotal does not take.
        """
        return await self._tasks.run(self._link_alone(session, wanted, return_url))

    async def _link_alone(self, session: Session, wanted: LinkTarget, return_url: str) -> str:
        """One at a time, so that a double click does not make two accounts."""
        async with self._leases.lease(f"link:{session.data.customer_id}", wait_seconds=LEASE_WAIT_SECONDS):
            try:
                return await self._link(session, wanted, return_url)
            except VendorRefused as refusal:
                raise _explained(refusal) from None

    async def unlink(self, session: Session, connection_id: str) -> None:
        """End the link; raises Problem `not_found` for an account that is not the member's."""
        connection = await self._own(session, connection_id)
        try:
            await self._tasks.run(self._subtotal.disconnect(connection.id))
        except VendorRefused as refusal:
            # Somebody was faster, perhaps the same shopper in another tab.
            if refusal.status != 404:
                raise _explained(refusal) from None

    @property
    def _subtotal(self) -> SubtotalClient:
        if self._given is None:
            raise Problem("feature_unavailable", "Accounts at other shops cannot be linked here.")
        return self._given

    async def _connections(self, session: Session) -> list[Connection]:
        try:
            return await self._subtotal.connections(session.data.customer_id)
        except VendorRefused as refusal:
            raise _explained(refusal) from None

    async def _own(self, session: Session, connection_id: str) -> Connection:
        mine = await self._connections(session)
        found = next((connection for connection in mine if connection.id == connection_id), None)
        if found is None:
            raise Problem("not_found", "There is no such account.")
        return found

    async def _link(self, session: Session, wanted: LinkTarget, return_url: str) -> str:
        if wanted.connection_id is not None:
            connection = await self._own(session, wanted.connection_id)
            return await self._subtotal.link_to(connection.id, return_url)
        subtotal, email = self._subtotal, _email(session)
        if wanted.retailer_id is None:
            return await subtotal.link_anew(session.data.customer_id, email, return_url)
        connection = await self._unfinished(session, wanted.retailer_id) or await subtotal.connect(
            session.data.customer_id, wanted.retailer_id, email
        )
        return await subtotal.link_to(connection.id, return_url)

    async def _unfinished(self, session: Session, retailer_id: str) -> Connection | None:
        """An account at this retailer that is there but not active is used again."""
        if self._retailer_ids and retailer_id not in self._retailer_ids:
            raise Problem("not_found", "There is no such shop to link.")
        return next(
            (
                connection
                for connection in await self._connections(session)
                if (connection.retailer_id or "").casefold() == retailer_id and connection.status != "active"
            ),
            None,
        )


def _email(session: Session) -> str:
    """Points are given by email, so an account without one would earn nothing."""
    email = session.data.email
    if email is None:
        raise Problem("feature_unavailable", "Linking needs an email address in your shop account.")
    if len(email) > LONGEST_EMAIL:
        raise Problem(
            "invalid_email",
            "Linking takes email addresses of at most %(most)s characters.",
            values={"most": LONGEST_EMAIL},
        )
    return email


def _explained(refusal: VendorRefused) -> Problem:
    if refusal.status in {404, 422}:
        return Problem("not_found", "There is no such shop to link.")
    return UpstreamFailed("Linked accounts cannot be reached right now.", sent=False)


def _shown(connection: Connection) -> LinkedAccount:
    state = connection.status if connection.status in STATES else "unauthenticated"
    return LinkedAccount(
        id=connection.id,
        retailer=_retailer(connection.retailer_id or ""),
        state=state,  # type: ignore[arg-type]  # mypy does not follow STATES
    )


def _retailer(retailer_id: str) -> Retailer:
    """Subtotal's ids are names in small letters: `best-buy` is shown as Best Buy."""
    words = retailer_id.replace("_", "-").split("-")
    return Retailer(id=retailer_id, name=" ".join(word.capitalize() for word in words) or "A shop")


def _award_shown(award: Award, currency: str | None) -> RetailAward:
    return RetailAward(
        event=award.event,
        name=award.action,
        retailer=_retailer(award.retailer_id),
        state="given" if award.state == "paid" else "working",
        created_at=award.created_at,
        points=None if award.points is None else round(award.points),
        spend=Money.of(award.value, currency),
    )
