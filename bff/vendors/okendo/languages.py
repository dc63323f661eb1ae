"""In which language Okendo answers, as far as anybody knows.

Okendo documents a language, a country and a currency for rewards alone. For what else has words OKENDO_OVERRIDES may
say how they are asked for; until then it answers as the merchant has set it up, and nothing here says otherwise.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.row import Locale, Operation

NO_LOCALE = Locale()


class Languages:
    """`default` is the language in which Okendo answers when none is asked for, None when the merchant has not told."""

    def __init__(self, default: str | None, rows: Mapping[str, Operation[Any]] = OPERATIONS) -> None:
        self._default = default
        self._taken = {name: frozenset(row.sends) for name, row in rows.items()}

    def takes(self, row: Operation[Any]) -> bool:
        """Whether the language of the answer can be asked for."""
        return "language" in self._taken[row.name]

    def asked_of(self, row: Operation[Any], locale: Locale) -> Locale:
        """What of a locale this operation takes: what it does not makes no other question of it, and no other copy."""
        taken = self._taken[row.name]
        if taken.issuperset(locale):
            return locale
        # mypy cannot see that what is left of a Locale is one.
        return {name: value for name, value in locale.items() if name in taken}  # type: ignore[return-value]

    def of_answer(self, row: Operation[Any], locale: Locale, told: str | None = None) -> str | None:
        """The language of what this operation answers to this locale: what Okendo has told itself, else the one asked
        for where it takes one, else the merchant's; None when nobody knows."""
        asked = locale.get("language") if self.takes(row) else None
        return told or asked or self._default


def common(languages: Iterable[str | None]) -> str | None:
    """The language that all parts of an answer are in; None when there is no such one, or it is not known of a part."""
    found = set(languages)
    return found.pop() if len(found) == 1 else None
