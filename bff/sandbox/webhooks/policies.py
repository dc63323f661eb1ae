"""How each vendor delivers its webhooks: when it tries again, how long it waits for an answer, and how it signs."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MINUTE, HOUR = 60, 3600
# Secret, the event's id, unix seconds and raw body become the headers that prove where the event comes from.
Sign = Callable[[str, str, int, bytes], Mapping[str, str]]


@dataclass(frozen=True)
class DeliveryPolicy:
    """`gaps_seconds` follow one failed attempt each; after a failed attempt without a gap the delivery has failed."""

    retry_gaps_seconds: tuple[int, ...]
    timeout_seconds: float
    sign: Sign


def subtotal_signature(secret: str, event_id: str, stamp: int, body: bytes) -> Mapping[str, str]:
    """subtotal.com/docs/webhooks/verifying-signatures; that it is written in hex is a guess."""
    signature = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return {"X-Subtotal-Signature": signature.hex(), "X-Subtotal-Timestamp": str(stamp)}


def svix_signature(secret: str, event_id: str, stamp: int, body: bytes) -> Mapping[str, str]:
    """docs.svix.com, "Verifying payloads manually": the secret is `whsec_` and the key in base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = hmac.digest(key, f"{event_id}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "svix-id": event_id,
        "svix-timestamp": str(stamp),
        "svix-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def shopify_signature(secret: str, event_id: str, stamp: int, body: bytes) -> Mapping[str, str]:
    """shopify.dev/docs/apps/build/webhooks/subscribe/https: base64 of the HMAC over the body, nothing else."""
    signature = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {"X-Shopify-Hmac-Sha256": base64.b64encode(signature).decode(), "X-Shopify-Webhook-Id": event_id}


# subtotal.com/docs/webhooks/delivery-and-retries: six attempts in 17 h 35 min; the last two gaps follow from the sum.
SUBTOTAL = DeliveryPolicy((5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR), 10, subtotal_signature)
# docs.okendo.io/webhooks/getting-started tells the 15 seconds. The gaps are those of Svix, through whom Okendo sends:
# that Okendo has left them as they are is a guess.
OKENDO = DeliveryPolicy((5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR), 15, svix_signature)
# shopify.dev/docs/apps/build/webhooks: five seconds, eight more attempts in four hours. The gaps are a guess.
SHOPIFY = DeliveryPolicy(
    (MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR), 5, shopify_signature
)
