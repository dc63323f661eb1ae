"""The `bff` command: serve, migrate, sandbox, sessions, openapi."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from bff.errors import Problem, SettingsError

ROOT = Path(__file__).resolve().parent.parent


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
        (migrate, "bring the database up to date; running it again changes nothing"),
        (sandbox, "run everything on this machine, with pretended vendors"),
        (openapi, "print the OpenAPI document of the JSON routes"),
    ):
        commands.add_parser(run.__name__, help=help_text).set_defaults(run=run)
    actions = commands.add_parser("sessions", help="end sessions").add_subparsers(required=True, metavar="action")
    action = actions.add_parser("revoke", help="sign a customer out everywhere, at once")
    action.add_argument("customer", help="Shopify's customer id, such as gid://shopify/Customer/1")
    action.set_defaults(run=revoke)
    return parser


# Each command imports what it needs: `migrate` runs without the web server, `serve` without the sandbox.


def serve(_: argparse.Namespace) -> None:
    from bff.okendo import rows_with_overrides
    from bff.server import serve as run
    from bff.settings import read_settings

    settings = read_settings(os.environ)
    rows_with_overrides(settings.okendo_overrides)
    run(host=settings.listen_host, port=settings.port, workers=settings.web_concurrency, log_level=settings.log_level)


def migrate(_: argparse.Namespace) -> None:
    from bff.settings import read_settings

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
    from bff.sandbox.stack import run

    run()


def openapi(_: argparse.Namespace) -> None:
    from bff.api import ENDPOINTS
    from bff.openapi import document

    print(json.dumps(document(ENDPOINTS, "http://localhost:8000"), indent=2, ensure_ascii=False, sort_keys=True))


def revoke(chosen: argparse.Namespace) -> None:
    from bff.app import built
    from bff.settings import read_settings

    async def run() -> int:
        async with built(read_settings(os.environ)) as state:
            return await state["sessions"].end_all_of(chosen.customer)

    print(f"Sessions ended: {asyncio.run(run())}.")
