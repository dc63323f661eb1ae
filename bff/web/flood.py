"""What a flood of requests is refused with: the bytes of earlier refusals, written before a request is even parsed.

A refusal that goes all the way through the application costs as much as a tenth of a page, so a flood of ten times what
a process can do would leave nothing for those it has taken. The first refusal of each kind goes that way, and is kept.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Literal

from starlette.types import Message, Scope, Send

from bff.languages.negotiation import accepted
from bff.web.admission import Admission
from bff.web.cors import Callers
from bff.web.fields import field

# Where platforms look, at the root and under whatever host they know us by.
FOR_PLATFORMS = frozenset({"/healthz", "/readyz", "/metrics"})
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{20,200}")
# What differs from one refusal to another, as it stands in what is kept.
ID_PLACE, NONCE_PLACE = b"request-id-of-a-refusal", b"nonce-of-a-refusal"
ORIGIN_PLACE = b"origin-of-a-refusal"
# With one of these a request is more than its head, or wants more than an answer: it goes the long way.
MORE_THAN_A_HEAD = (b"\r\ncontent-length:", b"\r\ntransfer-encoding:", b"\r\nupgrade:", b"\r\nexpect:")
HEAD_END = b"\r\n\r\n"
NAMES_ORIGIN = frozenset({b"access-control-allow-origin", b"timing-allow-origin"})
# The form of an answer (a page or JSON, with the API's headers or without), and who may read it.
Kind = Literal["page", "json", "public", "storefront", "nobody"]
# What two refusals have in common that are of the same bytes.
Alike = tuple[Kind, str | None]


class Flood:
    """Knows whether requests are refused now, and what was written to those that were."""

    def __init__(
        self,
        admission: Admission,
        api: str,
        webhooks: str,
        public: frozenset[str],
        origins: Callers,
        languages: tuple[str, ...],
    ) -> None:
        self.admission = admission
        self._api = api
        self._webhooks = webhooks
        self._public = public
        self._origins = origins
        self._languages = languages
        self._kept: dict[Alike, tuple[bytes, bytes]] = {}

    def keeping(self, scope: Scope, send: Send) -> Send:
        """`send`, which keeps the refusal that goes through it."""
        if scope["method"] != "GET":
            return send
        names = (b"accept", b"origin", b"accept-language")
        alike = self._alike(scope["path"], *(field(scope, name) or "" for name in names))
        if alike in self._kept:
            return send
        # An id that a client chose may be a word of the answer, which is then not found by it: it gets one of ours.
        scope["request_id"] = secrets.token_hex(16)
        seen: list[Message] = []

        async def sending(message: Message) -> None:
            seen.append(message)
            if len(seen) == 2:
                self._kept[alike] = _written(seen[0], seen[1], scope)
            await send(message)

        return sending

    def answer_to(self, data: bytes) -> bytes | None:
        """Header fields and body of the refusal of this request; None when it is to go the long way: it is not refused,
        is more than the head of a GET, or is the first of its kind."""
        if not self.admission.will_be_full() or not _is_head_of_get(data):
            return None
        lower = data.lower()
        if _value(data, lower, b"connection").lower() not in {"", "keep-alive"}:
            return None
        target = data[4 : data.index(b" ", 4)].partition(b"?")[0].decode("latin-1")
        origin = _value(data, lower, b"origin")
        accept, languages = (_value(data, lower, name) for name in (b"accept", b"accept-language"))
        kept = self._kept.get(self._alike(target, accept, origin, languages))
        if kept is None or target in FOR_PLATFORMS:
            return None
        self.admission.refusal()
        given = _value(data, lower, b"x-request-id")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        ids = {NONCE_PLACE: secrets.token_urlsafe(18).encode(), ID_PLACE: request_id.encode()}
        # Only one that may call gets an answer with a place for it.
        fields, body = (_replaced(part, ids | {ORIGIN_PLACE: origin.encode("latin-1")}) for part in kept)
        return b"%scontent-length: %d\r\n\r\n%s" % (fields, len(body), body)

    def _alike(self, path: str, accept: str, origin: str, languages: str) -> Alike:
        return self._kind(path, accept, origin), accepted(languages, self._languages)

    def _kind(self, path: str, accept: str, origin: str) -> Kind:
        if path in self._public:
            return "public"
        if path.startswith(self._api):
            return "storefront" if origin in self._origins else "nobody"
        is_json = path.startswith(self._webhooks) or ("json" in accept and "text/html" not in accept)
        return "json" if is_json else "page"


def _is_head_of_get(data: bytes) -> bool:
    """Whether this is one whole head of a GET in HTTP/1.1, without anything that servers read in different ways."""
    if not data.startswith(b"GET /") or data.find(HEAD_END) != len(data) - len(HEAD_END) or b"\0" in data:
        return False
    if not data[: data.index(b"\r\n")].endswith(b" HTTP/1.1") or data.count(b"\n") != data.count(b"\r\n"):
        return False
    lower = data.lower()
    return b"\r\nhost:" in lower and not any(name in lower for name in MORE_THAN_A_HEAD)


def _value(data: bytes, lower: bytes, name: bytes) -> str:
    start = lower.find(b"\r\n" + name + b":")
    if start < 0:
        return ""
    start += len(name) + 3
    return data[start : data.index(b"\r\n", start)].strip().decode("latin-1")


def _written(start: Message, body: Message, scope: Scope) -> tuple[bytes, bytes]:
    """The fields, but for the length that an id of another length changes, and the body."""
    origin = (field(scope, b"origin") or "").encode("latin-1")
    given = [
        (name, ORIGIN_PLACE if name in NAMES_ORIGIN and value == origin else value)
        for name, value in start["headers"]
        if name != b"content-length"
    ]
    parts = b"".join(name + b": " + value + b"\r\n" for name, value in given), body["body"]
    ids = {scope["request_id"].encode(): ID_PLACE}
    if "nonce" in scope:
        ids[scope["nonce"].encode()] = NONCE_PLACE
    fields, text = (_replaced(part, ids) for part in parts)
    return fields, text


def _replaced(part: bytes, ids: Mapping[bytes, bytes]) -> bytes:
    for given, place in ids.items():
        part = part.replace(given, place)
    return part
