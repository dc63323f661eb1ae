"""The trail of what people have changed by hand.

Lines are only ever added: PostgreSQL itself refuses to change or delete one, whoever asks, its owner included.
Processes of the version before know nothing of the table.
"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE audit (
            id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at     timestamptz NOT NULL DEFAULT now(),
            who    text NOT NULL,
            action text NOT NULL,
            target text NOT NULL,
            why    text,
            before jsonb,
            after  jsonb
        )
    """)
    op.execute("CREATE INDEX audit_of_target ON audit (target, id)")
    op.execute("""
        CREATE FUNCTION audit_is_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'lines of the audit trail are only ever added' USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_insert_only()
    """)


def downgrade() -> None:
    op.execute("DROP TABLE audit")
    op.execute("DROP FUNCTION audit_is_insert_only")
