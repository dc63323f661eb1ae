"""JSON: a member's rewards, redeeming one, and how that ended."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import LOCALE, MEMBER_FAILS, OKENDO_FAILS, Endpoint
from bff.members.rewards import MemberRewards
from bff.redemptions.carts import CouponCarts
from bff.redemptions.ledger import Entry
from bff.redemptions.outcomes import problem_with, shown
from bff.redemptions.redeem import RedeemRequest, Redemptions
from bff.schemas.cart import CartResult
from bff.schemas.program import Rewards
from bff.schemas.redemption import Redemption
from bff.schemas.requests import RedemptionRequest
from bff.vendors.okendo.languages import Languages
from bff.vendors.okendo.member_operations import CUSTOMER_REDEMPTION_RULES
from bff.web.carts import cart_request
from bff.web.inputs import idempotency_key, read_bare_cart_id, read_json, read_locale, redemption_key
from bff.web.limits import hit_redemption
from bff.web.responses import apply_url, explain, in_language_of, path_for, reply
from bff.web.state import WebState
from bff.web.visitor import require_session

REPLAYED = ("Idempotency-Replayed",)


class RewardsState(WebState):
    rewards: MemberRewards
    redemptions: Redemptions
    coupon_carts: CouponCarts
    languages: Languages


async def list_my_rewards(request: Request[RewardsState]) -> Response:
    session, locale, cart_id = require_session(request), read_locale(request), read_bare_cart_id(request)
    _, rewards = await request.state["rewards"].offered(session, locale)
    shown = Rewards(rewards)
    if cart_id is not None:
        shown = await request.state["coupon_carts"].fitting(rewards, cart_request(request, cart_id))
    return in_language_of(reply(shown), request.state["languages"], locale, CUSTOMER_REDEMPTION_RULES)


async def redeem_reward(request: Request[RewardsState]) -> Response:
    """One redemption a key: 201 done, 202 not known yet, and the same answer whenever the key comes again."""
    session = require_session(request)
    key = idempotency_key(request.headers.get("idempotency-key"))
    given = await read_json(request, RedemptionRequest)
    cart = cart_request(request, given.cart_id) if isinstance(given.cart_id, str) else None
    await hit_redemption(request, session, given.reward_id)
    wanted = RedeemRequest(key=key, reward_id=given.reward_id, request_id=request.scope["request_id"])
    entry, replayed = await request.state["redemptions"].redeem(session, wanted)
    result = await request.state["coupon_carts"].after_redemption(session, entry, cart) if cart else None
    response = _redemption_response(request, entry, result)
    if replayed:
        response.headers["idempotency-replayed"] = "true"
    return response


async def get_redemption(request: Request[RewardsState]) -> Response:
    entry = await request.state["redemptions"].find(require_session(request), redemption_key(request))
    return reply(shown(entry, apply_url(request)))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/me/rewards",
        handler=list_my_rewards,
        summary="The rewards, each with whether it can be redeemed now",
        description=(
            "`canRedeem.state` says whether, and why not; `missingPoints` and `requiredTier` how to close the gap. "
            "With `cartId`, the id of a cart without its `?key=`, `fitsCart` says whether a coupon would count in that "
            "cart as it is; nothing is refused because of it."
        ),
        who="member",
        answers={200: Rewards},
        examples={200: Rewards.example_for_member()},
        refuses=OKENDO_FAILS,
        query=(*LOCALE, "cartId"),
        sends={200: ("Content-Language",)},
    ),
    Endpoint(
        method="POST",
        path="/me/redemptions",
        handler=redeem_reward,
        summary="Redeem a reward, once per Idempotency-Key",
        description=(
            "201 brings the coupon (store credit has none). 202 means that the outcome is not known yet: look at "
            "`Location` every few seconds, and do not redeem again. The same key always gets the same answer, so "
            "repeat a request that broke off with it. With `cartId` the code is put into that cart as well, and `cart` "
            "says whether it was; it never changes how the redemption ends, and a repeated request tries it again."
        ),
        who="member",
        reads=RedemptionRequest,
        answers={201: Redemption, 202: Redemption},
        examples={202: Redemption.example_of_unknown()},
        refuses=(
            "idempotency_key_missing",
            "idempotency_key_reused",
            "request_in_progress",
            "not_enrolled",
            "insufficient_points",
            "reward_ineligible",
            "reward_unavailable",
            "currency_mismatch",
            *OKENDO_FAILS,
        ),
        sends={201: REPLAYED, 202: (*REPLAYED, "Location", "Retry-After"), 422: REPLAYED, 503: REPLAYED},
    ),
    Endpoint(
        method="GET",
        path="/me/redemptions/{key}",
        handler=get_redemption,
        summary="How a redemption ended",
        description="`working` and `unknown` may still change; `succeeded` and `failed` are final.",
        who="member",
        answers={200: Redemption},
        refuses=("not_found", *MEMBER_FAILS),
    ),
)


def _redemption_response(request: Request[RewardsState], entry: Entry, cart: CartResult | None) -> Response:
    """201 with what it brought, 202 while that is not known, or the problem it failed with."""
    if entry.state == "failed":
        return explain(request, problem_with(entry))
    redemption = msgspec.structs.replace(shown(entry, apply_url(request)), cart=cart)
    if entry.state == "succeeded":
        return reply(redemption, 201)
    # In full, since a page of another origin would resolve a path against its own.
    location = request.state["settings"].origin + path_for(request, "api_get_redemption", key=entry.key)
    return reply(redemption, 202, location=location, retry_after="2")
