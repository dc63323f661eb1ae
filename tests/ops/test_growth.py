"""With years of rows, no request and no payment reads a table from one end to the other."""

import inspect
import json
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import psycopg
import pytest

from bff.awards import statements as awards
from bff.cli import migrate_database
from bff.devstack.servers import Server
from bff.members import consents
from bff.redemptions import statements as redemptions
from bff.stores import inbox, outbox, queue
from bff.stores.retention import BATCH_ROWS, DELETE, Rule, retention_rules

# More customers than rows each, one reward and one rule that everybody uses, and hardly anything that is open.
ROWS = 100_000
FILLED = f"""
    INSERT INTO redemptions (customer_id, key, fingerprint, state, reward_id, reward_name, points, balance_seen,
        support_reference, request_id, sent_at, check_until)
    SELECT 'c' || n % 50000, 'k' || n, 'f', CASE WHEN n % 50000 = 7 THEN 'unknown' ELSE 'succeeded' END, 'r' || n % 5,
        'Reward', 500, 1000, 'R-' || n, 'q', now(), CASE WHEN n = 7 THEN now() END
    FROM generate_series(1, {ROWS}) AS n;
    INSERT INTO consents
        (customer_id, version, digest, button_text, sentence_html, locale, channel, request_id, outcome)
    SELECT 'c' || n, 'v', 'd', 'Join', 'Join.', 'en', 'p', 'q', 'accepted'
    FROM generate_series(1, {ROWS}) AS n;
    INSERT INTO webhook_events (vendor, event_id, type, digest, customer_id, resource, sequence, state, try_until)
    SELECT CASE n % 2 WHEN 0 THEN 'okendo' ELSE 'subtotal' END, 'e' || n, 't', 'd', 'c' || n % 50000,
        CASE n % 2 WHEN 0 THEN 'm' || n % 50000 END, n, CASE WHEN n % 50000 = 7 THEN 'needs_review' ELSE 'done' END,
        now()
    FROM generate_series(1, {ROWS}) AS n;
    INSERT INTO awards (reference, event, action, earning_rule_id, customer_id, payee, retailer_id, connection_id,
        purchase_id, value, points, state, try_until)
    SELECT 'A-' || n, 'purchase.created', 'Shop', 'rule', 'c' || n % 50000, 'p' || n % 50000, 'walmart', 'n' || n,
        'u' || n, n % 100, n % 100, CASE WHEN n % 50000 = 7 THEN 'needs_review' ELSE 'paid' END, now()
    FROM generate_series(1, {ROWS}) AS n;
    INSERT INTO outbound_events (message_id, type, deed, customer_id, data, state, try_until)
    SELECT 'msg_' || n, 'redeemed', 'R-' || n, 'c' || n % 50000, '{{"points": 500}}',
        CASE WHEN n % 50000 = 7 THEN 'undelivered' ELSE 'delivered' END, now()
    FROM generate_series(1, {ROWS}) AS n;
    INSERT INTO procrastinate_jobs (queue_name, task_name, args)
    SELECT 'paying', 'pay_award', jsonb_build_object('row', n) FROM generate_series(1, {ROWS}) AS n;
    ANALYZE
"""  # noqa: S608  # A number of ours.
# What the statements are asked with; what is not here is empty.
VALUES: dict[str, Any] = {
    "id": 100_000, "customer_id": "c123", "key": "k123", "state": "unknown", "reference": "R-123", "limit": 50,
    "customer": None, "check_seconds": 60, "stale_seconds": 60, "balance_seconds": 30, "retry_seconds": 60,
    "points": 5, "tries": 1, "balance": 1.0, "possibly_paid": False, "after": 0, "signed_in_at": 0,
    "name": "c123", "reward_id": "r1", "since": 0, "until": 4102444800, "support_reference": "R-123",
    "version": "v", "digest": "d", "button_text": "Join", "sentence_html": "Join.", "locale": "en", "channel": "p",
    "request_id": "q",
    "joined_seconds": 3600, "address": "d", "message_id": "msg_7", "try_seconds": 60, "tried": 1, "type": "redeemed",
    "deed": "R-7", "data": "{}",
}  # fmt: skip
# The values of the statements that take them by their place.
PLACED: dict[str, tuple[Any, ...]] = {
    "redemptions.UNRESOLVED": (7,), "redemptions.EARLIER": ("c7", 100_000),
    "redemptions.FIND_OPEN": (7,), "redemptions.FIND_OPEN_OF_MEMBER": ("c123",),
    "redemptions.DELETE_UNSENT": ("c123",),
    "redemptions.FORGET": ("c123",), "inbox.DOUBT": ("restored",),
    "inbox.FIND": (7,), "inbox.IS_LATEST": (100_000,), "inbox.TO_REVIEW": (50,),
    "inbox.FORGET": ("c123",), "outbox.FORGET": ("c123",),
    "consents.COMPLETE": ("c-who-never-joined",), "queue.RUN_NOW": ("pay_award", 7),
    "consents.SETTLE": ("accepted", 7),
    "queue.DEFER": ("paying", "pay_award", 0, None, 7),
}  # fmt: skip
# Some are asked in several ways.
CHANGES: dict[str, tuple[dict[str, Any], ...]] = {
    "redemptions.LISTED": ({}, {"state": None}, {"state": None, "customer": "c123"}, {"customer": "c123"},
                           {"state": "failed"}, {"state": "reserved"}),
    "redemptions.SETTLE_STALE": ({"id": None}, {"customer_id": None}),
    "awards.LISTED": ({"state": None}, {"state": "all", "customer": "c123"}, {"state": "needs_review"},
                      {"state": "all"}),
    "awards.REPLAY": ({"reference": None}, {"reference": "A-7"}),
    "outbox.LISTED": ({"state": None}, {"state": "all", "customer": "c123"}, {"state": "undelivered"}, {"state": "all"},
                      {"state": None, "customer": "c123"}),
    "outbox.REPLAY": ({}, {"message_id": None}),
    "inbox.FIND_DIGEST": ({"vendor": "subtotal", "event_id": "e7"},),
    "inbox.REPLAY": ({}, {"event_id": "e7"}),
    "consents.SELECT": ({"since": None, "until": None}, {"since": None, "until": None, "customer": "c123"}),
}  # fmt: skip


