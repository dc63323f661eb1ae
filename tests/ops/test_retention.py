"""What is past its time is deleted, and nothing else: not what is open, unknown, or waits for a person."""

import json
from collections.abc import Mapping

import pytest
from awards.test_payments import states
from support.concurrency import until
from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Log, Service, Start, Vendors, Work
from support.subtotal_events import ACTIONS, FAST, RATE, awards_of, bought, connection_of, deliver, has_awards

TABLES = ("webhook_events", "redemptions", "consents", "procrastinate_jobs", "outbound_events", "paces")
EVENT = """
    INSERT INTO webhook_events (vendor, event_id, type, digest, body, state, received_at, try_until)
    SELECT 'subtotal', %(name)s, 'purchase.created', 'd', 'b', %(state)s, at, at
    FROM (SELECT now() - make_interval(days => %(days)s, hours => %(hours)s) AS at) AS moment
"""
REDEMPTION = """
    INSERT INTO redemptions (customer_id, key, fingerprint, state, reward_id, reward_name, points, balance_seen,
        support_reference, request_id, created_at, changed_at)
    SELECT %(customer)s, %(name)s, 'f', %(state)s, 'r', 'Reward', 5, 10, %(name)s, 'q', at - interval '1 hour', at
    FROM (SELECT now() - make_interval(days => %(days)s, hours => %(hours)s) AS at) AS moment
"""
CONSENT = """
    INSERT INTO consents (customer_id, version, digest, button_text, sentence_html, locale, channel, request_id,
        outcome, agreed_at)
    VALUES ('c', %(name)s, 'd', 'Join', 'Join.', 'en', 'p', 'q', %(state)s,
        now() - make_interval(days => %(days)s, hours => %(hours)s))
"""
JOB = """
    WITH job AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, scheduled_at)
        VALUES ('elsewhere', %(name)s, '{"row": 0}', %(state)s::procrastinate_job_status, now() + interval '1 day')
        RETURNING id)
    INSERT INTO procrastinate_events (job_id, type, at)
    SELECT id, 'deferred', now() - make_interval(days => %(days)s, hours => %(hours)s) FROM job
"""
TOLD = """
    INSERT INTO outbound_events (message_id, type, customer_id, data, state, happened_at, changed_at, try_until)
    SELECT %(name)s, 'signed_in', 'c', '{}', %(state)s, at, at, at
    FROM (SELECT now() - make_interval(days => %(days)s, hours => %(hours)s) AS at) AS moment
"""
# The names of what stays, by how each kind is found.
NAMES = {
    "webhook_events": "SELECT event_id FROM webhook_events",
    "redemptions": "SELECT key FROM redemptions",
    "consents": "SELECT version FROM consents",
    "procrastinate_jobs": "SELECT task_name FROM procrastinate_jobs",
    "outbound_events": "SELECT message_id FROM outbound_events",
    "paces": "SELECT name FROM paces",
}
# Each kind, its time in days, the states that go after it, and those that stay for ever.
KINDS = [
    ("webhook_events", EVENT, 30, ("done", "ignored"), ("new", "needs_review")),
    ("redemptions", REDEMPTION, 731, ("succeeded", "failed"), ("reserved", "sent", "unknown")),
    ("consents", CONSENT, 90, ("refused",), ("accepted", "sent", "unknown")),
    ("procrastinate_jobs", JOB, 30, ("succeeded", "cancelled", "aborted"), ("todo", "failed")),
    ("outbound_events", TOLD, 30, ("delivered", "undelivered"), ("waiting",)),
]
KIND = pytest.mark.parametrize(("table", "insert", "days", "going", "staying"), KINDS, ids=[kind[0] for kind in KINDS])


def add(rows: Rows, insert: str, name: str, state: str, days: int, *, hours: int = 0, customer: str = "") -> None:
    values = {"name": name, "state": state, "days": days, "hours": hours, "customer": customer or name}
    rows.execute(insert.encode(), values)
    if insert is JOB:
        # The library notes when a job was added; here that was so long ago.
        rows.execute("UPDATE procrastinate_events SET at = now() - make_interval(days => %s, hours => %s)"
                     " WHERE job_id = (SELECT max(id) FROM procrastinate_jobs)", (days, hours))  # fmt: skip


