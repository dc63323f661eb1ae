"""The command line, as the engineer on call uses it."""

import inspect
import json

import pytest
from support.processes import bff
from support.services import Service, Vendors

from bff.cli import COMMANDS
from bff.ops import admin
from bff.ops.commands import GROUPS

CALLS: list[tuple[str, ...]] = [(command.run.__name__,) for command in COMMANDS]
ACTIONS: list[tuple[str, ...]] = [(group.name, action.name) for group in GROUPS for action in group.actions]
ARGUMENTS = [each for command in COMMANDS for each in command.arguments]
ARGUMENTS += [each for group in GROUPS for action in group.actions for each in action.arguments]


def test_B12_a_customer_is_signed_out_everywhere_at_once(
    service: Service, settings: dict[str, str], vendors: Vendors
) -> None:
    first, second, other = service.signed_in("ella"), service.signed_in("ella"), service.signed_in("tara")
    done = bff(settings, "sessions", "revoke", vendors.member("ella")["customerId"])
    assert (done.returncode, done.stdout) == (0, "Sessions ended: 2.\n")
    states = [browser.api("GET", "/session").json()["state"] for browser in (first, second, other)]
    assert states == ["anonymous", "anonymous", "enrolled"]


def test_a_command_that_cannot_be_done_says_so_in_one_line(settings: dict[str, str]) -> None:
    done = bff(settings | {"VALKEY_URL": "redis://127.0.0.1:1"}, "sessions", "revoke", "gid://shopify/Customer/1")
    logged, said = done.stderr.splitlines()
    assert (done.returncode, said) == (1, "bff: Sessions cannot be read right now.")
    assert (json.loads(logged)["event"], json.loads(logged)["what"]) == ("store_unavailable", "valkey")


def test_an_unfit_setting_ends_every_command_with_its_name(settings: dict[str, str]) -> None:
    for arguments in (["serve"], ["migrate"], ["sessions", "revoke", "x"]):
        done = bff(settings | {"SECRET_KEYS": "k1:c2hvcnQ="}, *arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("bff: SECRET_KEYS: give id:base64key pairs")


def test_the_openapi_document_can_be_printed_without_any_setting() -> None:
    done = bff({}, "openapi")
    assert done.returncode == 0
    assert '"openapi": "3.1.0"' in done.stdout


def test_help_names_every_command() -> None:
    told = bff({}, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    for name, *_ in CALLS + ACTIONS:
        assert f"\n    {name} " in told.stdout


@pytest.mark.parametrize("call", CALLS + ACTIONS, ids=" ".join)
def test_every_command_explains_itself_without_any_setting(call: tuple[str, ...]) -> None:
    told = bff({}, *call, "--help")
    assert (told.returncode, told.stderr) == (0, "")
    usage, explanation, _ = told.stdout.split("\n\n", 2)
    assert usage.startswith(f"usage: python -m bff {' '.join(call)} ")
    assert explanation.endswith(".")


def test_every_argument_is_explained() -> None:
    assert [each.name for each in ARGUMENTS if not each.options["help"]] == []


def test_every_action_is_a_function_of_its_name() -> None:
    functions = {name for name, _ in inspect.getmembers(admin, inspect.iscoroutinefunction)}
    assert functions == {f"{group}_{action}" for group, action in ACTIONS}
