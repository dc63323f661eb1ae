"""Requests as a storefront's page sends them through a platform's router, ready to be written to a connection."""

import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Sequence

from bff.sandbox.okendo.program import FIVE_OFF

BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1"
)
ITEMS = 12
RETAILER = "walmart"


def request(port: int, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> bytes:
    """Of another shopper each time. `headers` have underscores for hyphens."""
    shown = {
        "host": f"localhost:{port}",
        "user-agent": BROWSER,
        "accept": "*/*" if path.startswith("/api") else "text/html,application/xhtml+xml",
        "accept-language": "en-US,en;q=0.9",
        "accept-encoding": "gzip, deflate, br",
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
        "referer": f"http://localhost:{port}/",
        "x-request-id": str(uuid.uuid4()),
        "x-forwarded-for": ".".join(map(str, secrets.token_bytes(4))),
        "x-forwarded-proto": "https",
        "x-forwarded-port": "443",
        "via": "1.1 router",
    }
    if method != "GET":
        shown |= {
            "origin": f"http://localhost:{port}",
            "content-type": "application/json",
            "content-length": str(len(body)),
            "x-loyalty-csrf": "1",
        }
    shown |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in shown.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redemptions(port: int, cookies: Sequence[str], count: int) -> list[bytes]:
    """Each a redemption of its own; the members take turns."""
    body = json.dumps({"rewardId": FIVE_OFF}).encode()
    turns = (cookies[n % len(cookies)] for n in range(count))
    return [
        request(port, "/api/v1/me/redemptions", "POST", body, cookie=cookie, idempotency_key=secrets.token_urlsafe(24))
        for cookie in turns
    ]


def purchases(port: int, secret: str, count: int) -> list[bytes]:
    """Signed webhooks, each of a purchase of its own, by another customer each."""
    return [_purchase(port, secret.encode(), f"gid://shopify/Customer/{n}") for n in range(1, count + 1)]


def _purchase(port: int, secret: bytes, customer_id: str) -> bytes:
    name = secrets.token_hex(13)
    product = {"product_id": "p", "name": "Daily moisturiser", "upc": "012345678905"}
    items = [{"item_id": str(n), "price": "8.49", "quantity": 1, "product": product} for n in range(ITEMS)]
    purchase = {"purchase_id": name, "date": "2026-11-03T10:15:00Z", "total": "101.88", "items": items}
    connection = {
        "connection_id": "01HZX3K7B2M9QW4T6V8Y0A1C3E",
        "customer_id": customer_id,
        "retailer_id": RETAILER,
        "status": "active",
        "email": f"{name}@example.com",
    }
    event = {"type": "purchase.created", "id": name, "payload": {"connection": connection, "purchase": purchase}}
    body, stamp = json.dumps(event).encode(), str(int(time.time()))
    mac = hmac.digest(secret, stamp.encode() + b"." + body, hashlib.sha256).hex()
    return request(port, "/webhooks/subtotal", "POST", body, x_subtotal_timestamp=stamp, x_subtotal_signature=mac)
