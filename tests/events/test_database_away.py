"""Events that have no transaction to be in, while PostgreSQL is away. The database of this module is its own."""

from collections.abc import Iterator

import psycopg
import pytest
from support.concurrency import until
from support.services import Service
from support.store_outages import stopped

from bff.cli import migrate_database
from bff.devstack.servers import Server, postgres


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres(tmp_path_factory.mktemp("own-postgres")) as server:
        migrate_database(server.url)
        yield server


def test_what_happened_while_the_database_was_away_is_stored_once_when_it_is_back(
    told: Service, database: Server
) -> None:
    with stopped(database):
        told.signed_in("ella")
        told.signed_in("zoe")
    with psycopg.connect(database.url, autocommit=True) as rows:
        until(lambda: rows.execute("SELECT count(*) FROM outbound_events").fetchone() == (2,), 40)
        assert rows.execute("SELECT DISTINCT type FROM outbound_events").fetchall() == [("signed_in",)]
