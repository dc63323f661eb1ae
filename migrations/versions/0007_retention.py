"""Indexes by which the worker finds what it may delete.

They are built beside running processes, which go on reading and writing (CREATE INDEX CONCURRENTLY). An attempt that
was broken off leaves an index that is not valid, so the next one begins with dropping it.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

INDEXES = {
    "webhook_events_settled": "webhook_events (received_at) WHERE state IN ('done', 'ignored')",
    "redemptions_settled": "redemptions (changed_at) WHERE state IN ('succeeded', 'failed')",
    "consents_refused": "consents (agreed_at) WHERE outcome = 'refused'",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")


def downgrade() -> None:
    op.execute(f"DROP INDEX {', '.join(INDEXES)}")
