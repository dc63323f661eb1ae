"""Public answers as bytes with their entity tag, serialised once for each refresh of the catalogue."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bff.program.catalogue import MAX_LOCALISED
from bff.stores.shared_cache import Cached
from bff.vendors.okendo.row import Locale

Serialise = Callable[..., Any]


class Rendered(msgspec.Struct, frozen=True):
    """A body, its entity tag, and when each part of it was asked of Okendo (Unix seconds)."""

    body: bytes
    etag: str
    asked_at: tuple[float, ...]


class RenderedResponses:
    """The latest response of each function and locale."""

    def __init__(self) -> None:
        self._rendered: dict[tuple[Any, ...], Rendered] = {}

    def of(self, serialise: Serialise, locale: Locale, parts: Sequence[Cached[Any]]) -> Rendered:
        """What `serialise` makes of the values of these cached parts, in this locale."""
        name = (serialise.__name__, *sorted(locale.items()))
        asked_at = tuple(part.asked_at for part in parts)
        rendered = self._rendered.get(name)
        if rendered is None or rendered.asked_at != asked_at:
            if len(self._rendered) >= MAX_LOCALISED:
                self._rendered.pop(next(iter(self._rendered)))
            rendered = self._rendered[name] = _render(serialise(*(part.value for part in parts)), asked_at)
        return rendered


def _render(value: Any, asked_at: tuple[float, ...]) -> Rendered:
    body = msgspec.json.encode(value)
    return Rendered(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', asked_at)
