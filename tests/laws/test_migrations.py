"""Old processes run while a migration does: it adds, and what takes something away says since when nobody needs it.

Every statement that a migration sends is looked at, whatever its source looks like.
"""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event
from support.services import ROOT

from bff.devstack.servers import Server

# What contracts, or holds up whoever uses the table meanwhile.
CONTRACTING = {
    "drops a table or column": r"\bDROP (TABLE|COLUMN)\b",
    "renames": r"\bRENAME (COLUMN |CONSTRAINT )?(\w+ )?TO\b",
    "changes a type": r"\bALTER (COLUMN )?\w+ (SET DATA )?TYPE\b",
    "allows no NULL": r"\bSET NOT NULL\b|\bADD COLUMN\b(?:(?!\bDEFAULT\b|,).)*\bNOT NULL\b(?:(?!\bDEFAULT\b|,).)*(,|$)",
    "allows less, or checks all rows": r"\bADD CONSTRAINT\b(?!.*\bNOT VALID\b)",
    "changes rows": r"^\s*(UPDATE|DELETE FROM|TRUNCATE)\b",
    "builds an index in the way of writers": r"\bCREATE (UNIQUE )?INDEX (?!CONCURRENTLY)",
}
SINCE = re.compile(r"\d+\.\d+: \S.+")
# They were there before this rule. Each says in its own words what old processes do meanwhile.
BEFORE_THE_RULE = {"0001", "0002_1", "0002_2", "0002", "0003", "0004", "0005", "0006"}


def alembic(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["url"] = "postgresql+psycopg://" + url.partition("://")[2]
    return config


@pytest.fixture(scope="module")
def sent(database: Server) -> Iterator[dict[str, list[str]]]:
    """The statements of each migration, in the order in which they are applied."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS step_by_step WITH (FORCE)")
        connection.execute("CREATE DATABASE step_by_step")
    config = alembic(database.url.rpartition("/")[0] + "/step_by_step")
    statements: dict[str, list[str]] = {}

    def hear(_: Any, __: Any, statement: str, *___: Any) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions())):
            found = statements[script.revision] = []
            command.upgrade(config, script.revision)
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    yield statements
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE step_by_step WITH (FORCE)")


def contracts(statements: list[str]) -> set[str]:
    """What these statements take away; a table that they make themselves is nobody's yet."""
    own = {name for statement in statements for name in re.findall(r"CREATE TABLE (\w+)", statement)}
    theirs = [one for one in statements if "alembic_version" not in one]
    return {
        what
        for what, pattern in CONTRACTING.items()
        for statement in theirs
        if re.search(pattern, " ".join(statement.split()), re.I) and not _is_about(statement, own)
    }


def _is_about(statement: str, tables: set[str]) -> bool:
    found = re.search(r"\bON (\w+)|\bTABLE (\w+)", statement)
    return found is not None and bool({*found.groups()} & tables)


def test_a_migration_only_adds_or_says_since_when_nobody_needs_it(sent: dict[str, list[str]]) -> None:
    scripts = ScriptDirectory.from_config(alembic("postgresql://x"))
    for revision, statements in sent.items():
        if revision in BEFORE_THE_RULE:
            continue
        says = getattr(scripts.get_revision(revision).module, "contract", None)
        assert contracts(statements) == set() or SINCE.fullmatch(str(says)), (revision, contracts(statements))
        assert says is None or contracts(statements), f"{revision} contracts nothing"


def test_every_migration_was_heard(sent: dict[str, list[str]]) -> None:
    assert len(sent) >= 10
    assert all(statements for statements in sent.values())
    assert contracts(sent["0005"]) >= {"renames", "changes rows", "allows less, or checks all rows"}
    assert contracts(sent["0006"]) == {"changes a type"}


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DROP TABLE awards", "drops a table or column"),
        ("ALTER TABLE awards DROP COLUMN note", "drops a table or column"),
        ("ALTER TABLE awards RENAME TO paid", "renames"),
        ("ALTER TABLE awards RENAME COLUMN a TO b", "renames"),
        ("ALTER TABLE awards ALTER COLUMN a TYPE bigint", "changes a type"),
        ("ALTER TABLE awards ALTER COLUMN a SET NOT NULL", "allows no NULL"),
        ("ALTER TABLE awards ADD COLUMN a text NOT NULL", "allows no NULL"),
        ("ALTER TABLE awards ADD COLUMN a text NOT NULL, ADD COLUMN b text DEFAULT ''", "allows no NULL"),
        ("ALTER TABLE awards ADD CONSTRAINT c CHECK (a > 0)", "allows less, or checks all rows"),
        ("UPDATE awards SET a = 1", "changes rows"),
        ("CREATE INDEX i ON awards (a)", "builds an index in the way of writers"),
    ],
)
def test_what_contracts_is_recognised(statement: str, what: str) -> None:
    assert contracts([statement]) == {what}


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE awards ADD COLUMN a text",
        "ALTER TABLE awards ADD COLUMN a text NOT NULL DEFAULT ''",
        "ALTER TABLE awards ADD COLUMN a text, ADD COLUMN b text NOT NULL DEFAULT ''",
        "ALTER TABLE awards ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        "CREATE INDEX CONCURRENTLY i ON awards (a)",
        "DROP INDEX CONCURRENTLY i",
    ],
)
def test_what_expands_is_none_of_that(statement: str) -> None:
    assert contracts([statement]) == set()
