"""What the pretended Okendo tells of its members: every difference to what it told before, wherever it came from.

Nothing that changes a member has to remember to say so. Follows docs.okendo.io/webhooks/topics, which shows an
adjustment in full and a customer's first fields; the other resources are modelled on these, a referral is a guess.
"""

import itertools
import secrets
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from bff.sandbox.clock import iso
from bff.sandbox.config import Config
from bff.sandbox.json import Json, JsonObject, encode, poisoned
from bff.sandbox.okendo import shapes
from bff.sandbox.okendo.members import Member, Referral, Transaction
from bff.sandbox.webhooks.outbox import KEPT, Event

VERSION = "2025-02-01"
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
Seen = tuple[object, int, tuple[Referral, ...]]


class Watch:
    """Remembers how each member was when it last looked. Sequence numbers rise for ever, over resets and restarts."""

    def __init__(self, config: Config) -> None:
        self._subscriber_id = config.okendo_user_id
        self._numbers = itertools.count(int(time.time() * 1000))
        self._seen: dict[str, Seen] = {}
        self.events: deque[Event] = deque(maxlen=KEPT)

    def start_over(self, members: Mapping[str, Member]) -> None:
        self._seen = {persona: _seen(member) for persona, member in members.items()}
        self.events.clear()

    def news(self, members: Mapping[str, Member], *, hostile: bool) -> list[Event]:
        """An event for each new transaction, each new or changed referral, and one for the customer."""
        changed = [member for persona, member in members.items() if self._seen.get(persona) != _seen(member)]
        news = [self._event(hostile, *what) for member in changed for what in self._changes(member)]
        self._seen |= {member.persona: _seen(member) for member in changed}
        self.events.extend(news)
        return news

    def _changes(self, member: Member) -> Iterator[tuple[str, str, str, JsonObject]]:
        """What is to be told: resource type, topic, the resource's id, the resource."""
        before = self._seen.get(member.persona)
        _, booked, referred = before or (None, 0, ())
        for entry in member.history[booked:]:
            yield f"loyalty_{entry.kind}_transaction", "create", entry.id, self._transaction(member, entry)
        known = {one.email for one in referred}
        for one in member.referrals:
            if one not in referred:
                topic = "update" if one.email in known else "create"
                yield "referral", topic, one.email, self._referral(member, one)
        customer = {**shapes.customer(member), "subscriberId": self._subscriber_id}
        yield "loyalty_customer", "update" if before else "create", member.uuid("loyalty"), customer

    def _event(self, hostile: bool, resource_type: str, topic: str, resource_id: str, resource: JsonObject) -> Event:
        envelope: JsonObject = {
            "resource": poisoned(resource) if hostile else resource,
            "resourceType": resource_type,
            "sequenceNumber": str(next(self._numbers)),
            "topic": topic,
            "version": VERSION,
        }
        event_id = "msg_" + "".join(secrets.choice(_LETTERS) for _ in range(27))
        return Event(event_id, f"{resource_type}.{topic}", resource_id, encode(envelope))

    def _transaction(self, member: Member, entry: Transaction) -> JsonObject:
        """The storefront's shape without the type, which the resource type already tells."""
        shape = {name: value for name, value in shapes.transaction(member, entry).items() if name != "type"}
        shape |= {"subscriberId": self._subscriber_id, "customer": _customer(member)}
        return shape | ({"internalReason": entry.text} if entry.kind == "adjustment" else {})

    def _referral(self, member: Member, referral: Referral) -> JsonObject:
        return {
            "referralSenderId": member.referral_sender_id,
            "loyaltyCustomerId": member.uuid("loyalty"),
            "subscriberId": self._subscriber_id,
            "customer": _customer(member),
            "email": referral.email,
            "status": referral.status,
            "date": iso(referral.date),
        }


def _customer(member: Member) -> Mapping[str, Json]:
    return {"customerId": member.uuid("customer"), "email": member.email}


def _seen(member: Member) -> Seen:
    """All that other people may see of a member, in a form that can be compared."""
    state: Sequence[object] = (
        member.state, member.balance, member.pending, member.tier, member.spend, member.enrolled_at, member.birthday,
    )  # fmt: skip
    return state, len(member.history), tuple(member.referrals)
