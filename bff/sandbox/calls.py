"""The door every vendor call comes through: it is written down, meets the next fault, and only then is answered.

Handlers are plain functions without await, so what one call does is never half done when the next one looks.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bff.sandbox.control.faults import Fault
from bff.sandbox.json import Json, JsonObject, encode, poisoned, read_object
from bff.sandbox.world import LoggedCall, World

CONNECTION = "sandbox.connection"
# Method and path of a call that came in another dialect.
ASKED = "sandbox.asked"
HUGE_CHUNK = b"x" * 65_536
HUGE_CHUNKS = 128
# A refusal in each vendor's dialect; Shopify's is the one it gives for its own transient failures.
FAULT_BODIES: Mapping[str, JsonObject] = {
    "okendo": {"error": {"description": "The sandbox was told to fail.", "code": "sandbox_fault"}},
    "shopify": {
        "error": "",
        "error_description": "Access token request error.",
        "errors": "The sandbox was told to fail.",
    },
    "subtotal": {"detail": "The sandbox was told to fail."},
}


@dataclass(frozen=True)
class Call:
    """A request whose body has been read."""

    request: Request
    body: bytes

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    def header(self, name: str) -> str:
        return self.request.headers.get(name, "")

    def path_value(self, name: str) -> str:
        return str(self.request.path_params.get(name, ""))

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> JsonObject | None:
        return read_object(self.body)

    def credentials(self, scheme: str) -> str:
        """What follows the scheme in the Authorization header; empty when there is none of that scheme."""
        given, _, rest = self.header("authorization").partition(" ")
        return rest.strip() if given.lower() == scheme.lower() else ""

    def basic(self) -> tuple[str, str] | None:
        """User and password of HTTP Basic."""
        try:
            user, colon, password = base64.b64decode(self.credentials("basic"), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (user, password) if colon else None


Handler = Callable[[World, Call], Response]


@dataclass(frozen=True)
class Operation:
    """One vendor operation: its name in faults and call log, and every path that the vendor may serve it at."""

    vendor: str
    name: str
    methods: str
    paths: tuple[str, ...]
    handle: Handler


class Refused(Exception):
    """Thrown by a handler that answers early."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def answer(world: World, payload: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON reply, its texts hostile when the control API asked for that."""
    body = encode(poisoned(payload) if world.hostile else payload)
    return Response(body, status, headers, media_type="application/json")


def routes(world: World, operations: tuple[Operation, ...]) -> list[Route]:
    return [
        Route(path, Watched(world, operation), methods=operation.methods.split(), name=operation.name)
        for operation in operations
        for path in operation.paths
    ]


class Watched:
    """One operation as an ASGI application."""

    def __init__(self, world: World, operation: Operation) -> None:
        self.world = world
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        entry = self._written_down(request)
        fault = self.world.faults.take(self.operation.name)
        try:
            call = Call(request, await request.body())
        except ClientDisconnect:
            return
        response = await under(fault, self.operation.vendor, lambda: self._done(call))
        if response is None:
            await cut(scope, receive)
            return
        entry.status = response.status_code
        await response(scope, receive, send)

    def _done(self, call: Call) -> Response:
        try:
            return self.operation.handle(self.world, call)
        except Refused as refused:
            return refused.response
        finally:
            self.world.tell()

    def _written_down(self, request: Request) -> LoggedCall:
        names = dict.fromkeys(request.headers.keys())
        headers = {name: ", ".join(request.headers.getlist(name)) for name in names}
        vendor, operation = self.operation.vendor, self.operation.name
        method, path = request.scope.get(ASKED, (request.method, request.url.path))
        entry = LoggedCall(vendor, operation, method, path, request.url.query, headers)
        self.world.calls.append(entry)
        return entry


async def under(fault: Fault | None, vendor: str, do: Callable[[], Response]) -> Response | None:
    """The reply to a call that meets this fault; None when the connection is to be cut."""
    if fault is None:
        return do()
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "cut_before":
        return None
    if fault.kind in INSTEAD:
        return INSTEAD[fault.kind](fault, vendor)
    genuine = do()
    if fault.kind == "delay_after":
        await asyncio.sleep(fault.seconds)
    return AFTERWARDS.get(fault.kind, _unchanged)(genuine)


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the connection without a byte of answer, and wait until it is closed."""
    connection = scope.get("extensions", {}).get(CONNECTION)
    if connection is None:
        raise RuntimeError("connections can only be cut when the sandbox runs under bff.sandbox.serving")
    connection["transport"].close()
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(fault: Fault, vendor: str) -> Response:
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    return Response(encode(FAULT_BODIES[vendor]), fault.status, headers, "application/json")


def _redirect(fault: Fault, vendor: str) -> Response:
    """To the address where clouds keep their machines' credentials; nobody may follow."""
    return Response(status_code=302, headers={"location": "http://169.254.169.254/"})


def _unchanged(genuine: Response) -> Response | None:
    return genuine


def _lost(genuine: Response) -> Response | None:
    return None


def _garbage(genuine: Response) -> Response | None:
    return Response(b'{"token": "eyJ", "rules": [{', media_type="application/json")


def _html(genuine: Response) -> Response | None:
    return HTMLResponse("<!doctype html><title>Just a moment</title><h1>Checking your browser</h1>")


def _huge(genuine: Response) -> Response | None:
    return StreamingResponse(_eight_mebibytes(), media_type="application/json")


def _with_cookie(genuine: Response) -> Response | None:
    genuine.set_cookie("vendor_session", "must-not-reach-a-browser", path="/")
    return genuine


async def _eight_mebibytes() -> AsyncIterator[bytes]:
    yield b'{"padding": ["'
    for _ in range(HUGE_CHUNKS):
        yield HUGE_CHUNK
    yield b'"]}'


INSTEAD: Mapping[str, Callable[[Fault, str], Response]] = {"status": _refusal, "redirect": _redirect}
AFTERWARDS: Mapping[str, Callable[[Response], Response | None]] = {
    "cut_after": _lost, "garbage": _garbage, "html": _html, "huge": _huge, "set_cookie": _with_cookie,
}  # fmt: skip
