"""The service as it is in production, behind a router that speaks https, and as it is when something is broken."""

import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff.app import create_app
from bff.ops.server import configuration
from bff.settings.published import OF_THE_SANDBOX
from bff.settings.read import read_settings
from support.prompt_shutdown import PromptServer
from support.services import as_process

HOST = "loyalty.example.com"
STOREFRONT = "https://shop.example.com"
NOWHERE = "https://vendor.invalid"
VENDORS = ("SHOPIFY_SHOP_URL", "OKENDO_API_URL", "SUBTOTAL_API_URL", "SUBTOTAL_LINK_URL")


def production(settings: Mapping[str, str]) -> dict[str, str]:
    """The same stores and keys, but real addresses, secrets that nobody knows, and no vendor that answers."""
    changed = {"ENVIRONMENT": "production", "PUBLIC_URL": f"https://{HOST}", "STOREFRONT_ORIGINS": STOREFRONT}
    changed |= {"SUBTOTAL_SIMULATED_EVENTS": "off"} | {name: secrets.token_hex(16) for name in OF_THE_SANDBOX}
    return dict(settings) | changed | dict.fromkeys(VENDORS, NOWHERE)


@contextmanager
def behind_a_router(settings: Mapping[str, str], log: Path) -> Iterator["Router"]:
    """A production process and the router in front of it."""
    with as_process(production(settings), log), httpx2.Client(trust_env=False, timeout=20) as http:
        yield Router(f"http://127.0.0.1:{settings['PORT']}", http)


class Router:
    """Passes requests on as a platform's router does: it says which scheme the client used."""

    def __init__(self, url: str, http: httpx2.Client) -> None:
        self.url = url
        self._http = http

    def request(self, method: str, path: str, proto: str = "https", **headers: str) -> httpx2.Response:
        given = {"host": HOST, "x-forwarded-proto": proto, "x-forwarded-for": "192.0.2.1"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self._http.request(method, self.url + path, headers=given)


def with_a_fault(settings: Mapping[str, str], path: str) -> AbstractContextManager[str]:
    """The service with one more route, which fails in a way that nobody has thought of; yields its address."""
    return with_a_route(settings, Route(path, _fails, methods=["GET", "POST"]))


@contextmanager
def with_a_route(settings: Mapping[str, str], route: Route) -> Iterator[str]:
    """The service with one more route; yields its address."""
    app = create_app(read_settings(settings))
    app.router.routes.insert(0, route)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(settings["PORT"])))
        # Whoever connects from now on waits until the server accepts.
        listener.listen()
        server = PromptServer(configuration(app, loop="asyncio", timeout_graceful_shutdown=2))
        thread = server.start(listener, "service")
        try:
            yield settings["PUBLIC_URL"]
        finally:
            server.end()
            thread.join()


async def _fails(_: Request[Any]) -> Response:
    raise RuntimeError("shcat_secret at postgresql://user:password@host")
