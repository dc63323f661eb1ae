"""The state of the pretended Subtotal: linked retailer accounts, purchases, link tokens and events.

Shapes: subtotal.com/docs/api-reference (connections, purchases, link-tokens) and .../webhooks/events. Ids are ULIDs,
amounts decimal strings.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from bff.sandbox.clock import Clock, iso
from bff.sandbox.json import Json, JsonObject, encode
from bff.sandbox.webhooks.outbox import Event

CONNECTION_TOKEN_SECONDS = 900
# Each of these states is announced by an event; that a connection was begun is not.
EVENT_OF_STATUS = {
    "active": "connection.activated",
    "unauthenticated": "connection.unauthenticated",
    "disconnected": "connection.disconnected",
}
STATUSES = ("initialized", *EVENT_OF_STATUS)
EVENT_TYPES = (*EVENT_OF_STATUS.values(), "purchase.created")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Connection:
    """A shopper's account at one retailer; `status` is one of STATUSES, `email` and `mobile` may be unknown."""

    connection_id: str
    customer_id: str
    retailer_id: str
    status: str = "initialized"
    email: str | None = None
    mobile: str | None = None
    is_simulated: bool = False


@dataclass(frozen=True)
class Purchase:
    purchase_id: str
    connection_id: str
    date: datetime
    total: Decimal
    items: tuple["Item", ...] = ()


@dataclass(frozen=True)
class Item:
    """`quantity` pieces of `price` each."""

    name: str
    price: Decimal
    quantity: int = 1
    brand: str = ""
    upc: str = ""


@dataclass
class LinkToken:
    text: str
    customer_id: str
    email: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def status(self, now: datetime) -> str:
        if self.revoked_at:
            return "revoked"
        return "active" if now < self.expires_at else "expired"


