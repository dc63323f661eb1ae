"""Subtotal's table of actions as the merchant keeps it here: what earns how much, at which retailers, and since when.

The same columns as in Subtotal's dashboard (subtotal.com/docs/integrations/okendo), as TOML:

    [[actions]]
    event = "purchase.created"
    name = "Purchases at Walmart"
    retailers = ["walmart"]          # leave it out for all retailers
    earning_rule_id = "the Action ID of a custom earning rule in Okendo"
    start_date = 2026-01-01
    counts = "items"                 # only what is the brand's own; the default, "total", is the whole purchase
    brands = ["Fern & Fog"]          # or upcs = ["0123456789012"]
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from itertools import combinations
from typing import Any, Literal, get_args

import msgspec

from bff.errors import SettingsError
from bff.settings.toml import tables_in, text_of

Event = Literal["account.linked", "purchase.created"]
Counts = Literal["total", "items"]
EVENTS: tuple[Event, ...] = get_args(Event)
SETTING = "SUBTOTAL_ACTIONS"
LONGEST_NAME = 100
LONGEST_RETAILER = 26


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One row: `event` at one of `retailers` (none means all) pays Okendo's custom earning rule `earning_rule_id`.

    What was paid is stored under `name` and under the rule, so that neither pays twice. Of a purchase, `counts` says
    whether its total is paid, or only those items whose brand or UPC is named.
    """

    event: Event
    name: str
    earning_rule_id: str
    retailers: tuple[str, ...] = ()
    start_date: date | None = None
    counts: Counts = "total"
    brands: tuple[str, ...] = ()
    upcs: tuple[str, ...] = ()

    def is_for(self, event: Event, retailer_id: str, on: date) -> bool:
        """Whether this happened where and when the action pays."""
        at_retailer = not self.retailers or retailer_id.casefold() in self.retailers
        return event == self.event and at_retailer and (self.start_date is None or on >= self.start_date)


def read_actions(toml_or_path: str) -> tuple[Action, ...]:
    """The actions in a TOML text, or in the TOML file at that path; none in an empty text.

    Raises SettingsError that names the line and the remedy.
    """
    text = text_of(SETTING, toml_or_path)
    tables = tables_in(SETTING, text)
    rows = tables.pop("actions", [])
    if tables or not isinstance(rows, list):
        raise SettingsError(SETTING, "give nothing but [[actions]] tables.")
    actions = tuple(_read_action(text, number, row) for number, row in enumerate(rows))
    for earlier, later in combinations(enumerate(actions), 2):
        _check_distinct(text, earlier, later)
    return actions


def retailers_of(actions: Sequence[Action]) -> tuple[str, ...]:
    """The retailers that earn anything, in the order of the table; none when one action is for all of them."""
    if any(not action.retailers for action in actions):
        return ()
    return tuple(dict.fromkeys(retailer for action in actions for retailer in action.retailers))


def _read_action(text: str, number: int, row: Any) -> Action:
    if not isinstance(row, dict):
        raise SettingsError(SETTING, f"action {number + 1}: give a table.")
    for key, remedy in _mistakes(row):
        raise SettingsError(SETTING, f"{_location(text, number, key)}: {remedy}.")
    retailers = tuple(dict.fromkeys(retailer.casefold() for retailer in row.get("retailers", ())))
    lists = {key: tuple(dict.fromkeys(row.get(key, ()))) for key in ("brands", "upcs")}
    return Action(**row | lists | {"retailers": retailers, "start_date": _date(row.get("start_date"))})


def _mistakes(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The column and the remedy of everything that is wrong with a row; an empty column stands for the whole row."""
    for key, value in row.items():
        if key not in COLUMNS:
            yield key, f"{key} is not a column; the columns are {', '.join(COLUMNS)}"
        elif not COLUMNS[key][1](value):
            yield key, f"{key}: {COLUMNS[key][0]}"
    for key in ("event", "name", "earning_rule_id"):
        if key not in row:
            yield "", f"{key} is missing"
    if row.get("event") == "purchase.created" and "start_date" not in row:
        yield "", "start_date is missing; without it every purchase of the past would be paid"
    yield from _mistakes_in_counting(row)


def _mistakes_in_counting(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    names = [key for key in ("brands", "upcs") if key in row]
    if row.get("counts") == "items" and not names:
        yield "counts", "counts: name the items with brands or upcs"
    if row.get("counts") != "items" and names:
        yield names[0], f'{names[0]}: say counts = "items" as well, or leave it out'
    if row.get("counts") == "items" and row.get("event") == "account.linked":
        yield "counts", "counts: only purchases have items"


def _date(value: date | None) -> date | None:
    return value.date() if isinstance(value, datetime) else value


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[\x21-\x7e]{1,128}", value))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= LONGEST_NAME


def _is_retailer(value: Any) -> bool:
    return _is_token(value) and len(value) <= LONGEST_RETAILER


def _is_upc(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{8,14}", value, re.ASCII))


def _is_list_of(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and bool(value) and all(map(fits, value))


# What to write in each column, and whether a value is that.
COLUMNS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "event": (f"give {' or '.join(EVENTS)}", lambda value: value in EVENTS),
    "name": (f"give a name of 1 to {LONGEST_NAME} printable characters", _is_name),
    "earning_rule_id": ("give the rule's Action ID in Okendo", _is_token),
    "retailers": (
        "give a list of Subtotal's retailer ids, or leave it out for all",
        lambda value: _is_list_of(value, _is_retailer),
    ),
    "counts": ('give "total" or "items"', lambda value: value in get_args(Counts)),
    "brands": ("give a list of names as Subtotal writes them", lambda value: _is_list_of(value, _is_name)),
    "upcs": ("give a list of UPCs in quotes, 8 to 14 digits each", lambda value: _is_list_of(value, _is_upc)),
    "start_date": ("give a date such as 2026-01-01, without quotes", lambda value: isinstance(value, date)),
}


def _check_distinct(text: str, earlier: tuple[int, Action], later: tuple[int, Action]) -> None:
    """Raises SettingsError when two rows have one name, or pay one rule for one event at one retailer."""
    (one_number, one), (other_number, other) = earlier, later
    here, there = _location(text, other_number, "name"), _location(text, one_number, "name")
    if one.name == other.name:
        raise SettingsError(SETTING, f"{here}: name is the same as in {there}; give each action its own.")
    overlap = not one.retailers or not other.retailers or set(one.retailers) & set(other.retailers)
    if overlap and (one.event, one.earning_rule_id) == (other.event, other.earning_rule_id):
        raise SettingsError(SETTING, f"{here}: pays the same rule for the same event as {there}. Remove one of them.")


def _location(text: str, number: int, key: str) -> str:
    """The line of this key in the action's table, or of the table's heading; without tables the action's number."""
    lines = text.splitlines()
    headings = [at for at, line in enumerate(lines) if re.match(r"\s*\[\[\s*actions\s*\]\]", line)]
    if number >= len(headings):
        return f"action {number + 1}"
    end = headings[number + 1] if number + 1 < len(headings) else len(lines)
    at = next((at for at in range(headings[number], end) if re.match(rf"\s*{key}\s*=", lines[at])), headings[number])
    return f"line {at + 1}"
