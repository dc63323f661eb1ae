"""An answer as it was written, with places for what is another each time: ids, a nonce, how long it took."""

import logging
import re
import secrets
from collections.abc import Sequence
from http import HTTPStatus

from starlette.types import Scope

from bff.telemetry import metrics, tracing
from bff.telemetry.logs import PreparedLine
from bff.web.headers import ResponseGuard
from bff.web.repeatable import Repeatable

# Between NULs, which are in no header and in no text.
PLACE = re.compile(rb"\0(usual|id|timing|nonce|length)\0")
# As long as each other, so that no length depends on which it is.
NONCE_BYTES = 18


class KeptAnswer:
    """`pieces` are texts and, at odd places, names of what stands between them; `length` is that of a body without its
    ids."""

    def __init__(self, guard: ResponseGuard, repeatable: Repeatable, pieces: Sequence[bytes], length: int) -> None:
        ended = guard.ended
        self.is_current = repeatable.is_current
        self._ended = ended
        self._pieces = pieces
        self._places = [(number, pieces[number]) for number in range(1, len(pieces), 2)]
        self._has_nonce = b"nonce" in pieces[1::2]
        self._ids, self._length = repeatable.ids, length
        self._timing = "".join(f"{phase};dur=0.0, " for phase in guard.phases) + "total;dur="
        fields = ended._asdict() | {"calls": 0} | {f"{phase}_ms": 0.0 for phase in guard.phases}
        del fields["request_id"]
        self._line = PreparedLine(logging.INFO, "request", fields)

    def written(self, request_id: str, seconds: float, usual: bytes) -> bytes:
        """All of it, with the `usual` fields of the server."""
        timing = f"{self._timing}{round(seconds * 1000, 1)}".encode()
        values = {b"usual": usual, b"id": request_id.encode(), b"timing": timing}
        if self._has_nonce:
            values[b"nonce"] = secrets.token_urlsafe(NONCE_BYTES).encode()
        if self._ids:
            values[b"length"] = b"%d" % (self._length + self._ids * len(request_id))
        pieces = [*self._pieces]
        for number, name in self._places:
            pieces[number] = values[name]
        return b"".join(pieces)

    def tell(self, request_id: str, seconds: float) -> None:
        """Count it and write its line, as of any request."""
        ended = self._ended
        metrics.observe_request(ended.route, ended.method, ended.status, seconds, ended.code)
        self._line.write(request_id, tracing.new_id(), round(seconds * 1000, 1))


def kept(scope: Scope, guard: ResponseGuard, repeatable: Repeatable) -> KeptAnswer | None:
    """What went out; None where it did not in one piece, or has a cookie, or its words are not told from its ids, since
    a client chose one of them as its id."""
    body, names = guard.body, {name for name, _ in guard.headers}
    is_whole = b"content-length" in names or guard.status == 304
    if body is None or not is_whole or b"set-cookie" in names:
        return None
    request_id, nonce = scope["request_id"].encode(), scope.get("nonce", "").encode()
    if repeatable.ids and (body.count(request_id) != repeatable.ids or b"\0" in body):
        return None
    pieces = _pieces(_head(guard.status, guard.headers, has_ids=repeatable.ids > 0), b"", nonce)
    if scope["method"] == "GET":
        ends = _pieces(body, request_id, nonce) if repeatable.ids else [body]
        pieces = [*pieces[:-1], pieces[-1] + ends[0], *ends[1:]]
    return KeptAnswer(guard, repeatable, pieces, len(body) - repeatable.ids * len(request_id))


def _head(status: int, headers: Sequence[tuple[bytes, bytes]], *, has_ids: bool) -> bytes:
    places = {b"x-request-id": _place(b"id"), b"server-timing": _place(b"timing")}
    if has_ids:
        places[b"content-length"] = _place(b"length")
    lines = (name + b": " + places.get(name, value) + b"\r\n" for name, value in headers)
    status_line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    return status_line + _place(b"usual") + b"".join(lines) + b"\r\n"


def _pieces(text: bytes, request_id: bytes, nonce: bytes) -> list[bytes]:
    for name, given in ((b"id", request_id), (b"nonce", nonce)):
        text = text.replace(given, _place(name)) if given else text
    return PLACE.split(text)


def _place(name: bytes) -> bytes:
    return b"\0" + name + b"\0"
