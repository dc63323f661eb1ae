"""The events of the pretended Okendo: every difference of a member to when it last looked, wherever it came from.

So nothing that changes a member has to make an event. Follows docs.okendo.io/webhooks/topics, which shows an
adjustment in full and a customer's first fields; the other resources are modelled on these, a referral is a guess.
"""

import itertools
import secrets
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from bff.sandbox.clock import iso
from bff.sandbox.config import Config
from bff.sandbox.json import Json, JsonObject, encode, with_hostile_texts
from bff.sandbox.okendo import replies
from bff.sandbox.okendo.members import Member, Referral, Transaction
from bff.sandbox.webhooks.outbox import KEPT, Event

VERSION = "2025-02-01"
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
Snapshot = tuple[object, int, tuple[Referral, ...]]
# Resource type, topic, the resource's id, and the resource.
Change = tuple[str, str, str, JsonObject]


class ChangeFeed:
    """Knows how each member was when it last looked. Sequence numbers rise for ever, over resets and restarts."""

    def __init__(self, config: Config) -> None:
        self._subscriber_id = config.okendo_user_id
        self._numbers = itertools.count(int(time.time() * 1000))
        self._snapshots: dict[str, Snapshot] = {}
        self.events: deque[Event] = deque(maxlen=KEPT)

    def reset(self, members: Mapping[str, Member]) -> None:
        self._snapshots = {persona: _snapshot(member) for persona, member in members.items()}
        self.events.clear()

    def new_events(self, members: Mapping[str, Member], *, hostile: bool) -> list[Event]:
        """An event for each new transaction, each new or changed referral, and one for the customer."""
        changed = [member for persona, member in members.items() if self._snapshots.get(persona) != _snapshot(member)]
        new_events = [self._event(change, hostile=hostile) for member in changed for change in self._changes(member)]
        self._snapshots |= {member.persona: _snapshot(member) for member in changed}
        self.events.extend(new_events)
        return new_events

    def _changes(self, member: Member) -> Iterator[Change]:
        before = self._snapshots.get(member.persona)
        _, transactions, referrals = before or (None, 0, ())
        for entry in member.history[transactions:]:
            yield f"loyalty_{entry.kind}_transaction", "create", entry.id, self._transaction(member, entry)
        known = {one.email for one in referrals}
        for one in member.referrals:
            if one not in referrals:
                topic = "update" if one.email in known else "create"
                yield "referral", topic, one.email, self._referral(member, one)
        customer = {**replies.customer(member), "subscriberId": self._subscriber_id}
        yield "loyalty_customer", "update" if before else "create", member.uuid("loyalty"), customer

    def _event(self, change: Change, *, hostile: bool) -> Event:
        resource_type, topic, resource_id, resource = change
        envelope: JsonObject = {
            "resource": with_hostile_texts(resource) if hostile else resource,
            "resourceType": resource_type,
            "sequenceNumber": str(next(self._numbers)),
            "topic": topic,
            "version": VERSION,
        }
        event_id = "msg_" + "".join(secrets.choice(_LETTERS) for _ in range(27))
        return Event(event_id, f"{resource_type}.{topic}", resource_id, encode(envelope))

    def _transaction(self, member: Member, entry: Transaction) -> JsonObject:
        """The storefront's fields without the type, which the resource type already tells."""
        fields = {name: value for name, value in replies.transaction(member, entry).items() if name != "type"}
        fields |= {"subscriberId": self._subscriber_id, "customer": _customer(member)}
        return fields | ({"internalReason": entry.text} if entry.kind == "adjustment" else {})

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


def _snapshot(member: Member) -> Snapshot:
    """All that other people may see of a member, in a form that can be compared."""
    state: Sequence[object] = (
        member.state, member.balance, member.pending, member.tier, member.spend, member.enrolled_at, member.birthday,
    )  # fmt: skip
    return state, len(member.history), tuple(member.referrals)
