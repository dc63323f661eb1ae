"""What the merchant's server is told of: the closed list of events, and all that each of them says.

Nothing in here is personal beyond Shopify's own id of the customer, which the merchant's server has too: no name, no
address, no coupon code, no token (docs/decisions/events.md).
"""

import re

from bff.schemas.base import whole
from bff.stores.outbox import EventType, NewEvent

CUSTOMER = re.compile(r"(?:gid://shopify/Customer/)?(\d{1,20})", re.ASCII)


def signed_in(customer_id: str) -> NewEvent:
    """A session has begun."""
    return _event("signed_in", customer_id)


def joined(customer_id: str, consent: int) -> NewEvent:
    """Okendo has enrolled them, by the consent of that number."""
    return _event("joined", customer_id, str(consent))


def redeemed(customer_id: str, reference: str, key: str, reward_id: str, points: int) -> NewEvent:
    """It is certain that points were spent for a reward, by the redemption of that support reference."""
    data: dict[str, str | int] = {"redemptionKey": key, "rewardId": reward_id, "points": points}
    return _event("redeemed", customer_id, reference, data)


def coupon_applied(customer_id: str, reward_id: str | None) -> NewEvent:
    """One of their coupons counts in their cart now; of which reward it is, where that is known."""
    return _event("coupon_applied", customer_id, data=None if reward_id is None else {"rewardId": reward_id})


def earned(customer_id: str, rule_id: str, kind: str, points: int | None, *, reference: str | None = None) -> NewEvent:
    """An earning rule has paid: `kind` is as in the answer to a completion. An award has a reference."""
    data: dict[str, str | int] = {"earningRuleId": rule_id, "kind": kind}
    return _event("earned", customer_id, reference, data if points is None else data | {"points": points})


def earned_elsewhere(customer: str, reference: str, rule_id: str, points: float | None) -> NewEvent | None:
    """The award of that reference is paid. None for a customer whom Subtotal does not name by Shopify's id: in its
    place may be an address."""
    found = CUSTOMER.fullmatch(customer)
    if found is None:
        return None
    customer_id = f"gid://shopify/Customer/{found[1]}"
    return earned(customer_id, rule_id, "points", whole(points), reference=reference)


def referred(customer_id: str) -> NewEvent:
    """Okendo has invited a friend of theirs; whom is nobody's business."""
    return _event("referred", customer_id)


def _event(
    kind: EventType, customer_id: str, deed: str | None = None, data: dict[str, str | int] | None = None
) -> NewEvent:
    return NewEvent(type=kind, customer_id=customer_id, deed=deed, data={"customerId": customer_id} | (data or {}))
