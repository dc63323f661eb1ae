"""A Dockerfile as data: its stages, and which files of a folder it would copy under a .dockerignore."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple


class Instruction(NamedTuple):
    """One instruction with its arguments as they are written."""

    name: str
    given: str

    def words(self) -> list[str]:
        """The arguments of the exec form (a JSON array), or else what spaces separate, without options."""
        if self.given.startswith("["):
            return [str(word) for word in json.loads(self.given)]
        return [word for word in self.given.split() if not word.startswith("--")]


def stages(text: str) -> list[list[Instruction]]:
    """The instructions of each stage, its FROM first. Comments and line continuations are gone."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", "", lines).splitlines():
        name, _, given = line.strip().partition(" ")
        if name == "FROM":
            found.append([])
        if name:
            found[-1].append(Instruction(name, given.strip()))
    return found


def copied(stage: list[Instruction]) -> Iterator[tuple[str, str]]:
    """From where in the build context to where in the image."""
    for instruction in stage:
        if instruction.name == "COPY" and "--from=" not in instruction.given:
            *sources, target = instruction.words()
            yield from ((source, target) for source in sources)


def files_of_context(root: Path, dockerignore: str) -> list[Path]:
    """The files that reach the builder; the last pattern that fits a file or a folder above it decides."""
    patterns = [line for line in dockerignore.splitlines() if line and not line.startswith("#")]
    inside = [path for path in root.rglob("*") if path.is_file() and not path.is_relative_to(root / ".venv")]
    return [path for path in inside if _reaches(str(path.relative_to(root)), patterns)]


def _reaches(path: str, patterns: list[str]) -> bool:
    folders = [path, *map(str, Path(path).parents)]
    reaches = True
    for pattern in patterns:
        bare = pattern.removeprefix("!").rstrip("/")
        names = [bare, bare.removeprefix("**/")] if bare.startswith("**/") else [bare]
        if any(_fits(folder, name, deep=bare.startswith("**/")) for folder in folders for name in names):
            reaches = pattern.startswith("!")
    return reaches


def _fits(path: str, name: str, *, deep: bool) -> bool:
    if deep:
        return fnmatch(path.rpartition("/")[2], name)
    return path.count("/") == name.count("/") and path != "." and fnmatch(path, name)
