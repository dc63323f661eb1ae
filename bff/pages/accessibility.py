"""The statement on accessibility, for everybody: /accessibility."""

from starlette.requests import Request
from starlette.responses import Response

from bff.web.responses import page
from bff.web.state import WebState


async def show_accessibility(request: Request[WebState]) -> Response:
    return page(request, "accessibility.html")
