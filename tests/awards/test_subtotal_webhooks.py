"""Subtotal's webhooks at the door: only what Subtotal signed just now comes in, and every event once."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.services import Service, Start, Vendors
from support.store_outages import is_ready, says_come_again, stopped
from support.subtotal_events import ACTIONS, SECRET, bought, connection_of, deliver, linked, signature, ulid

from bff.devstack.servers import Server


def kept(rows: Rows) -> list[tuple[object, ...]]:
    return rows.execute("SELECT event_id, type, state FROM webhook_events ORDER BY id").fetchall()


def jobs(rows: Rows) -> list[tuple[object, ...]]:
    return rows.execute("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id").fetchall()


@pytest.fixture
def event(vendors: Vendors) -> dict[str, Any]:
    return linked(connection_of(vendors, "ella"))


def test_an_event_is_kept_with_its_job_and_answered(service: Service, rows: Rows, event: dict[str, Any]) -> None:
    reply = deliver(service, event)
    assert (reply.status_code, reply.content) == (204, b"")
    assert kept(rows) == [(event["id"], "connection.activated", "new")]
    assert jobs(rows) == [("take_event",)]


def test_an_event_that_comes_again_is_kept_once_and_answered_alike(
    service: Service, rows: Rows, event: dict[str, Any]
) -> None:
    for _ in range(3):
        assert deliver(service, event).status_code == 204
    assert len(kept(rows)) == len(jobs(rows)) == 1


def test_another_body_under_the_same_id_changes_nothing(
    service: Service, rows: Rows, vendors: Vendors, event: dict[str, Any], log: Any
) -> None:
    deliver(service, event)
    before = rows.execute("SELECT body FROM webhook_events").fetchone()
    assert deliver(service, bought(connection_of(vendors, "ella"), "9.34", id=event["id"])).status_code == 204
    assert rows.execute("SELECT body FROM webhook_events").fetchone() == before
    assert "webhook_differs" in log.getvalue()


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


STAMPS: dict[str, Callable[[float], str]] = {
    "seconds": lambda now: str(int(now)),
    "fractions": lambda now: f"{now:.3f}",
    "milliseconds": lambda now: str(int(now * 1000)),
    "ISO 8601": iso,
    "ISO 8601 with Z": lambda now: iso(now).replace("+00:00", "Z"),
}
ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "hex": lambda mac: mac.hex(),
    "upper-case hex": lambda mac: mac.hex().upper(),
    "prefixed hex": lambda mac: "sha256=" + mac.hex(),
    "base64": lambda mac: base64.b64encode(mac).decode(),
    "base64url": lambda mac: base64.urlsafe_b64encode(mac).rstrip(b"=").decode(),
}


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_likely_form_of_a_signature_is_understood(
    service: Service, event: dict[str, Any], stamp: str, encoding: str
) -> None:
    body, at = json.dumps(event).encode(), STAMPS[stamp](time.time())
    given = ENCODINGS[encoding](signature(body, at))
    reply = deliver(service, body, x_subtotal_timestamp=at, x_subtotal_signature=given)
    assert reply.status_code == 204


def forged(body: bytes) -> dict[str, dict[str, str]]:
    now = str(int(time.time()))
    right = signature(body, now).hex()
    old, coming = str(int(time.time()) - 301), str(int(time.time()) + 600)
    return {
        "no signature": {"x_subtotal_signature": ""},
        "no timestamp": {"x_subtotal_timestamp": "", "x_subtotal_signature": right},
        "another secret": {"x_subtotal_signature": signature(body, now, SECRET + "x").hex()},
        "another body": {"x_subtotal_signature": signature(body + b" ", now).hex()},
        "another timestamp": {"x_subtotal_timestamp": str(int(now) - 1), "x_subtotal_signature": right},
        "too old": {"x_subtotal_timestamp": old, "x_subtotal_signature": signature(body, old).hex()},
        "of the future": {"x_subtotal_timestamp": coming, "x_subtotal_signature": signature(body, coming).hex()},
        "no moment": {"x_subtotal_timestamp": "soon", "x_subtotal_signature": signature(body, "soon").hex()},
        "cut off": {"x_subtotal_signature": right[:32]},
        "nonsense": {"x_subtotal_signature": "sha256=nonsense!"},
        "nothing signed": {"x_subtotal_signature": "AA=="},
    }


@pytest.mark.parametrize("flaw", forged(b""))
def test_what_subtotal_has_not_signed_just_now_is_refused(
    service: Service, rows: Rows, event: dict[str, Any], flaw: str
) -> None:
    body = json.dumps(event).encode()
    reply = deliver(service, body, **forged(body)[flaw])
    assert (reply.status_code, reply.json()["code"]) == (403, "invalid_request")
    assert kept(rows) == []


def test_a_truncated_event_is_refused(service: Service, rows: Rows, event: dict[str, Any]) -> None:
    body, now = json.dumps(event).encode(), str(int(time.time()))
    reply = deliver(service, body[:-20], x_subtotal_signature=signature(body, now).hex(), x_subtotal_timestamp=now)
    assert reply.status_code == 403
    assert kept(rows) == []


def test_how_old_a_signature_may_be_is_a_setting(start: Start, event: dict[str, Any]) -> None:
    service = start(SUBTOTAL_TOLERANCE_SECONDS="7200")
    assert deliver(service, event, x_subtotal_timestamp=str(int(time.time()) - 3600)).status_code == 204


NO_EVENTS = [
    b"", b"null", b"[]", b"{}", b'"purchase.created"', b"{", b"\xff\xfe", b'{"type": 5, "payload": {}}',
    b'{"type": "", "payload": {}}', b'{"type": "connection.activated", "payload": 7}',
    b'{"type": "connection.activated", "payload": "not JSON"}', b'{"type": "x\\u0000y", "payload": {}}',
    b"[" * 100_000, b'{"type": "' + b"a" * 65 + b'", "payload": {}}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_EVENTS)
def test_H2_what_is_no_event_is_refused_though_it_is_signed(service: Service, rows: Rows, body: bytes) -> None:
    reply = deliver(service, body)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
    assert kept(rows) == []


def test_events_of_all_types_are_kept_and_acknowledged(service: Service, rows: Rows) -> None:
    payloads: dict[str, Any] = {
        "connection.profile.created": {"connection_id": ulid(), "name": "Ella\u0000"},
        "something.new": {},
        "connection.disconnected": json.dumps({"connection": {"connection_id": ulid()}}),
    }
    for kind, payload in payloads.items():
        assert deliver(service, {"type": kind, "id": ulid(), "payload": payload}).status_code == 204
    assert [kind for _, kind, _ in kept(rows)] == list(payloads)


def test_an_event_without_an_id_is_still_kept_once(service: Service, rows: Rows, event: dict[str, Any]) -> None:
    for identity in (None, 7, "", "x" * 65, "\u202e"):
        for _ in range(2):
            assert deliver(service, event | {"id": identity}).status_code == 204
    assert len(kept(rows)) == 5


def test_H1_a_body_has_a_limit(service: Service, rows: Rows, event: dict[str, Any]) -> None:
    fits = event | {"items": "x" * 200_000}
    assert deliver(service, fits).status_code == 204
    reply = deliver(service, event | {"id": ulid(), "items": "x" * 262_144})
    assert (reply.status_code, reply.json()["code"]) == (413, "invalid_request")
    assert len(kept(rows)) == 1


def test_M1_M4_nothing_of_an_event_is_logged_or_answered(
    service: Service, vendors: Vendors, log: Any, event: dict[str, Any]
) -> None:
    before = len(log.getvalue())
    replies = [deliver(service, event), deliver(service, event, x_subtotal_signature="00")]
    said = log.getvalue()[before:] + "".join(reply.text for reply in replies)
    for secret in ("ella@example.com", vendors.member("ella")["customerId"], event["id"], SECRET):
        assert secret not in said


def test_without_the_database_subtotal_is_asked_to_come_again(
    service: Service, database: Server, rows: Rows, event: dict[str, Any]
) -> None:
    rows.close()
    with stopped(database):
        assert says_come_again(deliver(service, event))
    until(lambda: is_ready(service))
    assert deliver(service, event).status_code == 204


def test_without_a_secret_there_is_no_such_address(start: Start, event: dict[str, Any]) -> None:
    service = start(SUBTOTAL_SIGNING_SECRET="", SUBTOTAL_ACTIONS="")
    reply = deliver(service, event)
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def test_the_address_moves_with_the_base_path(start: Start, event: dict[str, Any]) -> None:
    assert deliver(start(BASE_PATH="/loyalty", SUBTOTAL_ACTIONS=ACTIONS), event).status_code == 204


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_G2_only_a_post_is_taken(service: Service, method: str) -> None:
    for vendor in ("subtotal", "okendo", "shopify"):
        reply = service.shopper().request(method, f"/webhooks/{vendor}")
        assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
