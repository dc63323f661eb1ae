"""What operators can ask for on the command line: each action with its help and its arguments, as data.

`bff.ops.admin` has the function of each, named `<group>_<action>`. This module imports nothing of the service, so that
`python -m bff --help` is quick.
"""

import argparse
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

LONGEST_NAME = 100
LONGEST_REASON = 500
# An e-mail address, or Shopify's id of a customer.
SHOPPER = re.compile(r"[^\s@]@[^\s@]+\.\w|\bgid://|\b\d{10,}\b")


class Argument(NamedTuple):
    """One argument of a command; `options` are those of argparse's `add_argument`."""

    name: str
    options: dict[str, Any]
    aliases: tuple[str, ...] = ()


class Action(NamedTuple):
    name: str
    help: str
    arguments: tuple[Argument, ...]


class Group(NamedTuple):
    """Actions on one kind of thing."""

    name: str
    help: str
    actions: tuple[Action, ...]


def argument(name: str, help_text: str, *aliases: str, **options: Any) -> Argument:
    return Argument(name, {"help": help_text, **options}, aliases)


def timestamp(text: str) -> datetime:
    """A day or a time in ISO 8601; without an offset it is UTC. Raises ValueError."""
    given = datetime.fromisoformat(text)
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def limit(text: str) -> int:
    """How many lines a list may have. Raises argparse.ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError("give a whole number from 1 to 100000")
    return int(text)


def person(text: str) -> str:
    """The name of whoever changes something. Raises argparse.ArgumentTypeError."""
    if not text.strip() or len(text) > LONGEST_NAME or not text.isprintable():
        raise argparse.ArgumentTypeError(f"give a name of at most {LONGEST_NAME} characters on one line")
    return text.strip()


def reason(text: str) -> str:
    """Why something is changed: it is kept for good, so it may name no shopper. Raises argparse.ArgumentTypeError."""
    if not text.strip() or len(text) > LONGEST_REASON:
        raise argparse.ArgumentTypeError(f"say why, in at most {LONGEST_REASON} characters")
    if SHOPPER.search(text):
        raise argparse.ArgumentTypeError("name no shopper: the trail keeps it for good. Give a reference instead")
    return text


CUSTOMER_ID = "Shopify's customer id, such as gid://shopify/Customer/1"
CUSTOMER = argument("customer", CUSTOMER_ID)
ONLY_CUSTOMER = argument("--customer", f"only of this one: {CUSTOMER_ID}", metavar="ID")
LIMIT = argument("--limit", "at most this many (50)", type=limit, default=50, metavar="N")
JSON_LINES = argument("--json", "one JSON object a line", action="store_true")
BY = argument("--by", "who you are, for `audit list` (the shell's user)", type=person, metavar="NAME")
WHY = argument("--why", "the reason, for `audit list`; it names no shopper", type=reason, metavar="TEXT")
# `--note` is what it was called in the version before.
HOW_YOU_KNOW = argument(
    "--why", "how you know; it names no shopper", "--note", type=reason, metavar="TEXT", required=True
)
CORRECT = argument("--correct", "change what a person resolved by mistake", action="store_true")
REDEMPTION_STATES = ("reserved", "sent", "succeeded", "failed", "unknown", "all")
REQUEST_STATES = ("waiting", "closed", "all")
EVENT_STATES = ("waiting", "delivered", "undelivered", "all")
AWARD_STATES = ("waiting", "sent", "unknown", "paid", "needs_review", "all")
OF_ACTION = "only this command, such as 'redemptions resolve'"
FORMATS = "jsonl (the default) repeats every word; in csv an apostrophe keeps spreadsheets from computing a cell"

GROUPS = (
    Group("sessions", "end sessions", (
        Action("revoke", "sign a customer out everywhere, at once", (CUSTOMER, BY, WHY)),
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
            HOW_YOU_KNOW,
            argument("--code", "the coupon code that Okendo gave"),
            CORRECT,
            BY,
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
            BY,
            WHY,
        )),
        Action("resolve", "record whether a possibly paid award was paid, after a look into Okendo's admin", (
            argument("reference", "such as A-7KQ2MX9B"),
            argument("state", "what Okendo's admin shows; unpaid ones are tried again", choices=("paid", "unpaid")),
            HOW_YOU_KNOW,
            CORRECT,
            BY,
        )),
    )),
    Group("events", "list what the merchant's server is told of, and tell it again what it was not", (
        Action("list", "list the latest, newest first; without --state all that are not delivered", (
            argument("--state", "only those in this state", choices=EVENT_STATES),
            ONLY_CUSTOMER,
            LIMIT,
            JSON_LINES,
        )),
        Action("replay", "send undelivered ones again, even to an address that had answered 410", (
            argument("reference", "such as msg_0f3c…, as `events list` shows it; none means all", nargs="*"),
            BY,
            WHY,
        )),
    )),
    Group("retention", "what is past its time in PostgreSQL, and delete it", (
        Action("list", "print how long each kind of row is kept, and how many rows are past that", (JSON_LINES,)),
        Action("run", "delete them now, as the worker does once a day", (BY, WHY)),
    )),
    Group("database", "what a restored database needs", (
        Action("restored", "hold what may have been done since the backup that was restored", (BY, WHY)),
    )),
    Group("members", "tell or delete what is stored about a member", (
        Action("forget", "delete what may be deleted of a member, and say what stays and why", (CUSTOMER, BY, WHY)),
        Action("export", "print everything that is stored about a member, as JSON", (
            CUSTOMER,
            argument("--file", "write it to a new file that only you can read", metavar="FILE"),
            BY,
            WHY,
        )),
        Action("requests", "list what customers asked for at Shopify and what waits for a person, newest first", (
            argument("--state", "only those in this state (waiting)", choices=REQUEST_STATES, default="waiting"),
            LIMIT,
            JSON_LINES,
        )),
        Action("close", "record that a request was done", (
            argument("reference", "such as Q-7KQ2MX9B"),
            argument("--why", "what was done; it names no shopper", type=reason, metavar="TEXT", required=True),
            BY,
        )),
    )),
    Group("audit", "what people have changed by hand", (
        Action("list", "print the trail of corrections, newest first: who, when, what, why, before and after", (
            argument("--by", "only by this person", metavar="NAME"),
            argument("--action", OF_ACTION, dest="of_action", metavar="COMMAND"),
            argument("--since", "done at or after it (ISO 8601)", type=timestamp, metavar="TIME"),
            ONLY_CUSTOMER,
            LIMIT,
            JSON_LINES,
        )),
    )),
)  # fmt: skip
