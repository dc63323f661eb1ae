"""Empties tables, without the locks and the new files of TRUNCATE, which take much longer than to delete a few rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
import redis

Connection: TypeAlias = "psycopg.Connection[Any]"
# What refers to others comes first.
TABLES = (
    "procrastinate_jobs", "procrastinate_workers", "redemptions", "consents", "webhook_events", "awards", "paces",
    "member_requests", "outbound_events", "outbound_stops",
)  # fmt: skip
# To connect takes PostgreSQL longer than to empty its tables, so each process of tests keeps its latest connection.
_kept: dict[str, Connection] = {}


def emptied(connection: Connection, *tables: str) -> None:
    """Delete every row of these tables, or of all that the service has."""
    connection.execute(";".join(f"DELETE FROM {table}" for table in tables or TABLES).encode())  # noqa: S608  # Ours.
    if not tables:
        # Lines of the trail are only ever added, but for whoever may switch off triggers.
        connection.execute(
            "SET session_replication_role = replica; DELETE FROM audit; SET session_replication_role = origin"
        )


def emptied_at(url: str, *tables: str) -> Connection:
    """The same at this address; returns the connection, which is good until the next address or restart."""
    try:
        emptied(_connected(url), *tables)
    except psycopg.OperationalError:
        _disconnect()
        emptied(_connected(url), *tables)
    return _kept[url]


@contextmanager
def keeping() -> Iterator[None]:
    """No connection is kept after this."""
    try:
        yield
    finally:
        _disconnect()


def _connected(url: str) -> Connection:
    if url not in _kept:
        _disconnect()
        _kept[url] = psycopg.connect(url, autocommit=True)
    return _kept[url]


def _disconnect() -> None:
    while _kept:
        _kept.popitem()[1].close()


def forget_limits(valkey: "redis.Redis") -> None:
    """Everybody may do everything as often as at first."""
    for name in valkey.scan_iter("rate-limit*"):
        valkey.delete(name)
