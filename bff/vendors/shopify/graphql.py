"""Whose token it is, asked of Shopify's two GraphQL APIs."""

from collections.abc import Mapping
from typing import Any

from bff.errors import UpstreamFailed, VendorRefused
from bff.vendors.shopify.requests import ShopifyRequests
from bff.vendors.shopify.tokens import ShopifyCustomer

CUSTOMER_QUERY = "query { customer { id displayName emailAddress { emailAddress } } }"
LEGACY_QUERY = "query ($token: String!) { customer(customerAccessToken: $token) { id displayName email } }"


async def customer_account_holder(requests: ShopifyRequests, url: str, access_token: str) -> ShopifyCustomer:
    """Of a Customer Account API token."""
    # The raw token, without "Bearer": Shopify's own convention.
    headers = {"authorization": access_token}
    body = await _query(requests, "shopify_graphql", url, headers, {"query": CUSTOMER_QUERY, "variables": {}})
    email = body.get("emailAddress") if isinstance(body, dict) else None
    return _customer(body, email.get("emailAddress") if isinstance(email, dict) else None)


async def storefront_holder(
    requests: ShopifyRequests, url: str, access_token: str, storefront_token: str
) -> ShopifyCustomer:
    """Of a legacy Storefront API token; an invalid one gives a null customer instead of an error."""
    headers = {"x-shopify-storefront-access-token": storefront_token}
    payload = {"query": LEGACY_QUERY, "variables": {"token": access_token}}
    body = await _query(requests, "storefront_graphql", url, headers, payload)
    return _customer(body, body.get("email") if isinstance(body, dict) else None)


async def _query(
    requests: ShopifyRequests, operation: str, url: str, headers: Mapping[str, str], payload: Mapping[str, Any]
) -> Any:
    """The `customer` of the answer; raises VendorRefused when Shopify does not accept the token."""
    reply = await requests.post_json(operation, url, payload, headers)
    if reply.status in {401, 403}:
        raise VendorRefused(operation, reply.status)
    answer = reply.json() if reply.status == 200 else None
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
        raise UpstreamFailed("Shopify did not say whose token this is.", sent=True)
    return answer["data"].get("customer")


def _customer(body: Any, email: Any) -> ShopifyCustomer:
    if not isinstance(body, dict) or not isinstance(body.get("id"), str) or not body["id"]:
        raise VendorRefused("shopify_graphql", 401)
    name = body.get("displayName")
    return ShopifyCustomer(
        id=body["id"], name=name if isinstance(name, str) else None, email=email if isinstance(email, str) else None
    )
