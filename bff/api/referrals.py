"""JSON: a member's referrals."""

import msgspec
from starlette.responses import Response

from bff.schemas.requests import ReferralRequest
from bff.web.cursors import read_cursor, sign_cursor
from bff.web.inputs import read_email, read_json
from bff.web.responses import reply
from bff.web.state import LoyaltyRequest
from bff.web.visitor import require_session, spend_invitation


async def my_referrals(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    page = await request.state["loyalty"].referrals(session, read_cursor(request, session, "referrals"))
    return reply(msgspec.structs.replace(page, next=sign_cursor(request, session, "referrals", page.next)))


async def refer(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    email = read_email((await read_json(request, ReferralRequest)).email)
    await spend_invitation(request, session, email)
    await request.state["loyalty"].refer(session, email)
    return Response(status_code=202)
