"""What an event of Subtotal's earns, by the merchant's table of actions; the awards are written down with it."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec
import structlog

from bff.awards.counting import counted
from bff.awards.ledger import Awards, NewAward
from bff.awards.pay import FIRST_BACKOFF_SECONDS, NeedsReview, backoff_seconds, why_refused
from bff.errors import UpstreamFailed, VendorRefused
from bff.settings.actions import Action, Event
from bff.stores.inbox import Inbox, Stored
from bff.vendors.subtotal import webhooks
from bff.vendors.subtotal.client import SubtotalClient
from bff.vendors.subtotal.replies import Connection, Purchase

# The event of the table of actions for a type of webhook; events of any other type are kept and earn nothing.
MEANING: dict[str, Event] = {"connection.activated": "account.linked", "purchase.created": "purchase.created"}
log = structlog.get_logger("events")


class PurchaseEvents:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        awards: Awards,
        subtotal: SubtotalClient | None,
        actions: Sequence[Action],
        pays_simulated: bool,
    ) -> None:
        self._inbox = inbox
        self._awards = awards
        self._subtotal = subtotal
        self._actions = actions
        self._pays_simulated = pays_simulated

    async def take(self, number: int) -> float | None:
        """Turn an event into what it earns. Returns in how many seconds to come back, None when it is done."""
        stored = await self._inbox.find(number)
        if stored is None:
            return None
        event = webhooks.read_event(stored.body)
        if event.type not in MEANING:
            await self._inbox.settle(number, "ignored", "earns nothing")
        elif stored.is_simulated and not self._pays_simulated:
            await self._inbox.settle(number, "ignored", "is simulated")
        else:
            return await self._add_awards(stored, event)
        return None

    async def _add_awards(self, stored: Stored, event: webhooks.SubtotalEvent) -> float | None:
        try:
            new_awards = await self._earned(MEANING[event.type], event, stored.received_at.date())
        except NeedsReview as flaw:
            reason = str(flaw)
        except VendorRefused as refusal:
            reason = why_refused(refusal)
        except UpstreamFailed as failure:
            if not stored.overdue:
                return failure.retry_after_seconds or backoff_seconds(stored.seconds_since / FIRST_BACKOFF_SECONDS)
            reason = "Subtotal could not be asked for more"
        else:
            added = await self._awards.add(stored.id, new_awards)
            log.info("event_taken", what=event.type, awards=added)
            return None
        await self._inbox.settle(stored.id, "needs_review", reason)
        log.error("event_needs_review", what=event.type, reason=reason)
        return None

    async def _earned(self, what: Event, event: webhooks.SubtotalEvent, today: date) -> list[NewAward]:
        """What the table of actions pays for this event."""
        if not any(action.event == what for action in self._actions):
            return []
        connection = await self._completed(event.connection)
        purchase, on = None, today
        if what == "purchase.created":
            purchase = await self._completed_purchase(connection, event.purchase)
            on = purchase.day or today
        retailer = connection.retailer_id or ""
        actions = [action for action in self._actions if action.is_for(what, retailer, on)]
        if purchase is None:
            return [_new_award(action, connection) for action in actions]
        if actions and purchase.items is None and any(action.counts == "items" for action in actions):
            purchase = await self._with_items(connection, purchase)
        values = [counted(action, purchase) for action in actions]
        return [
            _new_award(action, connection, purchase, value)
            for action, value in zip(actions, values, strict=True)
            if value
        ]

    async def _completed(self, given: Connection | None) -> Connection:
        """The connection with retailer, customer and email, asked for where the event leaves them out."""
        if given is None:
            raise NeedsReview("names no connection")
        if not (given.retailer_id and given.customer_id and given.email) and self._subtotal is not None:
            told = await self._subtotal.connection(given.id)
            known = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not None}
            given = msgspec.structs.replace(told, **known)
        if given.retailer_id is None:
            raise NeedsReview("names no retailer")
        return given

    async def _completed_purchase(self, connection: Connection, given: Purchase | None) -> Purchase:
        """The purchase with its total and day, asked for where the event leaves them out."""
        if given is None:
            raise NeedsReview("names no purchase")
        if (given.total is None or given.day is None) and self._subtotal is not None:
            given = _merged(given, await self._subtotal.purchase(connection.id, given.id))
        if given.total is None or given.day is None:
            raise NeedsReview("names no total, or no date")
        return given

    async def _with_items(self, connection: Connection, purchase: Purchase) -> Purchase:
        """The purchase with what was in the basket, where Subtotal tells it."""
        if self._subtotal is None:
            return purchase
        return _merged(purchase, await self._subtotal.purchase(connection.id, purchase.id))


def _merged(given: Purchase, told: Purchase) -> Purchase:
    """What the event says, and the rest as Subtotal told when it was asked."""
    known = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not None}
    return msgspec.structs.replace(told, **known)


def _new_award(
    action: Action, connection: Connection, purchase: Purchase | None = None, value: Decimal | None = None
) -> NewAward:
    return NewAward(
        event=action.event,
        action=action.name,
        earning_rule_id=action.earning_rule_id,
        customer_id=connection.customer_id or connection.email or connection.id,
        email=connection.email,
        retailer_id=(connection.retailer_id or "").casefold(),
        connection_id=connection.id,
        purchase_id=purchase.id if purchase else None,
        value=value,
    )
