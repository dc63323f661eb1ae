"""Public answers as bytes with their entity tag, serialised once for each refresh of the catalogue."""

import hashlib
from collections.abc import Callable

import msgspec

from bff.program.catalogue import MAX_LOCALISED
from bff.telemetry.timing import spent_on
from bff.vendors.okendo.row import Locale

NO_LOCALE = Locale()


class Rendered(msgspec.Struct, frozen=True):
    """Bytes to be sent, their entity tag, and when each part of what they say was asked of Okendo (Unix seconds)."""

    body: bytes
    etag: str
    asked_at: tuple[float, ...]


class RenderedResponses:
    """Answers that are the same for everybody, whoever it was that they were rendered for.

    Those in no locale stay: there are as many as public addresses. Of those in a locale, the one that was not asked for
    longest makes room, so that strangers cannot fill memory.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[object, ...], Rendered] = {}
        self._localised: dict[tuple[object, ...], Rendered] = {}

    def of(
        self,
        name: str,
        render: Callable[[], bytes],
        *,
        asked_at: tuple[float, ...] = (),
        locale: Locale = NO_LOCALE,
    ) -> Rendered:
        """What `render` renders, once; again only for parts that were asked of Okendo at other times."""
        kept = self._localised if locale else self._held
        key = (name, *sorted(locale.items()))
        rendered = kept.pop(key, None)
        if rendered is None or rendered.asked_at != asked_at:
            with spent_on("render"):
                body = render()
            rendered = Rendered(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', asked_at)
        kept[key] = rendered
        if len(self._localised) > MAX_LOCALISED:
            self._localised.pop(next(iter(self._localised)))
        return rendered
