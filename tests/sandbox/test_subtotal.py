"""Subtotal in the sandbox: the pages that link an account, its API, and its simulator of events."""

import html
import re
from typing import Any

import httpx2
import pytest
from support import sandbox_client
from support.sandbox_client import CONFIG, Sandbox

from bff.sandbox.subtotal.retailers import RETAILERS

served, sandbox = sandbox_client.served, sandbox_client.sandbox

KEY = {"x-api-key": CONFIG.subtotal_api_key}
BACK = "https://shop.example.com/retailers?linked=1"
ELLA = {"customer_id": "gid://shopify/Customer/7000000000001", "email": "ella@example.com"}


def api(sandbox: Sandbox, method: str, path: str, **body: Any) -> httpx2.Response:
    return sandbox.http.request(method, path, json=body or None, headers=KEY)


def remembered(sandbox: Sandbox) -> Any:
    return sandbox.state()["subtotal"]


def told(sandbox: Sandbox) -> list[str]:
    return [event["type"] for event in remembered(sandbox)["events"]]


def link_token(sandbox: Sandbox, **changes: Any) -> str:
    return str(api(sandbox, "POST", "/link-tokens", **ELLA | changes).json()["link_token"])


def connection_token(sandbox: Sandbox, connection_id: str, scope: str = "link") -> str:
    reply = api(sandbox, "POST", f"/connections/{connection_id}/token", scope=scope)
    return str(reply.json()["connection_token"])


def url_at(sandbox: Sandbox, retailer: str) -> str:
    lines = api(sandbox, "GET", "/retailers").json()["retailers"]
    return next(str(line["link_url"]) for line in lines if line["retailer_id"] == retailer)


def choices(page: httpx2.Response) -> list[str]:
    return re.findall(r'<input type="radio" name="retailer" value="([^"]+)"', page.text)


def submit(sandbox: Sandbox, page: httpx2.Response, retailer: str = "") -> httpx2.Response:
    """Send the form of the page as a browser would."""
    assert page.status_code == 200, page.text
    [action] = re.findall(r'<form method="post" action="([^"]+)"', page.text)
    assert "Link account" in page.text
    return sandbox.http.post(html.unescape(action), data={"retailer": retailer} if retailer else {})


# The pages -----------------------------------------------------------------------------------------------------------


def test_a_link_token_links_the_account_that_is_chosen(sandbox: Sandbox) -> None:
    page = sandbox.http.get(f"/link/{link_token(sandbox)}", params={"redirect_url": BACK})
    assert choices(page)[:5] == ["walmart", "target", "amazon", "sephora", "costco"]
    assert "<script" not in page.text
    assert told(sandbox) == []
    done = submit(sandbox, page, "sephora")
    assert (done.status_code, done.headers["location"]) == (303, f"{BACK}&subtotal_link_result=success")
    [connection] = api(sandbox, "GET", f"/connections?customer_id={ELLA['customer_id']}").json()["connections"]
    shown = {name: connection[name] for name in ("customer_id", "email", "retailer_id", "status")}
    assert shown == ELLA | {"retailer_id": "sephora", "status": "active"}
    assert told(sandbox) == ["connection.activated"]


def test_the_address_cannot_change_whom_a_link_token_is_for(sandbox: Sandbox) -> None:
    mine = {"customer_id": "mallory", "email": "mallory@example.com"}
    page = sandbox.http.get(f"/link/{link_token(sandbox)}", params=mine)
    assert "is linked" in submit(sandbox, page, "target").text
    [connection] = remembered(sandbox)["connections"]
    assert (connection["customer_id"], connection["email"]) == (ELLA["customer_id"], ELLA["email"])


def test_a_link_token_that_is_revoked_expired_or_unknown_links_nothing(sandbox: Sandbox) -> None:
    revoked, expiring = link_token(sandbox), link_token(sandbox, expires_in_days=1)
    assert sandbox.http.get(f"/link/{expiring}").status_code == 200
    api(sandbox, "DELETE", f"/link-tokens/{revoked}")
    sandbox.control("clock", advance=86_401)
    for token in (revoked, expiring, f"lt_v1_{'x' * 43}"):
        assert sandbox.http.get(f"/link/{token}").status_code == 404
        refused = sandbox.http.post(f"/link/{token}", data={"retailer": "walmart"})
        assert refused.status_code == 404
        assert "<form" not in refused.text
    assert remembered(sandbox)["connections"] == []


