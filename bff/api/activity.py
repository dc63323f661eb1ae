"""JSON: what a member has: activity, coupons, and the way to the next tier."""

import msgspec
from starlette.responses import Response

from bff.members.member import Known
from bff.schemas.activity import Coupon, Wallet
from bff.schemas.member import TierProgress
from bff.sessions.store import Session
from bff.web.cursors import read_cursor, sign_cursor
from bff.web.inputs import read_limit
from bff.web.responses import reply
from bff.web.state import LoyaltyRequest
from bff.web.visitor import require_session


async def tier_progress_of_member(
    request: LoyaltyRequest, session: Session, known: Known | None = None
) -> TierProgress:
    return await request.state["loyalty"].tier_progress(session, known)


async def coupons_of(request: LoyaltyRequest, session: Session, _: Known | None = None) -> list[Coupon]:
    return await request.state["history"].coupons(session)


async def my_coupons(request: LoyaltyRequest) -> Response:
    return reply(Wallet(coupons=await coupons_of(request, require_session(request))))


async def my_tier_progress(request: LoyaltyRequest) -> Response:
    return reply(await tier_progress_of_member(request, require_session(request)))


async def my_activity(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    limit, cursor = read_limit(request), read_cursor(request, session, "activity")
    page = await request.state["history"].activity(session, limit=limit, cursor=cursor)
    return reply(msgspec.structs.replace(page, next=sign_cursor(request, session, "activity", page.next)))
