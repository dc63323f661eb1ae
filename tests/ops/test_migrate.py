"""`bff migrate` on a PostgreSQL that is too old, too new, busy, or not to be reached: one line, and nothing changed."""

import re
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from support.concurrency import until
from support.other_version import OtherVersion
from support.processes import bff
from support.processes import start as begin

from bff.devstack.servers import Server
from ops.test_migrations import empty_database, schema


@pytest.fixture
def empty(database: Server) -> str:
    return empty_database(database, "unmigrated")


def words_of(lines: str) -> str:
    return " ".join(lines.split())


@pytest.mark.parametrize("version", ["14.22", "9.6.24", "14.20 (Debian 14.20-1.pgdg120+1)"])
def test_a_version_that_is_too_old_is_refused_and_nothing_is_changed(
    settings: dict[str, str], empty: str, version: str
) -> None:
    with closing(OtherVersion(empty, version)) as wire:
        done = bff(settings | {"DATABASE_URL": wire.url}, "migrate")
        examined = bff(settings | {"DATABASE_URL": wire.url}, "doctor")
    said = f"{int(version.split('.')[0])} is too old: 15 to 18 are supported"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"bff: PostgreSQL {said}. Nothing was changed.\n"
    assert (examined.returncode, said in examined.stdout) == (1, True)
    with psycopg.connect(empty) as connection:
        assert schema(connection) == []


def test_a_version_that_is_newer_than_tested_is_a_warning(settings: dict[str, str], empty: str) -> None:
    said = "19 is newer than what this was tested with: 15 to 18"
    with closing(OtherVersion(empty, "19beta1")) as wire:
        done = bff(settings | {"DATABASE_URL": wire.url}, "migrate")
        examined = bff(settings | {"DATABASE_URL": wire.url}, "doctor")
    assert (done.returncode, done.stdout) == (0, "The database is up to date.\n")
    assert done.stderr == f"bff: PostgreSQL {said}.\n"
    assert (examined.returncode, f"warn PostgreSQL's version {said}" in words_of(examined.stdout)) == (0, True)


def test_two_at_once_migrate_one_after_the_other(
    settings: dict[str, str], database: Server, empty: str, tmp_path: Path
) -> None:
    mine, logs = settings | {"DATABASE_URL": empty}, [tmp_path / "one", tmp_path / "two"]
    with psycopg.connect(empty) as holder:
        # Whoever comes first waits for this table, with the lock in its hands.
        assert bff(mine, "migrate").returncode == 0
        holder.execute("LOCK TABLE alembic_version")
        migrating = [begin(mine, "migrate", out=log) for log in logs]
        until(lambda: sum("Another migrate is under way" in log.read_text() for log in logs if log.exists()) == 1)
        assert all(process.is_alive() for process in migrating)
        holder.rollback()
        for process in migrating:
            process.join(60)
    assert [process.exitcode for process in migrating] == [0, 0]
    waited = "bff: Another migrate is under way. This one waits until it has ended.\n"
    assert sorted(log.read_text().replace(waited, "") for log in logs) == ["The database is up to date.\n"] * 2


def test_two_at_once_on_an_empty_database_make_one_set_of_tables(
    settings: dict[str, str], database: Server, empty: str, tmp_path: Path
) -> None:
    mine = settings | {"DATABASE_URL": empty}
    migrating = [begin(mine, "migrate", out=tmp_path / str(number)) for number in range(3)]
    for process in migrating:
        process.join(60)
    assert [process.exitcode for process in migrating] == [0, 0, 0]
    with psycopg.connect(empty) as connection, psycopg.connect(database.url) as reference:
        assert schema(connection) == schema(reference)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (r"@.*/", "@127.0.0.1:1/", "does not answer"),
        (r":[0-9a-f]+@", ":another-password@", "refuses the user or password of DATABASE_URL"),
        (r"//postgres", "//nobody-knows-me", "refuses the user or password of DATABASE_URL"),
        (r"/unmigrated", "/there-is-none", "has no database of the name that is in DATABASE_URL"),
        (r"@.*:", "@database.invalid:", "is not found: the host in DATABASE_URL has no address"),
        (r"$", "?sslmode=require", "does not speak TLS as DATABASE_URL wants it"),
    ],
)
def test_one_that_cannot_be_reached_is_told_in_one_line(
    settings: dict[str, str], empty: str, before: str, after: str, reason: str
) -> None:
    mine = settings | {"DATABASE_URL": re.sub(before, after, empty, count=1)}
    done = bff(mine, "migrate")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"bff: PostgreSQL {reason}. Nothing was changed.\n"
    assert f"fail PostgreSQL {reason} → Look at DATABASE_URL" in words_of(bff(mine, "doctor").stdout)


def test_one_that_does_not_let_us_is_told_in_one_line(settings: dict[str, str], empty: str) -> None:
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'a-reader-of-tables'")
        address = empty.rpartition("@")[2]
        done = bff(settings | {"DATABASE_URL": f"postgresql://reader:a-reader-of-tables@{address}"}, "migrate")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "bff: PostgreSQL does not let this user make or change tables: take the owner of the database."
            " What is committed stays, and the next migrate goes on from there.\n"
        )
        connection.execute("DROP ROLE reader")


def test_tables_of_a_later_version_are_left_alone(settings: dict[str, str], empty: str) -> None:
    """Whoever goes back deploys the version before, and `migrate` comes first in each deploy."""
    mine = settings | {"DATABASE_URL": empty}
    assert bff(mine, "migrate").returncode == 0
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        done = bff(mine, "migrate")
        assert (done.returncode, done.stderr) == (
            0, "bff: A newer version of this service has made these tables. They are left as they are.\n"
        )  # fmt: skip
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
        examined = words_of(bff(mine, "doctor").stdout)
        assert "of a newer version than this one" in examined
        assert "warn PostgreSQL answers" in examined


def test_tables_of_a_version_that_nobody_knows_are_no_place_to_migrate(settings: dict[str, str], empty: str) -> None:
    mine = settings | {"DATABASE_URL": empty}
    assert bff(mine, "migrate").returncode == 0
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001x'")
        done = bff(mine, "migrate")
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        assert "of another version of this service" in done.stderr
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001x",)]
        assert "its tables are not up to date" in words_of(bff(mine, "doctor").stdout)
