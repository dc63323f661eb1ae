"""The `bff` command: it runs the service, checks it, and carries out what operators ask for."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bff.errors import Problem, SettingsError
from bff.ops.commands import GROUPS, Argument, argument

ROOT = Path(__file__).resolve().parent.parent
# The address of the service in the document that is kept in docs/.
EXAMPLE_URL = "https://loyalty.example.com"


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0 when it was carried out, 1 when it could not be, 2 when a setting is unfit."""
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
    for command in COMMANDS:
        _add(commands, command.run.__name__, command.help, command.arguments).set_defaults(run=command.run)
    for group in GROUPS:
        actions = _add(commands, group.name, group.help).add_subparsers(required=True, metavar="action")
        for action in group.actions:
            added = _add(actions, action.name, action.help, action.arguments)
            added.set_defaults(run=administer, action=f"{group.name}_{action.name}")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    help_text: str,
    arguments: tuple[Argument, ...] = (),
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}.")
    for each in arguments:
        parser.add_argument(each.name, **each.options)
    return parser


# Each command imports what it needs: `migrate` runs without the web server, `serve` without the sandbox.


def serve(_: argparse.Namespace) -> None:
    from bff.ops import server
    from bff.settings.read import read_settings
    from bff.telemetry.metrics_folder import metrics_folder
    from bff.vendors.okendo.overrides import operations_with_overrides

    settings = read_settings(os.environ)
    operations_with_overrides(settings.okendo.overrides)
    with ExitStack() as stack:
        if settings.web_concurrency > 1:
            # Read by the processes that are about to start, and by the metrics library in each of them.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(stack.enter_context(metrics_folder()))
        server.serve(
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
        async with build(settings) as services:
            await run_until_signalled(jobs_of(services))

    asyncio.run(run())


def migrate(_: argparse.Namespace) -> None:
    from bff.settings.read import read_settings

    migrate_database(read_settings(os.environ).database.url)
    print("The database is up to date.")


def migrate_database(url: str) -> None:
    """Bring the tables of the PostgreSQL at this address up to date."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = "postgresql+psycopg://" + url.partition("://")[2]
    command.upgrade(config, "head")


def sandbox(_: argparse.Namespace) -> None:
    from bff.devstack import stack

    stack.run()


def openapi(_: argparse.Namespace) -> None:
    from bff.api.routes import ENDPOINTS
    from bff.openapi.document import document

    print(json.dumps(document(ENDPOINTS, EXAMPLE_URL), indent=2, ensure_ascii=False, sort_keys=True))


def doctor(chosen: argparse.Namespace) -> None:
    """Ends the process with status 1 when a check failed."""
    if chosen.okendo_docs is not None:
        from bff.ops.okendo_diff import overrides_from

        print(overrides_from(chosen.okendo_docs), end="")
        return
    import msgspec

    from bff.ops.doctor import examine
    from bff.ops.report import format_report
    from bff.telemetry.logs import set_up

    set_up("error", sys.stderr)
    report = asyncio.run(examine(os.environ))
    print(msgspec.json.encode(report).decode() if chosen.json else format_report(report))
    if not report.healthy:
        raise SystemExit(1)


def administer(chosen: argparse.Namespace) -> None:
    """Carry out an action of `GROUPS`."""
    from bff.ops import admin
    from bff.services import build
    from bff.settings.read import read_settings

    async def run() -> None:
        async with build(read_settings(os.environ)) as services:
            await getattr(admin, chosen.action)(services, chosen)

    asyncio.run(run())


class Command(NamedTuple):
    """A command that is called as its function is."""

    run: Callable[[argparse.Namespace], None]
    help: str
    arguments: tuple[Argument, ...] = ()


COMMANDS = (
    Command(serve, "run the web process"),
    Command(worker, "run the worker, which settles redemptions without an answer and pays for purchases elsewhere"),
    Command(migrate, "bring the database up to date; running it again changes nothing"),
    Command(sandbox, "run everything on this machine, with simulated vendors"),
    Command(openapi, "print the OpenAPI document of the JSON routes"),
    Command(doctor, "check settings, stores and vendors, and say what is wrong and how to correct it", (
        argument("--json", "one JSON object instead of lines", action="store_true"),
        argument("--okendo-docs", "make an overrides file from a saved page of Okendo's reference", metavar="FILE"),
    )),
)  # fmt: skip
