"""Procrastinate's own scripts, by which migrations make the tables of the job queue."""

from pathlib import Path
from typing import Any

from procrastinate.schema import SchemaManager


def run_scripts(driver: Any, *, after: str = "", last: str) -> None:
    """Run the scripts that come `after` the one of this number, up to and with the `last`, such as `02.06.00_01`.

    `driver` is a connection of psycopg's: without parameters nothing in a script is taken for a placeholder. One that
    adds a value to an enum must be the last of its transaction: until that is committed PostgreSQL 15 and 16 refuse
    whatever uses the value. https://www.postgresql.org/docs/15/sql-altertype.html
    """
    for script in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")):
        if after < script.stem[: len(last)] <= last:
            driver.execute(script.read_text(encoding="utf-8"))
