"""Another way for Okendo to speak, ordered by a test: other paths, methods, names and envelopes, the same meaning.

Most of Okendo's paths and names are not public, so a client must be correctable. Here a vendor can be had that is right
and different: the old way is gone, as it would be if our guess were wrong.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bff.sandbox.calls import ASKED, Operation
from bff.sandbox.control.faults import BadOrder
from bff.sandbox.json import Json, JsonObject, encode, read_object
from bff.sandbox.world import World

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
KEYS = {"method", "path", "names", "envelope"}
NOWHERE = "/v1/spoken-otherwise"


@dataclass(frozen=True)
class Speech:
    """How one operation is called instead. `names` are the vendor's usual names of fields and parameters, each with the
    one that is used instead; a success is wrapped in `envelope`."""

    operation: Operation
    method: str
    path: str
    names: Mapping[str, str]
    envelope: str

    def fits(self, method: str, path: str) -> dict[str, str] | None:
        """The values in this path, if it is this operation's."""
        return _values(self.path, path) if method == self.method else None


def _values(template: str, path: str) -> dict[str, str] | None:
    found = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template)), path)
    return found and found.groupdict()


def ordered(body: JsonObject, operations: Sequence[Operation]) -> tuple[Speech, ...]:
    """The dialect that a control call asks for: `{"<operation>": {"method"?, "path"?, "names"?, "envelope"?}}`."""
    known = {operation.name: operation for operation in operations if operation.vendor == "okendo"}
    return tuple(_speech(known, name, value) for name, value in body.items())


def _speech(known: Mapping[str, Operation], name: str, value: Json) -> Speech:
    operation = known.get(name)
    if operation is None or not isinstance(value, Mapping) or set(value) - KEYS:
        raise BadOrder(f"{name} must be an operation of Okendo's with {', '.join(sorted(KEYS))}")
    method, path = value.get("method", operation.methods.split()[0]), value.get("path", operation.paths[0])
    names, envelope = value.get("names", {}), value.get("envelope", "")
    if method not in METHODS or not isinstance(path, str) or not path.startswith("/v1/"):
        raise BadOrder(f"{name}: give a method of {', '.join(METHODS)} and a path that starts with /v1/")
    if not isinstance(envelope, str) or not isinstance(names, Mapping):
        raise BadOrder(f"{name}: envelope must be a text, and names an object of texts")
    return Speech(operation, str(method), path, {old: str(new) for old, new in names.items()}, envelope)


class Speaking:
    """In front of the vendors: hears the ordered dialect, lets them do their work, and answers in it."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        speeches: tuple[Speech, ...] = self._world.dialect
        if scope["type"] != "http" or not speeches or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        for speech in speeches:
            values = speech.fits(scope["method"], scope["path"])
            if values is not None:
                await self._app(_heard(scope, speech, values), _Ear(receive, speech), _Mouth(send, speech).send)
                return
        if any(_is_usual(speech.operation, scope) for speech in speeches):
            # The usual way leads nowhere now.
            scope = {**scope, "path": NOWHERE, "raw_path": NOWHERE.encode()}
        await self._app(scope, receive, send)


def _is_usual(operation: Operation, scope: Scope) -> bool:
    return any(_values(path, scope["path"]) is not None for path in operation.paths) and (
        scope["method"] in operation.methods.split()
    )


def _heard(scope: Scope, speech: Speech, values: Mapping[str, str]) -> Scope:
    """The same call in the usual words; what was really asked stays with it for the call log."""
    usual = next(path for path in speech.operation.paths if set(re.findall(r"{(\w+)}", path)) == set(values))
    path = usual.format_map(values)
    back = {new: old for old, new in speech.names.items()}
    pairs = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
    query = urlencode([(back.get(name, name), value) for name, value in pairs if name not in speech.names])
    method = speech.operation.methods.split()[0]
    asked = {ASKED: (scope["method"], scope["path"])}
    return {**scope, **asked, "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode()}


class _Ear:
    """Hears a JSON body in the dialect."""

    def __init__(self, receive: Receive, speech: Speech) -> None:
        self._receive = receive
        self._back = {new: old for old, new in speech.names.items()}
        self._lost = set(speech.names)

    async def __call__(self) -> Message:
        message = await self._receive()
        body = read_object(message.get("body", b"")) if message["type"] == "http.request" else None
        if body is None:
            return message
        usual = {self._back.get(name, name): value for name, value in body.items() if name not in self._lost}
        return {**message, "body": encode(usual)}


class _Mouth:
    """Answers in the dialect, and leaves alone what is no JSON of a success."""

    def __init__(self, send: Send, speech: Speech) -> None:
        self._send = send
        self._speech = speech
        self._start: Message = {}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        body = read_object(message.get("body", b"")) if self._start.get("status", 500) < 300 else None
        if self._start:
            said = encode(self._in_dialect(body)) if body is not None else message.get("body", b"")
            headers = [(name, value) for name, value in self._start["headers"] if name != b"content-length"]
            length = [] if message.get("more_body") else [(b"content-length", str(len(said)).encode())]
            await self._send({**self._start, "headers": [*headers, *length]})
            self._start, message = {}, {**message, "body": said}
        await self._send(message)

    def _in_dialect(self, body: JsonObject) -> JsonObject:
        said = {self._speech.names.get(name, name): self._renamed(value) for name, value in body.items()}
        return {self._speech.envelope: said} if self._speech.envelope else said

    def _renamed(self, value: Json) -> Json:
        """Names in objects, at any depth, and in the query of an address of a next page."""
        names = self._speech.names
        if isinstance(value, str):
            for old, new in names.items():
                value = re.sub(rf"(?<=[?&]){re.escape(old)}=", f"{new}=", value)
            return value
        if isinstance(value, Mapping):
            return {names.get(name, name): self._renamed(inner) for name, inner in value.items()}
        return [self._renamed(inner) for inner in value] if isinstance(value, Sequence) else value
