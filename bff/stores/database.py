"""How PostgreSQL is reached: one bounded pool, short deadlines, and one Problem for everything that goes wrong."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from bff.errors import Problem
from bff.telemetry.timing import spent_on

REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
# A statement ends after three seconds; without the others a request would wait much longer for a connection that is
# broken without a sign of it.
CONNECTION = {
    "connect_timeout": 2,
    "options": "-c statement_timeout=3000 -c timezone=UTC",
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 7000,
}
# PostgreSQL cannot do it now: it does not answer, is full, too slow, or read-only because it has become a replica.
# Every other `psycopg.Error` is about the statement, and that is a defect of ours which must show.
UNAVAILABLE = (psycopg.OperationalError, psycopg.InternalError, PoolTimeout)
# One use of the database in all: to get a connection, ask and be answered. PostgreSQL itself limits a statement, but
# only one that still runs can do that.
USE_SECONDS = 3


class Database:
    """The pool. When PostgreSQL cannot do what its contexts ask, that becomes Problem `store_unavailable`."""

    def __init__(self, url: str) -> None:
        # Opened without waiting: the service starts without PostgreSQL, and serves what needs no database.
        self._pool = AsyncConnectionPool(
            url,
            connection_class=Connection,
            min_size=1,
            max_size=5,
            timeout=2,
            open=False,
            check=AsyncConnectionPool.check_connection,
            reconnect_timeout=30,
            kwargs=CONNECTION,
        )

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close(timeout=2)

    async def ping(self) -> bool:
        """Whether the database answers."""
        try:
            async with self.connection() as connection:
                await connection.execute("SELECT 1")
                return True
        except Problem:
            return False

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator["psycopg.AsyncConnection[Any]"]:
        """One transaction, committed at the end."""
        try:
            with spent_on("store"):
                async with asyncio.timeout(USE_SECONDS), self._pool.connection() as connection:
                    yield connection
        except (*UNAVAILABLE, TimeoutError) as error:
            raise Problem(
                "store_unavailable", "This cannot be recorded right now, so nothing was done.", retry_after_seconds=5
            ) from error

    @contextlib.asynccontextmanager
    async def rows_of(self, row: type[Any]) -> AsyncIterator["psycopg.AsyncCursor[Any]"]:
        """One transaction, whose rows come as `row`."""
        async with self.connection() as connection, connection.cursor(row_factory=class_row(row)) as cursor:
            yield cursor


class Connection(psycopg.AsyncConnection[Any]):
    """Closes its socket where psycopg would ask the server to cancel, and wait for its answer twice five seconds."""

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109  # It is psycopg's.
        """The pool makes a new one; PostgreSQL notices, at the latest when the statement's own time is over."""
        with contextlib.suppress(OSError, psycopg.OperationalError):
            duplicate = socket.socket(fileno=os.dup(self.fileno()))
            with duplicate:
                duplicate.shutdown(socket.SHUT_RDWR)


def new_reference(kind: str) -> str:
    """A reference that can be read out on the phone, such as R-7KQ2MX9B: no letters that look alike."""
    return f"{kind}-" + "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(8))
