"""Where the fields of a reply may lie: dotted paths into a JSON object; "" is the object itself."""

from collections.abc import Iterable
from typing import Any, NamedTuple

Path = tuple[str, ...]


class Places(NamedTuple):
    """Where fields may lie in an object: by their names there their whole paths, and by other objects' names the places
    in those."""

    paths: dict[str, str]
    below: dict[str, "Places"]


def places_of(paths: Iterable[str]) -> Places:
    """All places on these paths."""
    places = Places({}, {})
    for path in filter(None, paths):
        *steps, name = path_of(path)
        place = places
        for step in steps:
            place = place.below.setdefault(step, Places({}, {}))
        place.paths[name] = path
    return places


def gather(places: Places, found: Any) -> dict[str, Any]:
    """What lies at the paths, by path, and under "" the whole; nothing at those that lead nowhere or to null."""
    there = {} if found is None else {"": found}
    if isinstance(found, dict):
        _gather(places, found, there)
    return there


def _gather(places: Places, found: dict[str, Any], there: dict[str, Any]) -> None:
    # Every line of a long history passes here, name by name, since most names that are known are not there.
    paths, below = places
    for name, value in found.items():
        if name in paths and value is not None:
            there[paths[name]] = value
        if name in below and isinstance(value, dict):
            _gather(below[name], value, there)


def path_of(dotted: str) -> Path:
    """The steps of a dotted path; "" has none."""
    return tuple(dotted.split(".")) if dotted else ()


def at(value: Any, path: Path) -> Any:
    """What lies there, None when there is nothing."""
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def find(value: Any, dotted: str) -> Any:
    """What lies at a dotted path, None when there is nothing."""
    return at(value, path_of(dotted))
