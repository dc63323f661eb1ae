"""The job queue, as far as the version this was written with.

A later Procrastinate brings more scripts; each step of them is a migration of its own here.
"""

from alembic import op

from bff.stores.queue_tables import run_scripts

revision = "0002"
down_revision = "0002_2"


def upgrade() -> None:
    run_scripts(op.get_bind().connection.driver_connection, after="03.04.00_01", last="03.04.00_50")


def downgrade() -> None:
    """Nothing: revision 0002_1 drops all of it."""
