"""Clients that are generated of the OpenAPI document compile under `tsc --strict`, with code that uses all of it."""

import json
import re

import pytest
from support.breadth import GENERATORS, NEWEST_GENERATORS
from support.consumers import DOCUMENT, PACKAGES, SOURCES, flaws, installed

# Whether it is the generator's newest version, after its name.
TRIED = [(name, False) for name in PACKAGES][:GENERATORS] + [(name, True) for name in PACKAGES][:NEWEST_GENERATORS]
KEPT = DOCUMENT.read_text("utf-8")
OPERATIONS = [
    (f'{method.upper()}("{path}"', f"api.{operation['operationId']}(")
    for path, methods in json.loads(KEPT)["paths"].items()
    for method, operation in methods.items()
]
# As it said once: what is left out on the wire was null in the document.
NULLABLE = re.compile(r'"tier": \{\s+"description": "Name of the member\'s tier",\s+"type": "string"')


@pytest.mark.parametrize("name", PACKAGES)
def test_the_code_uses_every_operation(name: str) -> None:
    code = (SOURCES / name / "calls.ts").read_text("utf-8")
    assert [one for one in OPERATIONS if not any(call in code for call in one)] == []


@pytest.mark.broad
@pytest.mark.xdist_group("consumers")
@pytest.mark.parametrize(("name", "newest"), TRIED)
def test_generated_types_fit_the_code_of_a_storefront(name: str, newest: bool) -> None:
    assert flaws(installed(name, newest=newest), KEPT) == ""


@pytest.mark.xdist_group("consumers")
def test_a_document_that_says_null_is_noticed() -> None:
    said = NULLABLE.sub('"tier": {"anyOf": [{"type": "string"}, {"type": "null"}]', KEPT)
    assert said != KEPT
    assert "error TS" in flaws(installed("openapi-typescript"), said)


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_are_pinned_without_the_address_of_a_registry(name: str) -> None:
    pins = json.loads((SOURCES / name / "package.json").read_text("utf-8"))["devDependencies"]
    assert [pin for pin in pins.values() if not re.fullmatch(r"\d+\.\d+\.\d+", pin)] == []
    lock = (SOURCES / name / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
