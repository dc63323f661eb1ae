"""JSON: a member's referrals."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.members.referrals import MemberReferrals
from bff.schemas.requests import ReferralRequest
from bff.web.cursors import read_cursor, sign_cursor
from bff.web.inputs import read_email, read_json
from bff.web.limits import hit_invitation
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import require_session


class ReferralsState(WebState):
    referrals: MemberReferrals


async def my_referrals(request: Request[ReferralsState]) -> Response:
    session = require_session(request)
    page = await request.state["referrals"].history(session, read_cursor(request, session, "referrals"))
    return reply(msgspec.structs.replace(page, next=sign_cursor(request, session, "referrals", page.next)))


async def refer(request: Request[ReferralsState]) -> Response:
    session = require_session(request)
    email = read_email((await read_json(request, ReferralRequest)).email)
    await hit_invitation(request, session, email)
    await request.state["referrals"].invite(session, email)
    return Response(status_code=202)
