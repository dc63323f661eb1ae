"""The document lists for every operation the problems that it may answer: none that cannot happen, and none is missing.

Each operation is called in every kind of trouble there is here, and answers with a code exactly where that is listed:
by strangers and by members who may not, without stores, beyond limits, and with each call that it makes of a vendor
refused in every way. What takes more than a call is named, with the tests that reach it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from support.expired_tokens import without_a_jwt, without_faults
from support.sandbox_catalogue import FIVE_OFF, FREE_PRODUCT, GOLD_ONLY, new_key
from support.services import Service, Start, Vendors
from support.shopper import COOKIE, Shopper
from support.store_outages import agreement

from bff.api.endpoint import Endpoint
from bff.api.routes import ENDPOINTS
from bff.errors import Code

COUPON = "OKE-WELCOMEBACK"
FOLLOW = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a04"
STATUSES = (400, 401, 403, 404, 410, 422, 500)
ALL = frozenset(row.operation_id for row in ENDPOINTS)
ENDS_IT = ("createSession", "endSession", "endSessions")
HAND_INS = ("createSession", "createSessionTicket", "createSessionHandle")
# Codes that have a law of their own below, over all operations.
GENERAL: frozenset[Code] = frozenset(
    {
        "invalid_request", "csrf_refused", "session_required", "session_expired", "member_blocked", "rate_limited",
        "store_unavailable", "token_rejected", "internal_error", "overloaded",
    }
)  # fmt: skip
# What takes a race, or a member who is like none of the sandbox's: tests/journeys/test_redeeming.py, test_retailers.py,
# tests/journeys/test_carts.py, tests/faults/test_lost_leases.py, test_concurrent_clients.py.
ELSEWHERE: Mapping[str, frozenset[Code]] = {
    "completeEarningRule": frozenset({"request_in_progress"}),
    "setBirthday": frozenset({"request_in_progress"}),
    "joinProgram": frozenset({"request_in_progress"}),
    "redeemReward": frozenset({"request_in_progress", "idempotency_key_reused"}),
    "inviteFriend": frozenset({"request_in_progress", "feature_unavailable"}),
    "linkRetailer": frozenset({"request_in_progress", "invalid_email", "feature_unavailable"}),
    "listRetailers": frozenset({"feature_unavailable"}),
    "unlinkRetailer": frozenset({"feature_unavailable"}),
    "applyCoupon": frozenset({"request_in_progress", "feature_unavailable"}),
    "createSession": frozenset({"session_expired"}),
    "createSessionHandle": frozenset({"session_expired"}),
}
PERSONAS = {"joinProgram": "penny", "completeEarningRule": "zoe", "redeemReward": "tara"}
# What works once for a member.
ONCE = frozenset({"joinProgram", "completeEarningRule", "setBirthday"})
BODIES: Mapping[str, Any] = {
    "redeemReward": {"rewardId": FIVE_OFF},
    "setBirthday": {"day": 1, "month": 2},
    "linkRetailer": {"retailerId": "target"},
    "applyCoupon": {"cartId": "gid://shopify/Cart/none?key=none"},
}
# What else is sent, by whom, so that it is refused.
REFUSED: Mapping[str, list[tuple[str, Any]]] = {
    "redeemReward": [
        ("penny", {"rewardId": FIVE_OFF}),
        ("ella", {"rewardId": FREE_PRODUCT}),
        ("ella", {"rewardId": GOLD_ONLY}),
        ("ella", {"rewardId": "nothing"}),
    ],
    "setBirthday": [
        ("ella", {"day": 31, "month": 2}),
        ("penny", {"day": 1, "month": 2}),
        ("tara", {"day": 1, "month": 2}),
    ],
    "inviteFriend": [
        ("ella", {"email": "a@nowhere"}),
        ("ella", {"email": "ella@example.com"}),
        ("penny", {"email": "friend@example.com"}),
    ],
    "completeEarningRule": [("penny", None), ("ella", None)],
    "joinProgram": [("penny", {"policiesVersion": "0", "policiesDigest": "none"})],
}


def listing(code: Code) -> frozenset[str]:
    return frozenset(row.operation_id for row in ENDPOINTS if code in row.refuses)


class Caller(NamedTuple):
    """Calls operations as a page does, or as the storefront's server."""

    service: Service
    vendors: Vendors

    def ask(
        self, row: Endpoint, shopper: Shopper, body: Any = None, query: str = "", **headers: str
    ) -> httpx2.Response:
        path = row.path.format(id=FOLLOW, key=new_key(), code=COUPON) + query
        given = body or self._body(row)
        if row.operation_id == "redeemReward":
            headers = {"idempotency_key": new_key()} | headers
        if row.who != "server":
            return shopper.api(row.method, path, given, **headers)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        token = self.service.settings["SESSION_TICKETS_TOKEN"]
        sent = {"authorization": f"Bearer {token}", "content-type": "application/json"} | named
        return shopper.request(row.method, f"/api/v1{path}", json=given, headers=sent)

    def _body(self, row: Endpoint) -> Any:
        if row.operation_id in HAND_INS:
            return {"customerAccessToken": self.vendors.token("ella")}
        if row.operation_id == "inviteFriend":
            # A friend is not invited by everybody.
            return {"email": f"{new_key()}@example.com"}
        return BODIES.get(row.operation_id, None if row.reads is None else {})

    def somebody(self, row: Endpoint) -> Shopper:
        """Who may call it."""
        if row.who != "member":
            return self.service.shopper()
        if row.operation_id in ONCE:
            self.vendors.control("reset")
        return self.service.signed_in(PERSONAS.get(row.operation_id, "ella"))


