"""Where a member read the words they agreed to: on which page, and asked for in which language.

A table of its own, since code of the version before reads every column of `consents` and would stumble over new ones.
It adds no line here; what it deletes there goes here as well.
"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE consent_places (
            consent_id       bigint PRIMARY KEY REFERENCES consents (id) ON DELETE CASCADE,
            locale_requested text,
            origin           text
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE consent_places")
