"""What operators can ask for on the command line: each action with its help and its arguments, as data.

`bff.ops.admin` has the function of each, named `<group>_<action>`. This module imports nothing of the service, so that
`python -m bff --help` is quick.
"""

import argparse
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Argument(NamedTuple):
    """One argument of a command; `options` are those of argparse's `add_argument`."""

    name: str
    options: dict[str, Any]


class Action(NamedTuple):
    name: str
    help: str
    arguments: tuple[Argument, ...]


class Group(NamedTuple):
    """Actions on one kind of thing."""

    name: str
    help: str
    actions: tuple[Action, ...]


def argument(name: str, help_text: str, **options: Any) -> Argument:
    return Argument(name, {"help": help_text, **options})


def timestamp(text: str) -> datetime:
    """A day or a time in ISO 8601; without an offset it is UTC. Raises ValueError."""
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def limit(text: str) -> int:
    """How many lines a list may have. Raises argparse.ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError("give a whole number from 1 to 100000")
    return int(text)


CUSTOMER_ID = "Shopify's customer id, such as gid://shopify/Customer/1"
CUSTOMER = argument("customer", CUSTOMER_ID)
ONLY_CUSTOMER = argument("--customer", f"only of this one: {CUSTOMER_ID}", metavar="ID")
LIMIT = argument("--limit", "at most this many (50)", type=limit, default=50, metavar="N")
JSON_LINES = argument("--json", "one JSON object a line", action="store_true")
NOTE = argument("--note", "how you know, and who you are", required=True)
REDEMPTION_STATES = ("reserved", "sent", "succeeded", "failed", "unknown", "all")
AWARD_STATES = ("waiting", "sent", "unknown", "paid", "needs_review", "all")
FORMATS = "jsonl (the default) repeats every word; in csv an apostrophe keeps spreadsheets from computing a cell"

GROUPS = (
    Group("sessions", "end sessions", (
        Action("revoke", "sign a customer out everywhere, at once", (CUSTOMER,)),
    )),
    Group("redemptions", "list redemptions, and settle those whose outcome is unknown", (
        Action("list", "list the latest, newest first; without --state those whose outcome is unknown", (
            argument("--state", "only those in this state", choices=REDEMPTION_STATES),
            ONLY_CUSTOMER,
            LIMIT,
            JSON_LINES,
        )),
        Action("resolve", "record how an unknown redemption ended, after a look into Okendo's admin", (
            argument("reference", "its support reference, such as R-7KQ2MX9B"),
            argument("state", "how it ended", choices=("succeeded", "failed")),
            NOTE,
            argument("--code", "the coupon code that Okendo gave"),
        )),
    )),
    Group("consents", "export what members agreed to", (
        Action("export", "print the evidence of consent, oldest first", (
            ONLY_CUSTOMER,
            argument("--since", "agreed to at or after it (ISO 8601)", type=timestamp, metavar="TIME"),
            argument("--until", "agreed to before it (ISO 8601)", type=timestamp, metavar="TIME"),
            argument("--format", FORMATS, choices=("jsonl", "csv"), default="jsonl"),
        )),
    )),
    Group("awards", "list the points for purchases elsewhere, and try again those that wait", (
        Action("list", "list the latest, newest first; without --state all that are unpaid, and events to review", (
            argument("--state", "only those in this state", choices=AWARD_STATES),
            ONLY_CUSTOMER,
            LIMIT,
            JSON_LINES,
        )),
        Action("replay", "try those that need review again; a possibly paid one only when it was resolved as unpaid", (
            argument("reference", "such as A-7KQ2MX9B, or the id of an event; none means all", nargs="*"),
        )),
        Action("resolve", "record whether a possibly paid award was paid, after a look into Okendo's admin", (
            argument("reference", "such as A-7KQ2MX9B"),
            argument("state", "what Okendo's admin shows; unpaid ones are tried again", choices=("paid", "unpaid")),
            NOTE,
        )),
    )),
    Group("members", "delete what is stored about a member", (
        Action("forget", "delete what may be deleted of a member, and say what stays and why", (CUSTOMER,)),
    )),
)  # fmt: skip
