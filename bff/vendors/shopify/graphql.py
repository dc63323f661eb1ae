"""Whose token it is, asked of Shopify's two GraphQL APIs."""

from typing import Any

from bff.errors import UpstreamFailed, VendorRefused
from bff.vendors.shopify.requests import ShopifyRequests
from bff.vendors.shopify.tokens import ShopifyCustomer
from bff.vendors.upstream import HttpReply

CUSTOMER_QUERY = "query { customer { id displayName emailAddress { emailAddress } } }"
LEGACY_QUERY = "query ($token: String!) { customer(customerAccessToken: $token) { id displayName email } }"


async def customer_account_holder(requests: ShopifyRequests, url: str, access_token: str) -> ShopifyCustomer:
    """Of a Customer Account API token."""
    # The raw token, without "Bearer": Shopify's own convention.
    headers = {"authorization": access_token}
    reply = await requests.post_json("shopify_graphql", url, {"query": CUSTOMER_QUERY, "variables": {}}, headers)
    customer = _customer_in(reply, "shopify_graphql")
    email = customer.get("emailAddress")
    return _read_customer(customer, email.get("emailAddress") if isinstance(email, dict) else None)


async def storefront_holder(
    requests: ShopifyRequests, url: str, access_token: str, storefront_token: str
) -> ShopifyCustomer:
    """Of a legacy Storefront API token."""
    headers = {"x-shopify-storefront-access-token": storefront_token}
    payload = {"query": LEGACY_QUERY, "variables": {"token": access_token}}
    reply = await requests.post_json("storefront_graphql", url, payload, headers)
    customer = _customer_in(reply, "storefront_graphql")
    return _read_customer(customer, customer.get("email"))


def _customer_in(reply: HttpReply, operation: str) -> dict[str, Any]:
    """Raises VendorRefused for a token that Shopify does not accept, as for a null customer: that is how the
    Storefront API says "invalid token"."""
    if reply.status in {401, 403}:
        raise VendorRefused(operation, reply.status)
    answer = reply.json() if reply.status == 200 else None
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
        raise UpstreamFailed("Shopify did not say whose token this is.", sent=True)
    customer = answer["data"].get("customer")
    if not isinstance(customer, dict) or not isinstance(customer.get("id"), str) or not customer["id"]:
        raise VendorRefused(operation, 401)
    return customer


def _read_customer(customer: dict[str, Any], email: Any) -> ShopifyCustomer:
    name = customer.get("displayName")
    return ShopifyCustomer(
        id=customer["id"], name=name if isinstance(name, str) else None, email=email if isinstance(email, str) else None
    )
