"""A real PostgreSQL of the oldest version that is supported; all other tests use the newest, which is embedded."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bff.devstack.servers import Server, postgres

PLACES = (os.environ.get("POSTGRESQL_15", ""), "/usr/lib/postgresql/15/bin", "/opt/homebrew/opt/postgresql@15/bin")


def programs() -> Path:
    found = next((Path(place) for place in PLACES if place and Path(place, "initdb").exists()), None)
    assert found, "PostgreSQL 15 is needed: apt-get install postgresql-15, or POSTGRESQL_15=/folder/of/its/programs"
    return found


@contextmanager
def oldest_postgres(folder: Path) -> Iterator[Server]:
    """An empty one on a free port."""
    with postgres(folder, programs()) as server:
        yield server
