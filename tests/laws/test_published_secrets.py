"""No secret that stands in this repository opens anything in production (checklist P7, C5)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ops.test_settings import names_it_and_nothing_else, refusal

from bff.devstack.stack import environment
from bff.sandbox import config
from bff.settings.table import SETTINGS

ROOT = Path(__file__).parents[2]
SECRETS = frozenset(row.name for row in SETTINGS if row.secret)
# Programs are left out: what those give to a name is a name, too.
DOCUMENTS = ("*.md", "docs/**/*.md", "app.json", "Procfile", "Makefile", ".ci/*", "benchmarks/*.toml")
GIVEN = re.compile(rf"\b({'|'.join(sorted(SECRETS))})\b[\"'`]?[=:]\s*[\"'`]?([^\s\"'`,]{{8,}})")


def of_the_devstack() -> Iterator[tuple[str, str]]:
    """What is the same in each of its runs, and so known to everybody."""
    one, other = environment(1, 2, "", ""), environment(1, 2, "", "")
    yield from ((name, one[name]) for name in sorted(SECRETS & set(one)) if one[name] == other[name] != "")


def of_the_sandbox() -> Iterator[tuple[str, str]]:
    for name, value in sorted(vars(config).items()):
        if name.endswith(("SECRET", "KEY", "TOKEN")):
            yield name if name in SECRETS else "SHOPIFY_CLIENT_SECRET", value


def in_documents() -> Iterator[tuple[str, str]]:
    files = sorted({file for pattern in DOCUMENTS for file in ROOT.glob(pattern)})
    assert {"README.md", "app.json", "operations.md"} <= {file.name for file in files}
    for file in files:
        yield from GIVEN.findall(file.read_text("utf-8"))


PUBLISHED = sorted({*of_the_devstack(), *of_the_sandbox(), *in_documents()})


def test_P7_the_search_finds_what_was_published() -> None:
    names = {name for name, _ in PUBLISHED}
    assert names >= {"SHOPIFY_CLIENT_SECRET", "OKENDO_WEBHOOK_SECRET", "SUBTOTAL_SIGNING_SECRET", "OKENDO_API_KEY"}
    assert GIVEN.findall('heroku config:set METRICS_TOKEN="ab12cd34" and `OKENDO_API_KEY`: ef56gh78') == [
        ("METRICS_TOKEN", "ab12cd34"),
        ("OKENDO_API_KEY", "ef56gh78"),
    ]


@pytest.mark.parametrize(("name", "value"), PUBLISHED)
def test_P7_a_published_secret_ends_the_boot(name: str, value: str) -> None:
    assert names_it_and_nothing_else(refusal(**{name: value}), name, value)


@pytest.mark.parametrize("value", [value for _, value in PUBLISHED])
def test_P7_it_does_so_under_another_name_too(value: str) -> None:
    assert names_it_and_nothing_else(refusal(SHOPIFY_CLIENT_SECRET=value), "SHOPIFY_CLIENT_SECRET", value)
