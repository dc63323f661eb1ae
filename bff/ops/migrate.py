"""Bringing the tables up to date: one at a time, on a PostgreSQL that is supported, with one line for what fails."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from bff.errors import CommandFailed
from bff.ops.schema import MIGRATIONS, is_newer
from bff.stores.connecting import why_not_connected
from bff.stores.database import CONNECTION
from bff.stores.versions import major, too_new, too_old

# Any number that nobody else uses in this database. It is no parameter: what is asked with one keeps its snapshot until
# the transaction ends, and whoever builds an index beside the running service waits for all snapshots.
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(7308900657301)"
LOOK_AGAIN_SECONDS = 0.5
# Whoever holds the lock says nothing to PostgreSQL meanwhile, be it for hours; and one whose machine has vanished is
# noticed within a minute or two.
HOLD = """
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL tcp_keepalives_idle = 30;
    SET LOCAL tcp_keepalives_interval = 10;
    SET LOCAL tcp_keepalives_count = 5
"""
# https://www.postgresql.org/docs/current/errcodes-appendix.html
REASONS = {
    "42501": "does not let this user make or change tables: take the owner of the database",
    "25006": "is read-only: it is a replica, or over the limit of its plan",
    "55P03": "has a table that was in use for ten seconds: run it again at a quieter moment",
    "57P01": "was stopped meanwhile",
    "53100": "has no room left on its disk",
}
GOES_ON = "What is committed stays, and the next migrate goes on from there."
Tell: TypeAlias = Callable[[str], None]
Connection: TypeAlias = "psycopg.Connection[Any]"


def bring_up_to_date(url: str, tell: Tell) -> None:
    """Bring the tables of the PostgreSQL at this address up to date; raises CommandFailed. `tell` gets the sentences
    that an operator should see meanwhile."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = "postgresql+psycopg://" + url.partition("://")[2]
    with _one_line(), _connected(url) as connection:
        _check_version(connection.info.server_version, tell)
        with _alone(connection, tell):
            if is_newer(_version(connection)):
                # Whoever deploys the version before goes back, and needs these tables as they are.
                tell("A newer version of this service has made these tables. They are left as they are.")
                return
            command.upgrade(config, "head")


def _version(connection: Connection) -> str:
    """Of the tables; empty where there are none yet."""
    if connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone() != (True,):
        return ""
    row = connection.execute("TABLE alembic_version").fetchone()
    return str(row[0]) if row else ""


def _check_version(version: int, tell: Tell) -> None:
    if objection := too_old(version):
        raise CommandFailed(f"PostgreSQL {major(version)} {objection}. Nothing was changed.")
    if warning := too_new(version):
        tell(f"PostgreSQL {major(version)} {warning}.")


@contextlib.contextmanager
def _alone(connection: Connection, tell: Tell) -> Iterator[None]:
    """One migrate at a time, by an advisory lock of a transaction, which a pooler passes on as well.

    It is asked for again and again: one statement that waits would keep its snapshot all the while (see TRY_LOCK).
    """
    told = False
    while True:
        with connection.transaction():
            connection.execute(HOLD)
            if connection.execute(TRY_LOCK).fetchone() == (True,):
                yield
                return
        if not told:
            tell("Another migrate is under way. This one waits until it has ended.")
        told = True
        time.sleep(LOOK_AGAIN_SECONDS)


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Connection]:
    try:
        connection = psycopg.connect(url, **CONNECTION)
    except psycopg.OperationalError as error:
        raise CommandFailed(f"PostgreSQL {why_not_connected(error)}. Nothing was changed.") from error
    with connection:
        yield connection


@contextlib.contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise CommandFailed(_sentence(error.orig)) from error
    except psycopg.Error as error:
        raise CommandFailed(_sentence(error)) from error
    except CommandError as error:
        detail = "The tables are of another version of this service, which this one does not know. Nothing was changed."
        raise CommandFailed(detail) from error


def _sentence(error: BaseException | None) -> str:
    state = getattr(error, "sqlstate", None)
    if state is None and isinstance(error, psycopg.OperationalError):
        return f"PostgreSQL {why_not_connected(error)} any more. {GOES_ON}"
    reason = REASONS.get(state or "", f"did not take it ({type(error).__name__}, {state})")
    return f"PostgreSQL {reason}. {GOES_ON}"
