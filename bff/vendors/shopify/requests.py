"""How each request to Shopify looks: the registered origin, the time it may take, and what may be sent twice."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bff.vendors.upstream import Call, HttpReply, Upstream


class ShopifyRequests:
    """Every method raises UpstreamFailed or UpstreamTimeout when Shopify does not answer with a 2xx or 4xx."""

    def __init__(self, upstream: Upstream, *, origin: str, timeout_seconds: float) -> None:
        self._upstream = upstream
        self._origin = origin
        self._timeout_seconds = timeout_seconds

    async def get(self, operation: str, url: str) -> HttpReply:
        return await self.send(operation, "GET", url, headers={"origin": self._origin})

    async def post_json(self, operation: str, url: str, payload: Any, headers: Mapping[str, str]) -> HttpReply:
        headers = {"origin": self._origin, **headers, "content-type": "application/json"}
        return await self.send(operation, "POST", url, headers=headers, body=msgspec.json.encode(payload))

    async def send(
        self, operation: str, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> HttpReply:
        """Exactly these headers; only a GET is tried a second time."""
        call = Call(
            vendor="shopify",
            operation=operation,
            method=method,
            url=url,
            headers=headers,
            body=body,
            timeout_seconds=self._timeout_seconds,
            idempotent=method == "GET",
        )
        return await self._upstream.call(call)
