"""Where Okendo's own reference differs from our rows: an overrides file, with its reasons.

What the page says is certain. Which of its operations is which of ours, and which field is which, is concluded from
words, so the file says what was concluded and what could not be.
"""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, get_origin
from urllib.parse import quote

import msgspec

from bff.ops.okendo_reference import Documented, documented, page_of
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.overrides import ALSO_IN_PATH, STORE, given_in_path, is_path_of, places_of
from bff.vendors.okendo.row import ForStore, Operation, Page, Public

# Which words in path, summary or operation id make a documented operation one of ours: whether it is the store's,
# whether it only reads, and the words. The first that fits and is not taken.
MEANINGS: tuple[tuple[str, bool, bool, str], ...] = (
    ("referral_sender", True, False, r"referral.?sender"),
    ("legal_policies", True, True, r"legal|polic"),
    ("earning_rules", True, True, r"earning"),
    ("redemption_rules", True, True, r"redemption|redeem"),
    ("vip_program", True, True, r"vip|tier"),
    ("faqs", True, True, r"faq"),
    ("login", True, False, r"log.?in"),
    ("birthday", False, False, r"birthday"),
    ("customer_activation", False, False, r"activat|enrol"),
    ("trigger", False, False, r"trigger|social"),
    ("referral_request", False, False, r"referral"),
    ("redeem", False, False, r"redeem|redemption"),
    ("referral_count", False, True, r"referral.*(count|number)|(count|number).*referral"),
    ("referrals", False, True, r"referral"),
    ("spend", False, True, r"spend"),
    ("transactions", False, True, r"transaction|history"),
    ("customer_redemption_rules", False, True, r"redemption"),
    ("customer_earning_rules", False, True, r"earning"),
    ("customer", False, True, r"customer"),
)
PLACE_ON_PAGE = re.compile(r"{([^{}]*)}")
STORE_ON_PAGE = re.compile(r"/stores/{([^{}]*)}")


def overrides_from(file: str) -> str:
    """The overrides file that this page makes, TOML with comments; raises SettingsError when it is no such page."""
    found = documented(page_of(file))
    lines = ["# Made from a saved page of Okendo's reference. Read it before you use it.", ""]
    taken: dict[str, Documented] = {}
    for operation in found:
        name = _meant(operation, taken)
        if name is None:
            lines.append(f"# Not one of ours: {operation.method} {operation.path}")
        else:
            taken[name] = operation
    lines += [f"# Not on this page: {name}" for name in OPERATIONS if name not in taken]
    for name, row in OPERATIONS.items():
        if name in taken:
            lines += ["", *_section(row, taken[name])]
    return "\n".join(lines) + "\n"


# Which of ours it is ------------------------------------------------------------------------------------------------


def _meant(operation: Documented, taken: Mapping[str, Documented]) -> str | None:
    of_store, reads = "/stores/" in operation.path, operation.method == "GET"
    for name, wants_store, wants_read, words in MEANINGS:
        fits = (of_store, reads) == (wants_store, wants_read) and re.search(words, operation.words)
        if fits and name not in taken:
            return name
    return None


# What differs -------------------------------------------------------------------------------------------------------


def _section(row: Operation[Any], operation: Documented) -> list[str]:
    changes: dict[str, Any] = {}
    reasons: list[str] = []
    if operation.method != row.method:
        changes["method"] = operation.method
    found = _found(row, operation)
    _compare_path(row, operation, found, changes, reasons)
    _compare_arguments(row, operation, found, changes, reasons)
    _compare_answer(row, operation, changes, reasons)
    head = f"# {row.name}: as on the page" if not changes else f"# {row.name}: was {row.method} {row.path}"
    body = [f"[{row.name}]", *(f"{key} = {_toml(value)}" for key, value in changes.items())] if changes else []
    return [head, *(f"#   {reason}" for reason in reasons), *body]


class Place(NamedTuple):
    """Where the page takes an argument, and under which name."""

    kind: str
    theirs: str


def _found(row: Operation[Any], operation: Documented) -> dict[str, Place]:
    """Where the page takes the arguments that our path has places for: by their names, else by being the only one."""
    store = {STORE, *STORE_ON_PAGE.findall(operation.path)}
    in_path = tuple(name for name in PLACE_ON_PAGE.findall(operation.path) if name not in store)
    kinds = {"path": in_path, "query": operation.query, "body": operation.body}
    alone = [Place(kind, names[0]) for kind, names in kinds.items() if len(names) == 1]
    found = {}
    for ours in sorted(given_in_path(row)):
        alike = [Place(kind, one) for kind, names in kinds.items() for one in names if ours in one.lower()]
        if alike or alone:
            found[ours] = (alike or alone)[0]
    for ours in ALSO_IN_PATH.get(row.name, ()):
        if len(in_path) == 1:
            found[ours] = Place("path", in_path[0])
    return found


