"""The job queue: Procrastinate's own migrations, as far as the version this was written with."""

from pathlib import Path
from typing import Any

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"

# A later Procrastinate brings more scripts; each step of them is a migration of its own here.
LAST = "03.04.00_50"


def upgrade() -> None:
    driver: Any = op.get_bind().connection.driver_connection
    for script in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")):
        if script.stem[: len(LAST)] <= LAST:
            # Through the driver and without parameters, so that nothing in the script is taken for a placeholder.
            driver.execute(script.read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute("""
        DO $$
        DECLARE
            it record;
        BEGIN
            FOR it IN SELECT oid::regclass AS name FROM pg_class
                      WHERE relname LIKE 'procrastinate%' AND relkind = 'r' LOOP
                EXECUTE format('DROP TABLE IF EXISTS %s CASCADE', it.name);
            END LOOP;
            FOR it IN SELECT oid::regprocedure AS name FROM pg_proc WHERE proname LIKE 'procrastinate%' LOOP
                EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', it.name);
            END LOOP;
            FOR it IN SELECT oid::regtype AS name FROM pg_type
                      WHERE typname LIKE 'procrastinate%' AND typtype IN ('e', 'c') LOOP
                EXECUTE format('DROP TYPE IF EXISTS %s CASCADE', it.name);
            END LOOP;
        END $$
    """)
