"""JSON: what a member has: activity, coupons, and the way to the next tier."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.members.activity import MemberActivity
from bff.members.member import MemberTask
from bff.members.tiers import MemberTiers
from bff.schemas.activity import Coupon, Wallet
from bff.schemas.member import TierProgress
from bff.sessions.store import Session
from bff.web.cursors import read_cursor, sign_cursor
from bff.web.inputs import read_limit
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class ActivityState(WebState):
    activity: MemberActivity
    tiers: MemberTiers


async def tier_progress_of_member(
    request: Request[ActivityState], session: Session, member: MemberTask | None = None
) -> TierProgress:
    return await request.state["tiers"].progress(session, member)


async def coupons_of(request: Request[ActivityState], session: Session, _: MemberTask | None = None) -> list[Coupon]:
    return await request.state["activity"].coupons(session)


async def my_coupons(request: Request[ActivityState]) -> Response:
    return reply(Wallet(coupons=await coupons_of(request, require_session(request))))


async def my_tier_progress(request: Request[ActivityState]) -> Response:
    return reply(await tier_progress_of_member(request, require_session(request)))


async def my_activity(request: Request[ActivityState]) -> Response:
    session = require_session(request)
    limit, cursor = read_limit(request), read_cursor(request, session, "activity")
    page = await request.state["activity"].page(session, limit=limit, cursor=cursor)
    return reply(msgspec.structs.replace(page, next=sign_cursor(request, session, "activity", page.next)))
