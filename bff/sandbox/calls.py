"""How every vendor call is answered: it is logged, meets the next fault, and only then reaches its handler.

Handlers are plain functions without await, so what one call does is never half done when the next one looks.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bff.sandbox.control.fault_effects import answer_under_fault, close_connection
from bff.sandbox.json import (
    Json,
    JsonObject,
    encode,
    read_object,
    with_control_characters,
    with_hostile_texts,
    with_words,
)
from bff.sandbox.world import LoggedCall, World

# Method and path as they were sent, of a call that came in another dialect.
ORIGINAL_TARGET = "sandbox.original_target"


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
    # Where several operations share an address: which of them a request is.
    told_apart: "Callable[[Call], Operation] | None" = None


class Refused(Exception):
    """Raised by a handler that answers early."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def answer(world: World, payload: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON reply, its texts hostile when the control API asked for that."""
    payload = with_hostile_texts(payload) if world.hostile else payload
    payload = with_control_characters(payload) if world.controls else payload
    body = encode(with_words(payload, world.words) if world.words else payload)
    return Response(body, status, headers, media_type="application/json")


def routes(world: World, operations: tuple[Operation, ...]) -> list[Route]:
    return [
        Route(
            _any_id(path), OperationEndpoint(world, operation), methods=operation.methods.split(), name=operation.name
        )
        for operation in operations
        for path in operation.paths
    ]


def _any_id(path: str) -> str:
    """The id of a rule may hold slashes, which come percent-encoded (RFC 3986 §2.1)."""
    return path.replace("{rule_id}", "{rule_id:path}")


class OperationEndpoint:
    """One operation as an ASGI application."""

    def __init__(self, world: World, operation: Operation) -> None:
        self.world = world
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        entry = self._log(request)
        try:
            call = Call(request, await request.body())
        except ClientDisconnect:
            return
        operation = self.operation.told_apart(call) if self.operation.told_apart else self.operation
        entry.operation = operation.name
        fault = self.world.faults.take(operation.name)
        response = await answer_under_fault(fault, operation.vendor, lambda: self._handle(operation, call))
        if response is None:
            await close_connection(scope, receive)
            return
        entry.status = response.status_code
        await response(scope, receive, send)

    def _handle(self, operation: Operation, call: Call) -> Response:
        try:
            return operation.handle(self.world, call)
        except Refused as refused:
            return refused.response
        finally:
            self.world.publish_events()

    def _log(self, request: Request) -> LoggedCall:
        names = dict.fromkeys(request.headers.keys())
        headers = {name: ", ".join(request.headers.getlist(name)) for name in names}
        vendor, operation = self.operation.vendor, self.operation.name
        method, path = request.scope.get(ORIGINAL_TARGET, (request.method, request.url.path))
        entry = LoggedCall(vendor, operation, method, path, request.url.query, headers)
        self.world.calls.append(entry)
        return entry
