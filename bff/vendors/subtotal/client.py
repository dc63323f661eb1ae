"""Calls of Subtotal's API: a customer's linked accounts, the addresses of its link pages, and purchases.

https://www.subtotal.com/docs/api-reference
"""

from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from bff.errors import UpstreamFailed, VendorRefused
from bff.vendors.addresses import url_for
from bff.vendors.subtotal.replies import (
    Connection,
    Plan,
    Purchase,
    read_connection,
    read_json,
    read_plan,
    read_purchase,
)
from bff.vendors.upstream import Call, Upstream

# The vendor takes no longer ones.
LONGEST_EMAIL = 64
LINK_DAYS = 1


class SubtotalAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Whose Subtotal it is. `link_token_url` has {link} and {token} in it: its form is not public."""

    api_url: str
    link_url: str
    link_token_url: str
    api_key: str
    timeout_seconds: float

    def __repr__(self) -> str:
        return "<SubtotalAccount>"


class SubtotalClient:
    """Every call raises UpstreamFailed when Subtotal cannot be trusted, and VendorRefused when it says no (4xx)."""

    def __init__(self, upstream: Upstream, account: SubtotalAccount) -> None:
        self._upstream = upstream
        self._account = account

    async def connections(self, customer_id: str) -> list[Connection]:
        """The customer's accounts, in Subtotal's order."""
        answer = await self._get("subtotal_connections", "/connections?" + urlencode({"customer_id": customer_id}))
        lines = answer.get("connections") if isinstance(answer, dict) else None
        if not isinstance(lines, list):
            raise UpstreamFailed("Subtotal's answer holds no list.", sent=True)
        return [connection for connection in map(read_connection, lines) if connection is not None]

    async def connection(self, connection_id: str) -> Connection:
        path = url_for("", "/connections/{id}", id=connection_id)
        return _required(read_connection(await self._get("subtotal_connections", path)))

    async def connect(self, customer_id: str, retailer_id: str, email: str) -> Connection:
        """A new account that is still to be signed in to."""
        payload = {"customer_id": customer_id, "retailer_id": retailer_id, "email": email}
        return _required(read_connection(await self._post("subtotal_connections", "/connections", payload)))

    async def disconnect(self, connection_id: str) -> None:
        path = url_for("", "/connections/{id}", id=connection_id)
        await self._request("subtotal_connections", "DELETE", path)

    async def link_to(self, connection_id: str, return_url: str) -> str:
        """Where the shopper signs in to this account, for the first time or again (a "dynamic link")."""
        token = await self._connection_token(connection_id, "link")
        return _with_return(f"{self._account.link_url}/{quote(token, safe='')}", return_url)

    async def link_anew(self, customer_id: str, email: str, return_url: str) -> str:
        """Where the shopper chooses a retailer and signs in to it (a Customer Link token)."""
        payload = {"customer_id": customer_id, "email": email, "expires_in_days": LINK_DAYS}
        token = _text(await self._post("subtotal_link_tokens", "/link-tokens", payload), "link_token")
        link = self._account.link_token_url.format_map({"link": self._account.link_url, "token": quote(token, safe="")})
        return _with_return(link, return_url)

    async def plan(self) -> Plan:
        """What this account's plan collects."""
        return read_plan(await self._get("subtotal_account", "/account"))

    async def purchase(self, connection_id: str, purchase_id: str) -> Purchase:
        token = await self._connection_token(connection_id, "access")
        path = url_for("", "/purchases/{id}", id=purchase_id)
        found = read_purchase(await self._get("subtotal_purchases", path, authorization=f"Bearer {token}"))
        if found is None:
            raise UpstreamFailed("Subtotal's answer is no purchase.", sent=True)
        return found

    async def _connection_token(self, connection_id: str, scope: str) -> str:
        path = url_for("", "/connections/{id}/token", id=connection_id)
        return _text(await self._post("subtotal_connections", path, {"scope": scope}), "connection_token")

    async def _get(self, operation: str, path: str, **headers: str) -> Any:
        return await self._request(operation, "GET", path, headers=headers)

    async def _post(self, operation: str, path: str, payload: dict[str, Any]) -> Any:
        return await self._request(
            operation, "POST", path, headers={"content-type": "application/json"}, payload=payload
        )

    async def _request(
        self, operation: str, method: str, path: str, *, headers: dict[str, str] | None = None, payload: Any = None
    ) -> Any:
        reply = await self._upstream.call(
            Call(
                vendor="subtotal",
                operation=operation,
                method=method,
                url=self._account.api_url + path,
                headers={"x-api-key": self._account.api_key, **(headers or {})},
                body=None if payload is None else msgspec.json.encode(payload),
                timeout_seconds=self._account.timeout_seconds,
                idempotent=method == "GET",
            )
        )
        if reply.status >= 400:
            raise VendorRefused(operation, reply.status)
        return read_json(reply.body) if reply.body else None


def _with_return(link: str, return_url: str) -> str:
    return f"{link}{'&' if '?' in link else '?'}{urlencode({'redirect_url': return_url})}"


def _required(found: Connection | None) -> Connection:
    if found is None:
        raise UpstreamFailed("Subtotal's answer is no connection.", sent=True)
    return found


def _text(answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not 0 < len(value) <= 4096:
        raise UpstreamFailed(f"Subtotal's answer lacks {name}.", sent=True)
    return value
