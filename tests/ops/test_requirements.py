"""The lists that `make` and Heroku install from: exact, in step with pyproject.toml, fit for every Python (N4)."""

import re
import tomllib
from email.message import Message
from importlib.metadata import PackageNotFoundError, distribution
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
LOWEST = PROJECT["requires-python"].removeprefix(">=")
SERVING, EXTRAS = PROJECT["dependencies"], PROJECT["optional-dependencies"]
# The first serves in production, each of the next has all of the one before.
GROWING = {
    "requirements.txt": SERVING,
    "requirements-run.txt": SERVING + EXTRAS["run"],
    "requirements-dev.txt": SERVING + EXTRAS["run"] + EXTRAS["otel"] + EXTRAS["sentry"] + EXTRAS["dev"],
}
# What serves, with something more that a merchant may want.
OPTIONAL = {f"requirements-{name}.txt": SERVING + EXTRAS[name] for name in ("otel", "sentry")}
WANTED = GROWING | OPTIONAL | {"requirements-uv.txt": PYPROJECT["dependency-groups"]["uv"]}
HASHED = re.compile(r"(?P<requirement>\S+==[^\\]+?)(?: \\\n    --hash=sha256:[0-9a-f]{64})+")

every_list = pytest.mark.parametrize("name", WANTED)


def pins(name: str) -> list[Requirement]:
    """What a list pins, after a look at its form: nothing but exact versions with their hashes, and remarks."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    found = list(HASHED.finditer(text))
    assert HASHED.sub("", text).strip() == ""
    return [Requirement(one["requirement"]) for one in found]


@every_list
def test_N4_a_list_pins_what_pyproject_asks_for(name: str) -> None:
    pinned: dict[str, SpecifierSet] = {one.name: one.specifier for one in pins(name)}
    for wanted in map(Requirement, WANTED[name]):
        if wanted.name == PROJECT["name"]:
            continue
        [exact] = pinned[wanted.name]
        assert wanted.specifier.contains(exact.version), f"{wanted}, but {exact} in {name}: run `make requirements`"


@every_list
def test_what_a_list_has_for_the_lowest_python_runs_there(name: str) -> None:
    """A list that was made for a newer one alone leaves the markers out."""
    lowest = {"python_version": LOWEST, "python_full_version": f"{LOWEST}.0"}
    for pin in pins(name):
        if pin.marker is not None and not pin.marker.evaluate(lowest):
            continue
        try:
            installed = distribution(pin.name)
        except PackageNotFoundError:
            continue
        if pin.specifier.contains(installed.version):
            needs = cast(Message, installed.metadata).get("Requires-Python", "")
            assert SpecifierSet(needs).contains(f"{LOWEST}.0"), f"{pin} in {name} needs Python {needs}"


def test_N4_what_serves_is_tested_in_the_same_versions() -> None:
    versions = {name: {f"{pin.name}{pin.specifier}" for pin in pins(name)} for name in WANTED}
    assert all(versions[fewer] <= versions[more] for fewer, more in pairwise(GROWING))
    for name in OPTIONAL:
        assert versions["requirements.txt"] < versions[name] <= versions["requirements-dev.txt"], name


def test_N4_a_list_that_names_an_index_or_leaves_a_hash_out_is_refused(tmp_path: Path) -> None:
    good = "a==1 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via b\n"
    file = tmp_path / "requirements.txt"
    for text, is_fine in ((good, True), (f"--index-url https://x.test\n{good}", False), (f"{good}b==2\n", False)):
        file.write_text(text)
        assert _is_refused(str(file)) is not is_fine


def _is_refused(name: str) -> bool:
    try:
        return not pins(name)
    except AssertionError:
        return True


def test_N4_nothing_is_installed_without_its_hash() -> None:
    makefile = (ROOT / "Makefile").read_text()
    installs = [line for line in makefile.splitlines() if re.search(r"pip install", line)]
    assert len(installs) == 2
    assert all("--require-hashes" in line and "--no-deps" in line for line in installs)


def test_N4_starlette_has_its_security_fixes() -> None:
    """1.0.1 fixed CVE-2026-48710, 1.3.1 the limits of forms."""
    [wanted] = [one for one in map(Requirement, SERVING) if one.name == "starlette"]
    assert not wanted.specifier.contains("1.3.0")
