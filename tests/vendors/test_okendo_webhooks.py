"""Okendo's own webhooks: a signed hint that a member has changed, and the sessions of that member ask anew."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

import httpx2
import psycopg
import pytest
import redis
from support.concurrency import state_of, until
from support.enrolment_clients import Rows
from support.services import Service, Start, Vendors, Work
from support.store_outages import is_ready, says_come_again, stopped

from bff.devstack.servers import Server

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes of a test secret").decode()


def customer_event(vendors: Vendors, persona: str, sequence: int = 1, **changes: Any) -> dict[str, Any]:
    """Told as docs.okendo.io/webhooks/topics tells it."""
    member = vendors.member(persona)
    resource = {
        "loyaltyCustomerId": member["loyaltyCustomerId"],
        "customer": {"customerId": secrets.token_hex(8), "email": member["email"]},
        "birthday": {"day": 1, "month": 4},
        "status": "enrolled",
    }
    return {
        "resource": resource, "resourceType": "loyalty_customer", "sequenceNumber": str(sequence), "topic": "update",
        "version": "2025-02-01",
    } | changes  # fmt: skip


def deliver(service: Service, event: Any, secret: str = SECRET, **headers: str) -> httpx2.Response:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    name = headers.pop("svix_id", "msg_" + secrets.token_hex(8))
    stamp = headers.pop("svix_timestamp", str(int(time.time())))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.digest(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)).decode()
    given = {"svix-id": name, "svix-timestamp": stamp, "svix-signature": f"v1,{mac}"}
    given |= {header.replace("_", "-"): value for header, value in headers.items()}
    with httpx2.Client(trust_env=False, timeout=20) as http:
        return http.post(f"{service.url}/webhooks/okendo", content=body, headers={k: v for k, v in given.items() if v})


@pytest.fixture
def service(start: Start) -> Service:
    return start(OKENDO_WEBHOOK_SECRET=SECRET)


def stored(rows: Rows) -> list[Any]:
    return rows.execute("SELECT type, state FROM webhook_events ORDER BY id").fetchall()


def logins(vendors: Vendors) -> int:
    return len(vendors.calls("login"))


def test_a_member_who_was_blocked_is_blocked_at_once(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    ella, tara = service.signed_in("ella"), service.signed_in("tara")
    vendors.control("member", persona="ella", state="blocked")
    assert state_of(ella) == "enrolled"
    work()
    assert deliver(service, customer_event(vendors, "ella")).status_code == 204
    until(lambda: stored(rows) == [("loyalty_customer.update", "done")])
    assert state_of(ella) == "blocked"
    before = logins(vendors)
    assert state_of(ella) == "blocked"
    assert state_of(tara) == "enrolled"
    assert logins(vendors) == before


def test_a_member_who_is_blocked_no_more_comes_back(service: Service, work: Work, vendors: Vendors, rows: Rows) -> None:
    blake = service.signed_in("blake")
    assert state_of(blake) == "blocked"
    vendors.control("member", persona="blake", state="enrolled")
    work()
    deliver(service, customer_event(vendors, "blake"))
    until(lambda: stored(rows) == [("loyalty_customer.update", "done")])
    assert blake.get("/").status == 200
    assert state_of(blake) == "enrolled"


def test_what_an_event_claims_is_not_believed(service: Service, work: Work, vendors: Vendors, rows: Rows) -> None:
    ella = service.signed_in("ella")
    work()
    event = customer_event(vendors, "ella")
    event["resource"] |= {"status": "blocked", "points": {"balance": 10**6}}
    deliver(service, event)
    until(lambda: stored(rows) == [("loyalty_customer.update", "done")])
    assert state_of(ella) == "enrolled"
    assert ella.api("GET", "/me").json()["points"]["balance"] == 1240
    assert rows.execute("SELECT count(*) FROM awards").fetchone() == (0,)


def test_while_okendo_is_down_the_session_stays_as_it_is_and_asks_later(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    ella = service.signed_in("ella")
    vendors.control("member", persona="ella", state="blocked")
    work()
    deliver(service, customer_event(vendors, "ella"))
    until(lambda: stored(rows) == [("loyalty_customer.update", "done")])
    vendors.fault("login", "status:500", times=2)
    assert [state_of(ella) for _ in range(3)] == ["enrolled", "enrolled", "blocked"]


def stale(settings: dict[str, str]) -> int:
    with redis.Redis.from_url(settings["VALKEY_URL"]) as store:
        return sum(bool(store.hexists(key, "stale")) for key in store.keys("session:*"))


def test_only_the_latest_event_counts_and_each_once(
    service: Service, work: Work, vendors: Vendors, rows: Rows, settings: dict[str, str]
) -> None:
    ella = service.signed_in("ella")
    for sequence in (12, 9, 10):
        deliver(service, customer_event(vendors, "ella", sequence), svix_id=f"msg_{sequence}")
    for _ in range(3):
        deliver(service, customer_event(vendors, "ella", 12), svix_id="msg_12")
    assert len(stored(rows)) == 3
    rows.execute("DELETE FROM procrastinate_jobs WHERE id = (SELECT min(id) FROM procrastinate_jobs)")
    work()
    until(lambda: [state for _, state in stored(rows)] == ["new", "done", "done"])
    assert stale(settings) == 0
    deliver(service, customer_event(vendors, "ella", 13))
    until(lambda: stale(settings) == 1)
    assert state_of(ella) == "enrolled"
    assert stale(settings) == 0


@pytest.mark.parametrize("kind", ["loyalty_earning_transaction", "loyalty_redemption_transaction", "something_new"])
def test_events_of_other_types_are_a_hint_too(
    service: Service, work: Work, vendors: Vendors, rows: Rows, settings: dict[str, str], kind: str
) -> None:
    service.signed_in("ella")
    work()
    deliver(service, customer_event(vendors, "ella", resourceType=kind, topic="create"))
    until(lambda: stored(rows) == [(f"{kind}.create", "done")])
    assert stale(settings) == 1


def test_an_event_about_nobody_changes_nothing(
    service: Service, work: Work, vendors: Vendors, rows: Rows, settings: dict[str, str]
) -> None:
    service.signed_in("ella")
    work()
    for resource in ({}, {"customer": None}, {"customer": {"email": 7}}, {"customer": {"email": "x@example.com"}}):
        assert deliver(service, {"resource": resource}).status_code == 204
    until(lambda: [state for _, state in stored(rows)] == ["done"] * 4)
    assert stale(settings) == 0


OLD, COMING = str(int(time.time()) - 400), str(int(time.time()) + 4000)
FORGED: dict[str, dict[str, str]] = {
    "no signature": {"svix_signature": ""},
    "another signature": {"svix_signature": "v1," + base64.b64encode(bytes(32)).decode()},
    "no version": {"svix_signature": base64.b64encode(bytes(32)).decode()},
    "no base64": {"svix_signature": "v1,***"},
    "another secret": {"secret": "whsec_" + base64.b64encode(b"x" * 32).decode()},
    "too old": {"svix_timestamp": OLD},
    "of the future": {"svix_timestamp": COMING},
    "no time": {"svix_timestamp": "now"},
    "an endless time": {"svix_timestamp": "1e400"},
    "no id": {"svix_id": ""},
}


@pytest.mark.parametrize("flaw", FORGED)
def test_what_okendo_has_not_signed_just_now_is_refused(
    service: Service, vendors: Vendors, rows: Rows, flaw: str
) -> None:
    reply = deliver(service, customer_event(vendors, "ella"), **FORGED[flaw])
    assert (reply.status_code, reply.json()["code"]) == (403, "invalid_request")
    assert stored(rows) == []


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"resource": 1}', b"\xff", b"[" * 100_000])
def test_H2_what_is_no_event_is_refused_though_it_is_signed(service: Service, rows: Rows, body: bytes) -> None:
    assert deliver(service, body).status_code in {400, 403}
    assert stored(rows) == []


def test_the_header_names_of_standard_webhooks_will_do_too(service: Service, vendors: Vendors) -> None:
    body, name, stamp = json.dumps(customer_event(vendors, "ella")).encode(), "msg_1", str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.digest(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256)).decode()
    headers = {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,AAAA v1,{mac}"}
    with httpx2.Client(trust_env=False, timeout=20) as http:
        assert http.post(f"{service.url}/webhooks/okendo", content=body, headers=headers).status_code == 204


def test_without_the_database_okendo_is_asked_to_come_again(
    service: Service, vendors: Vendors, database: Server, settings: dict[str, str]
) -> None:
    event = customer_event(vendors, "ella")
    with stopped(database):
        assert says_come_again(deliver(service, event, svix_id="msg_1"))
    until(lambda: is_ready(service))
    assert deliver(service, event, svix_id="msg_1").status_code == 204
    with psycopg.connect(settings["DATABASE_URL"]) as rows:
        assert rows.execute("SELECT count(*) FROM webhook_events").fetchone() == (1,)


def test_without_valkey_the_event_waits_for_it(
    service: Service, work: Work, vendors: Vendors, store: Server, rows: Rows, settings: dict[str, str]
) -> None:
    service.signed_in("ella")
    with stopped(store):
        work(VALKEY_TIMEOUT_SECONDS="0.25")
        assert deliver(service, customer_event(vendors, "ella")).status_code == 204
        until(lambda: rows.execute("SELECT attempts FROM procrastinate_jobs").fetchone() == (1,))
        assert stored(rows) == [("loyalty_customer.update", "new")]
    rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
    until(lambda: stored(rows) == [("loyalty_customer.update", "done")])


def test_without_a_secret_there_is_no_such_address(start: Start, vendors: Vendors) -> None:
    service = start(OKENDO_WEBHOOK_SECRET="")
    assert deliver(service, customer_event(vendors, "ella")).status_code == 404