def _compare_path(
    row: Operation[Any], operation: Documented, found: Mapping[str, Place], changes: dict[str, Any], reasons: list[str]
) -> None:
    """The page's path with our names in its places, unless it has places or signs that we cannot fill or send."""
    names = {place.theirs: ours for ours, place in found.items() if place.kind == "path"}
    if isinstance(row, Public | ForStore):
        names |= dict.fromkeys(STORE_ON_PAGE.findall(operation.path), STORE)
    path = PLACE_ON_PAGE.sub(lambda place: f"{{{names.get(place[1], place[1])}}}", operation.path)
    foreign = [name for name in PLACE_ON_PAGE.findall(path) if name not in places_of(row)]
    lost = sorted(given_in_path(row) - set(found))
    if foreign or lost or not is_path_of(row, path):
        why = _why_not(foreign, lost)
        reasons.append(f"path: {why}: {operation.path}")
        return
    for ours, (kind, theirs) in found.items():
        if kind == "query":
            path += f"{'&' if '?' in path else '?'}{quote(theirs, safe='')}={{{ours}}}"
        if kind == "body":
            changes["sends"] = {ours: theirs}
        if kind != "path":
            reasons.append(f"path: the page takes our {{{ours}}} in its {kind}, as {theirs}")
    if path != row.path:
        changes["path"] = path


def _why_not(foreign: list[str], lost: list[str]) -> str:
    if foreign:
        return f"the page has {{{foreign[0]}}}, which is not a name of ours"
    return f"the page has no place for our {{{lost[0]}}}" if lost else "the page has signs that no address can have"


def _compare_arguments(
    row: Operation[Any], operation: Documented, found: Mapping[str, Place], changes: dict[str, Any], reasons: list[str]
) -> None:
    known, query = (operation.query, ()) if operation.method == "GET" else (operation.body, operation.query)
    used = {place.theirs for place in found.values()}
    lost = {ours: theirs for ours, theirs in row.sends.items() if theirs not in known and ours not in found}
    free = sorted(set(known) - set(row.sends.values()) - used)
    sends = {}
    for ours, theirs in lost.items():
        if like := _alike(theirs, free) or _alike(ours, free) or (free[0] if len(free) == len(lost) == 1 else None):
            sends[ours] = like
            free.remove(like)
        else:
            reasons.append(f"sends: nothing on the page is like {theirs!r} for our {ours!r}")
    if sends:
        changes["sends"] = changes.get("sends", {}) | sends
    takes = {"": free, " in its query": [name for name in query if name not in used]}
    reasons += [f"the page also takes {', '.join(names)}{where}" for where, names in takes.items() if names]


def _compare_answer(row: Operation[Any], operation: Documented, changes: dict[str, Any], reasons: list[str]) -> None:
    if not msgspec.structs.fields(row.item):
        return
    envelope = _envelope(row, operation)
    if not operation.fields or envelope is None:
        reasons.append(f"envelope: {_unclear(operation)}")
        return
    if envelope not in row.envelope:
        changes["envelope"] = [envelope]
    inside = [where.removeprefix(f"{envelope}.") for where in operation.fields if _lies_in(where, envelope)]
    missing = {field: aliases for field, aliases in _fields(row).items() if not any(one in inside for one in aliases)}
    names = {field: [found] for field, aliases in missing.items() if (found := _meant_by(aliases, inside))}
    if names:
        changes["names"] = names
    needed = {field.name for field in msgspec.structs.fields(row.item) if field.required}
    lost = sorted(needed & set(missing) - set(names))
    reasons += [f"names: nothing on the page is like {missing[one][0]!r}, which we cannot do without" for one in lost]


def _fields(row: Operation[Any]) -> dict[str, tuple[str, ...]]:
    """Our fields and the vendor's names for them."""
    return {field: aliases for field, aliases in row.names_of_fields().items() if aliases}


def _unclear(operation: Documented) -> str:
    if operation.lists:
        return f"several lists may be it: {', '.join(operation.lists)}"
    return "the page says nothing of the answer's fields" if not operation.fields else "there is no list"


def _meant_by(aliases: tuple[str, ...], inside: list[str]) -> str | None:
    """A field with the last word of one of our names for it, else one that is spelled like it, neither deeper nor
    less deep, and no object."""
    ends = [one for one in inside if not any(other.startswith(f"{one}.") for other in inside)]
    level = {alias: [one for one in ends if one.count(".") == alias.count(".")] for alias in aliases}
    same = (one for alias in aliases for one in level[alias] if _last(one) == _last(alias))
    return next(same, None) or next(filter(None, (_alike(alias, level[alias]) for alias in aliases)), None)


def _envelope(row: Operation[Any], operation: Documented) -> str | None:
    """Where the answer lies; None when that cannot be told."""
    is_list = get_origin(row.reply) in {list, Page}
    if is_list:
        ours = [where for where in row.envelope if where in operation.lists]
        return ours[0] if ours else operation.lists[0] if len(operation.lists) == 1 else None
    ours = [where for where in row.envelope if any(_lies_in(field, where) for field in operation.fields)]
    wanted = [alias for aliases in _fields(row).values() for alias in aliases]
    holding = {_before(field, alias) for field in operation.fields for alias in wanted if _ends_with(field, alias)}
    best = [where for where in ours if where in holding]
    return best[0] if best else min(holding, key=len) if holding else ours[0] if ours else ""


def _lies_in(where: str, envelope: str) -> bool:
    return not envelope or where.startswith(f"{envelope}.")


def _ends_with(where: str, alias: str) -> bool:
    return where == alias or where.endswith(f".{alias}")


def _before(where: str, alias: str) -> str:
    return where[: -len(alias)].rstrip(".")


def _last(where: str) -> str:
    return where.rpartition(".")[2].lower()


def _alike(name: str, among: list[str]) -> str | None:
    """The one of these that is spelled most like it, if any is."""
    by_end = {_last(one): one for one in reversed(among)}
    return next((by_end[found] for found in get_close_matches(_last(name), by_end, n=1, cutoff=0.7)), None)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
