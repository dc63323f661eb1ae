"""docs/events.md and the code tell of the same log events, with the same levels and fields (checklist N7)."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from support.services import ROOT

from bff.telemetry.logs import FIELDS

LEVELS = ("debug", "info", "warning", "error")
# What every line has, or each line of a request or a job.
EVERYWHERE = {"event", "level", "timestamp", "request_id", "trace_id", "caller_trace_id"}
CAUSE = {"failure", "sqlstate"}
# What is given under two asterisks, by the name of the function or variable.
GIVEN = {
    "cause": CAUSE,
    "origin": CAUSE | {"cause", "where"},
    "fields": {"failure", "seconds_ahead"},
    "outcome": {"tries", "status", "failure", "ms"},
    "milliseconds": {"session_ms", "store_ms", "vendor_ms", "render_ms"},
}


class Event(NamedTuple):
    levels: frozenset[str]
    fields: frozenset[str]


# Written by `bff.telemetry.logs` in place of what a library says, at the level that the library chose.
LIBRARY = Event(frozenset({"warning", "error"}), frozenset({"logger", *GIVEN["origin"]}))


def documented() -> dict[str, Event]:
    lines = (ROOT / "docs" / "events.md").read_text().splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    assert all(len(row) == 5 for row in rows)
    names = [row[0].strip("`") for row in rows]
    assert names == sorted(set(names)), "a row for each event, in their order"
    return {
        name: Event(frozenset(row[1].split(", ")), frozenset(re.findall(r"`(\w+)`", row[2])))
        for name, row in zip(names, rows, strict=True)
    }


def logged() -> dict[str, Event]:
    """The events of the code, each with all that any of its calls may give."""
    levels, fields = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for function, call in calls():
        name, of_call = told_by(function, call)
        levels[name] |= of_call
        for given in call.keywords:
            fields[name] |= {given.arg} if given.arg else GIVEN[starred(given.value)]
    return {name: Event(frozenset(levels[name]), frozenset(fields[name] - EVERYWHERE)) for name in levels}


def calls() -> Iterator[tuple[ast.AST, ast.Call]]:
    """Every call of our loggers, and the function that it is in."""
    for file in sorted((ROOT / "bff").rglob("*.py")):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    match node:
                        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level)) if level in {
                            *LEVELS,
                            "log",
                        }:
                            yield function, node


def told_by(function: ast.AST, call: ast.Call) -> tuple[str, set[str]]:
    """The event of a call and its levels: those that the function names where the call leaves them to it."""
    assert isinstance(call.func, ast.Attribute)
    *_, name = call.args
    assert isinstance(name, ast.Constant), ast.unparse(call)
    assert isinstance(name.value, str), ast.unparse(call)
    if call.func.attr != "log":
        return name.value, {call.func.attr}
    named = (node for node in ast.walk(function) if isinstance(node, ast.Attribute))
    return name.value, {node.attr.lower() for node in named if ast.unparse(node.value) == "logging"}


def starred(value: ast.expr) -> str:
    match value:
        case ast.Call(func=ast.Name(id=name)) | ast.Name(id=name):
            return name
        case ast.DictComp(generators=[ast.comprehension(iter=ast.Call(func=ast.Attribute(value=called)))]):
            assert isinstance(called, ast.Call)
            return starred_attribute(called)
    raise AssertionError(ast.unparse(value))


def starred_attribute(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr


def test_N7_the_events_of_the_code_are_those_of_the_documents() -> None:
    found, written = logged() | {"library": LIBRARY}, documented()
    assert len(found) > 50
    assert set(written) == set(found)


def test_N7_each_event_has_the_levels_and_fields_that_are_written() -> None:
    found, written = logged() | {"library": LIBRARY}, documented()
    assert {name: written[name] for name in found} == found


def test_N7_every_field_that_may_be_logged_is_one_of_some_event_and_explained() -> None:
    text = (ROOT / "docs" / "events.md").read_text()
    explained = {name for line in text.splitlines() if line.startswith("* ") for name in re.findall(r"`(\w+)`", line)}
    used = EVERYWHERE.union(*(event.fields for event in documented().values()))
    assert explained >= used
    assert used == FIELDS
