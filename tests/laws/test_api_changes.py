"""The document of the JSON API changes with a version and an entry in docs/api-changes.md, and never without."""

import copy
import hashlib
import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from support.services import ROOT

from bff.api.deprecation import LEAST_DAYS
from bff.api.routes import ENDPOINTS
from bff.openapi.version import API_VERSION

CHANGES = (ROOT / "docs" / "api-changes.md").read_text("utf-8")
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
ENTRY = re.compile(
    r"^### (\d+)\.(\d+)\.(\d+), (\d{4}-\d\d-\d\d)\n\n((?:[*] .*\n(?:  .*\n)*)+)\nDocument: `([0-9a-f]{16})`$", re.M
)


class Entry(NamedTuple):
    """A version with its day, what it changed, and the digest of the document that it describes."""

    version: tuple[int, int, int]
    day: date
    words: str
    digest: str


def entries(text: str) -> list[Entry]:
    found = [
        Entry((int(major), int(minor), int(patch)), date.fromisoformat(day), words, digest)
        for major, minor, patch, day, words, digest in ENTRY.findall(text)
    ]
    assert len(found) == text.count("\n### "), "an entry is a heading, a list, and the document's digest"
    return found


def digest_of(document: Any) -> str:
    """Of everything but the version, so that a version alone is no change."""
    info = {name: value for name, value in document["info"].items() if name != "version"}
    text = json.dumps({**document, "info": info}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def flaws(document: Any, text: str) -> list[str]:
    """What is missing where the document and its changes do not agree."""
    newest, *older = entries(text)
    digest, version = digest_of(document), ".".join(map(str, newest.version))
    found = []
    if newest.digest != digest:
        found.append(f"the document changed: add an entry with a new version and `Document: `{digest}``")
    if document["info"]["version"] != version:
        found.append(f"the document is version {document['info']['version']}, the newest entry {version}")
    versions = [entry.version for entry in (newest, *older)]
    if versions != sorted(set(versions), reverse=True):
        found.append("each version is above the one before")
    days = [entry.day for entry in (newest, *older)]
    if days != sorted(days, reverse=True):
        found.append("the newest entry is the first")
    if len({entry.digest for entry in (newest, *older)}) <= len(older):
        found.append("two versions describe the same document")
    return found


def test_the_document_is_the_one_that_the_newest_entry_describes() -> None:
    assert flaws(DOCUMENT, CHANGES) == []
    assert DOCUMENT["info"]["version"] == API_VERSION
    assert int(API_VERSION.partition(".")[0]) == 1, "the path says so, too"


def changed(change: Callable[[Any], object]) -> Any:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return document


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda it: it["paths"].pop("/api/v1/me"), "the document changed"),
        (lambda it: it["components"]["schemas"]["Member"]["properties"].update(x={}), "the document changed"),
        (lambda it: it["info"].update(description="other words"), "the document changed"),
        (lambda it: it["info"].update(version="9.9.9"), "the newest entry"),
    ],
)
def test_a_change_without_an_entry_is_found(change: Callable[[Any], object], words: str) -> None:
    assert any(words in flaw for flaw in flaws(changed(change), CHANGES))


def test_an_entry_needs_a_new_version_and_a_new_document() -> None:
    first = CHANGES[CHANGES.index("### ") :]
    assert flaws(DOCUMENT, f"\n{first}\n{first}") != []
    later = re.sub(r"^### \S+,", "### 1.99.0,", first, count=1)
    assert flaws(changed(lambda it: it["info"].update(version="1.99.0")), f"\n{later}\n{first}") == [
        "two versions describe the same document"
    ]


def test_what_is_deprecated_stays_as_long_as_the_policy_says() -> None:
    assert f"{LEAST_DAYS} days" in CHANGES
    for endpoint in ENDPOINTS:
        if (marked := endpoint.deprecated) is not None:
            assert marked.sunset - marked.since >= timedelta(days=LEAST_DAYS), endpoint.path
            assert endpoint.path in CHANGES
