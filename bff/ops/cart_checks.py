"""Whether the shop lets us read carts, asked of one that never was."""

from bff.errors import UpstreamFailed
from bff.ops.report import Check
from bff.vendors.shopify.carts import Carts

UNKNOWN_CART = "gid://shopify/Cart/a-cart-that-never-was"


async def check_carts(carts: Carts) -> list[Check]:
    if not carts.are_open:
        detail = "there is no storefront token: coupons reach a cart by a link alone"
        return [Check("shopify", "carts", "note", detail)]
    try:
        await carts.read(UNKNOWN_CART, None)
    except UpstreamFailed as failure:
        remedy = (
            "Compare SHOPIFY_STOREFRONT_PRIVATE_TOKEN or SHOPIFY_STOREFRONT_TOKEN with the Headless channel, and let "
            "it read and change carts."
        )
        return [Check("shopify", "carts", "fail", failure.why, remedy)]
    return [Check("shopify", "carts", "ok", "the storefront token may read them")]
