"""JSON: a member's referrals."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import OKENDO_FAILS, Endpoint
from bff.members.referrals import MemberReferrals
from bff.schemas.activity import Referrals
from bff.schemas.base import Empty
from bff.schemas.requests import ReferralRequest
from bff.web.cursors import read_cursor, sign_cursor
from bff.web.inputs import read_email, read_json
from bff.web.limits import hit_invitation
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class ReferralsState(WebState):
    referrals: MemberReferrals


async def list_referrals(request: Request[ReferralsState]) -> Response:
    session = require_session(request)
    page = await request.state["referrals"].history(session, read_cursor(request, session, "referrals"))
    return reply(msgspec.structs.replace(page, next=sign_cursor(request, session, "referrals", page.next)))


async def invite_friend(request: Request[ReferralsState]) -> Response:
    session = require_session(request)
    email = read_email((await read_json(request, ReferralRequest)).email)
    await hit_invitation(request, session, email)
    await request.state["referrals"].invite(session, email)
    return reply(Empty(), 202)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/me/referrals",
        handler=list_referrals,
        summary="Invited friends, their number, and the link to share",
        description=(
            "Who was invited is not told, only when and with what outcome. `url` is the member's own link. Follow "
            "`next` until it is null."
        ),
        who="member",
        answers={200: Referrals},
        refuses=OKENDO_FAILS,
        query=("cursor",),
    ),
    Endpoint(
        method="POST",
        path="/me/referrals",
        handler=invite_friend,
        summary="Invite a friend by email",
        description="202 whether or not the friend is a customer already: that is nobody's business.",
        who="member",
        reads=ReferralRequest,
        answers={202: Empty},
        refuses=(
            "invalid_email",
            "referral_rejected",
            "request_in_progress",
            "not_enrolled",
            "feature_unavailable",
            *OKENDO_FAILS,
        ),
    ),
)
