"""The shopper's cart as a request names it, and the address that Shopify wants to hear of the shopper."""

import re
from ipaddress import ip_address
from urllib.parse import unquote

from starlette.requests import Request

from bff.redemptions.carts import CartRequest, CouponCarts
from bff.schemas.requests import CART_ID
from bff.web.cookies import cookies_named
from bff.web.inputs import read_cart_id
from bff.web.limits import address_of
from bff.web.state import StateT

GID = "gid://shopify/Cart/"


def cart_request(request: Request[StateT], cart_id: str) -> CartRequest:
    """Raises Problem `invalid_request` for what is no cart's id."""
    return CartRequest(cart_id=read_cart_id(cart_id), buyer=_buyer(request))


def cart_in_cookie(request: Request[StateT]) -> CartRequest | None:
    """The cart that the storefront keeps in its own cookie, where we are told which one and it comes to us. As Hydrogen
    writes it, it holds what follows gid://shopify/Cart/. Of two of them, one was planted: neither is believed (A5)."""
    name = request.state["settings"].cart_cookie
    given = cookies_named(request, name) if name else []
    if len(given) != 1:
        return None
    value = unquote(given[0].strip('"'))
    cart_id = value if value.startswith(GID) else GID + value
    return CartRequest(cart_id=cart_id, buyer=_buyer(request)) if re.fullmatch(CART_ID, cart_id, re.ASCII) else None


def fills_cart(request: Request[StateT], carts: CouponCarts) -> bool:
    """Whether a coupon on a page can be put into the visitor's cart."""
    return carts.are_open and cart_in_cookie(request) is not None


def _buyer(request: Request[StateT]) -> str | None:
    """The shopper's address, of an IPv6 one its network; None where their storefront's server asks for them."""
    if request.scope.get("by_handle"):
        return None
    try:
        return str(ip_address(address_of(request).partition("/")[0]))
    except ValueError:
        return None