def code_of(reply: httpx2.Response) -> Code | None:
    return reply.json()["code"] if reply.status_code >= 400 else None


def answering(code: Code, replies: Mapping[str, httpx2.Response]) -> frozenset[str]:
    return frozenset(name for name, reply in replies.items() if code_of(reply) == code)


@pytest.fixture
def caller(service: Service, vendors: Vendors) -> Caller:
    return Caller(service, vendors)


# Who asks, and how --------------------------------------------------------------------------------------------------


def test_whoever_asks_in_a_wrong_way_is_told_so_where_it_is_listed(caller: Caller) -> None:
    unknown = {row.operation_id: caller.ask(row, caller.somebody(row), query="?unknown=1") for row in ENDPOINTS}
    assert answering("invalid_request", unknown) == listing("invalid_request") == ALL
    pictures = {row.operation_id: caller.ask(row, caller.somebody(row), sec_fetch_dest="image") for row in ENDPOINTS}
    assert answering("csrf_refused", pictures) == listing("csrf_refused")
    thief = {"authorization": "Bearer wrong", "x_loyalty_session": "stolen", "content_type": "application/json"}
    guessed = {row.operation_id: _by_server(caller, row, thief) for row in ENDPOINTS}
    assert answering("session_required", guessed) == listing("session_required")
    assert {name for name, reply in guessed.items() if "www-authenticate" in reply.headers} == listing(
        "session_required"
    )


def _by_server(caller: Caller, row: Endpoint, headers: Mapping[str, str]) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path = row.path.format(id=FOLLOW, key=new_key(), code=COUPON)
    body: Any = None if row.method == "GET" else {}
    return caller.service.shopper().request(row.method, f"/api/v1{path}", headers=named, json=body)


def test_who_is_no_member_any_more_is_told_so_where_it_is_listed(caller: Caller) -> None:
    gone, blake = caller.service.shopper(), caller.service.signed_in("blake")
    gone.cookies[COOKIE] = "made-up"
    expired = {row.operation_id: caller.ask(row, gone) for row in ENDPOINTS if row.who == "member"}
    assert answering("session_expired", expired) == frozenset(expired)
    # Tickets and tokens from before somebody signed out everywhere: tests/sessions/test_handles.py, test_tickets*.py.
    assert listing("session_expired") - frozenset(expired) == {"createSession", "createSessionHandle"}
    asked = [row for row in ENDPOINTS if row.who != "server" and row.operation_id not in ENDS_IT]
    blocked = {row.operation_id: caller.ask(row, blake) for row in asked}
    assert answering("member_blocked", blocked) == listing("member_blocked")


def test_a_token_that_is_no_good_is_told_so_where_it_is_listed(caller: Caller) -> None:
    dead = {"customerAccessToken": caller.vendors.token("ella", shop="other")}
    rows = [row for row in ENDPOINTS if row.operation_id in HAND_INS]
    replies = {row.operation_id: caller.ask(row, caller.service.shopper(), dead) for row in rows}
    assert answering("token_rejected", replies) == listing("token_rejected")


def test_a_store_that_is_away_is_told_where_it_is_listed(start: Start, vendors: Vendors) -> None:
    service = start(VALKEY_URL="valkey://127.0.0.1:1/0")
    caller, shopper = Caller(service, vendors), service.shopper()
    shopper.cookies[COOKIE] = f"{'A' * 44}.{'A' * 43}"
    ticket = {"ticket": "A" * 44}
    replies = {
        row.operation_id: caller.ask(row, shopper, ticket if row.operation_id == "createSession" else None)
        for row in ENDPOINTS
    }
    # A cookie that is none of ours is nobody's, and no store is asked: of members it is said in tests/faults.
    strangers = {row.operation_id for row in ENDPOINTS if row.who in {"visitor", "server"} and row.reads is not None}
    assert answering("store_unavailable", replies) >= strangers
    assert answering("store_unavailable", replies) <= listing("store_unavailable")
    assert listing("store_unavailable") == frozenset(row.operation_id for row in ENDPOINTS if row.who != "anyone")


