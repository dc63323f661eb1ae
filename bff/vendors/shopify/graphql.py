"""Whose token it is, asked of Shopify's two GraphQL APIs."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import structlog

from bff.errors import UpstreamFailed, VendorRefused
from bff.vendors.sanitize import without_controls
from bff.vendors.shopify.requests import ShopifyRequests
from bff.vendors.shopify.tokens import ShopifyCustomer
from bff.vendors.upstream import HttpReply

# What is asked for besides the id, each field with its selection; a merchant may not have granted any of them.
CUSTOMER_FIELDS = {"displayName": "displayName", "emailAddress": "emailAddress { emailAddress }"}
LEGACY_FIELDS = {"displayName": "displayName", "email": "email"}
LONGEST_NAME = 200
LONGEST_EMAIL = 254
Ask = Callable[[str], Awaitable[HttpReply]]
log = structlog.get_logger("shopify")


async def customer_account_holder(requests: ShopifyRequests, url: str, access_token: str) -> ShopifyCustomer:
    """Of a Customer Account API token."""
    # The raw token, without "Bearer": Shopify's own convention.
    headers = {"authorization": access_token}

    async def ask(selection: str) -> HttpReply:
        query = f"query {{ customer {{ {selection} }} }}"
        return await requests.post_json("shopify_graphql", url, {"query": query, "variables": {}}, headers)

    customer, denied = await _holder("shopify_graphql", ask, CUSTOMER_FIELDS)
    email = customer.get("emailAddress")
    return _read_customer(customer, email.get("emailAddress") if isinstance(email, dict) else None, denied)


async def storefront_holder(
    requests: ShopifyRequests, url: str, access_token: str, storefront_token: str
) -> ShopifyCustomer:
    """Of a legacy Storefront API token."""
    headers = {"x-shopify-storefront-access-token": storefront_token}

    async def ask(selection: str) -> HttpReply:
        query = f"query ($token: String!) {{ customer(customerAccessToken: $token) {{ {selection} }} }}"
        payload = {"query": query, "variables": {"token": access_token}}
        return await requests.post_json("storefront_graphql", url, payload, headers)

    customer, denied = await _holder("storefront_graphql", ask, LEGACY_FIELDS)
    return _read_customer(customer, customer.get("email"), denied)


class _Answer(NamedTuple):
    """`customer` is None where there is none; then `says_nobody` tells a token that belongs to nobody from an answer
    that has no data. `denied` are those fields to which access was denied, `codes` those of all errors."""

    customer: dict[str, Any] | None
    says_nobody: bool
    denied: tuple[str, ...]
    codes: tuple[str, ...]


async def _holder(operation: str, ask: Ask, fields: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The customer, and which fields were denied: without those they are asked for once more, if they were not told.

    Raises VendorRefused for a token that Shopify does not accept, as for a null customer: that is how the Storefront
    API says "invalid token".
    """
    answer = _read(operation, await ask(" ".join(("id", *fields.values()))), fields)
    denied = answer.denied
    if answer.customer is None and denied:
        granted = (selection for name, selection in fields.items() if name not in denied)
        answer = _read(operation, await ask(" ".join(("id", *granted))), fields)
    if answer.customer is not None:
        return answer.customer, denied
    if answer.says_nobody:
        raise VendorRefused(operation, 401)
    raise UpstreamFailed(
        f"Shopify did not say whose token this is ({', '.join(answer.codes) or 'no data'}).", sent=True
    )


def _read(operation: str, reply: HttpReply, fields: Mapping[str, str]) -> _Answer:
    if reply.status in {401, 403}:
        raise VendorRefused(operation, reply.status)
    body = reply.json() if reply.status == 200 else None
    if not isinstance(body, dict):
        raise UpstreamFailed("Shopify did not say whose token this is.", sent=True)
    errors, codes = _errors(body), error_codes(body)
    denied = _denied(errors, fields)
    if codes:
        log.warning("shopify_graphql_error", operation=operation, reason=", ".join(codes), what=", ".join(denied))
    data = body.get("data")
    customer = data.get("customer") if isinstance(data, dict) else None
    found = customer if isinstance(customer, dict) and isinstance(customer.get("id"), str) and customer["id"] else None
    return _Answer(found, isinstance(data, dict) and not errors, denied, codes)


def error_codes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of an answer's errors, such as THROTTLED."""
    return tuple(map(_code, _errors(body)))


def _errors(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = body.get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _denied(errors: list[dict[str, Any]], fields: Mapping[str, str]) -> tuple[str, ...]:
    """Which of these fields were denied; all of them where that is not said."""
    denials = [error for error in errors if _code(error) == "ACCESS_DENIED"]
    named = [name for name in fields if any(_names(error, name) for error in denials)]
    return tuple(named or fields) if denials else ()


def _names(error: dict[str, Any], field: str) -> bool:
    path, message = error.get("path"), error.get("message")
    return field in (path if isinstance(path, list) else ()) or f" {field} " in f" {message} "


def _code(error: dict[str, Any]) -> str:
    """A code of Shopify's, such as THROTTLED; anything else is not repeated."""
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"[A-Z_]{1,40}", code) else "UNKNOWN"


def _read_customer(customer: dict[str, Any], email: Any, denied: tuple[str, ...]) -> ShopifyCustomer:
    name = customer.get("displayName")
    is_address = isinstance(email, str) and email.isprintable() and len(email) <= LONGEST_EMAIL
    return ShopifyCustomer(
        id=customer["id"],
        name=without_controls(name)[:LONGEST_NAME] or None if isinstance(name, str) else None,
        email=email if is_address else None,
        denied=denied,
    )
