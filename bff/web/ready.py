"""Answers that are ready: what was answered in the ordinary way is answered again from its bytes, before there is a
task, a scope or a route, while it would be the same.

Nothing is decided here. A request gets such an answer when it is like one that was answered in the ordinary way, as far
as anything is read of it (`LIKE`); everything else takes the long way. docs/decisions/ready-answers.md
"""

import functools
import re
import time
from collections.abc import Callable, Mapping, Sequence

from starlette.types import Scope

from bff.telemetry import spans, tracing
from bff.telemetry.timing import Phase
from bff.web.fields import RAW_SINGLETONS
from bff.web.flood import REQUEST_ID, Flood
from bff.web.forwarded import Proxies
from bff.web.headers import ResponseGuard
from bff.web.kept import KeptAnswer, kept
from bff.web.repeatable import Repeatable

# By which fields two requests are alike.
LIKE = (
    b"host", b"x-forwarded-proto", b"origin", b"sec-fetch-site", b"sec-fetch-dest", b"accept", b"accept-encoding",
    b"accept-language", b"if-none-match",
)  # fmt: skip
# With one of these a request is more than a question, or is told of in another way.
LONG_WAY = RAW_SINGLETONS.difference(LIKE) | {
    b"transfer-encoding", b"upgrade", b"expect", b"access-control-request-method", b"access-control-request-headers",
    b"traceparent",
}  # fmt: skip
# What asked a store or a vendor, or had to be rendered, is not repeated.
NOTHING_ASKED: frozenset[Phase] = frozenset({"session"})
MOST_KEPT = 512
KEY_BYTES = 2048
PLAIN = re.compile(rb"/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]")
Headers = Sequence[tuple[bytes, bytes]]
Fields = Mapping[bytes, bytes]
Key = tuple[object, ...]


class Ready:
    """Knows the answers that are ready. `methods_at` tells which methods a path below the base path answers to."""

    def __init__(self, flood: Flood, proxies: Proxies, methods_at: Callable[[str], frozenset[str]], base: str) -> None:
        self._admission = flood.admission
        self._proxies = proxies
        self._methods_at = methods_at
        self._base = base
        self._areas = (f"{base}/api/", f"{base}/webhooks/", f"{base}/")
        self._kept: dict[Key, KeptAnswer] = {}
        self._area = functools.lru_cache(1024)(self._area_of)
        self.given = 0

    def answer(self, method: bytes, target: bytes, headers: Headers, peer: str, usual: bytes) -> bytes | None:
        """The answer, with the `usual` header fields of the server, and tell of it; None when it is not ready."""
        began = time.perf_counter()
        fields = dict(headers)
        found = self._found(method, target, fields, peer) if len(fields) == len(headers) else None
        if found is None:
            return None
        given = fields.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if REQUEST_ID.fullmatch(given) else tracing.new_id()
        self.given += 1
        seconds = time.perf_counter() - began
        found.tell(request_id, seconds)
        return found.written(request_id, seconds, usual)

    def _found(self, method: bytes, target: bytes, fields: Fields, peer: str) -> KeptAnswer | None:
        if self._admission.is_full() or spans.is_recording():
            return None
        like = self._like(method, fields, peer)
        if like is None:
            return None
        found = self._kept.get((target, *like)) or self._kept.get((self._area(target), *like))
        return found if found is not None and found.is_current() else None

    def _like(self, method: bytes, fields: Fields, peer: str) -> Key | None:
        """What of a request makes a difference to its answer, besides its target; None when it takes the long way."""
        if method not in {b"GET", b"HEAD"} or not LONG_WAY.isdisjoint(fields):
            return None
        return method, self._proxies.believes(peer), b"cookie" in fields, *map(fields.get, LIKE)

    def _area_of(self, target: bytes) -> Key | None:
        """Where an address without a route is, which makes a difference to the answer; None for any other."""
        raw, _, query = target.partition(b"?")
        # A link to another language is answered in that one.
        if not PLAIN.fullmatch(raw) or b"lang=" in query:
            return None
        path = raw.decode("ascii")
        if self._methods_at(path) or self._methods_at(path.removeprefix(self._base)) or path == self._base:
            return None
        return tuple(map(path.startswith, self._areas))

    def keep(self, scope: Scope, guard: ResponseGuard) -> None:
        """Keep an answer that went out in the ordinary way, where it may be given again."""
        repeatable: Repeatable | None = scope.get("repeatable")
        if repeatable is None or not NOTHING_ASKED.issuperset(guard.phases):
            return
        key, answer = self._key(scope, repeatable), kept(scope, guard, repeatable)
        if key is None or answer is None or _size(key) > KEY_BYTES:
            return
        self._kept.pop(key, None)
        self._kept[key] = answer
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    def _key(self, scope: Scope, repeatable: Repeatable) -> Key | None:
        """By what the answer to this request is found; None for one that takes the long way."""
        fields, query = dict(scope["headers"]), scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        where = self._area(target) if repeatable.any_address else target
        like = self._like(scope["method"].encode(), fields, scope["client"][0] if scope["client"] else "")
        is_known = where is not None and like is not None and len(fields) == len(scope["headers"])
        return (where, *like) if is_known and like is not None else None


def _size(key: Key) -> int:
    """Bytes that a client chose."""
    return sum(len(part) for part in key if isinstance(part, bytes))
