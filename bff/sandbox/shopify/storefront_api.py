"""The pretended Storefront API: products, carts and customers, for servers and for any page there is."""

import hmac

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.sandbox.calls import Call, Operation, answer
from bff.sandbox.shopify import carts, products
from bff.sandbox.shopify.graphql import Arguments, Roots, Shown, asked, storefront_customer_data
from bff.sandbox.shopify.graphql_calls import queried
from bff.sandbox.world import World

PATHS = ("/api/{version}/graphql.json",)
# What a page may send. The list is Shopify's own to keep: what is not in it ends a preflight
# (github.com/Shopify/js-buy-sdk/issues/857, github.com/Shopify/hydrogen/issues/3498). The private token is for servers.
ALLOWED_HEADERS = (
    "Accept, Content-Type, X-Shopify-Storefront-Access-Token, X-SDK-Variant, X-SDK-Version, X-SDK-Variant-Source, "
    "Custom-Storefront-Request-Group-ID, Shopify-Storefront-Id, X-Shopify-UniqueToken, X-Shopify-VisitToken"
)
PREFLIGHT = {
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": ALLOWED_HEADERS,
    "access-control-max-age": "7200",
}


def storefront_graphql(world: World, call: Call) -> Response:
    """Either token opens it; the private one is for servers (shopify.dev, API authentication)."""
    tokens = {
        "x-shopify-storefront-access-token": world.config.storefront_token,
        "shopify-storefront-private-token": world.config.storefront_private_token,
    }
    given = [name for name in tokens if call.header(name)]
    if not given or not all(hmac.compare_digest(call.header(name).encode(), tokens[name].encode()) for name in given):
        return answer(world, {"errors": [{"message": "", "extensions": {"code": "UNAUTHORIZED"}}]}, 401)
    return queried(world, call, _roots(world))


def _roots(world: World) -> Roots:
    def customer(given: Arguments) -> Shown | None:
        """`customer(customerAccessToken:)`, which is null without any error when the token is no good."""
        persona = world.grants.storefront_persona_of(str(given.get("customerAccessToken", "")))
        return storefront_customer_data(world.members[persona]) if persona else None

    queries = {"customer": customer, "cart": lambda given: carts.cart_data(world, given), **products.ROOTS}
    return {"QueryRoot": queries, "Mutation": carts.mutations(world)}


def storefront_operation(call: Call) -> Operation:
    """Which operation a request for the Storefront API is."""
    name = asked(str((call.json() or {}).get("query", "")))
    if name in carts.CHANGES or name == "cartCreate":
        return CART_CODES if name == "cartDiscountCodesUpdate" else CART_CHANGE
    return CART if name == "cart" else ALL


# All of it has one address, where the first of these tells them apart.
ALL = Operation("shopify", "storefront_graphql", "POST", PATHS, storefront_graphql, storefront_operation)
CART = Operation("shopify", "storefront_cart", "POST", PATHS, storefront_graphql)
CART_CODES = Operation("shopify", "storefront_cart_codes", "POST", PATHS, storefront_graphql)
CART_CHANGE = Operation("shopify", "storefront_cart_change", "POST", PATHS, storefront_graphql)
OPERATIONS = (ALL, CART, CART_CODES, CART_CHANGE)


class StorefrontCors:
    """Pages of any origin may ask the Storefront API, without cookies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_storefront_api(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def send_to_any_page(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["access-control-allow-origin"] = "*"
            await send(message)

        is_preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in Request(scope).headers
        await (Response(None, 204, PREFLIGHT) if is_preflight else self._app)(scope, receive, send_to_any_page)


def _is_storefront_api(path: str) -> bool:
    return path.startswith("/api/") and path.endswith("/graphql.json")
