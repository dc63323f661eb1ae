"""JSON: a member's rewards, redeeming one, and how that ended."""

from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import LOCALE, MEMBER_FAILS, WRITE_FAILS, Endpoint
from bff.members.rewards import MemberRewards
from bff.redemptions.ledger import Entry
from bff.redemptions.outcomes import problem_with, shown
from bff.redemptions.redeem import RedeemRequest, Redemptions
from bff.schemas.program import Rewards
from bff.schemas.redemption import Redemption
from bff.schemas.requests import RedemptionRequest
from bff.web.inputs import idempotency_key, read_json, read_locale, redemption_key
from bff.web.limits import hit_redemption
from bff.web.responses import apply_url, explain, in_language, path_for, reply
from bff.web.state import WebState
from bff.web.visitor import require_session

REPLAYED = ("Idempotency-Replayed",)


class RewardsState(WebState):
    rewards: MemberRewards
    redemptions: Redemptions


async def my_rewards(request: Request[RewardsState]) -> Response:
    session, locale = require_session(request), read_locale(request)
    _, rewards = await request.state["rewards"].offered(session, locale)
    return in_language(request, reply(Rewards(rewards)), locale)


async def redeem(request: Request[RewardsState]) -> Response:
    """One redemption a key: 201 done, 202 not known yet, and the same answer whenever the key comes again."""
    session = require_session(request)
    key = idempotency_key(request.headers.get("idempotency-key"))
    given = await read_json(request, RedemptionRequest)
    await hit_redemption(request, session, given.reward_id)
    wanted = RedeemRequest(key=key, reward_id=given.reward_id, request_id=request.scope["request_id"])
    entry, replayed = await request.state["redemptions"].redeem(session, wanted)
    response = _redemption_response(request, entry)
    if replayed:
        response.headers["idempotency-replayed"] = "true"
    return response


async def my_redemption(request: Request[RewardsState]) -> Response:
    entry = await request.state["redemptions"].find(require_session(request), redemption_key(request))
    return reply(shown(entry, apply_url(request.state["settings"])))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/me/rewards",
        handler=my_rewards,
        summary="The rewards, each with whether it can be redeemed now",
        description=(
            "`canRedeem.state` says whether, and why not; `missingPoints` and `requiredTier` how to close the gap."
        ),
        who="member",
        answers={200: Rewards},
        examples={200: Rewards.example_for_member()},
        refuses=MEMBER_FAILS,
        query=LOCALE,
        sends={200: ("Content-Language",)},
    ),
    Endpoint(
        method="POST",
        path="/me/redemptions",
        handler=redeem,
        summary="Redeem a reward, once per Idempotency-Key",
        description=(
            "201 brings the coupon (store credit has none). 202 means that the outcome is not known yet: look at "
            "`Location` every few seconds, and do not redeem again. The same key always gets the same answer, so "
            "repeat a request that broke off with it."
        ),
        who="member",
        reads=RedemptionRequest,
        answers={201: Redemption, 202: Redemption},
        examples={202: Redemption.example_of_unknown()},
        refuses=(
            "idempotency_key_missing",
            "idempotency_key_reused",
            "request_in_progress",
            "not_found",
            "not_enrolled",
            "insufficient_points",
            "reward_ineligible",
            "reward_unavailable",
            "currency_mismatch",
            *WRITE_FAILS,
        ),
        sends={201: REPLAYED, 202: (*REPLAYED, "Location", "Retry-After"), 422: REPLAYED, 503: REPLAYED},
    ),
    Endpoint(
        method="GET",
        path="/me/redemptions/{key}",
        handler=my_redemption,
        summary="How a redemption ended",
        description="`working` and `unknown` may still change; `succeeded` and `failed` are final.",
        who="member",
        answers={200: Redemption},
        refuses=("not_found", *MEMBER_FAILS),
    ),
)


def _redemption_response(request: Request[RewardsState], entry: Entry) -> Response:
    """201 with what it brought, 202 while that is not known, or the problem it failed with."""
    if entry.state == "failed":
        return explain(request, problem_with(entry))
    redemption = shown(entry, apply_url(request.state["settings"]))
    if entry.state == "succeeded":
        return reply(redemption, 201)
    return reply(redemption, 202, location=path_for(request, "api_my_redemption", key=entry.key), retry_after="2")