class Accounts:
    """All of Subtotal's state in one world. `events` lists what happened, oldest first, whoever receives it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.connections: dict[str, Connection] = {}
        self.purchases: dict[str, Purchase] = {}
        self.link_tokens: dict[str, LinkToken] = {}
        self.idempotent: dict[str, tuple[bytes, LinkToken]] = {}
        self.events: list[Event] = []
        self.purchase_access = "brand_products"
        self._published = 0
        self._connection_tokens: dict[str, tuple[str, str, float]] = {}

    def connect(self, customer_id: str, retailer_id: str, email: str | None, mobile: str | None = None) -> Connection:
        return self.save(Connection(self.ulid(), customer_id, retailer_id, "initialized", email, mobile))

    def save(self, connection: Connection) -> Connection:
        """Store a connection as it is now, without an event."""
        self.connections[connection.connection_id] = connection
        return connection

    def link(self, customer_id: str, retailer_id: str, email: str | None, mobile: str | None = None) -> Connection:
        """The shopper signed in at the retailer: the connection that they have there, or a new one, is active now."""
        known = self.at_retailer(customer_id, retailer_id)
        connection = known or self.connect(customer_id, retailer_id, email, mobile)
        return self.set_status(replace(connection, email=connection.email or email), "active")

    def set_status(self, connection: Connection, status: str) -> Connection:
        """With an event, also when the status was the same before."""
        changed = self.save(replace(connection, status=status))
        if status in EVENT_OF_STATUS:
            self._record_event(EVENT_OF_STATUS[status], changed)
        return changed

    def buy(
        self, connection: Connection, total: Decimal, date: datetime | None = None, items: tuple[Item, ...] = ()
    ) -> Purchase:
        """A purchase was found, made at this date or else now; without items it is one of the total."""
        purchase = self.add_purchase(connection, total, date or self._clock.now(), items)
        self._record_event("purchase.created", connection, purchase)
        return purchase

    def add_purchase(
        self, connection: Connection, total: Decimal, date: datetime, items: tuple[Item, ...] = ()
    ) -> Purchase:
        """Store a purchase, without an event."""
        items = items or (Item("Daily moisturiser", total),)
        purchase = Purchase(self.ulid(), connection.connection_id, date, total, items)
        self.purchases[purchase.purchase_id] = purchase
        return purchase

    def at_retailer(self, customer_id: str, retailer_id: str) -> Connection | None:
        """A customer's own connection to a retailer. Without a customer id a connection is nobody's."""
        own = (one for one in self.of_customer(customer_id) if customer_id and not one.is_simulated)
        return next((one for one in own if one.retailer_id == retailer_id), None)

    def of_customer(self, customer_id: str) -> Iterator[Connection]:
        return (one for one in self.connections.values() if one.customer_id == customer_id)

    def connection_token(self, connection_id: str, scope: str, text: str) -> str:
        """Store a short-lived token for one connection."""
        self._connection_tokens[text] = (connection_id, scope, self._clock.seconds() + CONNECTION_TOKEN_SECONDS)
        return text

    def connection_with_access(self, token: str) -> str | None:
        """The connection that a token with the `access` scope opens."""
        return self._connection_with(token, "access")

    def connection_to_link(self, token: str) -> Connection | None:
        """The connection that a token with the `link` scope may link."""
        return self.connections.get(self._connection_with(token, "link") or "")

    def _connection_with(self, token: str, scope: str) -> str | None:
        connection_id, scope_of_token, expires_at = self._connection_tokens.get(token, ("", "", 0.0))
        return connection_id if scope == scope_of_token and self._clock.seconds() < expires_at else None

    def link_token(self, customer_id: str, email: str | None, days: int) -> LinkToken:
        now = self._clock.now()
        token = LinkToken(f"lt_v1_{secrets.token_urlsafe(32)}", customer_id, email, now, now + timedelta(days=days))
        self.link_tokens[token.text] = token
        return token

    def ulid(self) -> str:
        """Ten characters of time and sixteen of chance."""
        number = int(self._clock.seconds() * 1000) << 80 | secrets.randbits(80)
        return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))

    def new_events(self) -> list[Event]:
        """What happened since this was last asked."""
        new_events, self._published = self.events[self._published :], len(self.events)
        return new_events

    def _record_event(self, event_type: str, connection: Connection, purchase: Purchase | None = None) -> None:
        payload: dict[str, Json] = {"connection": connection_json(connection)}
        if purchase:
            payload["purchase"] = purchase_json(purchase)
        event_id, simulated = self.ulid(), connection.is_simulated
        envelope = {"type": event_type, "id": event_id, "payload": payload} | _simulated(connection)
        resource = purchase.purchase_id if purchase else connection.connection_id
        date = purchase.date if purchase else None
        self.events.append(Event(event_id, event_type, resource, encode(envelope), simulated, date))


def connection_json(one: Connection) -> JsonObject:
    """A Connection; where `is_simulated` stands is not published."""
    shape: dict[str, Json] = {
        "connection_id": one.connection_id,
        "customer_id": one.customer_id,
        "retailer_id": one.retailer_id,
        "status": one.status,
        "email": one.email,
        "mobile": one.mobile,
    }
    return shape | _simulated(one)


def _simulated(connection: Connection) -> dict[str, Json]:
    return {"is_simulated": True} if connection.is_simulated else {}


def purchase_json(purchase: Purchase) -> JsonObject:
    """Amounts are decimal strings."""
    total = f"{purchase.total:.2f}"
    items = [_item_json(f"{purchase.purchase_id}-{number}", item) for number, item in enumerate(purchase.items)]
    return {
        "purchase_id": purchase.purchase_id,
        "date": iso(purchase.date),
        "total": total,
        "tax": "0.00",
        "subtotal": total,
        "item_count": len(items),
        "items": items,
    }


def _item_json(item_id: str, item: Item) -> JsonObject:
    product = {"name": item.name, "brand": item.brand, "upc": item.upc}
    return {
        "item_id": item_id,
        "price": f"{item.price:.2f}",
        "quantity": item.quantity,
        "product": {name: value for name, value in product.items() if value},
    }
