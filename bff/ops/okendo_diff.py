"""Where Okendo's own reference differs from our rows: an overrides file, with its reasons.

What the page says is certain. Which of its operations is which of ours, and which field is which, is concluded from
words, so the file says what was concluded and what could not be.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from bff.ops.okendo_answers import Differences, alike, compare_answer, compare_next, left
from bff.ops.okendo_reference import Documented, documented, page_of
from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.overrides import ALSO_IN_PATH, STORE, given_in_path, is_path_of, places_of
from bff.vendors.okendo.row import LOCALISED, ForStore, Operation, Public

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
# Arguments without which an operation still does what it is for.
DISPENSABLE = frozenset({*LOCALISED, "limit", "order", "cursor", "storefront", "storefront_public"})
PLACE_ON_PAGE = re.compile(r"{([^{}]*)}")
STORE_ON_PAGE = re.compile(r"/stores/{([^{}]*)}")


class Made(NamedTuple):
    """An overrides file, and what keeps it from working, a line each."""

    text: str
    gaps: list[str]


def overrides_from(file: str) -> Made:
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
    rows = [(OPERATIONS[name], taken[name]) for name in OPERATIONS if name in taken]
    # What one operation's page of a list is called tells what another one's is.
    first = [_compared(row, operation, Paging()) for row, operation in rows]
    paging = Paging.of(first)
    compared = [(row, _compared(row, operation, paging)) for row, operation in rows]
    for row, differences in compared:
        lines += ["", *_section(row, differences)]
    gaps = [f"[{row.name}] {gap}" for row, differences in compared for gap in differences.gaps]
    return Made("\n".join(lines) + "\n", gaps)


# Which of ours it is ------------------------------------------------------------------------------------------------


def _meant(operation: Documented, taken: Mapping[str, Documented]) -> str | None:
    of_store, reads = "/stores/" in operation.path, operation.method == "GET"
    for name, wants_store, wants_read, words in MEANINGS:
        fits = (of_store, reads) == (wants_store, wants_read) and re.search(words, operation.words)
        if fits and name not in taken:
            return name
    return None


# What differs -------------------------------------------------------------------------------------------------------


class Paging(NamedTuple):
    """What other operations call the token of a page: as an argument, and in the answer."""

    cursors: tuple[str, ...] = ()
    nexts: tuple[str, ...] = ()

    @classmethod
    def of(cls, compared: list[Differences]) -> "Paging":
        cursors = [one.changes["sends"]["cursor"] for one in compared if "cursor" in one.changes.get("sends", {})]
        return cls(tuple(cursors), tuple(one.changes["next"][0] for one in compared if "next" in one.changes))


def _compared(row: Operation[Any], operation: Documented, paging: Paging) -> Differences:
    differences = Differences()
    if operation.method != row.method:
        differences.changes["method"] = operation.method
    found = _found(row, operation)
    _compare_path(row, operation, found, differences)
    _compare_arguments(row, operation, found, differences, paging)
    compare_answer(row, operation, differences)
    compare_next(row, operation, differences, paging.nexts)
    return differences


def _section(row: Operation[Any], differences: Differences) -> list[str]:
    changes, reasons = differences.changes, differences.reasons
    as_shipped = "as on the page, but for this:" if reasons else "as on the page"
    head = f"# {row.name}: {f'was {row.method} {row.path}' if changes else as_shipped}"
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
    row: Operation[Any], operation: Documented, found: Mapping[str, Place], differences: Differences
) -> None:
    """The page's path with our names in its places, unless it has places or signs that we cannot fill or send."""
    names = {place.theirs: ours for ours, place in found.items() if place.kind == "path"}
    if isinstance(row, Public | ForStore):
        names |= dict.fromkeys(STORE_ON_PAGE.findall(operation.path), STORE)
    path = PLACE_ON_PAGE.sub(lambda place: f"{{{names.get(place[1], place[1])}}}", operation.path)
    foreign = [name for name in PLACE_ON_PAGE.findall(path) if name not in places_of(row)]
    lost = sorted(given_in_path(row) - set(found))
    if foreign or lost or not is_path_of(row, path):
        differences.note(f"path: {_why_not(foreign, lost)}: {operation.path}", is_gap=True)
        return
    for ours, (kind, theirs) in found.items():
        if kind == "query":
            path += f"{'&' if '?' in path else '?'}{quote(theirs, safe='')}={{{ours}}}"
        if kind == "body":
            differences.changes["sends"] = {ours: theirs}
        if kind != "path":
            differences.note(f"path: the page takes our {{{ours}}} in its {kind}, as {theirs}")
    if path != row.path:
        differences.changes["path"] = path


def _why_not(foreign: list[str], lost: list[str]) -> str:
    if foreign:
        return f"the page has {{{foreign[0]}}}, which is not a name of ours"
    return f"the page has no place for our {{{lost[0]}}}" if lost else "the page has signs that no address can have"


def _compare_arguments(
    row: Operation[Any],
    operation: Documented,
    found: Mapping[str, Place],
    differences: Differences,
    paging: Paging,
) -> None:
    known, query = (operation.query, ()) if operation.method == "GET" else (operation.body, operation.query)
    used = {place.theirs for place in found.values()}
    lost = {ours: theirs for ours, theirs in row.sends.items() if theirs not in known and ours not in found}
    free = sorted(set(known) - set(row.sends.values()) - used)
    sends = _concluded(lost, free, paging)
    for ours in [one for one in lost if one not in sends]:
        if only := _only_one(row, known, free):
            sends[ours] = only
            differences.note(f"sends: {only!r} is the only name on the page, so it is taken for our {ours!r}")
    free = [one for one in free if one not in sends.values()]
    for ours in [one for one in lost if one not in sends]:
        is_gap = bool(known) and ours not in DISPENSABLE
        differences.note(
            f"sends: nothing on the page is like {lost[ours]!r} for our {ours!r}{left(free)}", is_gap=is_gap
        )
    if sends:
        differences.changes["sends"] = differences.changes.get("sends", {}) | sends
    takes = {"": free, " in its query": [name for name in query if name not in used]}
    for where, names in takes.items():
        if names:
            differences.note(f"the page also takes {', '.join(names)}{where}")


def _concluded(lost: Mapping[str, str], free: Sequence[str], paging: Paging) -> dict[str, str]:
    """The names that are spelled like those we know, each for one argument of ours."""
    sends: dict[str, str] = {}
    for ours, theirs in lost.items():
        open_ones = [one for one in free if one not in sends.values()]
        shared = next((one for one in paging.cursors if ours == "cursor" and one in open_ones), None)
        if like := shared or alike(theirs, open_ones) or alike(ours, open_ones):
            sends[ours] = like
    return sends


def _only_one(row: Operation[Any], known: Sequence[str], free: list[str]) -> str | None:
    """The page's one name, where we have one argument, and the operation does nothing without it."""
    is_needed = len(row.sends) == 1 and not DISPENSABLE & row.sends.keys()
    return free[0] if is_needed and len(known) == len(free) == 1 else None


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