def test_a_connection_token_links_exactly_that_connection(sandbox: Sandbox) -> None:
    body = {"customer_id": "1", "retailer_id": "best-buy"}
    begun = api(sandbox, "POST", "/connections", **body).json()
    other = api(sandbox, "POST", "/connections", **body).json()
    address = f"/link/{connection_token(sandbox, begun['connection_id'])}"
    page = sandbox.http.get(address, params={"redirect_url": "https://shop.example.com/back", "customer_id": "2"})
    assert (choices(page), "Best Buy" in page.text) == ([], True)
    done = submit(sandbox, page)
    assert (done.status_code, done.headers["location"]) == (303, "https://shop.example.com/back")
    assert remembered(sandbox)["connections"] == [begun | {"status": "active"}, other]
    assert [event["resource"] for event in remembered(sandbox)["events"]] == [begun["connection_id"]]


def test_a_connection_token_links_only_with_its_scope_and_for_a_short_time(sandbox: Sandbox) -> None:
    begun = api(sandbox, "POST", "/connections", customer_id="1", retailer_id="walmart").json()["connection_id"]
    assert sandbox.http.post(f"/link/{connection_token(sandbox, begun, 'access')}").status_code == 404
    token = connection_token(sandbox, begun)
    sandbox.control("clock", advance=901)
    assert sandbox.http.post(f"/link/{token}").status_code == 404
    fresh = connection_token(sandbox, begun)
    api(sandbox, "DELETE", f"/connections/{begun}")
    assert sandbox.http.post(f"/link/{fresh}").status_code == 404
    assert told(sandbox) == []


def test_an_account_that_was_lost_is_signed_in_to_again(sandbox: Sandbox) -> None:
    connection = sandbox.control("subtotal/link", persona="ella", retailer="walmart")
    lost = sandbox.control("subtotal/status", persona="ella", retailer="walmart", status="unauthenticated")
    assert lost == connection | {"status": "unauthenticated"}
    submit(sandbox, sandbox.http.get(f"/link/{connection_token(sandbox, connection['connection_id'])}"))
    assert remembered(sandbox)["connections"] == [connection]
    assert told(sandbox) == ["connection.activated", "connection.unauthenticated", "connection.activated"]


def test_a_link_url_links_at_its_retailer(sandbox: Sandbox) -> None:
    address = url_at(sandbox, "costco")
    assert re.fullmatch(rf"{re.escape(sandbox.url)}/link/\w{{8}}", address)
    page = sandbox.http.get(address, params=ELLA | {"redirect_url": "https://shop.example.com/a#b"})
    done = submit(sandbox, page, "walmart")
    assert done.headers["location"] == "https://shop.example.com/a#b"
    [connection] = remembered(sandbox)["connections"]
    assert (connection["retailer_id"], connection["email"]) == ("costco", ELLA["email"])


def test_a_link_url_can_name_a_connection_to_sign_in_to_again(sandbox: Sandbox) -> None:
    connection = sandbox.control("subtotal/link", persona="ella", retailer="costco")
    sandbox.control("subtotal/status", persona="ella", retailer="costco", status="disconnected")
    again = {"connection_id": connection["connection_id"], "customer_id": "somebody else"}
    submit(sandbox, sandbox.http.get(url_at(sandbox, "costco"), params=again))
    assert remembered(sandbox)["connections"] == [connection]
    assert sandbox.http.get(url_at(sandbox, "walmart"), params=again).status_code == 404
    unknown = sandbox.http.get(url_at(sandbox, "costco"), params={"connection_id": "unknown"})
    assert unknown.status_code == 404


