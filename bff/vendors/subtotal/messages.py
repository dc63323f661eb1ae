"""Subtotal's dialect: what its webhooks and answers say, and whether a webhook is its own. Nothing is sent in here.

Most of it is documented at subtotal.com/docs (webhooks/events, webhooks/verifying-signatures, api-reference); where a
form is not stated, every likely one is understood.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from bff.errors import Problem

LONGEST_ID = 64
LARGEST_TOTAL = Decimal(10**9)
MOST_DECIMALS = 6
# Timestamps of so many digits are in milliseconds.
MILLISECONDS_DIGITS = 12
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A shopper's account at one retailer. `status` is initialized, active, unauthenticated, disconnected, or a word
    that we do not know; whatever a webhook leaves out is None."""

    id: str
    customer_id: str | None = None
    retailer_id: str | None = None
    status: str | None = None
    email: str | None = None


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is money with exactly the decimals that were sent."""

    id: str
    total: Decimal | None = None
    day: date | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """`id` names the event for ever: an event that comes again has it again."""

    id: str
    type: str
    connection: Connection | None
    purchase: Purchase | None
    is_simulated: bool


def check_signature(headers: Mapping[str, str], body: bytes, secret: str, now: float, tolerance_seconds: int) -> None:
    """HMAC-SHA256 over timestamp, a dot and the raw body; raises Problem `invalid_request` (403) when it does not hold.

    The encoding is not stated: hex and base64 are taken, with or without `sha256=`.
    """
    stamp = headers.get("x-subtotal-timestamp", "")
    expected = hmac.digest(secret.encode(), stamp.encode("latin-1") + b"." + body, hashlib.sha256)
    given = _signature(headers.get("x-subtotal-signature", ""))
    sent_at = _moment(stamp)
    if not hmac.compare_digest(expected, given) or sent_at is None:
        raise Problem("invalid_request", "The signature does not hold.", status=403)
    if abs(now - sent_at) > tolerance_seconds:
        raise Problem("invalid_request", "The signature is too old, or of the future.", status=403)


def _signature(given: str) -> bytes:
    text = given.strip().removeprefix("sha256=")
    try:
        if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
            return bytes.fromhex(text)
        padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
        return base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _moment(stamp: str) -> float | None:
    """A timestamp in Unix seconds: given in seconds, milliseconds or ISO 8601."""
    if re.fullmatch(r"\d{1,16}(\.\d{1,9})?", stamp, re.ASCII):
        seconds = float(stamp)
        return seconds / 1000 if len(stamp.partition(".")[0]) > MILLISECONDS_DIGITS else seconds
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_event(body: bytes) -> Event:
    """What a webhook says; raises Problem `invalid_request` for what is no event at all.

    An event without a usable id is named after its bytes, so that it is still taken once.
    """
    whole = _object(body)
    payload = whole.get("payload", {})
    if isinstance(payload, str):
        payload = _object(payload.encode("utf-8", "replace"))
    event_type = _word(whole.get("type"))
    if event_type is None or not isinstance(payload, dict):
        raise Problem("invalid_request", "The body is not an event: it has no type, or no payload.")
    connection, purchase = _inner(payload, "connection"), _inner(payload, "purchase")
    marked = (whole, payload, payload.get("connection"), payload.get("purchase"))
    return Event(
        id=_word(whole.get("id")) or hashlib.sha256(body).hexdigest(),
        type=event_type,
        connection=read_connection(connection),
        purchase=read_purchase(purchase),
        is_simulated=any(isinstance(part, dict) and part.get("is_simulated") is True for part in marked),
    )


def read_connection(found: Any) -> Connection | None:
    """A Connection of the API or of a webhook; the older API says `merchant_id`."""
    name = _id(found.get("connection_id")) if isinstance(found, dict) else None
    if name is None:
        return None
    return Connection(
        id=name,
        customer_id=_word(found.get("customer_id")),
        retailer_id=_word(found.get("retailer_id")) or _word(found.get("merchant_id")),
        status=_word(found.get("status")),
        email=_email(found.get("email")),
    )


def read_purchase(found: Any) -> Purchase | None:
    name = _id(found.get("purchase_id")) if isinstance(found, dict) else None
    if name is None:
        return None
    return Purchase(id=name, total=_total(found.get("total")), day=_day(found.get("date")))


def read_json(body: bytes) -> Any:
    """JSON whose decimals stay exact, None when it is not JSON."""
    try:
        return _decode(body)
    except (ValueError, RecursionError):
        return None


def _object(body: bytes) -> dict[str, Any]:
    found = read_json(body)
    if not isinstance(found, dict):
        raise Problem("invalid_request", "The body is not a JSON object.")
    return found


def _inner(payload: dict[str, Any], name: str) -> Any:
    """The part of that name; some events have its fields in the payload itself."""
    return payload[name] if isinstance(payload.get(name), dict) else payload


def _id(value: Any) -> str | None:
    """What can stand in an address as it is; the vendor's are ULIDs."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) else None


def _word(value: Any) -> str | None:
    fits = isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()
    return value if fits else None


def _email(value: Any) -> str | None:
    fits = isinstance(value, str) and 3 <= len(value) <= 254 and value.isprintable() and "@" in value
    return value.strip() if fits else None


def _total(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > 32:
        return None
    try:
        total = Decimal(value)
    except InvalidOperation:
        return None
    exponent = total.as_tuple().exponent
    fits = isinstance(exponent, int) and exponent >= -MOST_DECIMALS and 0 <= total < LARGEST_TOTAL
    return total if fits else None


def _day(value: Any) -> date | None:
    """The day as the retailer counts it: an offset is not converted."""
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else None
    except ValueError:
        return None
