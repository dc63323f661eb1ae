"""JSON for the storefront's server: a handle with which it acts for one customer while it renders."""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import HAND_IN_FAILS, Endpoint
from bff.api.hand_in import ONE_OF_THREE, HandInState, admitted
from bff.schemas.base import member_state
from bff.schemas.requests import HandIn, SessionHandle
from bff.sessions.lifetime import ends_at
from bff.stores.rate_limits import HANDLES
from bff.web.inputs import read_json
from bff.web.limits import address_of, hit
from bff.web.responses import reply
from bff.web.servers import require_server


async def create_session_handle(request: Request[HandInState]) -> Response:
    """`POST /session-handles`: for a token or a ticket; no browser's session begins or ends."""
    await hit(request, HANDLES, address_of(request))
    require_server(request)
    admission = await admitted(request, await read_json(request, HandIn))
    handle, session = await request.state["sign_in"].lend(
        admission.tokens, admission.customer, admission.origin, begun_at=admission.begun_at
    )
    ends = int(ends_at(session.data, request.state["sessions"].limits))
    state = member_state(session.data.state)
    return reply(SessionHandle(handle=handle, state=state, expires_at=datetime.fromtimestamp(ends, UTC)), 201)


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/session-handles",
        handler=create_session_handle,
        summary="Get a handle for a customer, server to server",
        description=(
            "For a server that renders pages with a member's data: it never sees the browser's cookie. The handle is "
            "good for a quarter of an hour, and only together with the bearer token: send both, as `Authorization` and "
            "`X-Loyalty-Session`, to any address below `/me`, and to `GET` and `DELETE /session`, without `Origin`, "
            "cookies and `X-Loyalty-Csrf`. Keep it on your server, for one customer; never give it to a browser, from "
            "which it is refused. `DELETE /session` ends it, and so does signing out everywhere."
        ),
        who="server",
        reads=ONE_OF_THREE,
        answers={201: SessionHandle},
        refuses=("session_expired", "program_not_launched", "not_found", *HAND_IN_FAILS),
    ),
)
