"""Alembic's entry point; `python -m bff migrate` calls it with the database's address."""

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool


def run() -> None:
    # A migration that waits for a lock gives up, instead of queueing every query of the running service behind it.
    options = {"options": "-c lock_timeout=10s"}
    engine = create_engine(context.config.attributes["url"], poolclass=NullPool, connect_args=options)
    with engine.connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


run()
