"""JSON: a member's accounts at other retailers."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import MEMBER_FAILS, VENDOR_FAILS, Endpoint
from bff.members.retailers import LinkedRetailers, LinkTarget
from bff.schemas.base import Empty
from bff.schemas.requests import LinkRequest
from bff.schemas.retailers import LinkAddress, Retailers
from bff.stores.rate_limits import LINK
from bff.web.inputs import absolute_return_to, read_json
from bff.web.limits import hit
from bff.web.responses import reply
from bff.web.state import WebState
from bff.web.visitor import require_session

SUBTOTAL_FAILS = ("feature_unavailable", "not_found", *VENDOR_FAILS, *MEMBER_FAILS)


class RetailersState(WebState):
    retailers: LinkedRetailers


async def list_retailers(request: Request[RetailersState]) -> Response:
    session, retailers = require_session(request), request.state["retailers"]
    accounts, awards = await asyncio.gather(retailers.accounts(session), retailers.awards(session))
    return reply(Retailers(retailers=accounts, available=retailers.available(), awards=awards))


async def link_retailer(request: Request[RetailersState]) -> Response:
    session = require_session(request)
    given = await read_json(request, LinkRequest)
    target = LinkTarget(given.retailer_id or None, given.connection_id or None)
    return_url = absolute_return_to(request, given.return_to or None)
    await hit(request, LINK, session.data.customer_id)
    return reply(LinkAddress(link_url=await request.state["retailers"].link(session, target, return_url)), 201)


async def unlink_retailer(request: Request[RetailersState]) -> Response:
    session = require_session(request)
    await hit(request, LINK, session.data.customer_id)
    await request.state["retailers"].unlink(session, request.path_params["id"])
    return reply(Empty())


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/me/retailers",
        handler=list_retailers,
        summary="Accounts at other retailers, and the points from there",
        description=(
            "Purchases with an `active` account earn points. That a shopper has come back from linking says nothing: "
            "ask here."
        ),
        who="member",
        answers={200: Retailers},
        refuses=SUBTOTAL_FAILS,
    ),
    Endpoint(
        method="POST",
        path="/me/retailers",
        handler=link_retailer,
        summary="Link an account at another retailer, or sign in to it again",
        description=(
            "Send the browser to `linkUrl`, where the shopper signs in to the retailer. `retailerId` is one of "
            "`available`; `connectionId` is an account to sign in to again; with neither the shopper chooses."
        ),
        who="member",
        reads=LinkRequest,
        answers={201: LinkAddress},
        refuses=("invalid_email", "request_in_progress", *SUBTOTAL_FAILS),
    ),
    Endpoint(
        method="DELETE",
        path="/me/retailers/{id}",
        handler=unlink_retailer,
        summary="Unlink an account",
        description="What was earned stays. Linking the same retailer again does not earn the linking bonus again.",
        who="member",
        answers={200: Empty},
        refuses=SUBTOTAL_FAILS,
    ),
)