def left(rows: Rows, table: str) -> set[object]:
    return {name for (name,) in rows.execute(NAMES[table].encode()).fetchall()}


def run(settings: Mapping[str, str]) -> tuple[int, str]:
    done = bff(settings, "retention", "run")
    return done.returncode, done.stdout + done.stderr


def overdue(settings: Mapping[str, str]) -> dict[str, int]:
    lines = map(json.loads, bff(settings, "retention", "list", "--json").stdout.splitlines())
    return {line["table"]: line["overdue"] for line in lines}


@KIND
def test_what_is_settled_goes_when_its_time_is_over_and_not_an_hour_before(
    table: str, insert: str, days: int, going: tuple[str, ...], staying: tuple[str, ...],
    settings: dict[str, str], rows: Rows,
) -> None:  # fmt: skip
    for state in (*going, *staying):
        add(rows, insert, f"old {state}", state, days, hours=1)
        add(rows, insert, f"young {state}", state, days, hours=-1)
        add(rows, insert, f"ancient {state}", state, 20 * 365)
    everything = left(rows, table)
    gone = {f"{age} {state}" for age in ("old", "ancient") for state in going}
    assert overdue(settings) == dict.fromkeys(TABLES, 0) | {table: len(gone)}
    assert left(rows, table) == everything
    for _ in range(2):
        assert run(settings)[0] == 0
        assert left(rows, table) == everything - gone
    assert overdue(settings) == dict.fromkeys(TABLES, 0)


def test_a_merchant_may_keep_redemptions_for_longer(settings: dict[str, str], rows: Rows) -> None:
    for days in (800, 3651):
        add(rows, REDEMPTION, f"{days} days", "succeeded", days)
    run(settings | {"REDEMPTION_RETENTION_DAYS": "3650"})
    assert left(rows, "redemptions") == {"800 days"}


@pytest.mark.parametrize("state", ["reserved", "sent", "unknown"])
def test_what_a_member_has_stays_while_one_of_it_is_not_settled(
    state: str, settings: dict[str, str], rows: Rows
) -> None:
    """What happened to that one is found out by what the others do not explain."""
    for number in range(3):
        add(rows, REDEMPTION, f"mine {number}", "succeeded", 900, customer="mine")
        add(rows, REDEMPTION, f"theirs {number}", "succeeded", 900, customer="theirs")
    add(rows, REDEMPTION, "open", state, 1, customer="mine")
    mine = {"mine 0", "mine 1", "mine 2", "open"}
    run(settings)
    assert left(rows, "redemptions") == mine
    rows.execute("UPDATE redemptions SET state = 'failed' WHERE key = 'open'")
    run(settings)
    assert left(rows, "redemptions") == {"open"}


def test_paces_that_say_nothing_any_more_go(settings: dict[str, str], rows: Rows) -> None:
    rows.execute(
        "INSERT INTO paces VALUES ('old', now() - interval '25 hours'), ('young', now() - interval '23 hours')"
    )
    run(settings)
    assert left(rows, "paces") == {"young"}


def test_the_worker_deletes_a_long_backlog_and_says_what(work: Work, rows: Rows, log: Log) -> None:
    rows.execute("INSERT INTO webhook_events (vendor, event_id, type, digest, state, received_at, try_until)"
                 " SELECT 'subtotal', 'e' || n, 't', 'd', 'done', now() - interval '31 days', now()"
                 " FROM generate_series(1, 2500) AS n")  # fmt: skip
    add(rows, EVENT, "young", "done", 29)
    log.clear()
    work()
    until(lambda: left(rows, "webhook_events") == {"young"})
    until(lambda: bool(log.events("rows_deleted")))
    assert [(line["what"], line["rows"]) for line in log.events("rows_deleted")] == [("webhook_events", 2500)]


