"""What shoppers did and the merchant's server is told of, and the addresses that want to be told of nothing more.

Processes of the version before write nothing here. Their worker does not read the queue of these jobs, so they wait for
the new one.
"""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE outbound_events (
            id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            message_id  text NOT NULL UNIQUE,
            type        text NOT NULL,
            deed        text,
            customer_id text NOT NULL,
            data        jsonb NOT NULL,
            state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'undelivered')),
            reason      text,
            tries       integer NOT NULL DEFAULT 0,
            happened_at timestamptz NOT NULL DEFAULT now(),
            changed_at  timestamptz NOT NULL DEFAULT now(),
            try_until   timestamptz NOT NULL,
            UNIQUE (type, deed)
        )
    """)
    op.execute("CREATE INDEX outbound_events_of_customer ON outbound_events (customer_id)")
    op.execute("CREATE INDEX outbound_events_open ON outbound_events (id) WHERE state <> 'delivered'")
    op.execute("CREATE INDEX outbound_events_settled ON outbound_events (changed_at) WHERE state <> 'waiting'")
    op.execute("""
        CREATE TABLE outbound_stops (
            address    text PRIMARY KEY,
            stopped_at timestamptz NOT NULL DEFAULT now()
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE outbound_events, outbound_stops")
