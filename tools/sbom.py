"""The software bill of materials (CycloneDX 1.6) and the licences of what serves: all that requirements.txt pins.

https://cyclonedx.org/docs/1.6/json/. Licences come from the metadata of the installed packages, and who needs whom from
the remarks that uv writes beside each pin. Nothing in it changes unless a pin does, so two of them can be compared.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from email.message import Message
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any, NamedTuple, cast

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINNED = re.compile(r"^(?P<requirement>[^\s#][^\\\n]*?) \\\n(?P<rest>(?:[ ]+.*\n?)*)", re.MULTILINE)
NEEDED_BY = re.compile(r"^ +# +(?:via )?([A-Za-z0-9._-]+)(?: \(.*\))?$", re.MULTILINE)
CLASSIFIER = "License :: OSI Approved :: "


class Pin(NamedTuple):
    """One package in one version, and the names of those that need it."""

    name: str
    version: str
    needed_by: frozenset[str]

    @property
    def purl(self) -> str:
        """Its package URL, https://github.com/package-url/purl-spec"""
        return f"pkg:pypi/{self.name}@{self.version}"


def pins_of(requirements: str) -> Iterator[Pin]:
    """What the text of a requirements file with hashes pins."""
    for found in PINNED.finditer(requirements):
        requirement = Requirement(found["requirement"])
        [exact] = requirement.specifier
        yield Pin(requirement.name, exact.version, frozenset(NEEDED_BY.findall(found["rest"])))


def licences_of(name: str) -> list[dict[str, Any]]:
    """An SPDX expression or, from older packages, the words that they give, as CycloneDX writes it; none where the
    package is not installed, being for other systems."""
    try:
        given = cast(Message, metadata(name))
    except PackageNotFoundError:
        return []
    if expression := given.get("License-Expression"):
        return [{"expression": expression}]
    classifiers = [text.removeprefix(CLASSIFIER) for text in given.get_all("Classifier", []) if CLASSIFIER in text]
    words = given.get("License", "").strip().partition("\n")[0]
    return [{"license": {"name": name}} for name in classifiers or [words or "unknown"]]


def bill_of_materials(pins: list[Pin]) -> dict[str, Any]:
    root = f"pkg:pypi/{PROJECT['name']}@{PROJECT['version']}"
    application = {"type": "application", "bom-ref": root, "name": PROJECT["name"], "version": PROJECT["version"]}
    needs = {PROJECT["name"]: root} | {pin.name: pin.purl for pin in pins}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": application},
        "components": [_component(pin) for pin in pins],
        "dependencies": [
            {"ref": ref, "dependsOn": [pin.purl for pin in pins if name in pin.needed_by]}
            for name, ref in needs.items()
        ],
    }


def _component(pin: Pin) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": pin.purl,
        "name": pin.name,
        "version": pin.version,
        "purl": pin.purl,
        "licenses": licences_of(pin.name),
    }


def words_of(name: str) -> str:
    """The licences of a package in one line."""
    entries = licences_of(name)
    return "; ".join(one.get("expression") or one["license"]["name"] for one in entries) or "not installed here"


def main() -> None:
    """Write both into the folder that is given."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    pins = list(pins_of((ROOT / "requirements.txt").read_text()))
    (folder / "bom.cdx.json").write_text(json.dumps(bill_of_materials(pins), indent=2) + "\n")
    (folder / "licences.txt").write_text("".join(f"{pin.name} {pin.version}: {words_of(pin.name)}\n" for pin in pins))


if __name__ == "__main__":
    main()
