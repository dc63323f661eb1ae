"""Webhooks of the sandbox as somebody else's server receives them: signed, in time, again and again, and no others."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from support import sandbox_client
from support.concurrency import until
from support.sandbox_client import CONFIG, Sandbox

from bff.sandbox.okendo import program
from bff.sandbox.serving import serve

served, sandbox = sandbox_client.served, sandbox_client.sandbox

KEY = {"x-api-key": CONFIG.subtotal_api_key}
MINUTE, HOUR = 60, 3600
SUBTOTAL_GAPS = [5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR]


@dataclass
class Received:
    """One POST, as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)


class Server(ThreadingHTTPServer):
    # More may knock at once than are let in.
    request_queue_size = 64


class Receiver:
    """A real web server that keeps what it gets and answers `status`, or what `answer` says of the event."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Callable[[Any], int] = lambda event: self.status
        self.more_headers: dict[str, str] = {}
        self.got: list[Received] = []
        self.paths: deque[str] = deque()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.paths.append(self.path)
                body = self.rfile.read(int(self.headers["content-length"]))
                one = Received({name.lower(): value for name, value in self.headers.items()}, body)
                receiver.got.append(one)
                self.send_response(receiver.answer(one.event))
                for name, value in receiver.more_headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # The name is the base class's.
                """Say nothing."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def events(self, *types: str) -> list[Any]:
        """The events of these types in the order they came."""
        return [one.event for one in list(self.got) if one.event.get("type") in types]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    thread = threading.Thread(target=one.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


@pytest.fixture
def subtotal(sandbox: Sandbox, receiver: Receiver) -> Receiver:
    """The receiver as Subtotal's destination."""
    sandbox.control("webhooks", subtotal=receiver.url)
    return receiver


@pytest.fixture
def okendo(sandbox: Sandbox, receiver: Receiver) -> Receiver:
    """The receiver as Okendo's destination."""
    sandbox.control("webhooks", okendo=receiver.url)
    return receiver


def link(sandbox: Sandbox, persona: str = "ella", retailer: str = "walmart", **more: Any) -> Any:
    return sandbox.control("subtotal/link", persona=persona, retailer=retailer, **more)


def deliveries(sandbox: Sandbox, vendor: str = "subtotal") -> list[Any]:
    found: list[Any] = sandbox.state()[vendor]["deliveries"]
    return found


def until_outcomes(sandbox: Sandbox, *outcomes: str, vendor: str = "subtotal") -> None:
    until(lambda: [one["outcome"] for one in deliveries(sandbox, vendor)] == list(outcomes))


def until_attempts(sandbox: Sandbox, count: int, vendor: str = "subtotal") -> Any:
    """The first delivery when so many of its attempts are over."""
    until(lambda: deliveries(sandbox, vendor)[0]["attempts"] >= count)
    return deliveries(sandbox, vendor)[0]


def sign_subtotal(secret: str, one: Received) -> str:
    """The documented formula: timestamp, a dot, the raw body."""
    message = one.headers["x-subtotal-timestamp"].encode() + b"." + one.body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def sign_okendo(one: Received) -> str:
    """Svix's formula: id, timestamp and raw body with dots between, under the key that the secret has in base64."""
    key = base64.b64decode(CONFIG.okendo_webhook_secret.removeprefix("whsec_"))
    message = f"{one.headers['svix-id']}.{one.headers['svix-timestamp']}.".encode() + one.body
    return "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


# Subtotal -----------------------------------------------------------------------------------------------------------


def test_a_link_is_told_with_a_signature_of_the_real_time(sandbox: Sandbox, subtotal: Receiver) -> None:
    sandbox.control("clock", advance=90 * 86_400)
    connection = link(sandbox)
    until_outcomes(sandbox, "delivered")
    [one] = subtotal.got
    assert one.headers["x-subtotal-signature"] == sign_subtotal(CONFIG.subtotal_signing_secret, one)
    assert abs(int(one.headers["x-subtotal-timestamp"]) - time.time()) < 30
    assert one.headers["content-type"] == "application/json"
    [event] = sandbox.state()["subtotal"]["events"]
    assert one.event == {"type": "connection.activated", "id": event["id"], "payload": {"connection": connection}}
    assert (connection["status"], len(event["id"]), event["resource"]) == ("active", 26, connection["connection_id"])


def test_a_history_is_told_after_the_link_each_purchase_with_its_date(sandbox: Sandbox, subtotal: Receiver) -> None:
    connection = link(sandbox, purchases=[{"total": "12.50", "date": "2025-01-31T08:00:00Z"}, {"total": 3}])
    until_outcomes(sandbox, "delivered", "delivered", "delivered")
    kept = sandbox.state()["subtotal"]
    told = ["connection.activated", "purchase.created", "purchase.created"]
    assert [one["type"] for one in kept["events"]] == told
    payloads = {one["payload"]["purchase"]["total"]: one["payload"] for one in subtotal.events("purchase.created")}
    assert payloads["12.50"]["purchase"]["date"] == "2025-01-31T08:00:00.000Z"
    assert payloads["3.00"]["purchase"]["date"][:10] == sandbox.state()["clock"]["now"][:10]
    assert list(payloads["12.50"]) == ["connection", "purchase"]
    assert all(one["connection"] == connection for one in payloads.values())
    fields = {"purchase_id", "date", "total", "tax", "subtotal", "item_count", "items"}
    assert all(set(one["purchase"]) == fields for one in payloads.values())


@pytest.mark.parametrize("status", ["unauthenticated", "disconnected", "active"])
def test_every_change_of_an_account_is_told_and_its_beginning_is_not(
    sandbox: Sandbox, subtotal: Receiver, status: str
) -> None:
    link(sandbox)
    sandbox.control("subtotal/status", persona="ella", retailer="walmart", status="initialized")
    sandbox.control("subtotal/status", persona="ella", retailer="walmart", status=status)
    until_outcomes(sandbox, "delivered", "delivered")
    word = {"active": "activated"}.get(status, status)
    told = {(one.event["type"], one.event["payload"]["connection"]["status"]) for one in subtotal.got}
    assert told == {("connection.activated", "active"), (f"connection.{word}", status)}


def test_a_refused_event_comes_again_when_the_clock_says_so_and_six_times_in_all(
    sandbox: Sandbox, subtotal: Receiver
) -> None:
    subtotal.answer = lambda event: 503 if event["type"] == "connection.activated" else 204
    # Whatever is asked for here must not be heeded.
    subtotal.more_headers = {"retry-after": "1"}
    link(sandbox)
    for attempts, gap in enumerate(SUBTOTAL_GAPS, 1):
        assert until_attempts(sandbox, attempts)["outcome"] == "waiting"
        sandbox.control("clock", advance=gap - 60)
        tell_something_else(sandbox, subtotal)
        assert len(subtotal.events("connection.activated")) == attempts
        sandbox.control("clock", advance=60)
    last = until_attempts(sandbox, 6)
    assert (last["attempts"], last["status"], last["outcome"]) == (6, 503, "failed")
    sandbox.control("clock", advance=30 * 86_400)
    tell_something_else(sandbox, subtotal)
    first = [one for one in subtotal.got if one.event["type"] == "connection.activated"]
    assert len(first) == 6
    assert len({one.body for one in first}) == 1
    assert all(
        one.headers["x-subtotal-signature"] == sign_subtotal(CONFIG.subtotal_signing_secret, one) for one in first
    )


def tell_something_else(sandbox: Sandbox, receiver: Receiver) -> None:
    """Once this has arrived, the sender has had a look at everything that is due."""
    purchase = sandbox.control("subtotal/purchase", persona="ella", retailer="walmart", total=1)["purchase_id"]
    until(
        lambda: purchase in [one["payload"]["purchase"]["purchase_id"] for one in receiver.events("purchase.created")]
    )


def test_an_accepted_event_does_not_come_again(sandbox: Sandbox, subtotal: Receiver) -> None:
    subtotal.status = 204
    link(sandbox)
    until_outcomes(sandbox, "delivered")
    sandbox.control("clock", advance=30 * 86_400)
    tell_something_else(sandbox, subtotal)
    assert len(subtotal.events("connection.activated")) == 1


def test_a_redirect_is_a_refusal(sandbox: Sandbox, subtotal: Receiver) -> None:
    subtotal.status, subtotal.more_headers = 307, {"location": "/elsewhere"}
    link(sandbox)
    last = until_attempts(sandbox, 1)
    assert (last["status"], last["outcome"]) == (307, "waiting")
    subtotal.status = 200
    sandbox.control("clock", advance=5 * MINUTE)
    until_outcomes(sandbox, "delivered")
    assert list(subtotal.paths) == ["/hook", "/hook"]


def test_nobody_at_home_is_tried_again(sandbox: Sandbox) -> None:
    with socket.socket() as taken:
        # Nobody listens there, and nobody else can.
        taken.bind(("127.0.0.1", 0))
        sandbox.control("webhooks", subtotal=f"http://127.0.0.1:{taken.getsockname()[1]}/")
        link(sandbox)
        first = until_attempts(sandbox, 1)
        assert (first["attempts"], first["status"], first["outcome"]) == (1, None, "waiting")
        sandbox.control("clock", advance=5 * MINUTE)
        assert until_attempts(sandbox, 2)["outcome"] == "waiting"


def test_a_faster_clock_brings_it_again_by_itself(sandbox: Sandbox, subtotal: Receiver) -> None:
    subtotal.status = 500
    sandbox.control("clock", rate=10_000)
    link(sandbox)
    # Nobody calls the sandbox meanwhile, which would wake the sender.
    until(lambda: len(subtotal.got) == 3)


def test_ten_are_under_way_at_once_and_no_more(sandbox: Sandbox, subtotal: Receiver) -> None:
    enough = threading.Event()
    subtotal.answer = lambda event: 200 if enough.wait(20) else 500
    link(sandbox, purchases=[{"total": number} for number in range(1, 20)])
    until(lambda: len(subtotal.got) >= 10)
    for _ in range(10):
        sandbox.control("clock", advance=1)
    assert len(subtotal.got) == 10
    enough.set()
    until_outcomes(sandbox, *["delivered"] * 20)
    assert len({one.event["id"] for one in subtotal.got}) == 20


def test_without_a_destination_what_happened_is_known_and_nobody_is_told(sandbox: Sandbox, receiver: Receiver) -> None:
    link(sandbox)
    sandbox.login("ella")
    sandbox.control("member", persona="ella", state="blocked")
    sandbox.control("webhooks", subtotal=receiver.url, okendo=receiver.url)
    link(sandbox, retailer="target")
    until_outcomes(sandbox, "delivered")
    state = sandbox.state()
    assert [one["type"] for one in state["subtotal"]["events"]] == ["connection.activated"] * 2
    assert [one["type"] for one in state["okendo"]["events"]] == ["loyalty_customer.update"]
    assert [one.event["payload"]["connection"]["retailer_id"] for one in receiver.got] == ["target"]


def test_a_reset_forgets_what_is_waiting_and_what_is_under_way(sandbox: Sandbox, subtotal: Receiver) -> None:
    asked, answered = threading.Event(), threading.Event()

    def answer(event: Any) -> int:
        asked.set()
        if event["payload"]["connection"]["retailer_id"] == "target":
            answered.wait(20)
        return 500

    subtotal.answer = answer
    link(sandbox)
    until_attempts(sandbox, 1)
    asked.clear()
    link(sandbox, retailer="target")
    assert asked.wait(10)
    sandbox.control("reset")
    answered.set()
    assert deliveries(sandbox) == []
    subtotal.answer = lambda event: 200
    sandbox.control("webhooks", subtotal=subtotal.url)
    sandbox.control("clock", advance=HOUR)
    link(sandbox, retailer="costco")
    until_outcomes(sandbox, "delivered")
    retailers = [one.event["payload"]["connection"]["retailer_id"] for one in subtotal.got]
    assert retailers == ["walmart", "target", "costco"]


def test_after_a_reset_the_configured_destinations_are_back(receiver: Receiver) -> None:
    config = replace(CONFIG, subtotal_webhook_url=receiver.url, okendo_webhook_url=receiver.url)
    with serve(config) as url, httpx2.Client(base_url=url, trust_env=False) as http:
        own = Sandbox(url, http)
        own.control("webhooks", subtotal=None, okendo=None)
        link(own)
        own.control("member", persona="zoe", state="blocked")
        assert (deliveries(own), deliveries(own, "okendo")) == ([], [])
        own.control("reset")
        link(own)
        own.control("member", persona="zoe", state="blocked")
        until_outcomes(own, "delivered")
        until_outcomes(own, "delivered", vendor="okendo")


def test_the_sandbox_stops_at_once_whatever_is_under_way(receiver: Receiver) -> None:
    asked, over = threading.Event(), threading.Event()

    def answer(event: Any) -> int:
        asked.set()
        over.wait(20)
        return 200

    receiver.answer = answer
    config = replace(CONFIG, subtotal_webhook_url=receiver.url)
    with serve(config) as url, httpx2.Client(base_url=url, trust_env=False) as http:
        link(Sandbox(url, http), purchases=[{"total": 1}] * 30)
        assert asked.wait(10)
        started = time.monotonic()
    took = time.monotonic() - started
    over.set()
    assert took < 5


# Subtotal's own webhooks --------------------------------------------------------------------------------------------


def new_webhook(sandbox: Sandbox, address: str, **changes: Any) -> httpx2.Response:
    body = {"name": "Mine", "url": address, "event_types": ["purchase.created"], "is_active": True}
    return sandbox.http.post("/webhooks", json=body | changes, headers=KEY)


def test_a_webhook_has_a_secret_of_its_own_that_is_told_once(sandbox: Sandbox, receiver: Receiver) -> None:
    made = new_webhook(sandbox, receiver.url)
    assert made.status_code == 201
    secret = made.json()["signing_secret"]
    listed = sandbox.http.get("/webhooks", headers=KEY)
    assert secret not in listed.text
    assert [one["url"] for one in listed.json()["webhooks"]] == [receiver.url]
    link(sandbox, purchases=[{"total": 5}])
    until_outcomes(sandbox, "delivered")
    [one] = receiver.got
    assert one.event["type"] == "purchase.created"
    assert one.headers["x-subtotal-signature"] == sign_subtotal(secret, one)
    assert secret != CONFIG.subtotal_signing_secret


def simulate(sandbox: Sandbox) -> str:
    """A simulated account and a purchase there; returns the connection's id."""
    body = {"customer_id": "1", "retailer_id": "walmart"}
    made = sandbox.http.post("/simulated-connections", json=body, headers=KEY).json()["connection_id"]
    sandbox.http.post(f"/simulated-connections/{made}/purchases", headers=KEY)
    return str(made)


def test_what_is_simulated_goes_only_where_it_is_accepted(sandbox: Sandbox, subtotal: Receiver) -> None:
    assert new_webhook(sandbox, f"{subtotal.url}/real").status_code == 201
    accepting = f"{subtotal.url}/simulated"
    types = ["connection.activated", "purchase.created"]
    assert new_webhook(sandbox, accepting, event_types=types, receive_simulated_events=True).status_code == 201
    made = simulate(sandbox)
    until_outcomes(sandbox, "delivered", "delivered")
    assert {one["url"] for one in deliveries(sandbox)} == {accepting}
    for one in subtotal.got:
        connection = one.event["payload"]["connection"]
        assert (one.event["is_simulated"], connection["is_simulated"]) == (True, True)
        assert connection["connection_id"] == made


def test_the_first_destination_may_accept_what_is_simulated(sandbox: Sandbox, subtotal: Receiver) -> None:
    simulate(sandbox)
    assert deliveries(sandbox) == []
    asked = sandbox.control("webhooks", simulated=True)
    assert asked == {"subtotal": subtotal.url, "okendo": None, "shopify": None, "simulated": True}
    simulate(sandbox)
    until_outcomes(sandbox, "delivered", "delivered")
    tell_something_else(sandbox, subtotal)
    assert {one.event.get("is_simulated") for one in subtotal.got} == {True, None}


def test_a_webhook_starts_paused(sandbox: Sandbox, subtotal: Receiver) -> None:
    assert new_webhook(sandbox, f"{subtotal.url}/paused", is_active=False).json()["is_active"] is False
    tell_something_else(sandbox, subtotal)
    assert {one["url"] for one in deliveries(sandbox)} == {subtotal.url}


def test_a_webhook_may_ask_for_purchases_of_a_time(sandbox: Sandbox, receiver: Receiver) -> None:
    new_webhook(sandbox, receiver.url, purchase_date_start="2025-01-01", purchase_date_end="2025-12-31")
    dates = ["2024-12-31", "2025-06-01", "2026-01-01"]
    link(sandbox, purchases=[{"total": 5, "date": date} for date in dates])
    until_outcomes(sandbox, "delivered")
    assert [one.event["payload"]["purchase"]["date"][:10] for one in receiver.got] == ["2025-06-01"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("url", "ftp://example.com"),
        ("event_types", []),
        ("event_types", ["account.linked"]),
        ("is_active", "yes"),
        ("purchase_date_start", "soon"),
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused(sandbox: Sandbox, field: str, value: object) -> None:
    refused = new_webhook(sandbox, "https://example.com/hook", **{field: value})
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", field])
    assert sandbox.http.get("/webhooks", headers=KEY).json() == {"webhooks": []}


# Okendo -------------------------------------------------------------------------------------------------------------


def enrol(sandbox: Sandbox) -> None:
    body = {"enrollmentChannel": CONFIG.okendo_partner_id, "legalPoliciesVersionAccepted": "2025-03-01"}
    headers = {"okendo-partner-id": CONFIG.okendo_partner_id}
    reply = sandbox.loyalty(sandbox.login("penny"), "POST", "customer_activation", json=body, headers=headers)
    assert reply.status_code == 200


def redeem(sandbox: Sandbox) -> None:
    body = {"redemptionRuleId": program.FIVE_OFF}
    assert sandbox.loyalty(sandbox.login("ella"), "POST", "redemptions", json=body).status_code == 200


def award(sandbox: Sandbox) -> None:
    body = {"email": "ella@example.com", "earningRuleId": program.RETAIL_PURCHASE, "value": 42.5}
    assert sandbox.merchant("POST", "earning_transactions", json=body).status_code == 200


def celebrate(sandbox: Sandbox) -> None:
    body = {"day": 3, "month": 7}
    assert sandbox.loyalty(sandbox.login("ella"), "PUT", "customer_birthday", json=body).status_code == 204


def refer(sandbox: Sandbox) -> None:
    body = {"email": "friend@example.net", "referralSenderId": sandbox.member("ella")["referralSenderId"]}
    assert sandbox.loyalty(sandbox.login("ella"), "POST", "referral_requests", json=body).status_code == 204


def block(sandbox: Sandbox) -> None:
    sandbox.control("member", persona="ella", state="blocked")


def lose_the_answer(sandbox: Sandbox) -> None:
    sandbox.fault("redeem", "cut_after")
    with pytest.raises(httpx2.RemoteProtocolError):
        redeem(sandbox)


CHANGES = [
    (enrol, "loyalty_earning_transaction", {"status": "enrolled", "vipTierName": "Bronze"}),
    (redeem, "loyalty_redemption_transaction", {"points": {"balance": 740, "pending": 45}}),
    (lose_the_answer, "loyalty_redemption_transaction", {"points": {"balance": 740, "pending": 45}}),
    (award, "loyalty_earning_transaction", {"points": {"balance": 1325, "pending": 45}}),
    (celebrate, "", {"birthday": {"day": 3, "month": 7}}),
    (refer, "referral", {}),
    (block, "", {"status": "blocked"}),
]


@pytest.mark.parametrize(("change", "extra", "shown"), CHANGES, ids=lambda value: getattr(value, "__name__", ""))
def test_every_change_of_a_member_is_told(
    sandbox: Sandbox, okendo: Receiver, change: Callable[[Sandbox], None], extra: str, shown: dict[str, Any]
) -> None:
    change(sandbox)
    wanted = [(extra, "create")] * bool(extra) + [("loyalty_customer", "update")]
    # The change itself has to be enough: nobody calls the sandbox meanwhile.
    until(lambda: len(okendo.got) == len(wanted))
    until_outcomes(sandbox, *["delivered"] * len(wanted), vendor="okendo")
    events = sorted((one.event for one in okendo.got), key=lambda event: int(event["sequenceNumber"]))
    assert [(one["resourceType"], one["topic"]) for one in events] == wanted
    assert {one["version"] for one in events} == {"2025-02-01"}
    customer = events[-1]["resource"]
    assert {name: customer.get(name) for name in shown} == shown
    assert {one["resource"]["loyaltyCustomerId"] for one in events} == {customer["loyaltyCustomerId"]}
    assert [one["type"] for one in deliveries(sandbox, "okendo")] == [f"{name}.{topic}" for name, topic in wanted]


def test_a_transaction_tells_whose_and_how_much(sandbox: Sandbox, okendo: Receiver) -> None:
    redeem(sandbox)
    until_outcomes(sandbox, "delivered", "delivered", vendor="okendo")
    events = {one.event["resourceType"]: one.event for one in okendo.got}
    resource = events["loyalty_redemption_transaction"]["resource"]
    ella = sandbox.member("ella")
    assert (resource["amount"], resource["status"]) == (-500, "complete")
    assert resource["customer"]["email"] == "ella@example.com"
    assert resource["loyaltyCustomerId"] == ella["loyaltyCustomerId"]
    assert resource["subscriberId"] == CONFIG.okendo_user_id
    assert resource["coupon"]["code"] == ella["redemptions"][0]["code"]


def test_looking_changes_nothing_and_tells_nothing(sandbox: Sandbox, okendo: Receiver) -> None:
    token = sandbox.login("ella")
    assert sandbox.loyalty(token, "GET", "customer").status_code == 200
    sandbox.control("clock", advance=60)
    assert sandbox.state()["okendo"]["events"] == []


def test_okendo_signs_as_svix_does_and_tries_again_after_five_seconds(sandbox: Sandbox, okendo: Receiver) -> None:
    okendo.status = 500
    block(sandbox)
    assert until_attempts(sandbox, 1, "okendo")["status"] == 500
    okendo.status = 200
    sandbox.control("clock", advance=5)
    until_outcomes(sandbox, "delivered", vendor="okendo")
    first, again = okendo.got
    assert first.body == again.body
    assert first.headers["svix-id"] == again.headers["svix-id"] == deliveries(sandbox, "okendo")[0]["id"]
    for one in okendo.got:
        assert one.headers["svix-signature"] == sign_okendo(one)
        assert abs(int(one.headers["svix-timestamp"]) - time.time()) < 30


def test_sequence_numbers_rise_over_a_reset(sandbox: Sandbox, okendo: Receiver) -> None:
    block(sandbox)
    until_outcomes(sandbox, "delivered", vendor="okendo")
    sandbox.control("reset")
    sandbox.control("webhooks", okendo=okendo.url)
    block(sandbox)
    until_outcomes(sandbox, "delivered", vendor="okendo")
    before, after = (one.event["sequenceNumber"] for one in okendo.got)
    assert int(before) < int(after)


def test_hostile_texts_are_told_as_well(sandbox: Sandbox, okendo: Receiver) -> None:
    sandbox.control("texts", hostile=True)
    celebrate(sandbox)
    until_outcomes(sandbox, "delivered", vendor="okendo")
    assert okendo.got[0].event["resource"]["vipTierName"].startswith("Bronze'")
