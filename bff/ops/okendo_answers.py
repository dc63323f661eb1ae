"""What Okendo's reference says of an answer beside what our row reads: where it lies, its fields, the next page.

A name is concluded only where one field of the page, and no other, can be meant; else all that are left are listed.
"""

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_origin

import msgspec

from bff.ops.okendo_reference import Documented
from bff.vendors.okendo.row import Operation, Page

# So many candidates are listed; a page may have hundreds of fields.
MOST_LISTED = 12


class Differences:
    """What a section will say: `changes` by key, and for its comments the `reasons`; those that are `gaps` keep the
    operation from working."""

    def __init__(self) -> None:
        self.changes: dict[str, Any] = {}
        self.reasons: list[str] = []
        self.gaps: list[str] = []

    def note(self, reason: str, *, is_gap: bool = False) -> None:
        self.reasons.append(reason)
        if is_gap:
            self.gaps.append(reason)


def compare_answer(row: Operation[Any], operation: Documented, differences: Differences) -> None:
    """Note where the answer lies and what its fields are called, where that is not as in the row."""
    if not msgspec.structs.fields(row.item):
        return
    if not operation.fields:
        differences.note("envelope: the page says nothing of the answer's fields")
        return
    envelope = _envelope(row, operation)
    if envelope is None:
        differences.note(f"envelope: {_unclear(row, operation)}", is_gap=True)
        return
    if envelope not in row.envelope:
        differences.changes["envelope"] = [envelope]
    _compare_names(row, _inside(operation, envelope), differences)


def compare_next(row: Operation[Any], operation: Documented, differences: Differences, known: Sequence[str]) -> None:
    """Note where the token of the next page lies; `known` are the places where other operations have theirs."""
    if not row.next or not operation.fields or any(one in operation.fields for one in row.next):
        return
    outside = [one for one in _ends(list(operation.fields)) if not any(_lies_in(one, of) for of in operation.lists)]
    shared = [one for one in known if one in operation.fields]
    found = shared[0] if shared else next(filter(None, (alike(one, outside) for one in row.next)), None)
    if found:
        differences.changes["next"] = [found]
    else:
        differences.note(f"next: nothing on the page is like {row.next[0]!r}{left(outside)}")


def left(names: Sequence[str]) -> str:
    """What else there is, for whoever knows better."""
    return f"; it has {listed(names)}" if names else "; nothing else is there"


def listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_LISTED]) + (", …" if len(names) > MOST_LISTED else "")


def alike(name: str, among: Sequence[str]) -> str | None:
    """The one of these that is spelled like it; None when there is none, or more than one."""
    by_end: dict[str, list[str]] = {}
    for one in among:
        by_end.setdefault(_last(one), []).append(one)
    ends = [_last(name)] if _last(name) in by_end else get_close_matches(_last(name), by_end, n=2, cutoff=0.7)
    return by_end[ends[0]][0] if len(ends) == 1 and len(by_end[ends[0]]) == 1 else None


def _compare_names(row: Operation[Any], inside: list[str], differences: Differences) -> None:
    required = {field.name for field in msgspec.structs.fields(row.item) if field.required}
    ends = _ends(inside)
    missing = {field: aliases for field, aliases in _fields(row).items() if not any(one in ends for one in aliases)}
    read = {one for field, aliases in _fields(row).items() if field not in missing for one in aliases}
    free = [one for one in ends if one not in read]
    names, lost = {}, []
    for field, aliases in missing.items():
        if found := _meant_by(aliases, free):
            names[field] = [found]
            free.remove(found)
        else:
            lost.append(field)
    if names:
        differences.changes["names"] = names
    for field in lost:
        cannot = ", which we cannot do without" if field in required else ""
        what = f"names: nothing on the page is like {missing[field][0]!r} for our {field!r}"
        differences.note(f"{what}{cannot}{left(free) if cannot else ''}", is_gap=field in required)
    if set(lost) - required and free:
        differences.note(f"names: the answer also has {listed(free)}")


def _fields(row: Operation[Any]) -> dict[str, tuple[str, ...]]:
    """Our fields and the vendor's names for them."""
    return {field: aliases for field, aliases in row.names_of_fields().items() if aliases}


def _ends(inside: list[str]) -> list[str]:
    """The fields that are no objects."""
    return [one for one in inside if not any(other.startswith(f"{one}.") for other in inside)]


def _meant_by(aliases: tuple[str, ...], free: list[str]) -> str | None:
    """The one field that has the last word of one of our names for it, or is spelled like that, neither deeper nor
    less deep."""
    return next(
        filter(None, (alike(one, [n for n in free if n.count(".") == one.count(".")]) for one in aliases)), None
    )


def _inside(operation: Documented, envelope: str) -> list[str]:
    return [where.removeprefix(f"{envelope}.") for where in operation.fields if _lies_in(where, envelope)]


def _envelope(row: Operation[Any], operation: Documented) -> str | None:
    """Where the answer lies; None when that cannot be told."""
    is_list = get_origin(row.reply) in {list, Page}
    if is_list:
        ours = [where for where in row.envelope if where in operation.lists]
        return ours[0] if ours else operation.lists[0] if len(operation.lists) == 1 else None
    ours = [where for where in row.envelope if any(_lies_in(field, where) for field in operation.fields)]
    wanted = [alias for aliases in _fields(row).values() for alias in aliases]
    ends = _ends(list(operation.fields))
    holding = Counter(_before(field, alias) for field in ends for alias in wanted if _ends_with(field, alias))
    best = [where for where in ours if where in holding]
    if best or not holding:
        return next(iter([*best, *ours, ""]))
    most = [where for where, count in holding.items() if count == max(holding.values())]
    outermost = min(most, key=len)
    return outermost if all(_lies_in(f"{where}.", outermost) for where in most) else None


def _unclear(row: Operation[Any], operation: Documented) -> str:
    if get_origin(row.reply) not in {list, Page}:
        return f"several objects may be it{left(_ends(list(operation.fields)))}"
    return f"several lists may be it: {', '.join(operation.lists)}" if operation.lists else "there is no list"


def _lies_in(where: str, envelope: str) -> bool:
    return not envelope or where.startswith(f"{envelope}.")


def _ends_with(where: str, alias: str) -> bool:
    return where == alias or where.endswith(f".{alias}")


def _before(where: str, alias: str) -> str:
    return where[: -len(alias)].rstrip(".")


def _last(where: str) -> str:
    return where.rpartition(".")[2].lower()
