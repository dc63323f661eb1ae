"""The wallet: a member's coupons by the soonest end, what became of the others, and putting one into the cart."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem
from bff.members.member import Members
from bff.pages.sections import rewards_by_id
from bff.program.catalogue import Catalogue
from bff.redemptions.carts import CouponCarts
from bff.redemptions.wallet import Contents, MemberWallet
from bff.schemas.cart import CartResult
from bff.sessions.store import Session
from bff.stores.rate_limits import CART
from bff.web.carts import cart_in_cookie, fills_cart
from bff.web.inputs import read_form
from bff.web.limits import hit
from bff.web.responses import form_page, page, redirect_to
from bff.web.state import WebState
from bff.web.visitor import check_csrf, open_session, require_session

# How a coupon came into the cart: alone, or in place of a code that does not go together with it.
CAME = ("1", "alone")


class CouponsState(WebState):
    catalogue: Catalogue
    members: Members
    wallet: MemberWallet
    coupon_carts: CouponCarts


async def coupons(request: Request[CouponsState]) -> Response:
    came = request.query_params.get("applied")
    return await _wallet_page(request, came=came if came in CAME else None)


async def into_cart(request: Request[CouponsState]) -> Response:
    """The button beside a coupon; the cart is the one in the storefront's cookie."""
    session = require_session(request)
    form = await read_form(request)
    try:
        check_csrf(request, session, "cart", form.get("csrf", ""))
        await hit(request, CART, session.data.customer_id)
        cart = cart_in_cookie(request)
        result = CartResult.refused("cart_not_found")
        if cart is not None:
            result = await request.state["coupon_carts"].apply(session, form.get("code", ""), cart)
    except Problem as problem:
        if problem.status == 401 or problem.code == "member_blocked":
            raise
        return await _wallet_page(request, problem)
    if result.result == "not_applied":
        return await _wallet_page(request, refused=result)
    response = redirect_to(request, "coupons")
    response.headers["location"] += "?applied=" + CAME[bool(result.displaced)]
    return response


async def _wallet_page(
    request: Request[CouponsState],
    problem: Problem | None = None,
    *,
    refused: CartResult | None = None,
    came: str | None = None,
) -> Response:
    session = open_session(request)
    state, contents = await _member_and_wallet(request, session) if session else ("anonymous", None)
    values: dict[str, Any] = {
        "state": state,
        "wallet": contents,
        "rewards": await rewards_by_id(request) if contents else {},
        "fills_cart": fills_cart(request, request.state["coupon_carts"]),
        "refused": refused,
        "came": came,
    }
    if refused is not None:
        return page(request, "coupons.html", 422, failure=None, wait=None, **values)
    return form_page(request, "coupons.html", problem, **values)


async def _member_and_wallet(request: Request[CouponsState], session: Session) -> tuple[str | None, Contents | None]:
    """The member's state, None when it cannot be read, and what a member has."""
    if session.data.state != "enrolled":
        return await request.state["members"].state_now(session), None
    return await asyncio.gather(request.state["members"].state_now(session), request.state["wallet"].contents(session))
