"""Texts and their translations: `make messages` brings every catalogue up to date, `make check` says what is amiss.

A catalogue has each text once, in alphabetical order, with the files it is in and no lines, so that a change elsewhere
changes nothing here.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from bff.languages.catalogues import OURS, CatalogueError, fault_of, read

ROOT = OURS.parent
TEMPLATE = OURS / "messages.pot"
# Which argument is a text: of gettext's functions, and of ours.
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "N_": None,
    "ngettext": (1, 2),
    "Problem": (2,),
    "unavailable": (3,),
    "sign_in_failed": (2,),
}
# Commands for operators, pages for developers, answers to webhooks, and the pretended vendors are in English.
ENGLISH_ONLY = ("bff/ops", "bff/openapi", "bff/sandbox", "bff/devstack", "templates/sandbox")
TO_MACHINES = "webhooks.py"
SHOWN = 40
METHODS = [("bff/**.py", "python"), ("templates/**.html", "jinja2")]
# What would change at each run.
DATES = tuple(
    f'"{name}' for name in ("POT-", "PO-", "Generated-By", "Report-Msgid", "Last-", "Language-Team", "Project-")
)


def extracted() -> Catalog:
    """Every text there is, untranslated."""
    catalog = Catalog(project="loyalty-bff", charset="utf-8", fuzzy=False, header_comment="# Texts of the service.")
    found = extract_from_dir(ROOT, METHODS, keywords=KEYWORDS, directory_filter=_is_searched)
    for name, _, text, comments, context in sorted(found, key=lambda one: one[0]):
        if not name.endswith(TO_MACHINES):
            catalog.add(text, None, [(name, 0)], auto_comments=comments, context=context)
    return catalog


def _is_searched(folder: str | Path) -> bool:
    path = Path(folder).relative_to(ROOT)
    return path.parts[:1] in ((), ("bff",), ("templates",)) and path.as_posix() not in ENGLISH_ONLY


def update(texts: Catalog) -> None:
    """Write every catalogue anew: new texts are in it without a translation, and those that are gone are not."""
    _write(TEMPLATE, texts)
    for path in catalogues():
        catalog = read(path)
        catalog.update(texts, no_fuzzy_matching=True, update_header_comment=False)
        catalog.obsolete.clear()
        _write(path, catalog)


def _write(path: Path, catalog: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalog, width=120, sort_output=True, include_lineno=False, include_previous=False)
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(DATES)), "utf-8")


def faults(texts: Catalog) -> Iterator[str]:
    """What is amiss in the catalogues, one line each."""
    for path in (TEMPLATE, *catalogues()):
        catalog = read(path)
        for message in texts:
            if message.id and message.id not in catalog:
                yield f"{path.name} lacks {message.id!r}"
        for message in catalog:
            if message.id and message.id not in texts:
                yield f"{path.name} has {message.id!r}, which is nowhere"
            elif message.id and path is not TEMPLATE:
                yield from (f"{path.name}: {fault}" for fault in _faults_of(message))


def _faults_of(message: Message) -> Iterator[str]:
    if not message.string or (isinstance(message.string, tuple) and not all(message.string)):
        yield f"{message.id!r} is not translated"
    elif message.fuzzy:
        yield f"{message.id!r} is marked as fuzzy: somebody has to look at it"
    elif fault := fault_of(message):
        yield fault


def catalogues() -> list[Path]:
    return sorted(OURS.glob("*.po"))


def main(arguments: list[str]) -> int:
    try:
        texts = extracted()
        if "--check" not in arguments:
            update(texts)
        found = list(faults(texts))
    except CatalogueError as error:
        found = [str(error)]
    if found:
        rest = f"{len(found)} faults in locales/. See docs/languages.md."
        print("\n".join([*found[:SHOWN], rest]), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
