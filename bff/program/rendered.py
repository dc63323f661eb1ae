"""Public answers ready to be sent: bytes and their entity tag, made once for each copy of what they say."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bff.program.catalogue import MOST_COPIES
from bff.stores.shared_cache import Cached
from bff.vendors.okendo.row import Locale

Serialise = Callable[..., Any]


class Rendered(msgspec.Struct, frozen=True):
    """Bytes to be sent, their entity tag, and when each part of what they say was asked of Okendo."""

    body: bytes
    etag: str
    asked_at: tuple[float, ...]


class RenderedResponses:
    """Answers made once for each copy of the catalogue that they come from."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], Rendered] = {}

    def of(self, make: Serialise, locale: Locale, copies: Sequence[Cached[Any]]) -> Rendered:
        """What `make` makes of the copies' values, in this locale."""
        name = (make.__name__, *sorted(locale.items()))
        asked_at = tuple(copy.asked_at for copy in copies)
        answer = self._made.get(name)
        if answer is None or answer.asked_at != asked_at:
            if len(self._made) >= MOST_COPIES:
                self._made.pop(next(iter(self._made)))
            answer = self._made[name] = _rendered(make(*(copy.value for copy in copies)), asked_at)
        return answer


def _rendered(value: Any, asked_at: tuple[float, ...]) -> Rendered:
    body = msgspec.json.encode(value)
    return Rendered(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', asked_at)
