"""Stores as they are after years: sessions by the million, and a million rows in each table that grows."""

import time
from collections.abc import Iterator
from typing import Any, cast

import psycopg
import redis

# So many copies are made with one question, which takes some milliseconds.
BATCH_COPIES = 2000
# A copy has the size, the form and the time to live of what was really stored, under a name of its own. Nobody can use
# it: a session opens under its own name alone.
COPY = """
    for n = 1, tonumber(ARGV[1]) do
        redis.call('COPY', KEYS[1], ARGV[2] .. redis.sha1hex(ARGV[3] .. n) .. ARGV[4])
    end
"""
# What grows with the sessions, by how its names in Valkey begin; the rest of them is a digest.
KINDS = ("session:", "customer:", "member:")
DIGEST_CHARACTERS = 40
BATCH_ROWS = 50_000
# Like those that the service writes: hardly any is open, and each customer has some. `first` and `last` are numbers.
TABLES = {
    "redemptions": """
        INSERT INTO redemptions (customer_id, key, fingerprint, state, reward_id, reward_name, points, balance_seen,
            support_reference, request_id, sent_at, created_at, changed_at)
        SELECT 'customer-' || n %% 200000, 'key-' || n, md5(n::text), 'succeeded', 'reward-' || n %% 5, 'Reward', 500,
            1240, 'R-old-' || n, md5(n::text), now() - interval '30 days', now() - interval '30 days',
            now() - interval '30 days'
        FROM generate_series(%(first)s::bigint, %(last)s) AS n
    """,
    "awards": """
        INSERT INTO awards (reference, event, action, earning_rule_id, customer_id, payee, retailer_id, connection_id,
            purchase_id, value, points, state, try_until, changed_at)
        SELECT 'A-old-' || n, 'purchase.created', 'Shop', 'rule-' || n %% 5, 'customer-' || n %% 200000,
            md5((n %% 200000)::text), 'walmart', 'connection-' || n %% 200000, 'purchase-' || n, n %% 500, n %% 500,
            'paid', now(), now() - interval '30 days'
        FROM generate_series(%(first)s::bigint, %(last)s) AS n
    """,
    "webhook_events": """
        INSERT INTO webhook_events (vendor, event_id, type, digest, customer_id, resource, sequence, state, try_until,
            received_at)
        SELECT CASE n %% 2 WHEN 0 THEN 'okendo' ELSE 'subtotal' END, 'event-' || n, 'purchase.created', md5(n::text),
            'customer-' || n %% 200000, CASE n %% 2 WHEN 0 THEN 'member-' || n %% 200000 END, n, 'done', now(),
            now() - interval '20 days'
        FROM generate_series(%(first)s::bigint, %(last)s) AS n
    """,
    "consents": """
        INSERT INTO consents (customer_id, version, digest, button_text, sentence_html, locale, channel, request_id,
            outcome)
        SELECT 'customer-' || n, '1', md5(n::text), 'Join', 'By joining you agree to the terms.', 'en',
            'sandbox-partner', md5(n::text), 'accepted'
        FROM generate_series(%(first)s::bigint, %(last)s) AS n
    """,
}


def fill_sessions(valkey_url: str, wanted: int) -> Iterator[int]:
    """Copy the sessions that are there, with their indexes, until there are so many; yields how many there are."""
    store: redis.Redis = redis.Redis.from_url(valkey_url)
    with store:
        patterns = {kind: cast(list[bytes], list(store.scan_iter(f"{kind}*", count=10_000))) for kind in KINDS}
        have = len(patterns["session:"])
        while have < wanted:
            copies = min(BATCH_COPIES, wanted - have)
            for kind, names in patterns.items():
                copy(store, names[have % len(names)].decode(), kind, copies, have)
            have += copies
            yield have


def copy(store: redis.Redis, name: str, kind: str, copies: int, seed: int) -> None:
    """So many copies of a key, under names as long as its own."""
    rest = "0" * (len(name) - len(kind) - DIGEST_CHARACTERS)
    cast(Any, store).eval(COPY, 1, name, copies, kind, f"{seed} ", rest)


def memory_bytes(valkey_url: str) -> int:
    with redis.Redis.from_url(valkey_url) as store:
        return int(cast(dict[str, Any], store.info("memory"))["used_memory"])


def fill_tables(database_url: str, have: int, wanted: int, seconds: float) -> Iterator[tuple[str, int]]:
    """More rows in each table than it got before, up to so many; yields a table and how many it has by then.

    When that takes too long no more are added to any, so the tables stay about as long as one another.
    """
    until = time.monotonic() + seconds
    with psycopg.connect(database_url, autocommit=True) as connection:
        for first in range(have + 1, wanted + 1, BATCH_ROWS):
            last = min(first + BATCH_ROWS - 1, wanted)
            for table, statement in TABLES.items():
                connection.execute(statement.encode(), {"first": first, "last": last})
                yield table, last
            if time.monotonic() > until:
                break
        connection.execute("VACUUM ANALYZE")
