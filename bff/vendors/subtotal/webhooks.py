"""What Subtotal's webhooks say, and whether they are its own.

https://www.subtotal.com/docs, webhooks/events and webhooks/verifying-signatures; where a form is not stated, every
likely one is understood.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from bff.errors import Problem
from bff.vendors.subtotal.replies import (
    Connection,
    Purchase,
    read_connection,
    read_json,
    read_purchase,
    read_word,
)

# Timestamps of more digits than this are in milliseconds.
SECONDS_DIGITS = 12


class SubtotalEvent(msgspec.Struct, frozen=True, kw_only=True):
    """`id` names the event for ever: an event that comes again has it again."""

    id: str
    type: str
    connection: Connection | None
    purchase: Purchase | None
    is_simulated: bool


def check_signature(
    headers: Mapping[str, str], body: bytes, secret: str, *, now: float, tolerance_seconds: int
) -> None:
    """HMAC-SHA256 over timestamp, a dot and the raw body; raises Problem `invalid_request` (403) when it does not hold.

    The encoding is not stated: hex and base64 are taken, with or without `sha256=`.
    """
    stamp = headers.get("x-subtotal-timestamp", "")
    expected = hmac.digest(secret.encode(), stamp.encode("latin-1") + b"." + body, hashlib.sha256)
    given = _signature(headers.get("x-subtotal-signature", ""))
    sent_at = _unix_seconds(stamp)
    if not hmac.compare_digest(expected, given) or sent_at is None:
        raise Problem("invalid_request", "The signature does not hold.", status=403)
    if abs(now - sent_at) > tolerance_seconds:
        raise Problem("invalid_request", "The signature is too old, or of the future.", status=403)


def read_event(body: bytes) -> SubtotalEvent:
    """What a webhook says; raises Problem `invalid_request` for what is no event at all.

    An event without a usable id is named after its bytes, so that it is still taken once.
    """
    whole = _object(body)
    payload = whole.get("payload", {})
    if isinstance(payload, str):
        payload = _object(payload.encode("utf-8", "replace"))
    event_type = read_word(whole.get("type"))
    if event_type is None or not isinstance(payload, dict):
        raise Problem("invalid_request", "The body is not an event: it has no type, or no payload.")
    connection, purchase = _part(payload, "connection"), _part(payload, "purchase")
    parts = (whole, payload, payload.get("connection"), payload.get("purchase"))
    return SubtotalEvent(
        id=read_word(whole.get("id")) or hashlib.sha256(body).hexdigest(),
        type=event_type,
        connection=read_connection(connection),
        purchase=read_purchase(purchase),
        is_simulated=any(isinstance(part, dict) and part.get("is_simulated") is True for part in parts),
    )


def _signature(given: str) -> bytes:
    text = given.strip().removeprefix("sha256=")
    try:
        if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
            return bytes.fromhex(text)
        padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _unix_seconds(stamp: str) -> float | None:
    """Of a timestamp in seconds, milliseconds or ISO 8601; None when it is none."""
    if re.fullmatch(r"\d{1,16}(\.\d{1,9})?", stamp, re.ASCII):
        seconds = float(stamp)
        return seconds / 1000 if len(stamp.partition(".")[0]) > SECONDS_DIGITS else seconds
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _object(body: bytes) -> dict[str, Any]:
    found = read_json(body)
    if not isinstance(found, dict):
        raise Problem("invalid_request", "The body is not a JSON object.")
    return found


def _part(payload: dict[str, Any], name: str) -> Any:
    """The part of that name; some events have its fields in the payload itself."""
    return payload[name] if isinstance(payload.get(name), dict) else payload
