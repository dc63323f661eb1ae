"""The `bff` command: what runs the service, and what its engineers ask it for."""

import argparse
import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bff.errors import Problem, SettingsError

ROOT = Path(__file__).resolve().parent.parent
# Where the document that is kept in docs/ pretends to live.
EXAMPLE_URL = "https://loyalty.example.com"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it went well, 1 when it could not be done, 2 when the settings are not fit."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except SettingsError as error:
        print(f"bff: {error}", file=sys.stderr)
        return 2
    except Problem as problem:
        print(f"bff: {problem.detail}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bff", description="The loyalty backend-for-frontend.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for run, help_text in (
        (serve, "run the web process"),
        (
            worker,
            "run the worker, which reconciles redemptions whose answer was lost, and pays for purchases elsewhere",
        ),
        (migrate, "bring the database up to date; running it again changes nothing"),
        (sandbox, "run everything on this machine, with pretended vendors"),
        (openapi, "print the OpenAPI document of the JSON routes"),
    ):
        commands.add_parser(run.__name__, help=help_text).set_defaults(run=run)
    look = commands.add_parser("doctor", help="look at settings, stores and vendors, and say what is wrong")
    look.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    look.add_argument(
        "--okendo-docs", metavar="FILE", help="make an overrides file from a saved page of Okendo's reference"
    )
    look.set_defaults(run=doctor)
    for group, help_text in (
        ("sessions", "end sessions"),
        ("redemptions", "see how redemptions ended, and settle those whose answer was lost"),
        ("consents", "show what members agreed to"),
        ("awards", "see the points for purchases elsewhere, and try again those that wait"),
        ("members", "remove what is kept of a member"),
    ):
        actions = commands.add_parser(group, help=help_text).add_subparsers(required=True, metavar="action")
        for name, action_help, arguments in ACTIONS[group]:
            action = actions.add_parser(name, help=action_help)
            for names, options in arguments:
                action.add_argument(*names, **options)
            action.set_defaults(run=administer, action=f"{group}_{name}")
    return parser


def _moment(text: str) -> datetime:
    """A day or a time in ISO 8601; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _count(text: str) -> int:
    """At least one, and no more than a list is read for."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError("give a whole number from 1 to 100000")
    return int(text)


Argument = tuple[tuple[str, ...], dict[str, Any]]
CUSTOMER = "Shopify's customer id, such as gid://shopify/Customer/1"
OF_CUSTOMER: Argument = (("--customer",), {"metavar": "ID", "help": f"only of this one: {CUSTOMER}"})
FORMATS = "jsonl (unless told) is word for word; in csv an apostrophe keeps spreadsheets from computing a cell"
# What people do by hand, by group: name, help, arguments. `admin` has a function for each.
ACTIONS: dict[str, tuple[tuple[str, str, tuple[Argument, ...]], ...]] = {
    "sessions": (("revoke", "sign a customer out everywhere, at once", ((("customer",), {"help": CUSTOMER}),)),),
    "redemptions": (
        (
            "list",
            "the latest, newest first; without --state those that are unknown",
            (
                (("--state",), {"choices": ("reserved", "sent", "succeeded", "failed", "unknown", "all")}),
                OF_CUSTOMER,
                (("--limit",), {"type": _count, "default": 50, "metavar": "N", "help": "at most this many (50)"}),
                (("--json",), {"action": "store_true", "help": "one JSON object a line"}),
            ),
        ),
        (
            "resolve",
            "write down how an unknown redemption ended, after a look into Okendo's admin",
            (
                (("reference",), {"help": "its support reference, such as R-7KQ2MX9B"}),
                (("state",), {"choices": ("succeeded", "failed"), "help": "how it ended"}),
                (("--note",), {"required": True, "help": "how you know, and who you are"}),
                (("--code",), {"help": "the coupon code that Okendo gave"}),
            ),
        ),
    ),
    "consents": (
        (
            "export",
            "the evidence of consent, oldest first",
            (
                OF_CUSTOMER,
                (("--since",), {"type": _moment, "metavar": "TIME", "help": "agreed to at or after it (ISO 8601)"}),
                (("--until",), {"type": _moment, "metavar": "TIME", "help": "agreed to before it (ISO 8601)"}),
                (("--format",), {"choices": ("jsonl", "csv"), "default": "jsonl", "help": FORMATS}),
            ),
        ),
    ),
    "awards": (
        (
            "list",
            "the latest, newest first; without --state all that are not paid, and events that need review",
            (
                (("--state",), {"choices": ("waiting", "sent", "unknown", "paid", "needs_review", "all")}),
                OF_CUSTOMER,
                (("--limit",), {"type": _count, "default": 50, "metavar": "N", "help": "at most this many (50)"}),
                (("--json",), {"action": "store_true", "help": "one JSON object a line"}),
            ),
        ),
        (
            "replay",
            "try those that need review again: the named ones, or all but the possibly paid ones (see resolve)",
            ((("reference",), {"nargs": "*", "help": "such as A-7KQ2MX9B, or the id of an event; none means all"}),),
        ),
        (
            "resolve",
            "write down whether a possibly paid award was paid, after a look into Okendo's admin",
            (
                (("reference",), {"help": "such as A-7KQ2MX9B"}),
                (
                    ("state",),
                    {"choices": ("paid", "unpaid"), "help": "an unpaid one is tried again"},
                ),
                (("--note",), {"required": True, "help": "how you know, and who you are"}),
            ),
        ),
    ),
    "members": (
        (
            "forget",
            "remove what may be removed of a member, and say what stays",
            ((("customer",), {"help": CUSTOMER}),),
        ),
    ),
}


