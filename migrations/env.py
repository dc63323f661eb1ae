"""Alembic's entry point; `python -m bff migrate` calls it with the database's address."""

from alembic import context
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool

# A migration that waits for a lock gives up, instead of queueing every query of the running service behind it.
LIMITS = "SET LOCAL lock_timeout = '10s'; SET LOCAL timezone = 'UTC'"


def run() -> None:
    # As in bff/stores/database.py: nothing that a pooler in transaction mode would not pass on.
    options = {"prepare_threshold": None}
    engine = create_engine(context.config.attributes["url"], poolclass=NullPool, connect_args=options)
    event.listen(engine, "begin", _limit)
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


def _limit(connection: Connection) -> None:
    connection.exec_driver_sql(LIMITS)


run()
