"""JSON: a member's rewards, redeeming one, and how that ended."""

from starlette.requests import Request
from starlette.responses import Response

from bff.members.member import MemberTask
from bff.members.rewards import MemberRewards
from bff.redemptions.ledger import Entry
from bff.redemptions.outcomes import problem_with, shown
from bff.redemptions.redeem import RedeemRequest, Redemptions
from bff.schemas import requests
from bff.schemas.program import Reward, Rewards
from bff.sessions.store import Session
from bff.web.inputs import idempotency_key, read_json, read_locale, redemption_key
from bff.web.limits import hit_redemption
from bff.web.responses import apply_url, explain, in_language, path_for, reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class RewardsState(WebState):
    rewards: MemberRewards
    redemptions: Redemptions


async def rewards_of(
    request: Request[RewardsState], session: Session, member: MemberTask | None = None
) -> list[Reward]:
    _, found = await request.state["rewards"].offered(session, read_locale(request), member)
    return found


async def my_rewards(request: Request[RewardsState]) -> Response:
    found = Rewards(await rewards_of(request, require_session(request)))
    return in_language(request, reply(found), read_locale(request))


async def redeem(request: Request[RewardsState]) -> Response:
    """One redemption a key: 201 done, 202 not known yet, and the same answer whenever the key comes again."""
    session = require_session(request)
    key = idempotency_key(request.headers.get("idempotency-key"))
    given = await read_json(request, requests.RedemptionRequest)
    await hit_redemption(request, session, given.reward_id)
    wanted = RedeemRequest(key=key, reward_id=given.reward_id, request_id=request.scope["request_id"])
    entry, replayed = await request.state["redemptions"].redeem(session, wanted)
    response = _answer(request, entry)
    if replayed:
        response.headers["idempotency-replayed"] = "true"
    return response


async def my_redemption(request: Request[RewardsState]) -> Response:
    entry = await request.state["redemptions"].find(require_session(request), redemption_key(request))
    return reply(shown(entry, apply_url(request.state["settings"])))


def _answer(request: Request[RewardsState], entry: Entry) -> Response:
    if entry.state == "failed":
        return explain(request, problem_with(entry))
    redemption = shown(entry, apply_url(request.state["settings"]))
    if entry.state == "succeeded":
        return reply(redemption, 201)
    return reply(redemption, 202, location=path_for(request, "api_my_redemption", key=entry.key), retry_after="2")
