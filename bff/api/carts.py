"""JSON: a coupon into the shopper's cart."""

from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import OKENDO_FAILS, Endpoint
from bff.redemptions.carts import CouponCarts
from bff.schemas.cart import CartResult
from bff.schemas.requests import CartCouponRequest
from bff.stores.rate_limits import CART
from bff.web.carts import cart_request
from bff.web.inputs import coupon_code, read_json
from bff.web.limits import hit
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class CartsState(WebState):
    coupon_carts: CouponCarts


async def apply_coupon(request: Request[CartsState]) -> Response:
    session, code = require_session(request), coupon_code(request)
    wanted = cart_request(request, (await read_json(request, CartCouponRequest)).cart_id)
    await hit(request, CART, session.data.customer_id)
    return reply(await request.state["coupon_carts"].apply(session, code, wanted))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/me/coupons/{code}/cart",
        handler=apply_coupon,
        summary="Put a coupon into the shopper's cart",
        description=(
            "One of the member's own coupons joins the codes that the cart has. `result` says whether it counts there, "
            "and `reason` why not. Repeat it safely: the cart is read anew each time, and an answer of "
            "`already_applied` changes nothing. Where this service has no token of the shop's it is "
            "`feature_unavailable`; use the coupon's `applyUrl`."
        ),
        who="member",
        reads=CartCouponRequest,
        answers={200: CartResult},
        refuses=("feature_unavailable", "request_in_progress", *OKENDO_FAILS),
    ),
)