def test_too_many_requests_are_told_so_where_it_is_listed(start: Start, vendors: Vendors, tmp_path: Path) -> None:
    """By the limit of all together; what is the same for everybody counts where a language has to be asked for."""
    file, words = tmp_path / "overrides.toml", ("earning_rules", "vip_program", "faqs", "legal_policies")
    file.write_text("".join(f'[{name}]\nsends = {{ language = "languageCode" }}\n' for name in words), "utf-8")
    service = start(REQUESTS_PER_MINUTE="1", OKENDO_OVERRIDES=str(file))
    caller, shopper = Caller(service, vendors), service.shopper()
    shopper.cookies[COOKIE] = "made-up"
    shopper.api("GET", "/session")
    replies = {
        row.operation_id: caller.ask(row, shopper, query="?locale=fr" if row.who == "anyone" else "")
        for row in ENDPOINTS
    }
    assert answering("rate_limited", replies) == listing("rate_limited") == ALL


# What vendors do ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.operation_id)
def test_what_comes_of_a_vendors_refusals_is_listed_and_nothing_else_is(
    start: Start, vendors: Vendors, row: Endpoint
) -> None:
    caller = Caller(start(UPSTREAM_TIMEOUT_SECONDS="0.4"), vendors)
    seen = {code for code in _all_codes(caller, row) if code is not None}
    assert seen <= set(row.refuses), "it may answer so, and does not say it"
    assert set(row.refuses) - GENERAL - ELSEWHERE.get(row.operation_id, frozenset()) <= seen, "nothing leads to it"


def _all_codes(caller: Caller, row: Endpoint) -> Iterator[Code | None]:
    shopper = caller.somebody(row)
    before = len(caller.vendors.state()["calls"])
    yield code_of(caller.ask(row, shopper, _agreed(row, shopper)))
    # The vendors' operations that it calls when all goes well.
    called = {call["operation"] for call in caller.vendors.state()["calls"][before:]}
    for operation in sorted(called):
        for kind in (*(f"status:{status}" for status in STATUSES), "delay"):
            shopper = _ready(caller, row, shopper)
            body = _agreed(row, shopper)
            caller.vendors.fault(operation, kind, times=9, **({"seconds": 1} if kind == "delay" else {}))
            yield code_of(caller.ask(row, shopper, body))
            without_faults(caller.vendors)
    if row.who == "member":
        for status in (403, 410):
            newcomer = without_a_jwt(caller.service, caller.vendors)
            body = _agreed(row, newcomer)
            caller.vendors.fault("login", f"status:{status}", times=9)
            yield code_of(caller.ask(row, newcomer, body))
            without_faults(caller.vendors)
    yield from _codes_of_refused_bodies(caller, row)


def _ready(caller: Caller, row: Endpoint, shopper: Shopper) -> Shopper:
    """As it was before the first call: what is kept of the program is old, and who was signed out is in again."""
    if row.who == "anyone":
        caller.service.clock.advance(90_000)
    is_gone = row.who == "member" and shopper.api("GET", "/session").json()["state"] == "anonymous"
    return caller.somebody(row) if is_gone or row.operation_id in ONCE else shopper


def _agreed(row: Endpoint, shopper: Shopper) -> Any:
    return agreement(shopper) if row.operation_id == "joinProgram" else None


def _codes_of_refused_bodies(caller: Caller, row: Endpoint) -> Iterator[Code | None]:
    for persona, body in REFUSED.get(row.operation_id, ()):
        caller.vendors.control("reset")
        yield code_of(caller.ask(row, caller.service.signed_in(persona), body))
    if row.operation_id == "redeemReward":
        yield code_of(caller.service.signed_in("ella").api("POST", row.path, {"rewardId": FIVE_OFF}))
    if row.operation_id in HAND_INS:
        legacy = {"storefrontCustomerAccessToken": "a-legacy-token"}
        yield code_of(caller.ask(row, caller.service.shopper(), legacy))


def test_where_no_accounts_can_be_linked_that_is_said(start: Start, vendors: Vendors) -> None:
    caller = Caller(start(SUBTOTAL_API_KEY="", SUBTOTAL_ACTIONS=""), vendors)
    rows = [row for row in ENDPOINTS if "/retailers" in row.path]
    replies = {row.operation_id: caller.ask(row, caller.somebody(row)) for row in rows}
    assert answering("feature_unavailable", replies) == frozenset(replies)
