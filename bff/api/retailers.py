"""JSON: a member's accounts at other retailers."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from bff.members.retailers import LinkedRetailers, LinkTarget
from bff.schemas.requests import LinkRequest
from bff.schemas.retailers import LinkAddress, Retailers
from bff.stores.rate_limits import LINK
from bff.web.inputs import absolute_return_to, read_json
from bff.web.limits import hit
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import require_session

# JSON ---------------------------------------------------------------------------------------------------------------


class RetailersState(WebState):
    retailers: LinkedRetailers


async def my_retailers(request: Request[RetailersState]) -> Response:
    session, linking = require_session(request), request.state["retailers"]
    accounts, awards = await asyncio.gather(linking.accounts(session), linking.awards(session))
    return reply(Retailers(retailers=accounts, available=linking.available(), awards=awards))


async def link_retailer(request: Request[RetailersState]) -> Response:
    session = require_session(request)
    wish = await read_json(request, LinkRequest)
    wanted = LinkTarget(wish.retailer_id or None, wish.connection_id or None)
    return_url = absolute_return_to(request, wish.return_to or None)
    await hit(request, LINK, session.data.customer_id)
    return reply(LinkAddress(link_url=await request.state["retailers"].link(session, wanted, return_url)), 201)


async def unlink_retailer(request: Request[RetailersState]) -> Response:
    session = require_session(request)
    await hit(request, LINK, session.data.customer_id)
    await request.state["retailers"].unlink(session, request.path_params["id"])
    return Response(status_code=204)