def test_the_selection_is_for_known_clients(sandbox: Sandbox) -> None:
    known = ELLA | {"client_id": CONFIG.subtotal_client_id, "redirect_url": BACK}
    for query in (ELLA, known | {"client_id": "unknown"}):
        assert sandbox.http.get("/link/select", params=query).status_code == 400
        assert sandbox.http.post("/link/select", params=query, data={"retailer": "walmart"}).status_code == 400
    assert remembered(sandbox)["connections"] == []
    done = submit(sandbox, sandbox.http.get("/link/select", params=known), "amazon")
    assert (done.status_code, done.headers["location"]) == (303, BACK)
    assert [one["email"] for one in remembered(sandbox)["connections"]] == [ELLA["email"]]


def test_an_account_that_is_linked_already_is_used_again(sandbox: Sandbox) -> None:
    connection = sandbox.control("subtotal/link", persona="ella", retailer="target")
    submit(sandbox, sandbox.http.get(f"/link/{link_token(sandbox)}"), "target")
    submit(sandbox, sandbox.http.get(url_at(sandbox, "target"), params=ELLA))
    assert remembered(sandbox)["connections"] == [connection]


def test_without_a_customer_id_nobodys_account_is_used_again(sandbox: Sandbox) -> None:
    for _ in range(2):
        submit(sandbox, sandbox.http.get(url_at(sandbox, "target")))
    assert len(remembered(sandbox)["connections"]) == 2


@pytest.mark.parametrize("retailer", ["", "gone"])
def test_a_retailer_has_to_be_chosen(sandbox: Sandbox, retailer: str) -> None:
    page = sandbox.http.get(f"/link/{link_token(sandbox)}", params={"redirect_url": BACK})
    assert submit(sandbox, page, retailer).status_code == 400
    assert remembered(sandbox)["connections"] == []


def test_cancel_goes_back_and_tells_of_no_success(sandbox: Sandbox) -> None:
    page = sandbox.http.get(f"/link/{link_token(sandbox)}", params={"redirect_url": BACK})
    assert f'href="{html.escape(BACK)}">Cancel</a>' in page.text
    assert "Cancel" not in sandbox.http.get(f"/link/{link_token(sandbox)}").text


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "/somewhere", "data:text/html,x", "https://[", "https:///x"]
)
def test_no_browser_is_sent_to_what_is_no_website(sandbox: Sandbox, address: str) -> None:
    token = link_token(sandbox)
    assert sandbox.http.get(f"/link/{token}", params={"redirect_url": address}).status_code == 400
    refused = sandbox.http.post(f"/link/{token}", params={"redirect_url": address}, data={"retailer": "walmart"})
    assert refused.status_code == 400
    assert remembered(sandbox)["connections"] == []


def test_a_long_email_is_refused_on_the_page_as_in_the_api(sandbox: Sandbox) -> None:
    query = ELLA | {"email": f"{'a' * 60}@example.com"}
    assert sandbox.http.post(url_at(sandbox, "walmart"), params=query).status_code == 422
    assert remembered(sandbox)["connections"] == []


def test_what_the_address_says_is_escaped(sandbox: Sandbox) -> None:
    page = sandbox.http.get(url_at(sandbox, "walmart"), params={"redirect_url": 'https://x.example/"><script>'})
    assert page.status_code == 200
    assert "<script" not in page.text


# The simulator -------------------------------------------------------------------------------------------------------


def simulate(sandbox: Sandbox, **changes: Any) -> Any:
    reply = api(sandbox, "POST", "/simulated-connections", **ELLA | {"retailer_id": "walmart"} | changes)
    assert reply.status_code == 201, reply.text
    return reply.json()


def purchases_of(sandbox: Sandbox, connection: Any) -> list[Any]:
    token = connection_token(sandbox, connection["connection_id"], "access")
    reply = sandbox.http.get("/purchases", headers=KEY | {"authorization": f"Bearer {token}"})
    found: list[Any] = reply.json()["purchases"]
    return found


