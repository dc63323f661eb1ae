"""The redemption ledger and the evidence of consent."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE redemptions (
            id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer_id        text NOT NULL,
            key                text NOT NULL,
            fingerprint        text NOT NULL,
            state              text NOT NULL DEFAULT 'reserved'
                               CHECK (state IN ('reserved', 'sent', 'succeeded', 'failed', 'unknown')),
            reward_id          text NOT NULL,
            reward_name        text NOT NULL,
            points             integer NOT NULL,
            balance_seen       integer NOT NULL,
            coupon_code        text,
            coupon_description text,
            coupon_expires_at  timestamptz,
            store_credit       text,
            currency           text,
            reason             text,
            support_reference  text NOT NULL,
            request_id         text NOT NULL,
            created_at         timestamptz NOT NULL DEFAULT now(),
            changed_at         timestamptz NOT NULL DEFAULT now(),
            UNIQUE (customer_id, key)
        )
    """)
    # One redemption at a time per member, kept by the database itself.
    op.execute("""
        CREATE UNIQUE INDEX redemptions_one_at_a_time ON redemptions (customer_id)
        WHERE state IN ('reserved', 'sent')
    """)
    op.execute("""
        CREATE TABLE consents (
            id                       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer_id              text NOT NULL,
            version                  text NOT NULL,
            digest                   text NOT NULL,
            button_text              text NOT NULL,
            sentence_html            text NOT NULL,
            privacy_policy_url       text,
            terms_and_conditions_url text,
            locale                   text NOT NULL,
            channel                  text NOT NULL,
            request_id               text NOT NULL,
            agreed_at                timestamptz NOT NULL DEFAULT now(),
            outcome                  text NOT NULL DEFAULT 'sent'
                                     CHECK (outcome IN ('sent', 'accepted', 'refused', 'unknown'))
        )
    """)
    op.execute("CREATE INDEX consents_of_customer ON consents (customer_id, agreed_at)")


def downgrade() -> None:
    op.execute("DROP TABLE consents")
    op.execute("DROP TABLE redemptions")
