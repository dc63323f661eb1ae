"""Indexes for what read a whole table, or all awards of a rule, and took longer with each year.

They are built beside running processes, which go on reading and writing (CREATE INDEX CONCURRENTLY). An attempt that
was broken off leaves an index that is not valid, so the next one begins with dropping it. Processes of the version
before ask the same and are served by them too.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

INDEXES = {
    "redemptions_not_succeeded": "redemptions (state, id) WHERE state <> 'succeeded'",
    # In exactly the order in which the largest award of a rule is looked for; the index before was in another.
    "awards_largest_of_rule": "awards (earning_rule_id, event, value DESC NULLS LAST, id DESC)"
    " WHERE state = 'paid' AND points IS NOT NULL",
    # The queue's library does not look for the job of a row; we do, whenever an outcome is unknown.
    "procrastinate_jobs_of_row": "procrastinate_jobs (((args ->> 'row')::bigint), task_name)"
    " WHERE status IN ('todo', 'doing')",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {columns}")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS awards_of_rule")


def downgrade() -> None:
    op.execute("CREATE INDEX awards_of_rule ON awards (earning_rule_id, value) WHERE state = 'paid'")
    op.execute(f"DROP INDEX {', '.join(INDEXES)}")
