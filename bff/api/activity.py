"""JSON: what a member has: activity, coupons, and the way to the next tier."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import OKENDO_FAILS, Endpoint
from bff.members.activity import MemberActivity
from bff.members.tiers import MemberTiers
from bff.schemas.activity import Activity, Wallet
from bff.schemas.member import TierProgress
from bff.web.cursors import read_cursor, sign_cursor
from bff.web.inputs import read_limit
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class ActivityState(WebState):
    activity: MemberActivity
    tiers: MemberTiers


async def list_coupons(request: Request[ActivityState]) -> Response:
    return reply(await request.state["activity"].coupons(require_session(request)))


async def get_tier_progress(request: Request[ActivityState]) -> Response:
    return reply(await request.state["tiers"].progress(require_session(request)))


async def list_activity(request: Request[ActivityState]) -> Response:
    session = require_session(request)
    limit, cursor = read_limit(request), read_cursor(request, session, "activity")
    page = await request.state["activity"].page(session, limit=limit, cursor=cursor)
    return reply(msgspec.structs.replace(page, next=sign_cursor(request, session, "activity", page.next)))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/me/coupons",
        handler=list_coupons,
        summary="The coupons that have not expired",
        description=(
            "Newest first. `applyUrl` puts the code into the cart. They are looked for in the member's history; where "
            "that is too long, `complete` is false and older ones may be missing."
        ),
        who="member",
        answers={200: Wallet},
        refuses=("feature_unavailable", *OKENDO_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/tier-progress",
        handler=get_tier_progress,
        summary="How far it is to the next tier",
        description="`nextTier` is absent at the top; `missingSpend` where the program does not tell.",
        who="member",
        answers={200: TierProgress},
        refuses=OKENDO_FAILS,
    ),
    Endpoint(
        method="GET",
        path="/me/activity",
        handler=list_activity,
        summary="What happened to the points, newest first",
        description="Follow `next` until it is null.",
        who="member",
        answers={200: Activity},
        refuses=("feature_unavailable", *OKENDO_FAILS),
        query=("limit", "cursor"),
    ),
)