def test_more_than_one_run_deletes_is_left_to_the_next(settings: dict[str, str], rows: Rows) -> None:
    rows.execute("INSERT INTO consents (customer_id, version, digest, button_text, sentence_html, locale, channel,"
                 " request_id, outcome, agreed_at) SELECT 'c', 'v', 'd', 'b', 's', 'en', 'p', 'q', 'refused',"
                 " now() - interval '91 days' FROM generate_series(1, 50_001)")  # fmt: skip
    status, said = run(settings)
    assert (status, "Not everything was deleted" in said) == (1, True)
    assert overdue(settings)["consents"] == 1
    assert run(settings) == (0, "What was past its time is deleted.\n")
    assert overdue(settings)["consents"] == 0


def test_where_one_table_fails_the_others_are_done_and_it_is_tried_again(settings: dict[str, str], rows: Rows) -> None:
    for _, insert, days, (state, *_), _ in KINDS:
        add(rows, insert, "old", state, days + 1)
    rows.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"
                 "CREATE TRIGGER refusing BEFORE DELETE ON webhook_events EXECUTE FUNCTION refuse()")  # fmt: skip
    try:
        status, said = run(settings)
    finally:
        rows.execute("DROP TRIGGER refusing ON webhook_events; DROP FUNCTION refuse")
    [failed] = [json.loads(line) for line in said.splitlines() if "retention_failed" in line]
    assert (status, failed["what"], failed["sqlstate"]) == (1, "webhook_events", "P0001")
    assert overdue(settings) == dict.fromkeys(TABLES, 0) | {"webhook_events": 1}
    assert run(settings)[0] == 0
    assert overdue(settings) == dict.fromkeys(TABLES, 0)


def test_a_row_that_somebody_holds_is_not_waited_for(settings: dict[str, str], rows: Rows) -> None:
    for name in ("held", "free"):
        add(rows, REDEMPTION, name, "succeeded", 900)
    with rows.transaction():
        rows.execute("SELECT FROM redemptions WHERE key = 'held' FOR UPDATE")
        assert run(settings)[0] == 0
        assert left(rows, "redemptions") == {"held"}
    run(settings)
    assert left(rows, "redemptions") == set()


def test_a_database_that_is_away_is_an_error(settings: dict[str, str]) -> None:
    away = settings | {"DATABASE_URL": "postgresql://127.0.0.1:1/away"}
    assert run(away)[0] == 1
    assert bff(away, "retention", "list").returncode == 1


def test_a_purchase_whose_event_is_forgotten_is_not_paid_again(
    start: Start, work: Work, vendors: Vendors, settings: dict[str, str], rows: Rows
) -> None:
    vendors.control("clock", rate=RATE)
    here = {"SUBTOTAL_ACTIONS": ACTIONS, **FAST}
    service = start(**here)
    work(**here)
    event = bought(connection_of(vendors, "ella"), "20.00")
    deliver(service, event)
    until(has_awards(vendors, "ella", 1))
    until(lambda: states(rows) == ["paid"])
    rows.execute("UPDATE webhook_events SET received_at = now() - interval '31 days'")
    rows.execute("UPDATE awards SET created_at = now() - interval '9 years', changed_at = now() - interval '9 years'")
    run(settings)
    assert left(rows, "webhook_events") == set()
    deliver(service, event)
    until(lambda: rows.execute("SELECT state FROM webhook_events").fetchall() == [("done",)])
    assert (states(rows), len(awards_of(vendors, "ella"))) == (["paid"], 1)


def test_L1_a_redemption_of_the_last_two_years_is_answered_as_it_was(
    service: Service, vendors: Vendors, settings: dict[str, str], rows: Rows
) -> None:
    ella, key = service.signed_in("ella"), new_key()
    first = redeem(ella, FIVE_OFF, key)
    rows.execute("UPDATE redemptions SET created_at = now() - interval '2 years', changed_at = created_at")
    run(settings)
    again = redeem(ella, FIVE_OFF, key)
    assert (again.status_code, again.json()["coupon"]) == (201, first.json()["coupon"])
    assert len(vendors.member("ella")["redemptions"]) == 1
