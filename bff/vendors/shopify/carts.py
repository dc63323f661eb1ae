"""A shopper's cart at the shop, by the Storefront API: which discount codes it has, and putting others in their place.

https://shopify.dev/docs/api/storefront/latest/objects/Cart; docs/cart.md says which of it is documented. A cart's id
holds a key, which is a secret of the buyer's: it is sent to Shopify alone.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
import structlog

from bff.errors import Unreadable, UpstreamFailed
from bff.vendors.amounts import currency_of, decimal_of
from bff.vendors.shopify.discovery import API_VERSION
from bff.vendors.shopify.graphql import error_codes
from bff.vendors.shopify.requests import ShopifyRequests

# More of them are refused.
MOST_CODES = 250
FIELDS = "discountCodes { code applicable } cost { subtotalAmount { amount currencyCode } }"
# Of the customer the merchant's app may not be allowed to read.
BUYER = "buyerIdentity { customer { id } }"
READ = "query ($id: ID!) {{ cart(id: $id) {{ {fields} }} }}"
REPLACE = (
    "mutation ($cartId: ID!, $discountCodes: [String!]!) {"
    " cartDiscountCodesUpdate(cartId: $cartId, discountCodes: $discountCodes) {"
    f" cart {{ {FIELDS} }} userErrors {{ code }} warnings {{ code message }} }} }}"
)
log = structlog.get_logger("shopify")


class StorefrontAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How a shop's Storefront API is asked. Of the two tokens the private one is for servers, and goes first."""

    shop_url: str
    public_token: str | None
    private_token: str | None

    def __repr__(self) -> str:
        return "<StorefrontAccess>"


class CartCode(msgspec.Struct, frozen=True):
    """A discount code of a cart; one that is not `applicable` stays with it, and counts once the cart fits."""

    code: str
    applicable: bool

    def is_code(self, code: str) -> bool:
        return self.code.casefold() == code.casefold()


class Cart(msgspec.Struct, frozen=True):
    """Its `codes` in their order, what it comes to before discounts of the whole cart, and whose it is, where told."""

    codes: list[CartCode]
    subtotal: Decimal | None
    currency: str | None
    customer_id: str | None

    def has(self, code: str) -> bool:
        return any(one.is_code(code) for one in self.codes)

    def applies(self, code: str) -> bool:
        return any(one.is_code(code) and one.applicable for one in self.codes)


class CartWarning(msgspec.Struct, frozen=True):
    """Why something in a cart is not as wanted. Shopify does not say which code it is about, unless the words do."""

    code: str
    message: str


class ChangedCart(msgspec.Struct, frozen=True):
    """What became of a change; without a `cart` there is none under that id."""

    cart: Cart | None
    warnings: list[CartWarning] = []


class Carts:
    """Every method raises UpstreamFailed or UpstreamTimeout when Shopify cannot be reached, answers with nonsense, or
    does not accept our token. `buyer` is the shopper's address, where it is known."""

    def __init__(self, requests: ShopifyRequests, access: StorefrontAccess) -> None:
        self._requests = requests
        self._access = access
        self._url = f"{access.shop_url}/api/{API_VERSION}/graphql.json"

    @property
    def are_open(self) -> bool:
        """Whether there is a token to ask with."""
        return bool(self._access.private_token or self._access.public_token)

    async def read(self, cart_id: str, buyer: str | None) -> Cart | None:
        """The cart; None when this shop has none under that id. Without its key nothing is told of the buyer."""
        values = {"id": cart_id}
        data, codes = await self._ask("storefront_cart", READ.format(fields=f"{FIELDS} {BUYER}"), values, buyer)
        if data.get("cart") is None and "ACCESS_DENIED" in codes:
            data, codes = await self._ask("storefront_cart", READ.format(fields=FIELDS), values, buyer)
        if data.get("cart") is None and ("cart" not in data or codes):
            raise UpstreamFailed(f"Shopify did not show the cart ({', '.join(codes) or 'no data'}).", sent=True)
        return _read_cart(data["cart"])

    async def replace_codes(self, cart_id: str, codes: list[str], buyer: str | None) -> ChangedCart:
        """Give the cart these codes in place of all it has. The same list again changes nothing more, but what somebody
        else has added since would be lost: read the cart before."""
        values = {"cartId": cart_id, "discountCodes": codes}
        data, errors = await self._ask("storefront_cart_codes", REPLACE, values, buyer)
        answer = data.get("cartDiscountCodesUpdate")
        if not isinstance(answer, dict):
            raise UpstreamFailed(f"Shopify did not change the cart ({', '.join(errors) or 'no data'}).", sent=True)
        refusals = [error.get("code") for error in answer.get("userErrors") or () if isinstance(error, dict)]
        if "SERVICE_UNAVAILABLE" in refusals:
            raise UpstreamFailed("Shopify cannot change carts right now.", sent=True)
        return ChangedCart(_read_cart(answer.get("cart")), list(_read_warnings(answer.get("warnings"))))

    async def _ask(
        self, operation: str, query: str, values: dict[str, Any], buyer: str | None
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The data of an answer, and the codes of its errors."""
        payload = {"query": query, "variables": values}
        reply = await self._requests.post_json(operation, self._url, payload, self._headers(buyer))
        body = reply.json() if reply.status == 200 else None
        if not isinstance(body, dict):
            raise UpstreamFailed(f"Shopify refused to speak of carts: status {reply.status}.", sent=False)
        codes = error_codes(body)
        if codes:
            log.warning("shopify_graphql_error", operation=operation, reason=", ".join(codes), what="cart")
        data = body.get("data")
        return data if isinstance(data, dict) else {}, codes

    def _headers(self, buyer: str | None) -> dict[str, str]:
        """https://shopify.dev/docs/api/usage/authentication: a server's token comes with the buyer's address."""
        if not self._access.private_token:
            return {"x-shopify-storefront-access-token": self._access.public_token or ""}
        headers = {"shopify-storefront-private-token": self._access.private_token}
        return headers | ({"shopify-storefront-buyer-ip": buyer} if buyer else {})


class _Amount(msgspec.Struct, rename="camel"):
    amount: Any
    currency_code: str


class _Cost(msgspec.Struct, rename="camel"):
    subtotal_amount: _Amount


class _Customer(msgspec.Struct):
    id: str


class _Buyer(msgspec.Struct):
    customer: _Customer | None = None


class _Cart(msgspec.Struct, rename="camel"):
    discount_codes: list[CartCode]
    cost: _Cost
    buyer_identity: _Buyer | None = None


def _read_cart(value: Any) -> Cart | None:
    if value is None:
        return None
    try:
        cart = msgspec.convert(value, _Cart)
    except msgspec.ValidationError:
        raise Unreadable("Shopify's cart is not as documented.", sent=True) from None
    subtotal, buyer = cart.cost.subtotal_amount, cart.buyer_identity
    return Cart(
        codes=cart.discount_codes,
        subtotal=decimal_of(subtotal.amount),
        currency=currency_of(subtotal.currency_code),
        customer_id=buyer.customer.id if buyer and buyer.customer else None,
    )


def _read_warnings(given: Any) -> Iterable[CartWarning]:
    for one in given if isinstance(given, list) else ():
        try:
            yield msgspec.convert(one, CartWarning)
        except msgspec.ValidationError:
            continue
