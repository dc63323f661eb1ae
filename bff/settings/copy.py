"""The merchant's own words, as TOML in the setting or in a file: docs/copy.md.

They are read in two steps: which languages there are, LOCALE_DIR says as well.
"""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bff.errors import SettingsError
from bff.languages.catalogues import SOURCE, Catalogues
from bff.languages.copy import fault_in, texts
from bff.languages.wording import Copy
from bff.settings.toml import tables_in, text_of

SETTING = "COPY"
TAG = re.compile(r"[A-Za-z0-9-]{2,35}")
LONGEST_SHOWN = 100


def read_copy(toml_or_path: str) -> Copy:
    """Wordings by language and text, not compared with our texts yet; raises SettingsError."""
    tables = tables_in(SETTING, text_of(SETTING, toml_or_path))
    for tag, table in tables.items():
        if not isinstance(table, dict) or not TAG.fullmatch(tag):
            raise SettingsError(SETTING, 'give tables that are named after languages, such as [fr] and ["pt-BR"].')
        for text, wording in table.items():
            if not _is_wording(wording):
                raise SettingsError(SETTING, f"[{tag}] {_shown(text)}: give a text, or its plural forms.")
    return tables


def check_copy(copy: Copy, locale_dir: Path | None) -> None:
    """Raises SettingsError for the first wording that cannot be used, with its language and its text."""
    known, tags = texts() if copy else {}, Catalogues(locale_dir).tags
    for tag, wordings in copy.items():
        if tag not in tags:
            raise SettingsError(SETTING, f"[{tag}] is none of the languages of the pages: {', '.join(tags)}.")
        for text, wording in wordings.items():
            if text not in known:
                raise SettingsError(SETTING, f"[{tag}] {_shown(text)} is no text of the pages; {_remedy(text, known)}")
            if fault := fault_in(wording, known[text], tag):
                raise SettingsError(SETTING, f"[{tag}] {_shown(text)}: {fault}.")


def _is_wording(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and all(isinstance(form, str) for form in value.values()))


def _shown(text: str) -> str:
    """On one line."""
    return ascii(text[:LONGEST_SHOWN]) if not text.isprintable() else f'"{text[:LONGEST_SHOWN]}"'


def _remedy(text: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(text, known, n=1)
    return f'is "{found[0]}" meant?' if found else f"python -m bff copy {SOURCE} lists them."
