"""The job queue: Procrastinate's own scripts, up to the first that adds values to an enum.

PostgreSQL 15 and 16 refuse to use such a value before it is committed. So the scripts are in three migrations, each of
which is committed with its number: whoever is killed in between goes on where they were.
"""

from alembic import op

from bff.stores.queue_tables import run_scripts

revision = "0002_1"
down_revision = "0001"


def upgrade() -> None:
    run_scripts(op.get_bind().connection.driver_connection, last="02.06.00_01")


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
