"""How PostgreSQL is reached: one bounded pool, short deadlines, and a Problem for everything that goes wrong."""

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import errors
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bff.errors import Problem
from bff.sentences import N_
from bff.stores.busy import pool_busy, unavailable
from bff.telemetry.timing import spent_on

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
# Nothing here belongs to a session of PostgreSQL's, since a pooler in transaction mode gives each transaction another
# one: no options at the start, and no statements prepared at the server. The rest is between us and whoever is next:
# without it a request would wait much longer for a connection that is broken without a sign of it.
CONNECTION: Mapping[str, Any] = {
    "autocommit": True,
    "connect_timeout": 2,
    "prepare_threshold": None,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 7000,
}
# What holds in every transaction, and how one begins that takes several questions: psycopg would ask BEGIN alone.
LIMITS = "SET LOCAL statement_timeout = 3000; SET LOCAL timezone = 'UTC'"
BEGIN = f"BEGIN; {LIMITS}"
# A connection that was used so recently is not tried out before it is used again: no restart is that short.
FRESH_SECONDS = 1
# PostgreSQL cannot do it now: it does not answer, is full, too slow, read-only because it has become a replica, has
# withdrawn our rights because a plan's limit is passed, or is just being migrated from or to another version's tables.
# Every other `psycopg.Error` is about the statement, and that is a defect of ours which must show.
UNAVAILABLE = (
    psycopg.OperationalError,
    psycopg.InternalError,
    errors.InsufficientPrivilege,
    errors.UndefinedTable,
    errors.UndefinedColumn,
    PoolTimeout,
)
# One use of the database in all: to get a connection, ask and be answered. PostgreSQL itself limits a statement, but
# only one that still runs can do that.
USE_SECONDS = 3
# The transaction that `Database.together` holds open, for whatever is called within it.
_together: ContextVar["psycopg.AsyncConnection[Any] | None"] = ContextVar("together", default=None)


class Database:
    """The pool. When PostgreSQL cannot do what its contexts ask, that becomes Problem `store_unavailable`; when it
    answers, and all connections were in use for two seconds nevertheless, `overloaded`."""

    def __init__(self, url: str, connections: int = 5) -> None:
        self._answered = 0
        # Opened without waiting: the service starts without PostgreSQL, and serves what needs no database.
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=Connection,
            min_size=1,
            max_size=connections,
            timeout=2,
            open=False,
            configure=_configure,
            check=_check,
            reconnect_timeout=30,
            kwargs=dict(CONNECTION),
        )

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close(timeout=2)

    def connections(self) -> tuple[int, int]:
        """How many are in use now, and how many may be."""
        stats = self._pool.get_stats()
        return stats["pool_size"] - stats["pool_available"], stats["pool_max"]

    async def ping(self) -> bool:
        """Whether the database answers."""
        try:
            async with self.connection() as connection:
                await connection.execute("SELECT 1")
                return True
        except Problem:
            return False

    @contextlib.asynccontextmanager
    async def connection(
        self, values: Mapping[str, Any] | None = None, *first: str
    ) -> AsyncIterator["psycopg.AsyncConnection[Any]"]:
        """One transaction, committed at the end; within `together` it is that one, which goes on.

        The statements that come `first` are one question with its beginning; their values are written into the text, as
        those of `ask`.
        """
        if (shared := _together.get()) is not None:
            if first:
                await psycopg.AsyncClientCursor(shared).execute("; ".join(first).encode(), values)
            yield shared
            return
        async with self._use() as connection:
            await psycopg.AsyncClientCursor(connection).execute("; ".join((BEGIN, *first)).encode(), values)
            yield connection

    async def ask(self, row: type[Any], values: Mapping[str, Any], *statements: str) -> Any:
        """One transaction in one question, for statements that need nothing of each other's answers: the first row of
        the last one, as `row`, None where it has none.

        PostgreSQL carries out what is in one message as one transaction, each statement seeing what those before it
        did, and the message ends with the commit. It takes no values besides, so psycopg writes them into the text,
        which PostgreSQL logs when it fails: nothing goes this way but ids, what is public, and what is sealed.
        https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
        """
        return next(iter(await self.ask_all(row, values, *statements)), None)

    async def ask_all(self, row: type[Any], values: Mapping[str, Any], *statements: str) -> list[Any]:
        """The same, for all rows of the last statement."""
        shared = _together.get()
        async with contextlib.nullcontext(shared) if shared else self._use() as connection:
            cursor = psycopg.AsyncClientCursor(connection, row_factory=class_row(row))
            await cursor.execute("; ".join((LIMITS, *statements)).encode(), values)
            while cursor.nextset():
                pass
            return await cursor.fetchall()

    @contextlib.asynccontextmanager
    async def _use(self) -> AsyncIterator["Connection"]:
        before = self._answered
        try:
            with spent_on("store"):
                async with asyncio.timeout(USE_SECONDS), self._pool.connection() as connection:
                    yield connection
                    connection.used_at = time.monotonic()
                    self._answered += 1
        except (*UNAVAILABLE, TimeoutError) as error:
            if isinstance(error, PoolTimeout) and self._answered > before:
                raise pool_busy("postgresql") from error
            sentence = N_("This cannot be recorded right now, so nothing was done.")
            raise unavailable("postgresql", error, sentence) from error

    @contextlib.asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """One transaction for everything that is asked of this database meanwhile: all of it is committed, or nothing.

        For a correction and the trail of it, whose parts know nothing of each other. It counts as one use of the
        database (`USE_SECONDS`), so nobody else is asked anything within it.
        """
        async with self.connection() as connection:
            token = _together.set(connection)
            try:
                yield
            finally:
                _together.reset(token)

    @contextlib.asynccontextmanager
    async def rows_of(
        self, row: type[Any], values: Mapping[str, Any] | None = None, *first: str
    ) -> AsyncIterator["psycopg.AsyncCursor[Any]"]:
        """One transaction, whose rows come as `row`; it begins as that of `connection`."""
        async with (
            self.connection(values, *first) as connection,
            connection.cursor(row_factory=class_row(row)) as cursor,
        ):
            yield cursor


class Connection(psycopg.AsyncConnection[Any]):
    """Closes its socket where psycopg would ask the server to cancel, and wait for its answer twice five seconds.
    `used_at` is when its last transaction went well (monotonic seconds)."""

    used_at = float("-inf")

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109  # It is psycopg's.
        """The pool makes a new one; PostgreSQL notices, at the latest when the statement's own time is over."""
        with contextlib.suppress(OSError, psycopg.OperationalError):
            duplicate = socket.socket(fileno=os.dup(self.fileno()))
            with duplicate:
                duplicate.shutdown(socket.SHUT_RDWR)


class _Moment(Loader):
    """A time as PostgreSQL writes it in UTC, such as "2026-03-01 09:30:00.5+00"; psycopg's own would turn it into the
    time zone that the session had before and after the transaction."""

    def load(self, data: Buffer) -> datetime:
        return datetime.fromisoformat(bytes(data).decode()).astimezone(UTC)


async def _configure(connection: Connection) -> None:
    connection.adapters.register_loader("timestamptz", _Moment)


async def _check(connection: Connection) -> None:
    """Raises psycopg.OperationalError for a connection that has broken while it was idle."""
    if time.monotonic() - connection.used_at > FRESH_SECONDS:
        await AsyncConnectionPool.check_connection(connection)


def new_reference(kind: str) -> str:
    """A reference that can be read out on the phone, such as R-7KQ2MX9B: no letters that look alike."""
    return f"{kind}-" + "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(8))
