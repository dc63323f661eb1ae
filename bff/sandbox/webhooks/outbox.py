"""Which events are to be delivered to whom, and how far each delivery has come. Nothing is sent in here."""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bff.sandbox.json import JsonObject
from bff.sandbox.webhooks.policies import DeliveryPolicy

KEPT = 10_000
AT_ONCE = 10


@dataclass(frozen=True)
class Event:
    """Something that happened: `resource` is the id of what it happened to, `body` what is sent, byte for byte,
    with `headers` besides those that sign it."""

    id: str
    type: str
    resource: str
    body: bytes
    is_simulated: bool = False
    purchased_at: datetime | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def summary(self) -> JsonObject:
        return {"id": self.id, "type": self.type, "resource": self.resource, "is_simulated": self.is_simulated}


@dataclass(frozen=True)
class Destination:
    """Where events go; no `event_types` means all of them."""

    url: str
    secret: str
    policy: DeliveryPolicy
    event_types: tuple[str, ...] = ()
    receive_simulated_events: bool = False
    purchased_from: datetime | None = None
    purchased_until: datetime | None = None

    def wants(self, event: Event) -> bool:
        if self.event_types and event.type not in self.event_types:
            return False
        if event.is_simulated and not self.receive_simulated_events:
            return False
        return event.purchased_at is None or self._wants_purchase_of(event.purchased_at)

    def _wants_purchase_of(self, moment: datetime) -> bool:
        too_early = self.purchased_from is not None and moment < self.purchased_from
        too_late = self.purchased_until is not None and moment > self.purchased_until
        return not too_early and not too_late


@dataclass(eq=False)
class Delivery:
    """One event on its way to one destination; `status` is what the last attempt was answered, if it was."""

    event: Event
    destination: Destination
    due_at: float
    attempts: int = 0
    status: int | None = None
    outcome: str = "waiting"

    def attempted(self, started_at: float, status: int | None) -> None:
        """Any 2xx is a success; anything else is tried again after the next gap."""
        gaps = self.destination.policy.retry_gaps_seconds
        self.attempts, self.status = self.attempts + 1, status
        if status is not None and 200 <= status < 300:
            self.outcome = "delivered"
        elif self.attempts > len(gaps):
            self.outcome = "failed"
        else:
            self.due_at = started_at + gaps[self.attempts - 1]

    def summary(self) -> JsonObject:
        return {
            "id": self.event.id,
            "type": self.event.type,
            "url": self.destination.url,
            "attempts": self.attempts,
            "status": self.status,
            "outcome": self.outcome,
        }


class Outbox:
    """All deliveries since the last reset. `changed` is set whenever the sender should have another look."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT)
        self._waiting: list[Delivery] = []
        self._in_flight: dict[Delivery, asyncio.Task[None]] = {}

    def add(self, events: Iterable[Event], destinations: Iterable[Destination], now: float) -> None:
        """Every event goes to every destination that wants it, at once."""
        pairs = itertools.product(events, list(destinations))
        new = [Delivery(event, destination, now) for event, destination in pairs if destination.wants(event)]
        self.deliveries.extend(new)
        self._waiting.extend(new)

    def due(self, now: float) -> list[Delivery]:
        """Those whose time has come, as many as may still be under way at once."""
        due = sorted((one for one in self._idle() if one.due_at <= now), key=lambda one: one.due_at)
        return due[: AT_ONCE - len(self._in_flight)]

    def next_due_at(self) -> float | None:
        """When something has to be sent next; None while nothing can be."""
        if len(self._in_flight) >= AT_ONCE:
            return None
        return min((one.due_at for one in self._idle()), default=None)

    def _idle(self) -> Iterable[Delivery]:
        return (one for one in self._waiting if one not in self._in_flight)

    def started(self, delivery: Delivery, attempt: "asyncio.Task[None]") -> None:
        self._in_flight[delivery] = attempt

    def ended(self, delivery: Delivery) -> None:
        """An attempt is over, whatever came of it; after a reset nobody knows the delivery any more."""
        self._in_flight.pop(delivery, None)
        if delivery.outcome != "waiting" and delivery in self._waiting:
            self._waiting.remove(delivery)
        self.changed.set()

    def clear(self) -> None:
        """Nothing more is sent of what happened until now."""
        for attempt in self._in_flight.values():
            attempt.cancel()
        self._in_flight.clear()
        self._waiting.clear()
        self.deliveries.clear()
        self.changed.set()
