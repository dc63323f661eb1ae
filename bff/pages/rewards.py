"""The pages: what a stranger and a member see, and the forms they send. Every page is complete without JavaScript."""

import asyncio
import secrets

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.errors import Problem, UpstreamFailed
from bff.pages.sections import SectionsState, rewards_by_id, rewards_section, unsettled_redemption
from bff.redemptions.ledger import Entry, Recent
from bff.redemptions.outcomes import shown, why_failed
from bff.redemptions.redeem import RedeemRequest
from bff.schemas.cart import CartFit
from bff.schemas.redemption import Redemption
from bff.schemas.shown import ShownReward
from bff.sentences import N_
from bff.sessions.store import Session
from bff.web.carts import cart_in_cookie, fills_cart
from bff.web.inputs import idempotency_key, read_form, redemption_key
from bff.web.language import words_for
from bff.web.limits import hit_redemption
from bff.web.responses import apply_url, form_page, page, redirect_to
from bff.web.spans import near
from bff.web.visitor import check_csrf, open_session, require_session

# So long nobody needs to be alarmed by a redemption without an answer.
CALM_SECONDS = 20
# So long a page waits to be told what the cart comes to.
CART_LOOK_SECONDS = 1.0


async def rewards(request: Request[SectionsState]) -> Response:
    session = open_session(request)
    (member, found), unsettled = await asyncio.gather(
        rewards_section(request, session), unsettled_redemption(request, session)
    )
    return page(request, "rewards.html", member=member, rewards=found, unsettled=unsettled)


async def show_reward(request: Request[SectionsState]) -> Response:
    return await _reward_page(request, secrets.token_urlsafe(24))


async def redeem(request: Request[SectionsState]) -> Response:
    """The one button. The hidden key makes a double click, a reload or Back the same redemption."""
    session = require_session(request)
    form = await read_form(request)
    key = form.get("key", "")
    try:
        check_csrf(request, session, "redeem", form.get("csrf", ""))
        wanted = RedeemRequest(
            key=idempotency_key(key), reward_id=request.path_params["id"], request_id=request.scope["request_id"]
        )
        await hit_redemption(request, session, wanted.reward_id)
        await request.state["redemptions"].redeem(session, wanted)
    except Problem as problem:
        if problem.code in {"not_found", "session_expired", "member_blocked"}:
            raise
        if problem.code == "request_in_progress" and await _is_known(request, session, key):
            return redirect_to(request, "redemption", key=key)
        fresh = key if problem.code != "idempotency_key_reused" else secrets.token_urlsafe(24)
        return await _reward_page(request, fresh, problem)
    return redirect_to(request, "redemption", key=key)


async def show_redemption(request: Request[SectionsState]) -> Response:
    """How it ended. A page that asks by itself says what it has `seen`, and is only answered when there is news."""
    session = require_session(request)
    entry = await request.state["redemptions"].find(session, redemption_key(request))
    redemption = shown(entry, apply_url(request))
    if entry.state == "failed":
        redemption = msgspec.structs.replace(redemption, reason=words_for(request).text(why_failed(entry.reason)))
    outcome = _outcome(request, entry, redemption)
    if "hx-request" in request.headers:
        news = request.query_params.get("seen") != outcome
        return Response(status_code=204, headers={"hx-refresh": "true"} if news else {})
    # How much store credit it was may not be known; that it was is.
    credit = entry.store_credit is not None
    rewards = await rewards_by_id(request) if redemption.coupon else {}
    ends_at = entry.coupon_expires_at
    return page(
        request,
        "redemption.html",
        redemption=redemption,
        outcome=outcome,
        pays_store_credit=credit,
        reward=rewards.get(entry.reward_id),
        left=near(ends_at.timestamp() - request.state["clock"]()) if ends_at else None,
        balance_before=entry.balance_seen,
        fills_cart=fills_cart(request, request.state["coupon_carts"]),
    )


def _outcome(request: Request[SectionsState], entry: Entry, redemption: Redemption) -> str:
    """The state as the page words it. What is not known yet is calmly checked at first; only when it takes long there
    is something to be careful about."""
    if entry.check_until is None:
        return redemption.state
    since = (entry.sent_at or entry.created_at).timestamp()
    return "working" if request.state["clock"]() - since < CALM_SECONDS else "checking"


async def _reward_page(request: Request[SectionsState], key: str, problem: Problem | None = None) -> Response:
    session = open_session(request)
    member, found = await rewards_section(request, session)
    if found is None:
        words = N_("The rewards cannot be loaded right now. Please try again.")
        raise UpstreamFailed("The rewards could not be read.", sent=False, words=words)
    reward = next((reward for reward in found if reward.id == request.path_params["id"]), None)
    if reward is None:
        raise Problem("not_found", "There is no such reward.")
    unsettled, fit = await asyncio.gather(unsettled_redemption(request, session), _cart_fit(request, session, reward))
    recent = None
    if session is not None and problem is None and request.query_params.get("again") != "1":
        recent = await _recent(request, session, reward.id)
    values = {"reward": reward, "member": member, "key": key, "recent": recent, "unsettled": unsettled}
    return form_page(request, "reward.html", problem, fit=fit, **values)


async def _cart_fit(request: Request[SectionsState], session: Session | None, reward: ShownReward) -> CartFit | None:
    """Whether its coupon would count in the visitor's cart, told before points are spent; None where that is not known
    soon."""
    cart, carts = cart_in_cookie(request), request.state["coupon_carts"]
    if session is None or cart is None:
        return None
    try:
        async with asyncio.timeout(CART_LOOK_SECONDS):
            [looked_at] = (await carts.fitting([reward], cart)).rewards
    except (TimeoutError, Problem):
        return None
    return looked_at.fits_cart


async def _recent(request: Request[SectionsState], session: Session, reward_id: str) -> Recent | None:
    """A browser that goes Back loads this page anew, with a new key: whoever has just redeemed is told so first."""
    try:
        return await request.state["redemptions"].recent(session, reward_id)
    except Problem:
        return None


async def _is_known(request: Request[SectionsState], session: Session, key: str) -> bool:
    try:
        return bool(await request.state["redemptions"].find(session, key))
    except Problem:
        return False
