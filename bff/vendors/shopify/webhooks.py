"""What Shopify's webhooks about privacy say, and whether they are its own.

https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance (payloads; 401 for a bad signature; done within 30
days) and https://shopify.dev/docs/apps/build/webhooks/subscribe/https (the signature): documented.

The signature covers the body alone, neither the topic nor the webhook's id. So the body has to say by itself what is
asked for: a signed order that is sent again under another topic forgets nobody.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from bff.errors import Problem
from bff.vendors.json_text import decode_json

Topic = Literal["customers/data_request", "customers/redact", "shop/redact"]
# The part that each topic's body has and no other one of Shopify's.
TOPICS: Mapping[str, str] = {
    "customers/data_request": "data_request",
    "customers/redact": "orders_to_redact",
    "shop/redact": "shop_domain",
}
LONGEST_EMAIL = 320


class PrivacyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`id` names the webhook; `customer_id` is a number, and `request_id` Shopify's name of a data request."""

    id: str
    topic: Topic
    customer_id: str | None = None
    email: str | None = None
    request_id: str | None = None


def check_signature(headers: Mapping[str, str], body: bytes, secret: str) -> None:
    """HMAC-SHA256 over the raw body, in base64; raises Problem `invalid_request` (401) when it does not hold."""
    expected = hmac.digest(secret.encode(), body, hashlib.sha256)
    if not hmac.compare_digest(expected, _decoded(headers.get("x-shopify-hmac-sha256", ""))):
        raise Problem("invalid_request", "The signature does not hold.", status=401)


def topic_of(headers: Mapping[str, str]) -> str | None:
    """One of the three topics; None for any other, which asks nothing of us."""
    topic = headers.get("x-shopify-topic", "")
    return topic if topic in TOPICS else None


def read_request(topic: str, webhook_id: str, body: bytes) -> PrivacyRequest:
    """What is asked for; raises Problem `invalid_request` for a body that is not of this topic.

    A webhook without a usable id is named after its bytes, so that it is still taken once.
    """
    whole = _object(body)
    customer, asked = whole.get("customer"), whole.get("data_request")
    of_a_customer = topic != "shop/redact"
    customer_id = _number(customer.get("id")) if isinstance(customer, dict) else None
    if TOPICS[topic] not in whole or of_a_customer != isinstance(customer, dict) or of_a_customer != bool(customer_id):
        raise Problem("invalid_request", "The body is not of this topic.")
    return PrivacyRequest(
        id=webhook_id if re.fullmatch(r"[\w-]{1,64}", webhook_id, re.ASCII) else hashlib.sha256(body).hexdigest(),
        topic=msgspec.convert(topic, Topic),
        customer_id=customer_id,
        email=_email(customer.get("email")) if isinstance(customer, dict) else None,
        request_id=_number(asked.get("id")) if isinstance(asked, dict) else None,
    )


def _decoded(given: str) -> bytes:
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _object(body: bytes) -> dict[str, Any]:
    try:
        whole = decode_json(body)
    except (ValueError, RecursionError):
        whole = None
    if not isinstance(whole, dict):
        raise Problem("invalid_request", "The body is not a JSON object.")
    return whole


def _number(value: Any) -> str | None:
    """Shopify writes ids as numbers."""
    is_one = isinstance(value, int | str) and not isinstance(value, bool)
    return str(value) if is_one and re.fullmatch(r"\d{1,20}", str(value), re.ASCII) else None


def _email(value: Any) -> str | None:
    is_one = isinstance(value, str) and 0 < len(value) <= LONGEST_EMAIL and "@" in value and value.isprintable()
    return value if is_one else None
