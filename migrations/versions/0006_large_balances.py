"""Balances and prices may be as large as Okendo tells them.

While it runs, which takes as long as the ledger is large, redeeming waits or answers 503. Processes of the version
before go on with the wider columns as they are.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE redemptions ALTER COLUMN points TYPE bigint, ALTER COLUMN balance_seen TYPE bigint")


def downgrade() -> None:
    op.execute("ALTER TABLE redemptions ALTER COLUMN points TYPE integer, ALTER COLUMN balance_seen TYPE integer")
