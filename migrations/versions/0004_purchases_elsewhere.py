"""Webhooks that came in, awards to be paid, and the pace at which a vendor may be called."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # `body` is exactly what was signed; `digest` tells a repeated event from another one under the same id.
    op.execute("""
        CREATE TABLE webhook_events (
            id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            vendor       text NOT NULL CHECK (vendor IN ('subtotal', 'okendo')),
            event_id     text NOT NULL,
            type         text NOT NULL,
            digest       text NOT NULL,
            body         bytea,
            customer_id  text,
            resource     text,
            sequence     numeric,
            is_simulated boolean NOT NULL DEFAULT false,
            state        text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done', 'ignored', 'parked')),
            reason       text,
            received_at  timestamptz NOT NULL DEFAULT now(),
            try_until    timestamptz NOT NULL,
            UNIQUE (vendor, event_id)
        )
    """)
    op.execute("CREATE INDEX webhook_events_open ON webhook_events (id) WHERE state IN ('new', 'parked')")
    op.execute("CREATE INDEX webhook_events_of_customer ON webhook_events (customer_id)")
    op.execute("""
        CREATE INDEX webhook_events_in_order ON webhook_events (resource, type, sequence)
        WHERE resource IS NOT NULL
    """)
    # `payee` is the digest of who is paid: it outlives the address itself, which goes when it is needed no more.
    op.execute("""
        CREATE TABLE awards (
            id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            reference       text NOT NULL UNIQUE,
            event           text NOT NULL CHECK (event IN ('account.linked', 'purchase.created')),
            action          text NOT NULL,
            earning_rule_id text NOT NULL,
            customer_id     text NOT NULL,
            payee           text NOT NULL,
            email           text,
            retailer_id     text NOT NULL,
            connection_id   text NOT NULL,
            purchase_id     text,
            value           numeric,
            state           text NOT NULL DEFAULT 'waiting'
                            CHECK (state IN ('waiting', 'sent', 'unknown', 'paid', 'parked')),
            doubtful        boolean NOT NULL DEFAULT false,
            reason          text,
            note            text,
            points          double precision,
            balance_before  double precision,
            tries           integer NOT NULL DEFAULT 0,
            created_at      timestamptz NOT NULL DEFAULT now(),
            changed_at      timestamptz NOT NULL DEFAULT now(),
            sent_at         timestamptz,
            try_until       timestamptz NOT NULL,
            CHECK ((event = 'purchase.created') = (purchase_id IS NOT NULL))
        )
    """)
    # Paid once, kept by the database itself: under the action's name and under its rule, whichever is changed later.
    for name, columns, event in (
        ("awards_linked_by_action", "customer_id, retailer_id, action", "account.linked"),
        ("awards_linked_by_rule", "customer_id, retailer_id, earning_rule_id", "account.linked"),
        ("awards_linked_by_payee", "payee, retailer_id, earning_rule_id", "account.linked"),
        ("awards_purchase_by_action", "purchase_id, action", "purchase.created"),
        ("awards_purchase_by_rule", "purchase_id, earning_rule_id", "purchase.created"),
    ):
        op.execute(f"CREATE UNIQUE INDEX {name} ON awards ({columns}) WHERE event = '{event}'")
    op.execute("CREATE INDEX awards_open ON awards (id) WHERE state <> 'paid'")
    op.execute("CREATE INDEX awards_of_customer ON awards (customer_id, id)")
    op.execute("CREATE INDEX awards_of_payee ON awards (payee, changed_at)")
    op.execute("CREATE INDEX awards_of_rule ON awards (earning_rule_id, value) WHERE state = 'paid'")
    op.execute("CREATE TABLE paces (name text PRIMARY KEY, next_at timestamptz NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE webhook_events, awards, paces")
