"""The pages: what a stranger and a member see, and the forms they send. Every page is complete without JavaScript."""

import asyncio
import secrets
from typing import Any

import msgspec
from itsdangerous import BadSignature
from starlette.responses import Response

from bff.budgets import JOIN
from bff.errors import Problem, UpstreamFailed
from bff.exchange import problem_of
from bff.history import Latest
from bff.inputs import idempotency_key, read_email, read_form
from bff.ledger import Recent
from bff.loyalty import Agreement, Climb, part, quiet
from bff.projection import tier_progress_of
from bff.redemption import Wish, shown, why_failed
from bff.sessions import Session
from bff.shapes import Member, Reward
from bff.state import LoyaltyRequest
from bff.visitor import check_csrf, require_session, session_of, spend, spend_invitation, spend_redemption
from bff.web import LANGUAGE, again, apply_url, page, see, trusted

CONSENT_SECONDS = 3600
# So much of the latest activity is on the overview.
LINES = 3


async def overview(request: LoyaltyRequest) -> Response:
    session = _open_session(request)
    (member, found), earning_rules, unsettled, (climb, latest) = await asyncio.gather(
        _rewards(request, session),
        part(request.state["loyalty"].earning_rules()),
        _unsettled(request, session),
        _of_a_member(request, session),
    )
    return page(
        request,
        "overview.html",
        member=member,
        member_failed=session is not None and member is None,
        rewards=found,
        next_reward=_next_best(found),
        earning_rules=earning_rules,
        unsettled=unsettled,
        progress=tier_progress_of(member.tier, *climb) if member and climb else None,
        latest=latest,
    )


async def show_join(request: LoyaltyRequest) -> Response:
    _open_session(request)
    return await _join_page(request)


async def join(request: LoyaltyRequest) -> Response:
    """The click: what was shown to this member in this sign-in is what is agreed to, or nothing is sent."""
    session = require_session(request)
    form = await read_form(request)
    try:
        check_csrf(request, session, "join", form.get("csrf", ""))
    except Problem as problem:
        return await _join_page(request, problem)
    agreement = _agreed(request, session, form.get("consent", ""))
    if agreement is None:
        return await _join_page(request, problem_of("customer_activation", 400))
    try:
        await spend(request, JOIN, session.record.customer_id)
        await request.state["loyalty"].join(session, agreement)
    except Problem as problem:
        if problem.status == 401:
            raise
        if problem.code == "member_blocked":
            return see(request, "blocked")
        return await _join_page(request, problem)
    return see(request, "welcome")


