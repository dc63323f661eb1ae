"""Purchases at other retailers earn points: what the table of actions says, each once, to the cent."""

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from support.breadth import HISTORY_PURCHASES
from support.concurrency import until
from support.enrolment_clients import Rows
from support.expired_tokens import without_faults
from support.services import Service, Start, Vendors, Work
from support.subtotal_events import (
    ACTIONS,
    BUYING,
    FAST,
    LINKING,
    RATE,
    awards_of,
    bought,
    connection_of,
    deliver,
    has_awards,
    linked,
    ulid,
)

WALMART_ONLY = ACTIONS.replace('name = "Shop elsewhere"', 'name = "Shop at Walmart"\nretailers = ["walmart"]')


def states(rows: Rows) -> list[Any]:
    return [state for (state,) in rows.execute("SELECT state FROM awards ORDER BY id").fetchall()]


def events(rows: Rows) -> list[Any]:
    return [state for (state,) in rows.execute("SELECT state FROM webhook_events ORDER BY id").fetchall()]


def settled(rows: Rows) -> bool:
    """Every event was looked at, and every award came to an end."""
    return "new" not in events(rows) and not set(states(rows)) & {"waiting", "sent", "unknown"}


@pytest.fixture
def retail(start: Start, vendors: Vendors) -> Service:
    vendors.control("clock", rate=RATE)
    return start(SUBTOTAL_ACTIONS=ACTIONS, **FAST)


@pytest.fixture
def paying(retail: Service, work: Work) -> Service:
    """A service that pays, with its worker."""
    work(SUBTOTAL_ACTIONS=ACTIONS, **FAST)
    return retail


def test_linking_an_account_is_paid_by_a_fixed_rule(paying: Service, vendors: Vendors, rows: Rows) -> None:
    deliver(paying, linked(connection_of(vendors, "ella")))
    until(lambda: states(rows) == ["paid"])
    assert awards_of(vendors, "ella") == [{"rule": LINKING, "value": None, "points": 150}]


def test_a_purchase_is_paid_by_its_total_with_all_its_decimals(paying: Service, vendors: Vendors, rows: Rows) -> None:
    """Text or number, whole or not: what was spent goes out as it came in, and never as a float."""
    connection = connection_of(vendors, "zoe")
    totals = ["9.34", "0.10", "1234567.89", "42", "0.333333", "10.00"]
    for total in totals:
        assert deliver(paying, bought(connection, total)).status_code == 204
    plain = json.dumps(bought(connection, "TOTAL")).replace('"TOTAL"', "19.90").encode()
    assert deliver(paying, plain).status_code == 204
    until(lambda: states(rows) == ["paid"] * 7)
    said = vendors.http.get(f"{vendors.url}/_control/state").text
    paid = json.loads(said, parse_float=Decimal)["members"]["zoe"]["awards"]
    assert {str(award["value"]) for award in paid} == {"9.34", "0.10", "1234567.89", "42", "0.333333", "10.00", "19.90"}
    assert {award["rule"] for award in paid} == {BUYING}


def test_unlinking_and_linking_again_earns_nothing_more(paying: Service, vendors: Vendors, rows: Rows) -> None:
    """Not by another connection, another id of the customer, or another address (once per retailer)."""
    first = connection_of(vendors, "ella")
    deliver(paying, linked(first))
    until(lambda: states(rows) == ["paid"])
    for changes in (
        {},
        {"connection_id": ulid()},
        {"connection_id": ulid(), "customer_id": "somebody-else"},
        {"connection_id": ulid(), "email": "ELLA@example.com", "customer_id": "yet-another"},
        {"connection_id": ulid(), "email": "penny@example.com"},
        {"connection_id": ulid(), "retailer_id": "Walmart"},
    ):
        deliver(paying, linked(first | changes))
    deliver(paying, linked(first | {"retailer_id": "target", "connection_id": ulid()}))
    until(lambda: settled(rows) and len(awards_of(vendors, "ella")) == 2)
    assert awards_of(vendors, "penny") == []


def test_a_purchase_is_paid_once_whatever_comes_again(paying: Service, vendors: Vendors, rows: Rows) -> None:
    event = bought(connection_of(vendors, "ella"), "20.00")
    again = event | {"id": ulid()}
    dearer = json.loads(json.dumps(event)) | {"id": ulid()}
    dearer["payload"]["purchase"]["total"] = "2000.00"
    for each in (event, event, again, dearer):
        deliver(paying, each)
    until(lambda: settled(rows))
    assert awards_of(vendors, "ella") == [{"rule": BUYING, "value": 20, "points": 40}]


