"""The job queue, up to the second script that adds a value to an enum."""

from alembic import op

from bff.stores.queue_tables import run_scripts

revision = "0002_2"
down_revision = "0002_1"


def upgrade() -> None:
    run_scripts(op.get_bind().connection.driver_connection, after="02.06.00_01", last="03.04.00_01")


def downgrade() -> None:
    """Nothing: revision 0002_1 drops all of it."""
