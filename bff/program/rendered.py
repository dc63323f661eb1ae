"""Public answers as bytes with their digest, serialised once for each refresh of the catalogue."""

import hashlib
from collections.abc import Callable

import msgspec

from bff.program.catalogue import MAX_LOCALISED
from bff.program.encodings import Encodings
from bff.telemetry.timing import spent_on
from bff.vendors.okendo.languages import NO_LOCALE
from bff.vendors.okendo.row import Locale


class Rendered(msgspec.Struct, frozen=True):
    """Bytes to be sent, in all codings, their digest, and when each part of what they say was asked of Okendo (Unix
    seconds)."""

    encodings: Encodings
    digest: str
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
            rendered = Rendered(Encodings(body), hashlib.sha256(body).hexdigest()[:32], asked_at)
        kept[key] = rendered
        if len(self._localised) > MAX_LOCALISED:
            self._localised.pop(next(iter(self._localised)))
        return rendered
