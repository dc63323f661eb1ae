"""OKENDO_OVERRIDES: the operations, corrected by a file, so that a wrong guess about Okendo needs no code."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_type_hints

import msgspec

from bff.errors import SettingsError
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.row import Operation

OVERRIDABLE = ("method", "path", "sends", "envelope", "names", "next")
STORE = "subscriberId"
# What a path may name besides: an id that is given with every call, and is sent in the body as long as no path has it.
ALSO_IN_PATH = {"redeem": {"reward"}}
PLACE = re.compile(r"{(\w+)}")
# What an address may consist of (RFC 3986), without a fragment, which no vendor ever sees.
SENT = re.compile(r"/[\w.~!$&'()*+,;=:@%/?-]*", re.ASCII)


def operations_with_overrides(path: str | None) -> Mapping[str, Operation[Any]]:
    """The table, corrected by a TOML file with one section a row, such as `[redeem]` with `path = "/loyalty/redeem"`.

    Keys: method, path, sends, envelope, names, next. Raises SettingsError that names the row and the key.
    """
    if path is None:
        return OPERATIONS
    try:
        with open(path, "rb") as file:
            given = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError("OKENDO_OVERRIDES", f"the file cannot be read as TOML ({type(error).__name__}).") from None
    return {**OPERATIONS, **{name: _overridden(name, section) for name, section in given.items()}}


def _overridden(name: str, section: Any) -> Operation[Any]:
    row = OPERATIONS.get(name)
    if row is None:
        raise _unknown(f"[{name}]", "is not an operation", name, OPERATIONS)
    if not isinstance(section, dict):
        raise SettingsError("OKENDO_OVERRIDES", f"[{name}] is no section; begin it with [{name}].")
    if unknown := set(section) - set(OVERRIDABLE):
        raise _unknown(f"[{name}] {min(unknown)}:", "is nothing to correct", min(unknown), OVERRIDABLE)
    types = get_type_hints(Operation)
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


def _unknown(where: str, what: str, given: str, known: Iterable[str]) -> SettingsError:
    """Says what is known there, and which of it is most like what was given."""
    names = sorted(known)
    like = next(iter(get_close_matches(given, names, n=1)), None)
    guess = f" Did you mean {like}?" if like else ""
    every = f"Known: {', '.join(names)}." if names else "There is none."
    return SettingsError("OKENDO_OVERRIDES", f"{where} {what}.{guess} {every}")


def _check(name: str, changes: Mapping[str, Any]) -> None:
    row = OPERATIONS[name]
    known = {"sends": {*row.sends, *row.may_send} | given_in_path(row), "names": set(row.names_of_fields())}
    for key, names in known.items():
        if unknown := set(changes[key]) - names:
            raise _unknown(f"[{name}] {key}: {min(unknown)}", "is not a name of ours there", min(unknown), names)
    if changes.get("method", "GET") not in {"GET", "POST", "PUT", "PATCH", "DELETE"}:
        raise SettingsError("OKENDO_OVERRIDES", f"[{name}] method: give GET, POST, PUT, PATCH or DELETE.")
    if (changes.get("method", row.method) == "GET") != (row.method == "GET"):
        remedy = "only what is a GET here can be one, since a GET that broke off is repeated."
        raise SettingsError("OKENDO_OVERRIDES", f"[{name}] method: {remedy}")
    _check_path(row, changes.get("path", row.path), changes["sends"])


def _check_path(row: Operation[Any], path: str, sends: Mapping[str, str]) -> None:
    if not is_path_of(row, path):
        allowed = " or ".join(f"{{{place}}}" for place in sorted(places_of(row)))
        remedy = f"give a path from /, as it is sent, with no {{}} but {allowed}."
        raise SettingsError("OKENDO_OVERRIDES", f"[{row.name}] path: {remedy}")
    if lost := given_in_path(row) - set(PLACE.findall(path)) - set(sends):
        argument = min(lost)
        remedy = f'it loses {{{argument}}}; put that into the path or its query, or add sends = {{ {argument} = "…" }}.'
        raise SettingsError("OKENDO_OVERRIDES", f"[{row.name}] path: {remedy}")


def given_in_path(row: Operation[Any]) -> set[str]:
    """The arguments that the row as shipped has a place for in its path."""
    return set(PLACE.findall(OPERATIONS[row.name].path)) - {STORE}


def places_of(row: Operation[Any]) -> set[str]:
    """All that this row can fill the places of a path with."""
    return given_in_path(row) | ALSO_IN_PATH.get(row.name, set()) | {STORE}


def is_path_of(row: Operation[Any], path: str) -> bool:
    """Whether a path, with its query if it has one, has only places that this row can fill."""
    places = places_of(row)
    return SENT.fullmatch(PLACE.sub(lambda place: "" if place[1] in places else place[0], path)) is not None
