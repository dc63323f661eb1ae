"""The merchant's server fails, is slow, is cut off, wants less or wants nothing more: no event is lost or changed."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.kill_schedules import Process
from support.processes import bff
from support.receiver import Receiver
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Vendors, Work, in_thread
from support.store_outages import stopped

from bff.devstack.servers import Server

DAY_SECONDS = 86_400


def states(rows: Rows) -> list[Any]:
    return rows.execute("SELECT state, tries FROM outbound_events ORDER BY id").fetchall()


def hurry(rows: Rows) -> None:
    """Whatever was put off is due now."""
    rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


def comes_to(rows: Rows, *expected: tuple[str, int]) -> None:
    def so() -> bool:
        hurry(rows)
        return states(rows) == list(expected)

    until(so, 30)


def put_off(rows: Rows) -> list[float]:
    """In how many seconds each job of ours comes back, once it has been tried."""
    found = rows.execute(
        "SELECT extract(epoch FROM scheduled_at - now())::float8 FROM procrastinate_jobs"
        " WHERE task_name = 'send_event' AND status = 'todo' AND attempts > 0 ORDER BY id"
    ).fetchall()
    return [float(str(seconds)) for (seconds,) in found]


@pytest.mark.parametrize("answer", [500, 404, 401, "cut", "late", (302, {"location": "/elsewhere"}), 503])
def test_P12_what_was_not_taken_is_sent_again_just_as_it_was(
    told: Service, telling: None, receiver: Receiver, rows: Rows, answer: Any
) -> None:
    receiver.answers = [answer]
    told.signed_in("zoe")
    comes_to(rows, ("delivered", 2))
    first, second = receiver.posted
    assert (first.id, first.body, first.path) == (second.id, second.body, second.path)
    assert all(map(receiver.trusts, receiver.posted))


def test_a_long_or_strange_body_of_a_yes_is_a_yes(told: Service, telling: None, receiver: Receiver, rows: Rows) -> None:
    receiver.answers = [(200, {"content-length": str(10**12), "content-encoding": "br"})]
    told.signed_in("zoe")
    comes_to(rows, ("delivered", 1))
    assert len(receiver.posted) == 1


def test_tries_follow_each_other_ever_more_slowly(told: Service, telling: None, receiver: Receiver, rows: Rows) -> None:
    receiver.answers = [500] * 7
    told.signed_in("zoe")
    for tries, seconds in enumerate((5, 300, 1800, 7200, 18_000, 18_000, 18_000), 1):
        until(lambda tries=tries: states(rows) == [("waiting", tries)] and len(put_off(rows)) == 1)  # type: ignore[misc]
        assert seconds - 5 < put_off(rows)[0] <= seconds
        hurry(rows)
    comes_to(rows, ("delivered", 8))


@pytest.mark.parametrize(("value", "seconds"), [("120", 120), ("7200", 7200), ("999999999", DAY_SECONDS), ("soon", 60)])
def test_who_asks_for_patience_is_given_it(
    told: Service, telling: None, receiver: Receiver, rows: Rows, value: str, seconds: int
) -> None:
    receiver.answers = [(429, {"retry-after": value})]
    told.signed_in("zoe")
    until(lambda: len(put_off(rows)) == 1)
    assert seconds - 5 < put_off(rows)[0] <= seconds
    # What happens meanwhile is not sent either.
    told.signed_in("ella")
    until(lambda: len(put_off(rows)) == 2)
    assert len(receiver.posted) == 1
    assert states(rows) == [("waiting", 0)] * 2


def test_a_busy_server_is_not_asked_before_the_time_that_it_named(
    told: Service, telling: None, receiver: Receiver, rows: Rows
) -> None:
    receiver.answers = [(503, {"retry-after": "900"})]
    told.signed_in("zoe")
    until(lambda: len(put_off(rows)) == 1)
    assert 895 < put_off(rows)[0] <= 900


def test_after_a_day_it_waits_for_a_person_who_has_it_sent_again(
    told: Service, telling: None, receiver: Receiver, rows: Rows, log: Any
) -> None:
    receiver.answers = [500, 500]
    told.signed_in("zoe")
    until(lambda: states(rows) == [("waiting", 1)])
    rows.execute("UPDATE outbound_events SET try_until = now()")
    comes_to(rows, ("undelivered", 2))
    [line] = log.events("event_undelivered")
    assert (line["what"], line["reason"], line["reference"]) == (
        "signed_in", "It is down: status 500.", receiver.posted[0].id,
    )  # fmt: skip
    settings = dict(told.settings)
    assert "status 500" in bff(settings, "events", "list").stdout
    assert "1 events could not be delivered" in bff(settings, "doctor").stdout
    done = bff(settings, "events", "replay", receiver.posted[0].id, "--by", "Kim", "--why", "it is up again")
    assert done.stdout == "To be sent again: 1. `events list` shows what comes of it.\n", done.stderr
    comes_to(rows, ("delivered", 1))
    assert {posted.id for posted in receiver.posted} == {receiver.posted[0].id}
    [line] = rows.execute("SELECT who, action, target FROM audit").fetchall()
    assert line == ("Kim", "events replay", receiver.posted[0].id)


def test_410_stops_everything_until_a_person_says_otherwise(
    told: Service, telling: None, receiver: Receiver, rows: Rows, log: Any
) -> None:
    receiver.answers = [410]
    told.signed_in("zoe")
    comes_to(rows, ("undelivered", 1))
    told.signed_in("ella")
    comes_to(rows, ("undelivered", 1), ("undelivered", 1))
    assert len(receiver.posted) == 1
    assert len(log.events("events_stopped")) == 1
    settings = dict(told.settings)
    assert "410 Gone" in bff(settings, "events", "list").stdout
    assert bff(settings, "events", "replay").stdout.startswith("To be sent again: 2.")
    assert len(receiver.wait_for("signed_in", "signed_in")) == 2


def test_another_address_is_not_meant_by_the_410_of_the_one_before(
    told: Service, work: Work, receiver: Receiver, rows: Rows
) -> None:
    work(**receiver.settings | {"EVENTS_WEBHOOK_URL": receiver.url + "&moved=1"})
    rows.execute("INSERT INTO outbound_stops SELECT encode(sha256(%s), 'hex')", (receiver.url.encode(),))
    told.signed_in("zoe")
    receiver.wait_for("signed_in")
    assert [posted.path.endswith("&moved=1") for posted in receiver.posted] == [True]


def test_whoever_takes_the_address_away_is_told_what_was_left(told: Service, work: Work, rows: Rows) -> None:
    told.signed_in("zoe")
    until(lambda: len(states(rows)) == 1)
    work()
    comes_to(rows, ("undelivered", 1))
    assert "EVENTS_WEBHOOK_URL is not set" in bff(dict(told.settings), "events", "list").stdout


def test_K9_a_worker_killed_while_it_sends_sends_the_same_again(
    told: Service, receiver: Receiver, rows: Rows, tmp_path: Path
) -> None:
    receiver.answers = ["late"]
    worker = Process(told.settings, "worker", tmp_path / "worker.log")
    worker.start()
    try:
        assert redeem(told.signed_in("ella"), FIVE_OFF, new_key()).status_code == 201
        until(lambda: len(receiver.posted) == 2, 30)
        worker.kill()
        receiver.released.set()
        worker.start()

        def done() -> bool:
            rows.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'")
            hurry(rows)
            return [state for state, _ in states(rows)] == ["delivered"] * 2

        until(done, 60)
    finally:
        worker.kill()
    assert len(receiver.events()) == 2
    assert len({posted.id for posted in receiver.posted}) == 2 < len(receiver.posted)
    assert len({posted.body for posted in receiver.posted}) == 2


def test_a_slow_server_holds_up_nobody_elses_work(
    told: Service, work: Work, receiver: Receiver, vendors: Vendors
) -> None:
    """Twice as many as are sent at once hang, and the worker still finds out about a redemption."""
    receiver.answers = ["late"] * 8
    work(**receiver.settings, UPSTREAM_TIMEOUT_SECONDS="20")
    for _ in range(8):
        told.signed_in("zoe")
    ella = told.signed_in("ella")
    until(lambda: len(receiver.posted) == 4)
    vendors.fault("redeem", "cut_after")
    key = new_key()
    assert redeem(ella, FIVE_OFF, key).json()["state"] == "unknown"
    until(lambda: ella.api("GET", f"/me/redemptions/{key}").json()["state"] == "succeeded")
    assert receiver.taken == []
    receiver.released.set()


def test_postgresql_restarts_and_what_was_stored_is_told(
    told: Service, work: Work, receiver: Receiver, database: Server, settings: dict[str, str]
) -> None:
    assert redeem(told.signed_in("ella"), FIVE_OFF, new_key()).status_code == 201
    work(**receiver.settings)
    with stopped(database):
        pass
    receiver.wait_for("signed_in", "redeemed", seconds=60)


def test_a_web_process_tells_without_a_worker_as_soon_as_there_is_one(
    settings: dict[str, str], receiver: Receiver, vendors: Vendors, work: Work, rows: Rows
) -> None:
    with in_thread(settings | receiver.settings) as service:
        service.signed_in("zoe")
    assert states(rows) == [("waiting", 0)]
    work(**receiver.settings)
    receiver.wait_for("signed_in")


def test_the_command_lists_by_state_and_customer_and_in_json(told: Service, vendors: Vendors, rows: Rows) -> None:
    for persona in ("ella", "zoe"):
        told.signed_in(persona)
    until(lambda: len(states(rows)) == 2)
    rows.execute(
        "UPDATE outbound_events SET state = 'delivered' WHERE customer_id = %s", (vendors.member("zoe")["customerId"],)
    )
    settings = dict(told.settings)
    for persona, state in (("ella", "waiting"), ("zoe", "delivered")):
        customer = vendors.member(persona)["customerId"]
        for only in (("--state", state), ("--state", "all", "--customer", customer)):
            [line] = bff(settings, "events", "list", "--json", *only).stdout.splitlines()
            listed = json.loads(line)
            assert (listed["type"], listed["state"], listed["customer_id"]) == ("signed_in", state, customer)
    assert bff(settings, "events", "list", "--state", "undelivered").stdout.endswith("None.\n")
    refused = bff(settings, "events", "replay", "msg_unheard_of")
    assert (refused.returncode, "msg_unheard_of is no event" in refused.stderr) == (1, True)


def test_who_is_forgotten_is_told_of_no_more(told: Service, vendors: Vendors, rows: Rows) -> None:
    ella, zoe = told.signed_in("ella"), told.signed_in("zoe")
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 201
    until(lambda: len(states(rows)) == 3)
    settings, customer = dict(told.settings), vendors.member("ella")["customerId"]
    held = json.loads(bff(settings, "members", "export", customer).stdout)
    assert sorted(event["type"] for event in held["events"]) == ["redeemed", "signed_in"]
    said = bff(settings, "members", "forget", customer).stdout
    assert "Events for the merchant's server, deleted: 2." in said
    left = rows.execute("SELECT customer_id FROM outbound_events").fetchall()
    assert left == [(vendors.member("zoe")["customerId"],)]
    assert zoe.api("GET", "/session").json()["state"] == "enrolled"


def test_the_doctor_says_where_events_go(settings: dict[str, str], receiver: Receiver) -> None:
    where = f"what shoppers do is posted to {receiver.url.split('/')[2]}, signed"
    for more, says in ((receiver.settings, where), ({}, "nobody is told of what shoppers do")):
        checks = json.loads(bff(settings | more, "doctor", "--json").stdout)["checks"]
        [found] = [check for check in checks if check["name"] == "EVENTS_WEBHOOK_URL"]
        assert says in found["detail"]
