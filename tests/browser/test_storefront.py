"""What JavaScript of the merchant's storefront, on its own origin, can do with the JSON routes; and others cannot."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Error
from support.browser_visits import CALL, Elsewhere, Visit, elsewhere
from support.every_page import FIVE_OFF
from support.services import Service, Start, Vendors

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
REFUSED: list[tuple[str, str, object]] = [
    ("GET", "/session", None),
    ("GET", "/me", None),
    ("GET", "/program", None),
    ("POST", "/me/referrals", {"email": "friend@example.com"}),
    ("DELETE", "/session", None),
]
KEY = "one-intent-of-ella-1"


class Storefront:
    """A page of the storefront, or of somebody else, whose JavaScript calls the service."""

    def __init__(self, visit: Visit, site: Elsewhere) -> None:
        self._visit = visit
        site.open(visit)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._visit.run(CALL, [f"{self._visit.url}/api/v1{path}", method, body, named])


@pytest.fixture
def service(start: Start, neighbour: Elsewhere) -> Service:
    """It lets the neighbouring origin in."""
    return start(STOREFRONT_ORIGINS=neighbour.origin)


@pytest.fixture
def ella(visit: Visit) -> Visit:
    visit.sign_in("ella")
    return visit


@pytest.fixture
def third_origin() -> Iterator[Elsewhere]:
    """Its name begins as those on this machine do, which are let in, but nobody let it in."""
    with elsewhere("localhost.evil.test") as site:
        yield site


@pytest.fixture
def storefront(ella: Visit, neighbour: Elsewhere) -> Storefront:
    return Storefront(ella, neighbour)


def test_storefront_javascript_reads_the_member_and_redeems_exactly_once(
    storefront: Storefront, vendors: Vendors
) -> None:
    assert storefront.call("GET", "/session")["body"]["state"] == "enrolled"
    assert storefront.call("GET", "/me")["body"]["points"]["balance"] == 1240
    reward = {"rewardId": FIVE_OFF.removeprefix("/rewards/")}
    first = storefront.call("POST", "/me/redemptions", reward, Idempotency_Key=KEY)
    again = storefront.call("POST", "/me/redemptions", reward, Idempotency_Key=KEY)
    assert (first["status"], first["headers"]["idempotency-replayed"]) == (201, None)
    assert (again["body"], again["headers"]["idempotency-replayed"]) == (first["body"], "true")
    (redemption,) = vendors.member("ella")["redemptions"]
    assert first["body"]["coupon"]["code"] == redemption["code"]


def test_storefront_javascript_reads_where_to_look_when_an_outcome_is_not_known(
    storefront: Storefront, vendors: Vendors
) -> None:
    vendors.fault("redeem", "cut_after")
    reward = {"rewardId": FIVE_OFF.removeprefix("/rewards/")}
    reply = storefront.call("POST", "/me/redemptions", reward, Idempotency_Key=KEY)
    assert (reply["status"], reply["body"]["state"]) == (202, "unknown")
    assert reply["headers"]["location"].endswith(f"/api/v1/me/redemptions/{KEY}")
    assert storefront.call("GET", f"/me/redemptions/{KEY}")["body"]["state"] == "unknown"


def test_E5_storefront_javascript_reads_the_problem_in_every_kind_of_error(
    storefront: Storefront, vendors: Vendors
) -> None:
    reward = {"rewardId": FIVE_OFF.removeprefix("/rewards/")}
    dear = {"rewardId": "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b04"}
    table: list[tuple[int, str, str, str, object, dict[str, str]]] = [
        (400, "idempotency_key_missing", "POST", "/me/redemptions", reward, {}),
        (400, "invalid_request", "POST", "/me/redemptions", {}, {"Idempotency_Key": KEY}),
        (403, "csrf_refused", "POST", "/me/redemptions", reward, {"X_Loyalty_Csrf": "2"}),
        (404, "not_found", "GET", "/me/redemptions/0123456789abcdef", None, {}),
        (404, "not_found", "GET", "/no-such-thing", None, {}),
        (422, "insufficient_points", "POST", "/me/redemptions", dear, {"Idempotency_Key": KEY}),
        (422, "invalid_email", "POST", "/me/referrals", {"email": "nobody"}, {}),
    ]
    for status, code, method, path, body, headers in table:
        _is_problem(storefront.call(method, path, body, **headers), status, code)
    vendors.fault("customer", "status:500", 9)
    _is_problem(storefront.call("GET", "/me"), 502, "upstream_unavailable")
    assert storefront.call("DELETE", "/session")["status"] == 200
    _is_problem(storefront.call("GET", "/me"), 401, "session_required")


def _is_problem(reply: Any, status: int, code: str) -> None:
    assert (reply["status"], reply["body"]["status"], reply["body"]["code"]) == (status, status, code)
    assert reply["headers"]["content-type"] == "application/problem+json"


def test_D7_the_storefront_hands_in_a_token_and_signs_out_again(
    visit: Visit, neighbour: Elsewhere, vendors: Vendors
) -> None:
    storefront = Storefront(visit, neighbour)
    reply = storefront.call("POST", "/session", {"customerAccessToken": vendors.token("ella")})
    assert (reply["status"], reply["body"]["state"]) == (201, "enrolled")
    assert visit.run("document.cookie") == ""
    assert storefront.call("GET", "/me")["body"]["points"]["balance"] == 1240
    assert storefront.call("DELETE", "/session")["status"] == 200
    assert visit.cookies == []


def test_E2_javascript_of_an_origin_that_is_not_on_the_list_reads_and_changes_nothing(
    ella: Visit, attacker: Elsewhere, third_origin: Elsewhere, vendors: Vendors
) -> None:
    for site in (attacker, third_origin):
        stranger = Storefront(ella, site)
        for method, path, body in REFUSED:
            with pytest.raises(Error, match="Failed to fetch"):
                stranger.call(method, path, body)
    assert vendors.member("ella")["referrals"] == []
    ella.go("/")
    assert "1,240" in ella.words


def test_E6_pages_cannot_be_read_by_the_storefront_either(storefront: Storefront) -> None:
    with pytest.raises(Error, match="Failed to fetch"):
        storefront.call("GET", "/../../rewards")
