"""A real PgBouncer in transaction mode, in front of a real PostgreSQL: every transaction may get another connection."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bff.devstack.servers import Server, free_port, running

# Debian keeps it where only root looks.
PLACES = (os.environ.get("PGBOUNCER", ""), "pgbouncer", "/usr/sbin/pgbouncer")
# Fewer than the connections of one service, so that they are really shared.
CONNECTIONS = 3
CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={port} user=postgres password={password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
server_round_robin = 1
"""


def program() -> str:
    found = next((path for place in PLACES if place and (path := shutil.which(place))), None)
    assert found, "PgBouncer is needed: apt-get install pgbouncer, or PGBOUNCER=/path/to/it"
    return found


@contextmanager
def pooler(database: Server, folder: Path) -> Iterator[Server]:
    """PgBouncer in front of this PostgreSQL; its `url` leads through it."""
    behind, own_port = urlsplit(database.url), free_port()
    file = folder / "pgbouncer.ini"
    file.write_text(
        CONFIGURATION.format(port=behind.port, password=behind.password, own_port=own_port, connections=CONNECTIONS)
    )
    url = f"postgresql://postgres@127.0.0.1:{own_port}{behind.path}"

    def answers() -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
            return True
        return False

    command = [program(), *_as_nobody(file), str(file)]
    with running(Server("PgBouncer", url, command, answers, folder / "pgbouncer.log")) as server:
        yield server


def _as_nobody(file: Path) -> list[str]:
    """It refuses to run as root; then it reads its file before it becomes somebody else."""
    return ["-u", "nobody"] if os.geteuid() == 0 else []