def statements_of(module: ModuleType) -> dict[str, str]:
    """Every statement of a module that looks for something, by its name with that of the module."""
    found = inspect.getmembers(module, lambda value: isinstance(value, str))
    return {
        f"{module.__name__.removesuffix('.statements').rpartition('.')[2]}.{name}": text
        for name, text in found
        if name.isupper() and re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", text)
    }


STATEMENTS = {
    name: text
    for module in (redemptions, awards, inbox, outbox, consents, queue)
    for name, text in statements_of(module).items()
}
ASKED = [(name, values) for name in STATEMENTS for values in CHANGES.get(name, ({},))]

# The queue is short when the worker has time for this.
RULES = [rule for rule in retention_rules(redemption_days=731) if rule.table != "procrastinate_jobs"]


@pytest.fixture(scope="module")
def grown(database: Server) -> Iterator["psycopg.Connection[Any]"]:
    """A database of its own, after years."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS grown WITH (FORCE)")
        connection.execute("CREATE DATABASE grown")
    url = database.url.rpartition("/")[0] + "/grown"
    migrate_database(url)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as rows:
        rows.execute("ALTER TABLE procrastinate_jobs DISABLE TRIGGER USER")
        rows.execute(FILLED.encode())
        yield rows


def plan_of(rows: "psycopg.Connection[Any]", statement: str, values: Any) -> Any:
    explain = f"EXPLAIN (FORMAT JSON, ANALYZE, TIMING off) {statement}"
    with rows.transaction(force_rollback=True):
        [(found,)] = rows.execute(explain.encode(), values).fetchall()
    return found[0]["Plan"]


def nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def rows_read(node: Any) -> int:
    """How many rows a node has looked at, those that it left out with them."""
    looked = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int(looked * node["Actual Loops"])


@pytest.mark.parametrize(("name", "changes"), ASKED, ids=[f"{name}-{json.dumps(values)}" for name, values in ASKED])
def test_a_statement_reads_what_it_is_about_and_no_more(
    name: str, changes: dict[str, Any], grown: "psycopg.Connection[Any]"
) -> None:
    asked = dict.fromkeys(re.findall(r"%\((\w+)\)s", STATEMENTS[name]))
    values = PLACED.get(name) or asked | {key: VALUES[key] for key in asked if key in VALUES} | changes
    plan = plan_of(grown, STATEMENTS[name], values)
    scanned = [node for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
    assert [node["Relation Name"] for node in scanned if node["Plan Rows"] > 1000 or rows_read(node) > 1000] == []
    # The export is the longest: five hundred at once.
    assert max(map(rows_read, nodes(plan))) <= 500


@pytest.mark.parametrize("rule", RULES, ids=[rule.table for rule in RULES])
@pytest.mark.parametrize("days", [0, 3650])
def test_what_is_past_its_time_is_found_without_reading_the_rest(
    rule: Rule, days: int, grown: "psycopg.Connection[Any]"
) -> None:
    """Where all of it is, and where nothing is."""
    plan = plan_of(grown, rule.statement(DELETE).as_string(grown), {"days": days, "rows": BATCH_ROWS})
    # PostgreSQL may look at both rows that are open for each of those that go.
    assert max(map(rows_read, nodes(plan))) <= 2 * BATCH_ROWS + 10