async def welcome(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    member, found = await request.state["loyalty"].glance(session)
    if member is not None and member.state != "enrolled":
        return see(request, "join")
    return page(request, "welcome.html", member=member, rewards=found)


async def rewards(request: LoyaltyRequest) -> Response:
    session = _open_session(request)
    (member, found), unsettled = await asyncio.gather(_rewards(request, session), _unsettled(request, session))
    return page(request, "rewards.html", member=member, rewards=found, unsettled=unsettled)


async def show_reward(request: LoyaltyRequest) -> Response:
    return await _reward_page(request, secrets.token_urlsafe(24))


async def redeem(request: LoyaltyRequest) -> Response:
    """The one button. The hidden key makes a double click, a reload or Back the same redemption."""
    session = require_session(request)
    form = await read_form(request)
    key = form.get("key", "")
    try:
        check_csrf(request, session, "redeem", form.get("csrf", ""))
        wish = Wish(
            key=idempotency_key(key), reward_id=request.path_params["id"], request_id=request.scope["request_id"]
        )
        await spend_redemption(request, session, wish.reward_id)
        await request.state["redemptions"].redeem(session, wish)
    except Problem as problem:
        if problem.code in {"not_found", "session_expired", "member_blocked"}:
            raise
        if problem.code == "request_in_progress" and await _is_known(request, session, key):
            return see(request, "redemption", key=key)
        fresh = key if problem.code != "idempotency_key_reused" else secrets.token_urlsafe(24)
        return await _reward_page(request, fresh, problem)
    return see(request, "redemption", key=key)


async def show_redemption(request: LoyaltyRequest) -> Response:
    """How it ended. A page that asks by itself says what it has `seen`, and is only answered when there is news."""
    session = require_session(request)
    entry = await request.state["redemptions"].find(session, request.path_params["key"])
    redemption = shown(entry, apply_url(request.state["settings"]))
    if entry.state == "failed":
        redemption = msgspec.structs.replace(redemption, reason=why_failed(entry.reason))
    outcome = "checking" if entry.check_until else redemption.state
    if "hx-request" in request.headers:
        news = request.query_params.get("seen") != outcome
        return Response(status_code=204, headers={"hx-refresh": "true"} if news else {})
    return page(request, "redemption.html", redemption=redemption, outcome=outcome)


async def show_refer(request: LoyaltyRequest) -> Response:
    return await _refer_page(request)


async def refer(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    form = await read_form(request)
    given = form.get("email", "")
    try:
        check_csrf(request, session, "refer", form.get("csrf", ""))
        email = read_email(given)
        await spend_invitation(request, session, email)
        await request.state["loyalty"].refer(session, email)
    except Problem as problem:
        if problem.status == 401 or problem.code == "member_blocked":
            raise
        return await _refer_page(request, given, problem)
    response = see(request, "refer")
    response.headers["location"] += "?sent=1"
    return response


async def blocked(request: LoyaltyRequest) -> Response:
    """For those who are blocked; anybody else, whatever led them here, belongs on the overview."""
    session = session_of(request)
    if session is None or not await request.state["loyalty"].is_blocked(session):
        return see(request, "overview")
    return page(request, "blocked.html")


def _open_session(request: LoyaltyRequest) -> Session | None:
    """The session, if there is one; a blocked member is sent to their one calm page."""
    return require_session(request) if session_of(request) else None


async def _rewards(request: LoyaltyRequest, session: Session | None) -> tuple[Member | None, list[Reward] | None]:
    loyalty = request.state["loyalty"]
    if session is None:
        return None, await part(loyalty.public_rewards())
    return await loyalty.glance(session)


async def _of_a_member(request: LoyaltyRequest, session: Session | None) -> tuple[Climb | None, Latest | None]:
    """What only those who have joined have. The member is not among it: Okendo is asked for them once."""
    if session is None or session.record.state != "enrolled":
        return None, Latest(None, None)
    state = request.state
    return await asyncio.gather(quiet(state["loyalty"].climb(session)), quiet(state["history"].latest(session, LINES)))


def _next_best(found: list[Reward] | None) -> Reward | None:
    """The dearest reward that is ready, else the one with the fewest points to go."""
    judged = [reward for reward in found or () if reward.can_redeem]
    ready = [reward for reward in judged if reward.can_redeem and reward.can_redeem.state == "ready"]
    if ready:
        return max(ready, key=lambda reward: reward.points)
    return min((reward for reward in judged if _missing(reward)), key=_missing, default=None)


def _missing(reward: Reward) -> int:
    return reward.can_redeem.missing_points or 0 if reward.can_redeem else 0


async def _join_page(request: LoyaltyRequest, problem: Problem | None = None) -> Response:
    session = session_of(request)
    changed = problem is not None and problem.code == "policies_outdated"
    catalogue = request.state["catalogue"]
    policies, earning_rules = await asyncio.gather(
        part(catalogue.current_policies() if changed else catalogue.policies()),
        part(request.state["loyalty"].earning_rules()),
    )
    values: dict[str, Any] = {"policies": None, "consent": "", "changed": changed, "earning_rules": earning_rules}
    if policies is not None:
        values["policies"] = {**msgspec.structs.asdict(policies), "sentence_html": trusted(policies.sentence_html)}
        values["consent"] = _consent(request, session, policies.version, policies.digest)
    response = again(request, "join.html", problem, **values)
    # Words that cannot be read pause joining; that is a matter of waiting, whatever the vendor's trouble is.
    if session is not None and (isinstance(problem, UpstreamFailed) or policies is None):
        response.status_code = 503
        response.headers.setdefault("retry-after", "10")
    return response


def _consent(request: LoyaltyRequest, session: Session | None, version: object, digest: str) -> str:
    """What the join form carries: these words, shown to this member, in this sign-in, at this time."""
    if session is None:
        return ""
    now = int(request.state["sessions"].clock())
    shown_now = {"version": version, "digest": digest, "locale": LANGUAGE, "at": now}
    return request.state["keys"].serialiser("consent").dumps([session.record.generation, shown_now])


def _agreed(request: LoyaltyRequest, session: Session, consent: str) -> Agreement | None:
    """The agreement behind the hidden field; None when it is not ours, of another sign-in, or too old."""
    try:
        generation, shown_then = request.state["keys"].serialiser("consent").loads(consent)
    except BadSignature:
        return None
    age = request.state["sessions"].clock() - shown_then["at"]
    if generation != session.record.generation or age > CONSENT_SECONDS:
        return None
    return Agreement(
        version=shown_then["version"],
        digest=shown_then["digest"],
        locale=shown_then.get("locale", LANGUAGE),
        request_id=request.scope["request_id"],
    )


async def _reward_page(request: LoyaltyRequest, key: str, problem: Problem | None = None) -> Response:
    session = _open_session(request)
    member, found = await _rewards(request, session)
    if found is None:
        words = "The rewards cannot be loaded right now. Please try again in a moment."
        raise UpstreamFailed("The rewards could not be read.", sent=False, words=words)
    reward = next((reward for reward in found if reward.id == request.path_params["id"]), None)
    if reward is None:
        raise Problem("not_found", "There is no such reward.")
    recent, unsettled = None, await _unsettled(request, session)
    if session is not None and problem is None and request.query_params.get("again") != "1":
        recent = await _recent(request, session, reward.id)
    values = {"reward": reward, "member": member, "key": key, "recent": recent, "unsettled": unsettled}
    return again(request, "reward.html", problem, **values)


async def _recent(request: LoyaltyRequest, session: Session, reward_id: str) -> Recent | None:
    """A browser that goes Back loads this page anew, with a new key: whoever has just redeemed is told so first."""
    try:
        return await request.state["redemptions"].recent(session, reward_id)
    except Problem:
        return None


async def _unsettled(request: LoyaltyRequest, session: Session | None) -> str | None:
    """The key of a redemption that is still being checked: until then the points shown may change (L3)."""
    try:
        return await request.state["redemptions"].unsettled(session) if session else None
    except Problem:
        return None


async def _is_known(request: LoyaltyRequest, session: Session, key: str) -> bool:
    try:
        return bool(await request.state["redemptions"].find(session, key))
    except Problem:
        return False


async def _refer_page(request: LoyaltyRequest, email: str = "", problem: Problem | None = None) -> Response:
    session = _open_session(request)
    is_member = session is not None and session.record.state == "enrolled"
    referrals = await part(request.state["loyalty"].referrals(session)) if session and is_member else None
    sent = problem is None and request.query_params.get("sent") == "1"
    return again(request, "refer.html", problem, referrals=referrals, email=email, sent=sent)