def test_a_simulated_connection_is_active_with_a_past_that_is_not_told(sandbox: Sandbox) -> None:
    connection = simulate(sandbox)
    assert (connection["status"], connection["is_simulated"]) == ("active", True)
    dates = [one["date"] for one in purchases_of(sandbox, connection)]
    assert 1 <= len(dates) <= 4
    assert dates == sorted(dates, reverse=True)
    assert max(dates) < sandbox.state()["clock"]["now"]
    events = [(event["type"], event["is_simulated"]) for event in remembered(sandbox)["events"]]
    assert events == [("connection.activated", True)]


def test_a_simulated_purchase_is_told(sandbox: Sandbox) -> None:
    connection = simulate(sandbox, include_purchases=False)
    assert purchases_of(sandbox, connection) == []
    bought = sandbox.http.post(f"/simulated-connections/{connection['connection_id']}/purchases", headers=KEY)
    assert bought.status_code == 201
    assert [one["total"] for one in purchases_of(sandbox, connection)] == [bought.json()["total"]]
    assert remembered(sandbox)["events"][-1]["type"] == "purchase.created"
    assert remembered(sandbox)["events"][-1]["is_simulated"] is True


def test_a_simulated_status_is_told_also_if_it_was_so_before(sandbox: Sandbox) -> None:
    path = f"/simulated-connections/{simulate(sandbox)['connection_id']}"
    for status in ("unauthenticated", "unauthenticated", "active"):
        assert api(sandbox, "PATCH", path, status=status).json()["status"] == status
    assert api(sandbox, "PATCH", path, status="disconnected").status_code == 422
    words = ["activated", "unauthenticated", "unauthenticated", "activated"]
    assert told(sandbox) == [f"connection.{word}" for word in words]


def test_a_real_connection_cannot_be_simulated(sandbox: Sandbox) -> None:
    connection = sandbox.control("subtotal/link", persona="ella", retailer="walmart")
    path = f"/simulated-connections/{connection['connection_id']}"
    assert api(sandbox, "PATCH", path, status="active").status_code == 404
    assert api(sandbox, "POST", f"{path}/purchases").status_code == 404
    assert told(sandbox) == ["connection.activated"]


@pytest.mark.parametrize(
    "changes", [{"customer_id": None}, {"retailer_id": "x" * 27}, {"email": "x" * 65}, {"include_purchases": "no"}]
)
def test_a_simulated_connection_that_makes_no_sense_is_refused(sandbox: Sandbox, changes: dict[str, Any]) -> None:
    reply = api(sandbox, "POST", "/simulated-connections", **ELLA | {"retailer_id": "walmart"} | changes)
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body", next(iter(changes))])
    assert remembered(sandbox)["connections"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/retailers"),
        ("GET", "/webhooks"),
        ("POST", "/webhooks"),
        ("POST", "/simulated-connections"),
        ("POST", "/simulated-connections/x/purchases"),
        ("PATCH", "/simulated-connections/x"),
    ],
)
def test_the_api_needs_its_key(sandbox: Sandbox, method: str, path: str) -> None:
    assert sandbox.http.request(method, path).status_code == 401


def test_the_retailers_are_listed_each_with_its_link_url(sandbox: Sandbox) -> None:
    lines = api(sandbox, "GET", "/retailers").json()["retailers"]
    assert [line["retailer_id"] for line in lines] == [one.id for one in RETAILERS]
    assert len({line["link_url"] for line in lines}) == len(lines)


# Purchases in the past ----------------------------------------------------------------------------------------------


def test_purchases_are_listed_by_their_date_not_by_when_they_were_found(sandbox: Sandbox) -> None:
    history = [
        {"total": total, "date": date}
        for total, date in (("1", "2026-01-02"), ("2", "2026-01-03"), ("3", "2025-12-31"))
    ]
    connection = sandbox.control("subtotal/link", persona="ella", retailer="walmart", purchases=history)
    bought = sandbox.control(
        "subtotal/purchase", persona="ella", retailer="walmart", total=4, date="2026-01-02T12:00:00+02:00"
    )
    assert bought["date"] == "2026-01-02T10:00:00.000Z"
    assert [one["total"] for one in purchases_of(sandbox, connection)] == ["2.00", "4.00", "1.00", "3.00"]
