"""What it takes to find out how a redemption ended whose answer was lost."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # `session` is the place of the sign-in that may be used, `credentials` are sealed and deleted at the end.
    op.execute("""
        ALTER TABLE redemptions
            ADD COLUMN newest_transaction text,
            ADD COLUMN session            text NOT NULL DEFAULT '',
            ADD COLUMN credentials        bytea,
            ADD COLUMN transaction_id     text,
            ADD COLUMN note               text,
            ADD COLUMN sent_at            timestamptz,
            ADD COLUMN check_until        timestamptz
    """)
    op.execute("CREATE UNIQUE INDEX redemptions_reference ON redemptions (support_reference)")
    op.execute("CREATE INDEX redemptions_in_doubt ON redemptions (customer_id) WHERE check_until IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP INDEX redemptions_reference, redemptions_in_doubt")
    op.execute("""
        ALTER TABLE redemptions
            DROP COLUMN newest_transaction, DROP COLUMN session, DROP COLUMN credentials, DROP COLUMN transaction_id,
            DROP COLUMN note, DROP COLUMN sent_at, DROP COLUMN check_until
    """)
