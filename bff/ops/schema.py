"""Which version the tables of a PostgreSQL have, beside the one that this code leads to (docs/upgrading.md)."""

from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import CommandError

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def newest() -> str:
    """The version that `migrate` leads to."""
    return str(ScriptDirectory(str(MIGRATIONS)).get_current_head())


def is_newer(version: str) -> bool:
    """Whether a later version of this service has made these tables: its numbers go on where ours end. An empty
    one is that of no tables."""
    if not version:
        return False
    try:
        ScriptDirectory(str(MIGRATIONS)).get_revision(version)
    except CommandError:
        return version > newest()
    return False
