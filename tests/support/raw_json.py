"""JSON writes exactly as a test words them."""

import json

import httpx2

from support.every_route import KEY
from support.shopper import Shopper


def send(shopper: Shopper, path: str, content: bytes, **headers: str) -> httpx2.Response:
    """JSON as it is, with all that a write needs."""
    given_headers = {"origin": shopper.base, "x-loyalty-csrf": "1", "content-type": "application/json"}
    given_headers |= {"idempotency-key": KEY} | {name.replace("_", "-"): value for name, value in headers.items()}
    return shopper.request("POST", f"/api/v1{path}", content=content, headers=given_headers)


def is_problem(reply: httpx2.Response, status: int, code: str) -> bool:
    body = reply.json()
    return (reply.status_code, body["status"], body["code"]) == (status, status, code)


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()
