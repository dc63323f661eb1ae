"""JSON: a member's accounts at other retailers."""

import asyncio

from starlette.responses import Response

from bff.members.retailers import Wanted
from bff.schemas.requests import LinkRequest
from bff.schemas.retailers import LinkAddress, Retailers
from bff.stores.rate_limits import LINK
from bff.web.inputs import absolute_return_to, read_json
from bff.web.responses import reply
from bff.web.state import LoyaltyRequest
from bff.web.visitor import require_session, spend

# JSON ---------------------------------------------------------------------------------------------------------------


async def my_retailers(request: LoyaltyRequest) -> Response:
    session, linking = require_session(request), request.state["linking"]
    accounts, awards = await asyncio.gather(linking.accounts(session), linking.awards(session))
    return reply(Retailers(retailers=accounts, available=linking.available(), awards=awards))


async def link_retailer(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    wish = await read_json(request, LinkRequest)
    wanted = Wanted(wish.retailer_id or None, wish.connection_id or None)
    return_url = absolute_return_to(request, wish.return_to or None)
    await spend(request, LINK, session.record.customer_id)
    return reply(LinkAddress(link_url=await request.state["linking"].link(session, wanted, return_url)), 201)


async def unlink_retailer(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    await spend(request, LINK, session.record.customer_id)
    await request.state["linking"].unlink(session, request.path_params["id"])
    return Response(status_code=204)
