"""How PostgreSQL is reached: one bounded pool, short deadlines, and one name for everything that goes wrong."""

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
# A statement ends after three seconds; without these a connection that has silently died would be waited for much
# longer, in the middle of whatever is to be written down.
CONNECTION = {
    "connect_timeout": 2,
    "options": "-c statement_timeout=3000 -c timezone=UTC",
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": 7000,
}
# What PostgreSQL says when it cannot do it now: it is gone, full, too slow, or can only be read since it has become a
# replica. Everything else in `psycopg.Error` is about what it was asked, and that is a fault of ours to be seen.
UNABLE = (psycopg.OperationalError, psycopg.InternalError, PoolTimeout)
# One use of the database in all: to get a connection, ask and be answered. PostgreSQL itself limits a statement, but
# only one that still runs can do that.
USE_SECONDS = 3


class Database:
    """The pool. When PostgreSQL cannot do what its contexts ask, that becomes Problem `store_unavailable`."""

    def __init__(self, url: str) -> None:
        # Opened without waiting: the service starts, and serves what needs no database, while PostgreSQL is away.
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
        except (*UNABLE, TimeoutError) as error:
            raise Problem(
                "store_unavailable", "This cannot be recorded right now, so nothing was done.", retry_after_seconds=5
            ) from error

    @contextlib.asynccontextmanager
    async def rows_of(self, row: type[Any]) -> AsyncIterator["psycopg.AsyncCursor[Any]"]:
        """One transaction, whose rows come as `row`."""
        async with self.connection() as connection, connection.cursor(row_factory=class_row(row)) as cursor:
            yield cursor


class Connection(psycopg.AsyncConnection[Any]):
    """One that is hung up where psycopg would ask the server to stop, and wait for its answer twice five seconds."""

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109  # It is psycopg's.
        """The pool makes a new one; PostgreSQL notices, at the latest when the statement's own time is over."""
        with contextlib.suppress(OSError, psycopg.OperationalError):
            wire = socket.socket(fileno=os.dup(self.fileno()))
            with wire:
                wire.shutdown(socket.SHUT_RDWR)


def new_reference(kind: str) -> str:
    """What is read over the phone, such as R-7KQ2MX9B: no letters that look alike."""
    return f"{kind}-" + "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(8))