@pytest.mark.parametrize(
    ("changes", "is_paid"),
    [
        ({"date": "2025-12-31T23:59:59-08:00"}, False),
        ({"date": "2026-01-01T00:00:00-08:00"}, True),
        ({"date": "2026-01-01"}, True),
        ({"date": "2025-12-31"}, False),
        ({"total": "0.00"}, False),
    ],
)
def test_only_what_was_bought_since_the_start_date_is_paid(
    paying: Service, vendors: Vendors, rows: Rows, changes: dict[str, Any], is_paid: bool
) -> None:
    deliver(paying, bought(connection_of(vendors, "ella"), **{"total": "5.00"} | changes))
    until(lambda: events(rows) == ["done"] and settled(rows))
    assert states(rows) == ["paid"] * is_paid
    assert len(awards_of(vendors, "ella")) == is_paid


def test_an_action_may_be_for_some_retailers(start: Start, work: Work, vendors: Vendors, rows: Rows) -> None:
    vendors.control("clock", rate=RATE)
    service = start(SUBTOTAL_ACTIONS=WALMART_ONLY, **FAST)
    work(SUBTOTAL_ACTIONS=WALMART_ONLY, **FAST)
    for retailer, total in (("target", "11.00"), ("walmart", "12.00"), ("amazon", "13.00")):
        deliver(service, bought(connection_of(vendors, "ella", retailer), total))
    until(lambda: events(rows) == ["done"] * 3 and settled(rows))
    assert [award["value"] for award in awards_of(vendors, "ella")] == [12]


def test_who_has_not_joined_earns_too_and_who_is_blocked_does_not(
    paying: Service, vendors: Vendors, rows: Rows
) -> None:
    for persona in ("penny", "blake"):
        deliver(paying, bought(connection_of(vendors, persona), "8.00"))
    until(lambda: sorted(states(rows)) == ["needs_review", "paid"])
    assert [len(awards_of(vendors, persona)) for persona in ("penny", "blake")] == [1, 0]


def test_other_events_are_kept_and_earn_nothing(paying: Service, vendors: Vendors, rows: Rows) -> None:
    connection = connection_of(vendors, "ella")
    for kind in ("connection.unauthenticated", "connection.disconnected", "connection.initialized", "account.linked"):
        deliver(paying, linked(connection) | {"type": kind})
    until(lambda: events(rows) == ["ignored"] * 4)
    assert (states(rows), awards_of(vendors, "ella")) == ([], [])


@pytest.mark.parametrize("place", ["top", "payload", "connection", "purchase"])
def test_simulated_events_earn_nothing_unless_settings_allow(
    start: Start, work: Work, vendors: Vendors, rows: Rows, place: str
) -> None:
    service = start(SUBTOTAL_ACTIONS=ACTIONS, SUBTOTAL_SIMULATED_EVENTS="off", **FAST)
    work(SUBTOTAL_ACTIONS=ACTIONS, SUBTOTAL_SIMULATED_EVENTS="off", **FAST)
    event = bought(connection_of(vendors, "ella"), "8.00")
    marked = {"top": event, "payload": event["payload"]} | event["payload"]
    marked[place]["is_simulated"] = True
    deliver(service, event)
    until(lambda: events(rows) == ["ignored"])
    assert awards_of(vendors, "ella") == []


# What an event leaves out -------------------------------------------------------------------------------------------


def real_purchase(vendors: Vendors, persona: str = "ella", total: str = "31.40") -> dict[str, Any]:
    """A purchase that Subtotal's API knows as well, as the event tells it."""
    purchase: dict[str, Any] = vendors.control("subtotal/purchase", persona=persona, retailer="sephora", total=total)
    return purchase


def connection_in(vendors: Vendors) -> dict[str, Any]:
    [found] = vendors.state()["subtotal"]["connections"]
    return dict(found)


def test_what_an_event_leaves_out_is_asked_for(paying: Service, vendors: Vendors, rows: Rows) -> None:
    purchase = real_purchase(vendors)
    connection = {"connection_id": connection_in(vendors)["connection_id"]}
    payload = {"connection": connection, "purchase_id": purchase["purchase_id"]}
    deliver(paying, {"type": "purchase.created", "id": ulid(), "payload": payload})
    until(lambda: states(rows) == ["paid"])
    assert awards_of(vendors, "ella") == [{"rule": BUYING, "value": 31.4, "points": 62}]


def test_an_event_without_an_email_is_paid_to_the_connections(paying: Service, vendors: Vendors, rows: Rows) -> None:
    """The vendor's own example has `"email": null`."""
    real_purchase(vendors)
    deliver(paying, linked(connection_in(vendors) | {"email": None, "mobile": None}))
    until(lambda: states(rows) == ["paid"])
    assert awards_of(vendors, "ella")[0]["rule"] == LINKING


