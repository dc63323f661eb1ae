"""The catalogues of texts (gettext): ours in `locales/`, a merchant's own in LOCALE_DIR, and what COPY says instead.

They are read as translators write them, `fr.po`: docs/decisions/languages.md says why nothing is compiled.
"""

import gettext
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from bff.languages.formats import Formats
from bff.languages.places import fits
from bff.languages.wording import Copy, Reworded

OURS = Path(__file__).resolve().parents[2] / "locales"
# The language that the texts are written in, where they stand.
SOURCE = "en"


class CatalogueError(Exception):
    """A catalogue cannot be used. The message names the file, the text and what is wrong with it."""


class Words:
    """The texts in one language, and how it writes numbers, money and dates. `tag` is BCP 47: `fr`, `pt-BR`."""

    def __init__(self, tag: str, translations: gettext.NullTranslations) -> None:
        locale = Locale.parse(tag, sep="-")
        self.tag = tag
        self.language: str = locale.language
        self.direction: str = locale.text_direction
        self.name = own_name(tag)
        self.formats = Formats(locale)
        self.text: Callable[[str], str] = translations.gettext
        self.plural: Callable[[str, str, int], str] = translations.ngettext

    def sentences(self, texts: Sequence[str], values: Mapping[str, object]) -> str:
        """Texts with their values, one after the other."""
        return " ".join(self.text(text) % values if values else self.text(text) for text in texts)


class Catalogues:
    """Every language that pages can be in. One is read when somebody first asks for it: most processes meet few."""

    def __init__(self, own: Path | None = None, copy: Copy | None = None) -> None:
        self._folders = (OURS, *([own] if own else []))
        self._copy = copy or {}
        self.tags: tuple[str, ...] = tuple(
            sorted({SOURCE, *(tag for folder in self._folders for tag in _tags(folder))})
        )
        self.words = cache(self._words)

    def _words(self, tag: str) -> Words:
        """What the merchant says instead, else what is translated in their catalogue; the rest from ours, the rest of
        that as it is written."""
        chain = dict.fromkeys((tag, tag.partition("-")[0]))
        found = [one for part in chain for one in self._of(part)] or [gettext.NullTranslations()]
        for translations, fallback in pairwise(found):
            translations.add_fallback(fallback)
        return Words(tag, found[0])

    def _of(self, tag: str) -> Iterator[gettext.NullTranslations]:
        if tag in self._copy:
            yield Reworded(tag, self._copy[tag])
        for path in (folder / f"{tag}.po" for folder in reversed(self._folders)):
            if path.exists():
                yield _translations(path)


def own_name(tag: str) -> str:
    """What a language is called in itself: `Français`."""
    name = Locale.parse(tag, sep="-").display_name or tag
    return name[0].upper() + name[1:]


def check(own: Path) -> None:
    """Raises CatalogueError for the first that is wrong in a merchant's catalogues, so that no page fails by it."""
    for tag in _tags(own):
        path = own / f"{tag}.po"
        try:
            Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            raise CatalogueError(f"{path.name} is named after no language; fr.po and pt-BR.po are") from None
        for message in read(path):
            if message.id and any(_forms(message.string)) and (fault := fault_of(message)):
                raise CatalogueError(f"{path.name}: {fault}")


def read(path: Path) -> Catalog:
    """Raises CatalogueError for what is no catalogue."""
    try:
        with path.open("rb") as file:
            return read_po(file, locale=path.stem.replace("-", "_"), abort_invalid=True)
    except (PoFileError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path.name} is no catalogue: {error}") from None


def fault_of(message: Message) -> str | None:
    """What is wrong with a translation; None when nothing is.

    Every place for a value is in it, and every tag. In plural forms that are for one number alone, the number may be
    left out: "one point", "two points".
    """
    expected, is_counted = _forms(message.id)[-1], isinstance(message.id, tuple)
    *others, last = _forms(message.string)
    for form, may_lack in (*((other, 1) for other in others), (last, 0)):
        if not fits(form, expected, is_counted=is_counted, may_lack=may_lack):
            return f"{form!r} has other places for values, or other tags, than {expected!r}"
    return None


def _forms(texts: Any) -> Sequence[str]:
    """Babel gives one text, or as many as there are plural forms."""
    return (texts or "",) if isinstance(texts, str) or texts is None else texts


def _tags(folder: Path) -> list[str]:
    return [path.stem for path in sorted(folder.glob("*.po"))]


def _translations(path: Path) -> gettext.NullTranslations:
    compiled, catalog = io.BytesIO(), read(path)
    for message in catalog:
        # As many empty texts as there are plural forms would be taken for a translation.
        message.string = message.string if any(_forms(message.string)) else ""
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
