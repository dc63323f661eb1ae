"""Subtotal as the service sees it: events with a signature, written and signed here by the documented formula."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2

from support.services import Service, Vendors

SECRET = "sandbox-subtotal-signing-secret"
LINKING = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a09"
BUYING = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a10"
ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ACTIONS = f"""
[[actions]]
event = "account.linked"
name = "Link a shop"
earning_rule_id = "{LINKING}"

[[actions]]
event = "purchase.created"
name = "Shop elsewhere"
earning_rule_id = "{BUYING}"
start_date = 2026-01-01
"""
# Faster than Okendo allows, for a sandbox whose clock runs as much faster.
FAST = {"OKENDO_MERCHANT_PER_SECOND": "60", "AWARD_SETTLING_SECONDS": "1"}
RATE = 40


def ulid() -> str:
    return "".join(secrets.choice(ULID) for _ in range(26))


def connection_of(vendors: Vendors, persona: str, retailer: str = "walmart", **changes: Any) -> dict[str, Any]:
    """A Connection as a webhook has it; the same one whenever the same persona links the same retailer."""
    member = vendors.member(persona)
    name = hashlib.sha256(f"{persona} {retailer}".encode()).hexdigest()[:26].upper()
    connection = {
        "connection_id": name, "customer_id": member["customerId"], "retailer_id": retailer, "status": "active",
        "email": member["email"], "mobile": None,
    }  # fmt: skip
    return connection | changes


def linked(connection: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": "connection.activated", "id": ulid(), "payload": {"connection": dict(connection)}} | changes


def bought(connection: Mapping[str, Any], total: Any, **changes: Any) -> dict[str, Any]:
    """`changes` are of the purchase; `id=` is the event's."""
    event_id = changes.pop("id", ulid())
    purchase = {"purchase_id": ulid(), "date": "2026-11-03T10:15:00Z", "total": total, "tax": "0.00"} | changes
    payload = {"connection": dict(connection), "purchase": purchase}
    return {"type": "purchase.created", "id": event_id, "payload": payload}


def signature(body: bytes, stamp: str, secret: str = SECRET) -> bytes:
    return hmac.digest(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)


def deliver(service: Service, event: Any, **headers: str) -> httpx2.Response:
    """Send an event as Subtotal does; bytes go as they are, and a header may be changed, or left out with ""."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    stamp = headers.get("x_subtotal_timestamp") or str(int(time.time()))
    given = {
        "content-type": "application/json",
        "x-subtotal-timestamp": stamp,
        "x-subtotal-signature": signature(body, stamp).hex(),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name: value for name, value in given.items() if value}
    with httpx2.Client(trust_env=False, timeout=20) as http:
        return http.post(
            f"{service.url}{service.settings.get('BASE_PATH', '')}/webhooks/subtotal", content=body, headers=sent
        )


def awards_of(vendors: Vendors, persona: str) -> list[Any]:
    found: list[Any] = vendors.member(persona)["awards"]
    return found


def has_awards(vendors: Vendors, persona: str, count: int) -> Callable[[], bool]:
    return lambda: len(awards_of(vendors, persona)) >= count