# Each command imports what it needs: `migrate` runs without the web server, `serve` without the sandbox.


def serve(_: argparse.Namespace) -> None:
    from bff.ops.server import serve as run
    from bff.settings.read import read_settings
    from bff.vendors.okendo.overrides import operations_with_overrides

    settings = read_settings(os.environ)
    operations_with_overrides(settings.okendo_overrides)
    with TemporaryDirectory(prefix="loyalty-metrics-") as folder:
        if settings.web_concurrency > 1:
            # Read by the processes that are about to start; what they count is added up there.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        run(
            host=settings.listen_host,
            port=settings.port,
            workers=settings.web_concurrency,
            log_level=settings.log_level,
        )


def worker(_: argparse.Namespace) -> None:
    from bff.services import build
    from bff.settings.read import read_settings
    from bff.telemetry.logs import set_up
    from bff.worker import jobs_of, run_until_signalled

    settings = read_settings(os.environ)
    set_up(settings.log_level)

    async def run() -> None:
        async with build(settings) as state:
            await run_until_signalled(jobs_of(state))

    asyncio.run(run())


def migrate(_: argparse.Namespace) -> None:
    from bff.settings.read import read_settings

    migrate_database(read_settings(os.environ).database_url)
    print("The database is up to date.")


def migrate_database(url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = "postgresql+psycopg://" + url.partition("://")[2]
    command.upgrade(config, "head")


def sandbox(_: argparse.Namespace) -> None:
    from bff.devstack.stack import run

    run()


def openapi(_: argparse.Namespace) -> None:
    from bff.openapi.page import document_of

    print(json.dumps(document_of(EXAMPLE_URL), indent=2, ensure_ascii=False, sort_keys=True))


def doctor(chosen: argparse.Namespace) -> None:
    if chosen.okendo_docs is not None:
        from bff.ops.okendo_diff import overrides_from

        print(overrides_from(chosen.okendo_docs), end="")
        return
    import msgspec

    from bff.ops.doctor import examined
    from bff.ops.report import format_report
    from bff.telemetry.logs import set_up

    set_up("error", sys.stderr)
    report = asyncio.run(examined(os.environ))
    print(msgspec.json.encode(report).decode() if chosen.json else format_report(report))
    if not report.healthy:
        raise SystemExit(1)


def administer(chosen: argparse.Namespace) -> None:
    from bff.ops import admin
    from bff.services import build
    from bff.settings.read import read_settings

    async def run() -> None:
        async with build(read_settings(os.environ)) as state:
            await getattr(admin, chosen.action)(state, chosen)

    asyncio.run(run())
