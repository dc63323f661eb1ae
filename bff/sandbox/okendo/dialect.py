"""Another dialect of Okendo, asked for by a test: other paths, methods, names and envelopes with the same meaning.

Most of Okendo's paths and names are not public, so a client must be correctable. Here a test gets a vendor that is
right and different: the usual way is gone, as it would be if our guess were wrong.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.sandbox.calls import ORIGINAL_TARGET, Operation
from bff.sandbox.control.faults import BadCommand
from bff.sandbox.json import Json, JsonObject, encode, read_object
from bff.sandbox.world import World

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
KEYS = {"method", "path", "names", "envelope"}
NO_SUCH_PATH = "/v1/in-another-dialect"


@dataclass(frozen=True)
class OperationDialect:
    """How one operation is called instead. `names` are the vendor's usual names of fields and parameters, each with the
    one that is used instead; a success is wrapped in `envelope`."""

    operation: Operation
    method: str
    path: str
    names: Mapping[str, str]
    envelope: str

    @property
    def usual_names(self) -> Mapping[str, str]:
        return {new: old for old, new in self.names.items()}

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The values in this path, if it is this operation's."""
        return _path_values(self.path, path) if method == self.method else None


def _path_values(template: str, path: str) -> dict[str, str] | None:
    found = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template)), path)
    return found and found.groupdict()


def read_dialect(body: JsonObject, operations: Sequence[Operation]) -> tuple[OperationDialect, ...]:
    """The dialect that a control call asks for: `{"<operation>": {"method"?, "path"?, "names"?, "envelope"?}}`."""
    known = {operation.name: operation for operation in operations if operation.vendor == "okendo"}
    return tuple(_operation_dialect(known, name, value) for name, value in body.items())


def _operation_dialect(known: Mapping[str, Operation], name: str, value: Json) -> OperationDialect:
    operation = known.get(name)
    if operation is None or not isinstance(value, Mapping) or set(value) - KEYS:
        raise BadCommand(f"{name} must be an operation of Okendo's with {', '.join(sorted(KEYS))}")
    method, path = value.get("method", operation.methods.split()[0]), value.get("path", operation.paths[0])
    names, envelope = value.get("names", {}), value.get("envelope", "")
    if method not in METHODS or not isinstance(path, str) or not path.startswith("/v1/"):
        raise BadCommand(f"{name}: give a method of {', '.join(METHODS)} and a path that starts with /v1/")
    if not isinstance(envelope, str) or not isinstance(names, Mapping):
        raise BadCommand(f"{name}: envelope must be a text, and names an object of texts")
    return OperationDialect(operation, str(method), path, {old: str(new) for old, new in names.items()}, envelope)


class DialectMiddleware:
    """In front of the vendors: translates a request into Okendo's usual words, and the answer back."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        dialects: tuple[OperationDialect, ...] = self._world.dialect
        if scope["type"] != "http" or not dialects or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        for dialect in dialects:
            values = dialect.match(scope["method"], scope["path"])
            if values is not None:
                translated = _translated_scope(scope, dialect, values)
                await self._app(translated, _TranslatedReceive(receive, dialect), _TranslatedSend(send, dialect))
                return
        if any(_is_usual(dialect.operation, scope) for dialect in dialects):
            # The usual way leads nowhere now.
            scope = {**scope, "path": NO_SUCH_PATH, "raw_path": NO_SUCH_PATH.encode()}
        await self._app(scope, receive, send)


def _is_usual(operation: Operation, scope: Scope) -> bool:
    return any(_path_values(path, scope["path"]) is not None for path in operation.paths) and (
        scope["method"] in operation.methods.split()
    )


def _translated_scope(scope: Scope, dialect: OperationDialect, values: Mapping[str, str]) -> Scope:
    """The same call in the usual words; what was really sent stays with it for the call log."""
    usual = next(path for path in dialect.operation.paths if set(re.findall(r"{(\w+)}", path)) == set(values))
    path = usual.format_map(values)
    usual_names = dialect.usual_names
    pairs = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
    query = urlencode([(usual_names.get(name, name), value) for name, value in pairs if name not in dialect.names])
    return {
        **scope,
        ORIGINAL_TARGET: (scope["method"], scope["path"]),
        "method": dialect.operation.methods.split()[0],
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
    }


class _TranslatedReceive:
    """Gives the application a JSON body in the usual words."""

    def __init__(self, receive: Receive, dialect: OperationDialect) -> None:
        self._receive = receive
        self._usual_names = dialect.usual_names
        self._unknown_names = set(dialect.names)

    async def __call__(self) -> Message:
        message = await self._receive()
        body = read_object(message.get("body", b"")) if message["type"] == "http.request" else None
        if body is None:
            return message
        usual = {
            self._usual_names.get(name, name): value for name, value in body.items() if name not in self._unknown_names
        }
        return {**message, "body": encode(usual)}


class _TranslatedSend:
    """Sends a success in the dialect if it is JSON, and everything else as it is."""

    def __init__(self, send: Send, dialect: OperationDialect) -> None:
        self._send = send
        self._dialect = dialect
        self._start: Message = {}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start:
            message = await self._send_start(message)
        await self._send(message)

    async def _send_start(self, message: Message) -> Message:
        """Send the held head, now that the length is known; returns the first part of the body, translated."""
        start, self._start = self._start, {}
        content: bytes = message.get("body", b"")
        body = read_object(content) if start.get("status", 500) < 300 else None
        if body is not None:
            content = encode(self._in_dialect(body))
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        length = [] if message.get("more_body") else [(b"content-length", str(len(content)).encode())]
        await self._send({**start, "headers": [*headers, *length]})
        return {**message, "body": content}

    def _in_dialect(self, body: JsonObject) -> JsonObject:
        translated = {self._dialect.names.get(name, name): self._renamed(value) for name, value in body.items()}
        return {self._dialect.envelope: translated} if self._dialect.envelope else translated

    def _renamed(self, value: Json) -> Json:
        """Names in objects, at any depth, and in the query of an address of a next page."""
        names = self._dialect.names
        if isinstance(value, str):
            for old, new in names.items():
                value = re.sub(rf"(?<=[?&]){re.escape(old)}=", f"{new}=", value)
            return value
        if isinstance(value, Mapping):
            return {names.get(name, name): self._renamed(inner) for name, inner in value.items()}
        return [self._renamed(inner) for inner in value] if isinstance(value, Sequence) else value
