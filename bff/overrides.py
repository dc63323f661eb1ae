"""OKENDO_OVERRIDES: the rows of `endpoints`, corrected by a file, so that a wrong guess about Okendo needs no code."""

import string
import tomllib
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from bff.endpoints import ROWS, Row
from bff.errors import SettingsError

OVERRIDABLE = ("method", "path", "sends", "envelope", "names", "next")


def rows_with_overrides(path: str | None) -> Mapping[str, Row[Any]]:
    """The table, corrected by a TOML file with one section a row, such as `[redeem]` with `path = "/loyalty/redeem"`.

    Keys: method, path, sends, envelope, names, next. Raises SettingsError that names the row and the key.
    """
    if path is None:
        return ROWS
    try:
        with open(path, "rb") as file:
            given = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError("OKENDO_OVERRIDES", f"the file cannot be read as TOML ({type(error).__name__}).") from None
    return {**ROWS, **{name: _overridden(name, section) for name, section in given.items()}}


def _overridden(name: str, section: Any) -> Row[Any]:
    row = ROWS.get(name)
    if row is None or not isinstance(section, dict):
        raise SettingsError("OKENDO_OVERRIDES", f"[{name}] is not an operation. Known: {', '.join(sorted(ROWS))}.")
    if unknown := set(section) - set(OVERRIDABLE):
        raise SettingsError("OKENDO_OVERRIDES", f"[{name}] {min(unknown)}: give only {', '.join(OVERRIDABLE)}.")
    types = get_type_hints(Row)
    changes: dict[str, Any] = {}
    for key, value in section.items():
        try:
            changes[key] = msgspec.convert(value, types[key])
        except msgspec.ValidationError:
            raise SettingsError("OKENDO_OVERRIDES", f"[{name}] {key}: has the wrong type.") from None
    for key in ("sends", "names"):
        changes[key] = {**getattr(row, key), **changes.get(key, {})}
    _check(name, changes)
    return msgspec.structs.replace(row, **changes)


def _check(name: str, changes: Mapping[str, Any]) -> None:
    row = ROWS[name]
    places = _placeholders(row.path) | {"subscriberId"}
    known = {"sends": set(row.sends) | places, "names": set(row.names)}
    for key, names in known.items():
        if unknown := set(changes[key]) - names:
            raise SettingsError("OKENDO_OVERRIDES", f"[{name}] {key}: {min(unknown)} is not a name of ours there.")
    if changes.get("method", "GET") not in {"GET", "POST", "PUT", "PATCH", "DELETE"}:
        raise SettingsError("OKENDO_OVERRIDES", f"[{name}] method: give GET, POST, PUT, PATCH or DELETE.")
    if (changes.get("method", row.method) == "GET") != (row.method == "GET"):
        remedy = "only what is a GET here can be one, since a GET that broke off is repeated."
        raise SettingsError("OKENDO_OVERRIDES", f"[{name}] method: {remedy}")
    path = changes.get("path", "/")
    if not path.startswith("/") or _placeholders(path) - places:
        allowed = " or ".join(f"{{{place}}}" for place in sorted(places))
        raise SettingsError("OKENDO_OVERRIDES", f"[{name}] path: give a path from /, with no {{}} but {allowed}.")


def _placeholders(path: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(path) if name is not None}
    except ValueError:
        return {"malformed"}
