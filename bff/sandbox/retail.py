"""What the pretended Subtotal remembers: linked retailer accounts, purchases, link tokens and what happened.

Shapes: subtotal.com/docs/api-reference (connections, purchases, link-tokens). Ids are ULIDs, amounts decimal strings.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from .clock import Clock
from .wire import JsonObject

CONNECTION_TOKEN_SECONDS = 900
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Connection:
    """A shopper's account at one retailer; `status` is initialized, active, unauthenticated or disconnected."""

    connection_id: str
    customer_id: str
    retailer_id: str
    status: str = "initialized"
    email: str | None = None
    mobile: str | None = None


@dataclass(frozen=True)
class Purchase:
    purchase_id: str
    connection_id: str
    date: datetime
    total: Decimal


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


class Retail:
    """All of Subtotal's state in one world.

    `events` lists what a webhook sender would have to deliver, oldest first; this server has no sender.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.connections: dict[str, Connection] = {}
        self.purchases: dict[str, Purchase] = {}
        self.link_tokens: dict[str, LinkToken] = {}
        self.idempotent: dict[str, tuple[bytes, LinkToken]] = {}
        self.events: list[JsonObject] = []
        self._connection_tokens: dict[str, tuple[str, str, float]] = {}

    def connect(self, customer_id: str, retailer_id: str, email: str | None, mobile: str | None = None) -> Connection:
        connection = Connection(self.ulid(), customer_id, retailer_id, "initialized", email, mobile)
        self.connections[connection.connection_id] = connection
        return connection

    def link(self, customer_id: str, retailer_id: str, email: str) -> Connection:
        """The shopper signed in at the retailer: their connection is active from now on."""
        known = (one for one in self.of_customer(customer_id) if one.retailer_id == retailer_id)
        connection = replace(next(known, None) or self.connect(customer_id, retailer_id, email), status="active")
        self.connections[connection.connection_id] = connection
        self._happened("connection.activated", connection.connection_id)
        return connection

    def buy(self, connection: Connection, total: Decimal) -> Purchase:
        purchase = Purchase(self.ulid(), connection.connection_id, self._clock.now(), total)
        self.purchases[purchase.purchase_id] = purchase
        self._happened("purchase.created", purchase.purchase_id)
        return purchase

    def of_customer(self, customer_id: str) -> Iterator[Connection]:
        return (one for one in self.connections.values() if one.customer_id == customer_id)

    def connection_token(self, connection_id: str, scope: str, text: str) -> str:
        """Remember a short-lived token for one connection."""
        self._connection_tokens[text] = (connection_id, scope, self._clock.seconds() + CONNECTION_TOKEN_SECONDS)
        return text

    def connection_with_access(self, token: str) -> str | None:
        """The connection that a token with the `access` scope opens."""
        connection_id, scope, expires_at = self._connection_tokens.get(token, ("", "", 0.0))
        return connection_id if scope == "access" and self._clock.seconds() < expires_at else None

    def link_token(self, customer_id: str, email: str | None, days: int) -> LinkToken:
        now = self._clock.now()
        token = LinkToken(f"lt_v1_{secrets.token_urlsafe(32)}", customer_id, email, now, now + timedelta(days=days))
        self.link_tokens[token.text] = token
        return token

    def ulid(self) -> str:
        """Ten characters of time and sixteen of chance."""
        number = int(self._clock.seconds() * 1000) << 80 | secrets.randbits(80)
        return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))

    def _happened(self, event_type: str, resource_id: str) -> None:
        self.events.append({"id": self.ulid(), "type": event_type, "resource": resource_id})
