"""What the doctor asks of the PostgreSQL server itself, before it looks at our tables in it."""

import asyncio
from typing import NamedTuple

import psycopg

from bff.ops.report import Check
from bff.stores.connecting import why_not_connected
from bff.stores.database import CONNECTION, USE_SECONDS, Connection
from bff.stores.versions import major, too_new, too_old

# Of PostgreSQL as a whole, of this user and of this database: the least counts. And which of its processes serves us:
# another than the one that answered first where a pooler is in front.
MOST_CONNECTIONS = """
    SELECT least(
        nullif(role.rolconnlimit, -1), nullif(own.datconnlimit, -1),
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0)
    ), pg_backend_pid()
    FROM pg_roles AS role, pg_database AS own WHERE role.rolname = current_user AND own.datname = current_database()
"""
SILENT = "lets us in and does not answer: it hangs, or there is a pooler whose connections are all in use"


class DatabaseServer(NamedTuple):
    """`version` as PostgreSQL writes it: 150018 is 15.18. `most_connections` is how many this user may have, or None
    where a pooler is in front, which has a limit of its own."""

    version: int
    most_connections: int | None


async def ask_server(url: str) -> DatabaseServer | Check:
    """What the server says of itself; the check that failed when it lets nobody in, or is of no use to us."""
    try:
        async with await Connection.connect(url, **CONNECTION) as connection, asyncio.timeout(USE_SECONDS):
            [(most, serving)] = await (await connection.execute(MOST_CONNECTIONS)).fetchall()
            is_direct = serving == connection.info.backend_pid
            server = DatabaseServer(connection.info.server_version, most if is_direct else None)
    except TimeoutError:
        return unreachable(SILENT)
    except psycopg.OperationalError as error:
        return unreachable(why_not_connected(error))
    if objection := too_old(server.version):
        remedy = "Move to a newer one: a dump of this one is read by it."
        return Check("stores", "PostgreSQL", "fail", f"{major(server.version)} {objection}", remedy)
    return server


def check_version(server: DatabaseServer) -> list[Check]:
    """A line only when there is something to know."""
    if warning := too_new(server.version):
        remedy = "Expect no fault, and tell us of one."
        return [Check("stores", "PostgreSQL's version", "warn", f"{major(server.version)} {warning}", remedy)]
    return []


def unreachable(why: str) -> Check:
    remedy = "Look at DATABASE_URL, at whether the database speaks TLS (DATABASE_REQUIRE_TLS), and at itself."
    return Check("stores", "PostgreSQL", "fail", why, remedy)
