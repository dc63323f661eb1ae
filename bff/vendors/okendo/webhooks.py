"""What Okendo's webhooks say. They are a hint that something about a member has changed, never the truth about it.

Signed like Svix's (Standard Webhooks): docs.okendo.io/webhooks/getting-started, docs.svix.com/receiving.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from bff.errors import Problem
from bff.vendors.json_text import decode_json

LONGEST = 128


class OkendoEvent(msgspec.Struct, frozen=True, kw_only=True):
    """`type` is such as loyalty_customer.update, `resource` the loyalty customer it is about; `sequence` orders events
    of one type; `email` is the member's, where the event says so."""

    id: str
    type: str
    resource: str | None
    sequence: int | None
    email: str | None


def read_event(headers: Mapping[str, str], body: bytes, secret: str) -> OkendoEvent:
    """The event in a webhook. Raises Problem `invalid_request`, with 403 when the signature does not hold or is older
    than five minutes."""
    signed = {f"webhook-{part}": _header(headers, part) for part in ("id", "timestamp", "signature")}
    try:
        Webhook(secret).verify(body, signed, json_parse=False)
    except (WebhookVerificationError, ValueError, OverflowError):
        raise Problem("invalid_request", "The signature does not hold, or is too old.", status=403) from None
    try:
        whole = decode_json(body)
    except (ValueError, RecursionError):
        whole = None
    resource = whole.get("resource") if isinstance(whole, dict) else None
    if not isinstance(resource, dict):
        raise Problem("invalid_request", "The body is not an event: it has no resource.")
    customer = resource.get("customer")
    return OkendoEvent(
        id=signed["webhook-id"][:LONGEST],
        type=f"{_word(whole.get('resourceType')) or 'unknown'}.{_word(whole.get('topic')) or 'unknown'}",
        resource=_word(resource.get("loyaltyCustomerId")),
        sequence=_number(whole.get("sequenceNumber")),
        email=_word(customer.get("email")) if isinstance(customer, dict) else None,
    )


def email_of(body: bytes) -> str | None:
    """The member's email in an event that was read before."""
    customer = decode_json(body).get("resource", {}).get("customer")
    return _word(customer.get("email")) if isinstance(customer, dict) else None


def _header(headers: Mapping[str, str], part: str) -> str:
    return headers.get(f"svix-{part}") or headers.get(f"webhook-{part}", "")


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable() else None


def _number(value: Any) -> int | None:
    """The vendor writes it as a text."""
    return int(value) if re.fullmatch(r"\d{1,30}", str(value), re.ASCII) else None
