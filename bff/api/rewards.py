"""JSON: a member's rewards, redeeming one, and how that ended."""

from starlette.responses import Response

from bff.members.member import Known
from bff.redemptions.ledger import Entry
from bff.redemptions.outcomes import problem_with, shown
from bff.redemptions.redeem import Wish
from bff.schemas.program import Reward, Rewards
from bff.schemas.requests import RedemptionRequest
from bff.sessions.store import Session
from bff.web.inputs import idempotency_key, read_json, read_locale
from bff.web.responses import apply_url, explain, in_language, path_for, reply
from bff.web.state import LoyaltyRequest
from bff.web.visitor import require_session, spend_redemption


async def rewards_of(request: LoyaltyRequest, session: Session, known: Known | None = None) -> list[Reward]:
    _, found = await request.state["loyalty"].rewards(session, read_locale(request), known)
    return found


async def my_rewards(request: LoyaltyRequest) -> Response:
    found = Rewards(await rewards_of(request, require_session(request)))
    return in_language(request, reply(found), read_locale(request))


async def redeem(request: LoyaltyRequest) -> Response:
    """One redemption a key: 201 done, 202 not known yet, and the same answer whenever the key comes again."""
    session = require_session(request)
    key = idempotency_key(request.headers.get("idempotency-key"))
    wanted = await read_json(request, RedemptionRequest)
    await spend_redemption(request, session, wanted.reward_id)
    wish = Wish(key=key, reward_id=wanted.reward_id, request_id=request.scope["request_id"])
    entry, replayed = await request.state["redemptions"].redeem(session, wish)
    response = _answer(request, entry)
    if replayed:
        response.headers["idempotency-replayed"] = "true"
    return response


async def my_redemption(request: LoyaltyRequest) -> Response:
    entry = await request.state["redemptions"].find(require_session(request), request.path_params["key"])
    return reply(shown(entry, apply_url(request.state["settings"])))


def _answer(request: LoyaltyRequest, entry: Entry) -> Response:
    if entry.state == "failed":
        return explain(request, problem_with(entry))
    redemption = shown(entry, apply_url(request.state["settings"]))
    if entry.state == "succeeded":
        return reply(redemption, 201)
    return reply(redemption, 202, location=path_for(request, "api_my_redemption", key=entry.key), retry_after="2")
