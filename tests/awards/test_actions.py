"""The table of actions at boot: as TOML in the variable or in a file, and refused with the line that is wrong (N1)."""

import secrets
from datetime import date
from pathlib import Path

import pytest
from ops.test_settings import PRODUCTION
from support.processes import bff
from support.services import Start
from support.subtotal_events import ACTIONS, BUYING, LINKING

from bff.errors import SettingsError
from bff.settings.actions import Action, read_actions, retailers_of
from bff.settings.read import read_settings

RULE = f'earning_rule_id = "{BUYING}"'
START = "start_date = 2026-01-01"
KEYS = {"SUBTOTAL_SIGNING_SECRET": secrets.token_hex(16), "OKENDO_API_KEY": secrets.token_hex(16)}


def row(*lines: str) -> str:
    return "\n".join(("[[actions]]", *lines)) + "\n"


def test_every_column_is_read() -> None:
    text = "# What earns.\n" + row(
        'event = "purchase.created"', 'name = "At Walmart"', 'retailers = ["Walmart", "target", "walmart"]', RULE, START
    )  # fmt: skip
    assert read_actions(text) == (
        Action(
            event="purchase.created", name="At Walmart", earning_rule_id=BUYING, retailers=("walmart", "target"),
            start_date=date(2026, 1, 1),
        ),
    )  # fmt: skip


def test_it_may_be_one_line_or_a_file(tmp_path: Path) -> None:
    line = f'actions = [{{ event = "account.linked", name = "Link", earning_rule_id = "{LINKING}" }}]'
    file = tmp_path / "actions.toml"
    file.write_text(ACTIONS)
    assert len(read_actions(line)) == 1
    assert read_actions(str(file)) == read_actions(ACTIONS)
    assert read_actions("") == ()


def test_the_retailers_that_earn_are_those_named_unless_an_action_is_for_all() -> None:
    at = [row('event = "account.linked"', f'name = "{name}"', f'retailers = ["{name}"]', RULE) for name in ("a", "b")]
    assert retailers_of(read_actions("".join(at))) == ("a", "b")
    assert retailers_of(read_actions(at[0] + ACTIONS)) == ()


GOOD = row('event = "account.linked"', 'name = "Link"', f'earning_rule_id = "{LINKING}"')
# A table that is wrong, and what is said of it.
FLAWS = {
    "no TOML": ("[[actions]\n", "is not TOML"),
    "an unknown table": (GOOD + "\n[more]\nx = 1\n", "nothing but [[actions]]"),
    "not a list of tables": ("[actions]\nname = 1\n", "nothing but [[actions]]"),
    "numbers for tables": ("actions = [1]", "action 1: give a table"),
    "an unknown event": (GOOD + row('event = "purchase.made"', 'name = "x"', RULE), "line 6: event: give"),
    "an unknown column": (row('event = "account.linked"', 'nmae = "x"', RULE), "line 3: nmae is not a column"),
    "no event": (row('name = "x"', RULE), "line 1: event is missing"),
    "no rule": (GOOD + row('event = "account.linked"', 'name = "x"'), "line 5: earning_rule_id is missing"),
    "no name": (row('event = "account.linked"', RULE), "line 1: name is missing"),
    "an empty name": (row('event = "account.linked"', 'name = " "', RULE), "line 3: name: give a name"),
    "a rule with a space": (
        row('event = "account.linked"', 'name = "x"', 'earning_rule_id = "a b"'), "line 4: earning_rule_id: give",
    ),
    "no retailers": (row('event = "account.linked"', 'name = "x"', RULE, "retailers = []"), "line 5: retailers: give"),
    "retailers in one text": (
        row('event = "account.linked"', 'name = "x"', RULE, 'retailers = "walmart, target"'), "line 5: retailers: give",
    ),
    "a day in quotes": (
        row('event = "purchase.created"', 'name = "x"', RULE, 'start_date = "2026-01-01"'), "line 5: start_date: give",
    ),
    "purchases of all times": (
        GOOD + row('event = "purchase.created"', 'name = "x"', RULE), "line 5: start_date is missing",
    ),
    "one name twice": (GOOD + GOOD.replace(LINKING, "another"), "line 7: name is the same as in line 3"),
    "one thing paid twice": (
        GOOD + GOOD.replace('"Link"', '"Again"'), "line 7: pays the same rule for the same event as line 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("flaw", FLAWS)
def test_N1_what_is_wrong_is_named_with_its_line(flaw: str) -> None:
    text, said = FLAWS[flaw]
    with pytest.raises(SettingsError) as error:
        read_actions(text)
    assert str(error.value).startswith("SUBTOTAL_ACTIONS: ")
    assert said in str(error.value)


def test_one_rule_may_be_paid_at_different_retailers_by_different_rows() -> None:
    both = [
        row('event = "account.linked"', f'name = "{name}"', RULE, f'retailers = ["{name}"]') for name in ("a", "b")
    ]  # fmt: skip
    assert len(read_actions("".join(both))) == 2


def test_N1_a_file_that_is_not_there_stops_the_boot(settings: dict[str, str]) -> None:
    refused = bff(settings | {"SUBTOTAL_ACTIONS": "/no/such/file.toml"}, "serve")
    assert refused.returncode == 2
    assert refused.stderr == "bff: SUBTOTAL_ACTIONS: the file cannot be read (FileNotFoundError).\n"


@pytest.mark.parametrize("missing", KEYS)
def test_N1_actions_that_could_not_be_paid_stop_the_boot(missing: str) -> None:
    given = {**PRODUCTION, "SUBTOTAL_ACTIONS": ACTIONS, **KEYS}
    assert len(read_settings(given).subtotal.actions) == 2
    with pytest.raises(SettingsError, match=missing):
        read_settings(given | {missing: ""})


def test_without_actions_the_service_starts_as_ever(start: Start) -> None:
    service = start(SUBTOTAL_ACTIONS="", SUBTOTAL_SIGNING_SECRET="", SUBTOTAL_API_KEY="", OKENDO_API_KEY="")
    assert service.shopper().get("/").status == 200