def test_what_subtotal_cannot_tell_now_is_asked_again(paying: Service, vendors: Vendors, rows: Rows) -> None:
    purchase = real_purchase(vendors)
    vendors.fault("subtotal_purchases", "status:500", times=50)
    payload = {"connection": connection_in(vendors), "purchase_id": purchase["purchase_id"]}
    deliver(paying, {"type": "purchase.created", "id": ulid(), "payload": payload})
    until(lambda: len(vendors.calls("subtotal_purchases")) > 0)
    assert events(rows) == ["new"]
    without_faults(vendors)
    until(
        lambda: (
            bool(rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"))
            and states(rows) == ["paid"]
        )
    )


def test_what_nobody_can_make_sense_of_waits_for_a_person(paying: Service, vendors: Vendors, rows: Rows) -> None:
    connection = connection_of(vendors, "ella")
    deliver(paying, linked(connection) | {"payload": {}})
    deliver(paying, bought(connection, "5.00") | {"payload": {"connection": connection}})
    deliver(paying, bought(connection, None))
    deliver(paying, bought(connection, "-5.00"))
    deliver(paying, bought(connection, "NaN"))
    deliver(paying, linked(connection | {"connection_id": "../x"}))
    until(lambda: events(rows) == ["needs_review"] * 6)
    reasons = [reason for (reason,) in rows.execute("SELECT reason FROM webhook_events ORDER BY id").fetchall()]
    assert reasons[:2] == ["names no connection", "names no purchase"]
    assert (states(rows), awards_of(vendors, "ella")) == ([], [])


def test_what_nobody_can_be_asked_for_waits_for_a_person(
    start: Start, work: Work, vendors: Vendors, rows: Rows
) -> None:
    """Without a key for Subtotal's API an event has to say everything."""
    alone = {**FAST, "SUBTOTAL_ACTIONS": ACTIONS, "SUBTOTAL_API_KEY": ""}
    service = start(**alone)
    work(**alone)
    deliver(service, bought(connection_of(vendors, "ella"), None))
    until(lambda: events(rows) == ["needs_review"])
    assert rows.execute("SELECT reason FROM webhook_events").fetchall() == [("names no total, or no date",)]


# All at once --------------------------------------------------------------------------------------------------------


@pytest.mark.broad
def test_a_long_history_of_purchases_is_paid_once_each_within_the_pace(
    paying: Service, vendors: Vendors, rows: Rows
) -> None:
    """In no order, some of it twice; Okendo never has to say that it is too much."""
    draw = random.Random(5)  # noqa: S311  # It is to be repeated.
    connection = connection_of(vendors, "ella")
    totals = [Decimal(draw.randrange(1, 50_000)) / 100 for _ in range(HISTORY_PURCHASES)]
    purchases = [bought(connection, str(total)) for total in totals]
    arriving = [linked(connection), *purchases, *draw.sample(purchases, HISTORY_PURCHASES // 5)]
    draw.shuffle(arriving)
    for event in arriving:
        assert deliver(paying, event).status_code == 204
    until(lambda: states(rows) == ["paid"] * (HISTORY_PURCHASES + 1), 120)
    given = [award for award in awards_of(vendors, "ella") if award["rule"] == BUYING]
    assert sorted(Decimal(str(award["value"])) for award in given) == sorted(totals)
    assert len(awards_of(vendors, "ella")) == HISTORY_PURCHASES + 1
    calls = vendors.calls("earning_transactions") + vendors.calls("merchant_customer")
    assert {call["status"] for call in calls} == {200}


def test_the_pace_is_kept_by_two_workers_together(start: Start, work: Work, vendors: Vendors, rows: Rows) -> None:
    """At Okendo's own pace, on a clock that does not run faster."""
    service = start(SUBTOTAL_ACTIONS=ACTIONS)
    for persona in ("ella", "penny", "zoe", "tara"):
        for total in ("1.00", "2.00"):
            deliver(service, bought(connection_of(vendors, persona), total))
    for _ in range(2):
        work(SUBTOTAL_ACTIONS=ACTIONS)
    until(lambda: states(rows) == ["paid"] * 8, 30)
    assert {call["status"] for call in vendors.calls("earning_transactions")} == {200}
    assert len(vendors.calls("earning_transactions")) == 8
    # One look at the balance serves a member's next award too.
    assert len(vendors.calls("merchant_customer")) < 8
    assert has_awards(vendors, "ella", 2)()


def test_a_burst_of_twenty_purchases_of_one_member_is_paid_at_okendos_pace(
    start: Start, work: Work, vendors: Vendors, rows: Rows
) -> None:
    """In real time, and by the sandbox's own bucket of two a second: nobody is told to slow down, each is paid once."""
    more = {"SUBTOTAL_ACTIONS": ACTIONS, "OKENDO_MERCHANT_PER_SECOND": "2"}
    service, connection = start(**more), connection_of(vendors, "ella")
    for number in range(20):
        assert deliver(service, bought(connection, f"{number + 1}.00")).status_code == 204
    work(**more)
    until(lambda: states(rows) == ["paid"] * 20, 60)
    assert sorted(award["points"] for award in awards_of(vendors, "ella")) == [2 * (n + 1) for n in range(20)]
    calls = [*vendors.calls("earning_transactions"), *vendors.calls("merchant_customer")]
    assert {call["status"] for call in calls} == {200}
