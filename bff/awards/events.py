"""What an event of Subtotal's earns: the merchant's table of actions read against it, and promises written down."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import msgspec
import structlog

from bff.awards.ledger import Awards, Promise
from bff.awards.pay import AGAIN_SECONDS, Unclear, later, why_refused
from bff.errors import UpstreamFailed, VendorRefused
from bff.settings.actions import Action, Event
from bff.stores.inbox import Inbox, Stored
from bff.vendors.subtotal import messages
from bff.vendors.subtotal.client import Retail
from bff.vendors.subtotal.messages import Connection, Purchase

# What Subtotal's webhooks are in the table of actions; every other type is kept and earns nothing.
MEANING: dict[str, Event] = {"connection.activated": "account.linked", "purchase.created": "purchase.created"}
log = structlog.get_logger("events")


class Terms(NamedTuple):
    """What the merchant has decided."""

    actions: Sequence[Action]
    simulated_events: bool


class Events:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, inbox: Inbox, awards: Awards, retail: Retail | None, terms: Terms) -> None:
        self._inbox = inbox
        self._awards = awards
        self._retail = retail
        self._terms = terms

    async def take(self, number: int) -> float | None:
        """Turn an event into what it earns. Returns in how many seconds to come back, None when it is done."""
        stored = await self._inbox.find(number)
        if stored is None:
            return None
        event = messages.read_event(stored.body)
        if event.type not in MEANING:
            await self._inbox.settle(number, "ignored", "earns nothing")
        elif stored.is_simulated and not self._terms.simulated_events:
            await self._inbox.settle(number, "ignored", "is simulated")
        else:
            return await self._promise(stored, event)
        return None

    async def _promise(self, stored: Stored, event: messages.Event) -> float | None:
        try:
            promises = await self._earned(MEANING[event.type], event, stored.received_at.date())
        except Unclear as flaw:
            reason = str(flaw)
        except VendorRefused as refusal:
            reason = why_refused(refusal)
        except UpstreamFailed as failure:
            if not stored.overdue:
                return failure.retry_after_seconds or later(stored.seconds_since / AGAIN_SECONDS)
            reason = "Subtotal could not be asked for more"
        else:
            new = await self._awards.promise(stored.id, promises)
            log.info("event_taken", what=event.type, awards=new)
            return None
        log.error("event_parked", what=event.type, reason=reason)
        await self._inbox.settle(stored.id, "parked", reason)
        return None

    async def _earned(self, what: Event, event: messages.Event, today: date) -> list[Promise]:
        """What the table of actions pays for this event."""
        if not any(action.event == what for action in self._terms.actions):
            return []
        connection = await self._whole(event.connection)
        purchase, on = None, today
        if what == "purchase.created":
            purchase = await self._priced(connection, event.purchase)
            on = purchase.day or today
        retailer = connection.retailer_id or ""
        actions = [action for action in self._terms.actions if action.is_for(what, retailer, on)]
        if purchase is not None and not purchase.total:
            return []
        return [_promised(action, connection, purchase) for action in actions]

    async def _whole(self, given: Connection | None) -> Connection:
        """The connection with retailer, customer and email, asked for where the event leaves them out."""
        if given is None:
            raise Unclear("names no connection")
        if not (given.retailer_id and given.customer_id and given.email) and self._retail is not None:
            told = await self._retail.connection(given.id)
            known = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not None}
            given = msgspec.structs.replace(told, **known)
        if given.retailer_id is None:
            raise Unclear("names no retailer")
        return given

    async def _priced(self, connection: Connection, given: Purchase | None) -> Purchase:
        """The purchase with its total and day, asked for where the event leaves them out."""
        if given is None:
            raise Unclear("names no purchase")
        if (given.total is None or given.day is None) and self._retail is not None:
            told = await self._retail.purchase(connection.id, given.id)
            given = Purchase(id=given.id, total=given.total or told.total, day=given.day or told.day)
        if given.total is None or given.day is None:
            raise Unclear("names no total, or no date")
        return given


def _promised(action: Action, connection: Connection, purchase: Purchase | None) -> Promise:
    return Promise(
        event=action.event,
        action=action.name,
        earning_rule_id=action.earning_rule_id,
        customer_id=connection.customer_id or connection.email or connection.id,
        email=connection.email,
        retailer_id=(connection.retailer_id or "").casefold(),
        connection_id=connection.id,
        purchase_id=purchase.id if purchase else None,
        value=purchase.total if purchase else None,
    )
