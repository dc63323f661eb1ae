"""What a customer has asked for at Shopify: to see what is stored, or to be forgotten.

Processes of the version before store no webhook of Shopify's; a wider CHECK takes all that they do store. The worker of
the version before does not read the queue of these jobs, so they wait for the new one.
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # Whatever is there has passed the narrower one, so nobody waits until it has been read.
    _allow_vendors("subtotal", "okendo", "shopify", checked=" NOT VALID")
    op.execute("""
        CREATE TABLE member_requests (
            id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            reference      text NOT NULL UNIQUE,
            kind           text NOT NULL CHECK (kind IN ('data_request', 'shop_redact')),
            customer_id    text,
            vendor_request text,
            state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'closed')),
            received_at    timestamptz NOT NULL,
            due_at         timestamptz NOT NULL,
            closed_at      timestamptz
        )
    """)
    op.execute("CREATE INDEX member_requests_waiting ON member_requests (id) WHERE state = 'waiting'")


def downgrade() -> None:
    op.execute("DROP TABLE member_requests")
    op.execute("DELETE FROM webhook_events WHERE vendor = 'shopify'")
    _allow_vendors("subtotal", "okendo")


def _allow_vendors(*vendors: str, checked: str = "") -> None:
    allowed = ", ".join(f"'{vendor}'" for vendor in vendors)
    op.execute("ALTER TABLE webhook_events DROP CONSTRAINT webhook_events_vendor_check")
    op.execute(
        f"ALTER TABLE webhook_events ADD CONSTRAINT webhook_events_vendor_check CHECK (vendor IN ({allowed})){checked}"
    )
