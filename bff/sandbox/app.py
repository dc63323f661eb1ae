"""The sandbox as one application: all vendors on one host, the control API and a page that says what is here."""

from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.sandbox import calls
from bff.sandbox.config import Config
from bff.sandbox.control.api import routes as control_routes
from bff.sandbox.okendo.dialect import DialectMiddleware
from bff.sandbox.operations import OPERATIONS
from bff.sandbox.pages import page
from bff.sandbox.shopify import storefront
from bff.sandbox.shopify.storefront_api import StorefrontCors
from bff.sandbox.webhooks.delivery import delivering
from bff.sandbox.world import World


def create_sandbox(config: Config) -> Starlette:
    """The pretended vendors with a world of their own. `config.url` must be set: discovery is built from it."""
    if not config.url:
        raise ValueError("config.url must say where the sandbox is reached, such as http://localhost:8001")
    world = World(config)

    async def index(request: Request) -> Response:
        return page("index", people=list(world.members.values()), config=world.config, operations=OPERATIONS)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/healthz", healthz),
            *storefront.ROUTES,
            *control_routes(world),
            *calls.routes(world, OPERATIONS),
        ],
        middleware=[
            Middleware(DateHeader, world=world),
            Middleware(StorefrontCors),
            Middleware(DialectMiddleware, world=world),
        ],
        exception_handlers={404: nothing_here},
        lifespan=lambda app: delivering(world),
    )


class DateHeader:
    """Every answer says what time it is at the vendors (RFC 9110 §6.6.1)."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_date(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self._world.clock.now(), usegmt=True)
                message = {**message, "headers": [*message["headers"], (b"date", date.encode())]}
            await send(message)

        await self._app(scope, receive, send_with_date)


async def healthz(request: Request) -> Response:
    return PlainTextResponse("ok")


async def nothing_here(request: Request, error: Exception) -> Response:
    """A wrong path is the client's mistake, said in the shape of an Okendo error."""
    description = f"The sandbox serves nothing at {request.method} {request.url.path}."
    return JSONResponse({"error": {"description": description, "code": "no_such_path"}}, 404)
