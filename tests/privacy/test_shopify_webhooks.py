"""What customers ask Shopify for: what Shopify signed is taken, once; the worker forgets, a person exports."""

import base64
import hashlib
import hmac
import json
import uuid
from typing import Any

import httpx2
import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, redeem
from support.services import Log, Service, Start, Vendors, Work
from support.store_outages import is_ready, says_come_again, stopped

from bff.devstack.servers import Server
from bff.sandbox.config import SHOPIFY_WEBHOOK_SECRET as SECRET

KEY = "an-intent-of-somebody-to-forget"


def payload(vendors: Vendors, topic: str, persona: str = "ella") -> dict[str, Any]:
    """As shopify.dev/docs/apps/build/compliance/privacy-law-compliance tells it."""
    member = vendors.member(persona)
    number = int(member["customerId"].rpartition("/")[2])
    shop = {"shop_id": 954889, "shop_domain": "sandbox.myshopify.com"}
    customer = {"id": number, "email": member["email"], "phone": "555-625-1199"}
    parts = {
        "customers/data_request": {"orders_requested": [1], "customer": customer, "data_request": {"id": 9999}},
        "customers/redact": {"customer": customer, "orders_to_redact": [299938]},
        "shop/redact": {},
    }
    return shop | parts[topic]


def deliver(service: Service, topic: str, body: Any, secret: str = SECRET, **headers: str) -> httpx2.Response:
    """Sent and signed as Shopify does; a header may be changed, or left out with ""."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    mac = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
    given = {"x-shopify-topic": topic, "x-shopify-hmac-sha256": mac, "x-shopify-webhook-id": str(uuid.uuid4())}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {name.encode(): value.encode("latin-1") for name, value in given.items() if value}
    with httpx2.Client(trust_env=False, timeout=20) as http:
        return http.post(f"{service.url}/webhooks/shopify", content=raw, headers=sent)


@pytest.fixture
def service(start: Start) -> Service:
    return start(SHOPIFY_WEBHOOK_SECRET=SECRET)


def stored(rows: Rows) -> list[Any]:
    return rows.execute("SELECT type, state FROM webhook_events ORDER BY id").fetchall()


def told(service: Service, *command: str) -> list[Any]:
    done = bff(service.settings, *command, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_who_is_to_be_forgotten_is(service: Service, work: Work, vendors: Vendors, rows: Rows) -> None:
    ella, tara = service.signed_in("ella"), service.signed_in("tara")
    assert redeem(ella, FIVE_OFF, KEY).status_code == 201
    assert redeem(tara, FIVE_OFF, KEY).status_code == 201
    work()
    assert deliver(service, "customers/redact", payload(vendors, "customers/redact")).status_code == 204
    until(lambda: stored(rows) == [("customers/redact", "done")])
    assert ella.api("GET", "/session").json() == {"state": "anonymous"}
    assert tara.api("GET", "/session").json()["state"] == "enrolled"
    found = rows.execute("SELECT customer_id, coupon_code FROM redemptions").fetchall()
    [without] = [customer for customer, code in found if code is None]
    assert (without, len(found)) == (vendors.member("ella")["customerId"], 2)
    assert rows.execute("SELECT body FROM webhook_events").fetchall() == [(None,)]
    [line] = told(service, "audit", "list")
    assert (line["who"], line["action"], line["why"]) == ("shopify", "members forget", "customers/redact")
    assert line["after"]["redemptions_kept"] == 1


def test_whoever_linked_a_shop_by_email_alone_is_forgotten_too(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    email = vendors.member("ella")["email"]
    for number, (customer, whose) in enumerate(((email, None), ("c-1", email.upper()), ("c-2", "tara@example.com"))):
        rows.execute(
            "INSERT INTO awards (reference, event, action, earning_rule_id, customer_id, payee, email, retailer_id,"
            " connection_id, state, try_until) VALUES (%(r)s, 'account.linked', %(r)s, 'rule', %(c)s, %(r)s, %(e)s,"
            " 'w', %(r)s, 'needs_review', now())",
            {"r": f"A-{number}", "c": customer, "e": whose},
        )
    work()
    deliver(service, "customers/redact", payload(vendors, "customers/redact"))
    until(lambda: stored(rows) == [("customers/redact", "done")])
    assert rows.execute("SELECT customer_id FROM awards").fetchall() == [("c-2",)]


def test_a_redemption_under_way_is_waited_for(service: Service, work: Work, vendors: Vendors, rows: Rows) -> None:
    ella = service.signed_in("ella")
    assert redeem(ella, FIVE_OFF, KEY).status_code == 201
    rows.execute("UPDATE redemptions SET state = 'sent', changed_at = now()")
    work()
    deliver(service, "customers/redact", payload(vendors, "customers/redact"))
    until(lambda: rows.execute("SELECT max(attempts) FROM procrastinate_jobs WHERE task_name = 'take_request'"
                               " AND status = 'todo'").fetchone() == (1,))  # fmt: skip
    assert stored(rows) == [("customers/redact", "new")]
    rows.execute("UPDATE redemptions SET state = 'succeeded'")
    rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
    until(lambda: stored(rows) == [("customers/redact", "done")])


def test_a_request_to_see_waits_for_a_person(
    service: Service, work: Work, vendors: Vendors, rows: Rows, log: Log
) -> None:
    log.clear()
    work()
    for topic in ("customers/data_request", "shop/redact"):
        assert deliver(service, topic, payload(vendors, topic)).status_code == 204
        until(lambda: {state for _, state in stored(rows)} == {"done"})
    shop, request = told(service, "members", "requests")
    assert (request["kind"], request["vendor_request"], request["state"]) == ("data_request", "9999", "waiting")
    assert request["customer_id"] == vendors.member("ella")["customerId"]
    assert (shop["kind"], shop["customer_id"]) == ("shop_redact", None)
    assert request["due_at"] > request["received_at"]
    until(lambda: len(log.events("member_request_waiting")) == 2)
    assert log.events("member_request_waiting")[0]["reference"] == request["reference"]
    done = bff(
        service.settings, "members", "close", request["reference"], "--why", "sent to the merchant", "--by", "Kim"
    )
    assert done.returncode == 0
    assert told(service, "members", "requests") == [shop]
    closed = told(service, "members", "requests", "--state", "closed")
    assert [(one["reference"], one["customer_id"]) for one in closed] == [(request["reference"], None)]
    assert [line["action"] for line in told(service, "audit", "list")] == ["members close", *["members request"] * 2]
    again = bff(service.settings, "members", "close", request["reference"], "--why", "twice")
    assert (again.returncode, again.stderr) == (
        1,
        f"bff: No request that waits has the reference {request['reference']}.\n",
    )


def test_a_webhook_that_comes_again_is_taken_once(service: Service, vendors: Vendors, rows: Rows) -> None:
    for _ in range(3):
        reply = deliver(service, "customers/redact", payload(vendors, "customers/redact"), x_shopify_webhook_id="w-1")
        assert reply.status_code == 204
    assert len(stored(rows)) == 1
    assert rows.execute("SELECT task_name, queue_name FROM procrastinate_jobs").fetchall() == [
        ("take_request", "requests")
    ]


@pytest.mark.parametrize("name", ["", "x" * 65, "ä", "a b"])
def test_a_webhook_without_a_usable_id_is_still_taken_once(
    service: Service, vendors: Vendors, rows: Rows, name: str
) -> None:
    for _ in range(2):
        body = payload(vendors, "customers/redact")
        assert deliver(service, "customers/redact", body, x_shopify_webhook_id=name).status_code == 204
    assert len(stored(rows)) == 1


def test_P1_only_what_shopify_signed_is_taken(service: Service, vendors: Vendors, rows: Rows) -> None:
    body = json.dumps(payload(vendors, "customers/redact")).encode()
    right = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    hexadecimal = hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()
    for wrong in ("", "AA==", right[:-4], right + "AAAA", hexadecimal, "ä", "!"):
        reply = deliver(service, "customers/redact", body, x_shopify_hmac_sha256=wrong)
        # shopify.dev asks for 401.
        assert (reply.status_code, reply.json()["code"]) == (401, "invalid_request"), wrong
    assert deliver(service, "customers/redact", body, SECRET + "x").status_code == 401
    assert deliver(service, "customers/redact", body + b" ", x_shopify_hmac_sha256=right).status_code == 401
    assert stored(rows) == []


def test_P1_another_topic_for_a_signed_body_asks_for_nothing(service: Service, vendors: Vendors, rows: Rows) -> None:
    """The signature covers the body alone, so the body has to say what is asked for."""
    order = {"id": 1, "customer": payload(vendors, "customers/redact")["customer"], "total_price": "10.00"}
    for topic, body in (
        ("customers/redact", order),
        ("customers/redact", payload(vendors, "customers/data_request")),
        ("customers/data_request", payload(vendors, "customers/redact")),
        ("customers/redact", payload(vendors, "shop/redact")),
        ("shop/redact", payload(vendors, "customers/redact")),
    ):
        reply = deliver(service, topic, body)
        assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request"), (topic, body)
    assert stored(rows) == []


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff", b"{}", b"[" * 100_000])
def test_H2_what_is_no_request_is_refused_though_it_is_signed(service: Service, rows: Rows, body: bytes) -> None:
    assert deliver(service, "customers/redact", body).status_code == 400
    assert stored(rows) == []


@pytest.mark.parametrize("number", [None, True, 1.5, -1, "", "gid://shopify/Customer/1", [1], "9" * 21])
def test_H2_a_customer_without_a_number_is_refused(
    service: Service, vendors: Vendors, rows: Rows, number: object
) -> None:
    body = payload(vendors, "customers/redact")
    body["customer"]["id"] = number
    assert deliver(service, "customers/redact", body).status_code == 400
    assert stored(rows) == []


@pytest.mark.parametrize("topic", ["customers/update", "orders/create", "", "app/uninstalled"])
def test_what_asks_for_nothing_is_answered_and_not_stored(
    service: Service, vendors: Vendors, rows: Rows, topic: str
) -> None:
    """Shopify gives up on an address that does not answer."""
    assert deliver(service, topic, payload(vendors, "customers/redact")).status_code == 204
    assert stored(rows) == []


def test_H1_a_body_has_a_limit(service: Service, vendors: Vendors, rows: Rows) -> None:
    body = payload(vendors, "customers/redact")
    assert deliver(service, "customers/redact", body | {"orders_to_redact": [10**9] * 20_000}).status_code == 204
    assert deliver(service, "customers/redact", body | {"orders_to_redact": [10**9] * 30_000}).status_code == 413
    assert len(stored(rows)) == 1


def test_M1_M4_nothing_of_it_is_logged(service: Service, work: Work, vendors: Vendors, rows: Rows, log: Log) -> None:
    log.clear()
    work()
    for topic in ("customers/redact", "customers/data_request"):
        deliver(service, topic, payload(vendors, topic))
    until(lambda: [state for _, state in stored(rows)] == ["done", "done"])
    for secret in ("ella@example.com", vendors.member("ella")["customerId"].rpartition("/")[2], "555-625", SECRET):
        assert secret not in log.getvalue()


def test_without_the_database_shopify_is_asked_to_come_again(
    service: Service, database: Server, vendors: Vendors, rows: Rows
) -> None:
    body = payload(vendors, "customers/redact")
    rows.close()
    with stopped(database):
        assert says_come_again(deliver(service, "customers/redact", body))
    until(lambda: is_ready(service))
    assert deliver(service, "customers/redact", body).status_code == 204


def test_without_the_secret_there_is_no_such_address(start: Start, vendors: Vendors) -> None:
    reply = deliver(start(SHOPIFY_WEBHOOK_SECRET=""), "customers/redact", payload(vendors, "customers/redact"))
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


def test_the_sandbox_sends_what_a_customer_asks_for(service: Service, work: Work, vendors: Vendors, rows: Rows) -> None:
    vendors.control("webhooks", shopify=f"{service.url}/webhooks/shopify")
    work()
    vendors.control("shopify/privacy", topic="customers/data_request", persona="ella")
    vendors.control("shopify/privacy", topic="shop/redact")
    for _ in range(2):
        vendors.control("shopify/privacy", topic="customers/redact", persona="tara", id="the-same")
    until(lambda: sorted(stored(rows)) == [
        ("customers/data_request", "done"), ("customers/redact", "done"), ("shop/redact", "done")
    ])  # fmt: skip
    until(lambda: {one["outcome"] for one in vendors.state()["shopify"]["deliveries"]} == {"delivered"})
    refused = vendors.http.post(f"{vendors.url}/_control/shopify/privacy", json={"topic": "shop/forget"})
    assert refused.status_code == 400


def test_the_doctor_says_what_waits_and_what_is_late(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    def line() -> tuple[str, str]:
        report = json.loads(bff(service.settings, "doctor", "--json").stdout)
        found = [one for one in report["checks"] if one["name"] == "customers' requests"]
        return (found[0]["verdict"], found[0]["detail"]) if found else ("", "")

    assert line() == ("", "")
    work()
    deliver(service, "customers/data_request", payload(vendors, "customers/data_request"))
    until(lambda: stored(rows) == [("customers/data_request", "done")])
    assert line()[0] == "warn"
    assert line()[1].startswith("1 wait for a person, the first until 20")
    rows.execute("UPDATE member_requests SET due_at = now() - interval '1 day'")
    assert line()[0] == "fail"
    assert line()[1].startswith("1 of 1 are past their time")
