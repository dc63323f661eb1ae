"""The `bff` command: it runs the service, checks it, and carries out what operators ask for."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from bff.errors import CommandFailed, Problem, SettingsError
from bff.ops.commands import GROUPS, Argument, argument
from bff.ops.terminal import say, say_json, say_lines

# The address of the service in the document that is kept in docs/.
EXAMPLE_URL = "https://loyalty.example.com"


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0 when it was carried out, 1 when it could not be, 2 when a setting is unfit."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except SettingsError as error:
        say(f"bff: {error}", sys.stderr)
        return 2
    except Problem as problem:
        say(f"bff: {problem.detail}", sys.stderr)
        return 1
    except CommandFailed as failure:
        say(f"bff: {failure}", sys.stderr)
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
        parser.add_argument(each.name, *each.aliases, **each.options)
    return parser


# Each command imports what it needs: `migrate` runs without the web server, `serve` without the sandbox.


def serve(_: argparse.Namespace) -> None:
    from bff.ops import server
    from bff.ops.exports import check_extras
    from bff.settings.read import read_settings
    from bff.telemetry.metrics_folder import metrics_folder
    from bff.vendors.okendo.overrides import operations_with_overrides
    from bff.web.forwarded import Proxies

    settings = read_settings(os.environ)
    operations_with_overrides(settings.okendo.overrides)
    check_extras(settings)
    with ExitStack() as stack:
        if settings.web_concurrency > 1:
            # Read by the processes that are about to start, and by the metrics library in each of them.
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(stack.enter_context(metrics_folder()))
        server.serve(
            host=settings.listen_host,
            port=settings.port,
            workers=settings.web_concurrency,
            log_level=settings.log_level,
            keep_alive_seconds=settings.keep_alive_seconds,
            proxies=Proxies(settings),
        )


def worker(_: argparse.Namespace) -> None:
    from bff.ops.exports import check_extras, exporting
    from bff.ops.presence import present
    from bff.ops.publishing import published
    from bff.services import build
    from bff.settings.production import log_weaknesses
    from bff.settings.read import read_settings
    from bff.telemetry.logs import set_up
    from bff.worker import jobs_of, run_until_signalled

    settings = read_settings(os.environ)
    check_extras(settings)
    set_up(settings.log_level)
    log_weaknesses(settings)

    async def run() -> None:
        async with (
            build(settings, is_worker=True) as services,
            published(services, "worker"),
            present(services, "worker"),
        ):
            await run_until_signalled(jobs_of(services))

    with exporting(settings):
        asyncio.run(run())


def migrate(_: argparse.Namespace) -> None:
    from bff.settings.read import read_settings

    migrate_database(read_settings(os.environ).database.url)
    say("The database is up to date.")


def migrate_database(url: str) -> None:
    """Bring the tables of the PostgreSQL at this address up to date; raises CommandFailed."""
    from bff.ops.migrate import bring_up_to_date

    bring_up_to_date(url, lambda sentence: say(f"bff: {sentence}", sys.stderr))


def sandbox(_: argparse.Namespace) -> None:
    from bff.devstack import stack

    stack.run()


def openapi(_: argparse.Namespace) -> None:
    from bff.api.routes import ENDPOINTS
    from bff.openapi.document import document

    say_lines(json.dumps(document(ENDPOINTS, EXAMPLE_URL), indent=2, ensure_ascii=False, sort_keys=True))


def copy(chosen: argparse.Namespace) -> None:
    """Raises SettingsError, and CommandFailed for a language that there is not."""
    from bff.languages.catalogues import Catalogues
    from bff.languages.copy import as_toml
    from bff.settings.read import read_alone

    catalogues = Catalogues(read_alone("LOCALE_DIR", os.environ))
    if chosen.language not in catalogues.tags:
        raise CommandFailed(f"the languages are {', '.join(catalogues.tags)}.")
    say_lines("\n".join(as_toml(catalogues.words(chosen.language), chosen.word)))


def doctor(chosen: argparse.Namespace) -> None:
    """Ends the process with status 1 when a check failed, or when the file that was made cannot work."""
    if chosen.okendo_docs is not None:
        from bff.ops.okendo_diff import overrides_from

        made = overrides_from(chosen.okendo_docs)
        say_lines(made.text)
        if made.gaps:
            say(f"bff: the file does not work as it is: {'; '.join(made.gaps)}", sys.stderr)
            raise SystemExit(1)
        return
    from bff.ops.doctor import examine, examine_origin
    from bff.ops.report import format_report
    from bff.telemetry.logs import set_up

    set_up("error", sys.stderr)
    checks = examine(os.environ) if chosen.origin is None else examine_origin(os.environ, chosen.origin)
    report = asyncio.run(checks)
    if chosen.json:
        say_json(report)
    else:
        say_lines(format_report(report))
    if not report.healthy:
        raise SystemExit(1)


def administer(chosen: argparse.Namespace) -> None:
    """Carry out an action of `GROUPS`."""
    from bff.ops import admin
    from bff.services import build
    from bff.settings.read import read_settings
    from bff.telemetry.logs import set_up

    # Standard output has the answer, which programs read; what has to be logged meanwhile goes elsewhere.
    set_up("warning", sys.stderr)

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
    Command(copy, "print the texts of the pages in a language, for the setting COPY", (
        argument("language", "such as en, or one of LOCALE_DIR"),
        argument("word", "only texts that have it", nargs="?", default=""),
    )),
    Command(doctor, "check settings, stores and vendors, and say what is wrong and how to correct it", (
        argument("--json", "one JSON object instead of lines", action="store_true"),
        argument("--origin", "say whether pages of this origin may call, and what to set if not", metavar="URL"),
        argument("--okendo-docs", "make an overrides file from a saved page of Okendo's reference", metavar="FILE"),
    )),
)  # fmt: skip
