"""Accounts at other retailers, as JSON and as a page: what Subtotal's API says counts, and only one's own are there."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from support.concurrency import at_once, same_browser
from support.enrolment_clients import Rows
from support.expired_tokens import without_faults
from support.services import Service, Start, Vendors
from support.shopper import Page, Shopper
from support.subtotal_events import ACTIONS, BUYING

ROW = '[[actions]]\nevent = "account.linked"\nname = "Link {0}"\nretailers = ["{0}"]\nearning_rule_id = "{1}"\n'
AT_TWO = "".join(ROW.format(name, BUYING) for name in ("walmart", "best-buy"))


@pytest.fixture
def service(start: Start) -> Service:
    return start(SUBTOTAL_ACTIONS=ACTIONS)


def link(vendors: Vendors, persona: str = "ella", retailer: str = "walmart", status: str = "active") -> str:
    """Linked at Subtotal without us; returns the connection's id."""
    connection = vendors.control("subtotal/link", persona=persona, retailer=retailer)
    if status != "active":
        vendors.control("subtotal/status", persona=persona, retailer=retailer, status=status)
    return str(connection["connection_id"])


def connections(vendors: Vendors) -> list[Any]:
    found: list[Any] = vendors.state()["subtotal"]["connections"]
    return found


def at_subtotal(address: str, retailer: str = "") -> httpx2.Response:
    """The shopper does what Subtotal's page asks for."""
    with httpx2.Client(trust_env=False, timeout=20) as http:
        page = http.get(address)
        assert page.status_code == 200, page.text
        return http.post(address, data={"retailer": retailer} if retailer else {})


# JSON ---------------------------------------------------------------------------------------------------------------


def test_nothing_is_linked_at_first(ella: Shopper) -> None:
    assert ella.api("GET", "/me/retailers").json() == {"retailers": [], "awards": []}


def test_accounts_are_shown_with_their_state(ella: Shopper, vendors: Vendors) -> None:
    states = ("active", "unauthenticated", "disconnected", "initialized")
    ids = [link(vendors, retailer=f"shop-{state}", status=state) for state in states]
    link(vendors, persona="tara")
    found = ella.api("GET", "/me/retailers").json()["retailers"]
    assert [(one["id"], one["state"]) for one in found] == list(zip(ids, states, strict=True))
    assert found[0]["retailer"] == {"id": "shop-active", "name": "Shop Active"}


def test_the_retailers_that_earn_can_be_chosen(start: Start, vendors: Vendors) -> None:
    ella = start(SUBTOTAL_ACTIONS=AT_TWO).signed_in("ella")
    available = ella.api("GET", "/me/retailers").json()["available"]
    assert available == [{"id": "walmart", "name": "Walmart"}, {"id": "best-buy", "name": "Best Buy"}]
    assert ella.api("POST", "/me/retailers", {"retailerId": "target"}).json()["code"] == "not_found"
    assert ella.api("POST", "/me/retailers", {"retailerId": "walmart"}).status_code == 201


def test_a_link_without_a_retailer_lets_the_shopper_choose(ella: Shopper, vendors: Vendors) -> None:
    """The token has customer and email in it; the address tells neither."""
    reply = ella.api("POST", "/me/retailers", {})
    assert reply.status_code == 201
    address = reply.json()["linkUrl"]
    assert parse_qs(urlsplit(address).query) == {"redirect_url": [f"{ella.base}/retailers?linked=1"]}
    assert "example.com" not in address
    back = at_subtotal(address, "target")
    assert back.headers["location"] == f"{ella.base}/retailers?linked=1&subtotal_link_result=success"
    [account] = ella.api("GET", "/me/retailers").json()["retailers"]
    assert (account["retailer"]["id"], account["state"]) == ("target", "active")
    [connection] = connections(vendors)
    member = vendors.member("ella")
    assert (connection["customer_id"], connection["email"]) == (member["customerId"], member["email"])


def test_a_retailer_may_be_chosen_here(ella: Shopper, vendors: Vendors) -> None:
    address = ella.api("POST", "/me/retailers", {"retailerId": "amazon"}).json()["linkUrl"]
    [account] = ella.api("GET", "/me/retailers").json()["retailers"]
    assert account["state"] == "initialized"
    at_subtotal(address)
    [account] = ella.api("GET", "/me/retailers").json()["retailers"]
    assert (account["retailer"]["id"], account["state"]) == ("amazon", "active")
    assert connections(vendors)[0]["email"] == "ella@example.com"


def test_an_unfinished_account_is_used_again(ella: Shopper, vendors: Vendors) -> None:
    for _ in range(3):
        assert ella.api("POST", "/me/retailers", {"retailerId": "amazon"}).status_code == 201
    assert len(connections(vendors)) == 1


def test_L7_a_double_click_makes_one_account(service: Service, ella: Shopper, vendors: Vendors) -> None:
    tabs = [same_browser(service, ella) for _ in range(4)]
    replies = at_once([lambda tab=tab: tab.api("POST", "/me/retailers", {"retailerId": "amazon"}) for tab in tabs])  # type: ignore[misc]
    assert {reply.status_code for reply in replies} == {201}
    assert len(connections(vendors)) == 1


def test_an_account_may_be_signed_in_to_again(ella: Shopper, vendors: Vendors) -> None:
    account = link(vendors, status="unauthenticated")
    at_subtotal(ella.api("POST", "/me/retailers", {"connectionId": account}).json()["linkUrl"])
    assert ella.api("GET", "/me/retailers").json()["retailers"][0]["state"] == "active"


def test_unlinking_takes_the_account_away(ella: Shopper, vendors: Vendors) -> None:
    account = link(vendors)
    assert ella.api("DELETE", f"/me/retailers/{account}").json() == {}
    assert ella.api("GET", "/me/retailers").json()["retailers"] == []
    assert ella.api("DELETE", f"/me/retailers/{account}").json()["code"] == "not_found"


def test_H8_another_members_account_is_not_there(ella: Shopper, vendors: Vendors) -> None:
    foreign = link(vendors, persona="tara")
    before = connections(vendors)
    for reply in (
        ella.api("DELETE", f"/me/retailers/{foreign}"),
        ella.api("POST", "/me/retailers", {"connectionId": foreign}),
    ):
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
    assert connections(vendors) == before


@pytest.mark.parametrize(
    "body",
    [
        {"retailerId": 7}, {"retailer": "walmart"}, {"connectionId": None}, [],
    ],
)  # fmt: skip
def test_H3_other_bodies_are_refused(ella: Shopper, vendors: Vendors, body: Any) -> None:
    reply = ella.api("POST", "/me/retailers", body)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
    assert connections(vendors) == []


@pytest.mark.parametrize("name", ["x" * 200, "../x", "a/b", "%2e%2e", "\u0000", "walmart\r\n"])
def test_G1_a_name_that_could_leave_its_place_goes_nowhere(ella: Shopper, vendors: Vendors, name: str) -> None:
    assert ella.api("POST", "/me/retailers", {"connectionId": name}).status_code == 404
    assert ella.api("POST", "/me/retailers", {"retailerId": name}).status_code in {404, 201, 422}
    assert {call["path"] for call in vendors.calls("subtotal_connections")} <= {"/connections"} | {
        f"/connections/{connection['connection_id']}/token" for connection in connections(vendors)
    }


def test_the_shopper_may_come_back_to_the_storefront(ella: Shopper, settings: dict[str, str]) -> None:
    storefront = f"{settings['STOREFRONT_ORIGINS']}/account?tab=shops"
    address = ella.api("POST", "/me/retailers", {"returnTo": storefront}).json()["linkUrl"]
    assert parse_qs(urlsplit(address).query) == {"redirect_url": [storefront]}


@pytest.mark.parametrize(
    "given", ["https://evil.test/", "//evil.test", "javascript:alert(1)", "/\\evil.test", "/login"]
)
def test_F1_the_shopper_comes_back_to_no_foreign_address(ella: Shopper, given: str) -> None:
    address = ella.api("POST", "/me/retailers", {"returnTo": given}).json()["linkUrl"]
    assert parse_qs(urlsplit(address).query) == {"redirect_url": [f"{ella.base}/"]}


def test_what_was_earned_is_shown_to_its_member_alone(
    ella: Shopper, service: Service, rows: Rows, vendors: Vendors
) -> None:
    values = {"customer": vendors.member("ella")["customerId"], "rule": BUYING}
    for number, (state, points) in enumerate((("paid", 85), ("waiting", None), ("needs_review", None))):
        rows.execute(
            "INSERT INTO awards (reference, event, action, earning_rule_id, customer_id, payee, retailer_id,"
            " connection_id, purchase_id, value, state, points, try_until) VALUES (%(n)s, 'purchase.created', 'Shop',"
            " %(rule)s, %(customer)s, 'p', 'best-buy', 'c', %(n)s, 42.50, %(state)s, %(points)s, now())",
            values | {"n": str(number), "state": state, "points": points},
        )
    shown = ella.api("GET", "/me/retailers").json()["awards"]
    assert {one["spend"]["currencyCode"] for one in shown} == {"USD"}
    assert [(one["state"], one.get("points"), one["spend"]["amount"]) for one in shown] == [
        ("working", None, "42.50"), ("given", 85, "42.50"),
    ]  # fmt: skip
    assert service.signed_in("tara").api("GET", "/me/retailers").json()["awards"] == []
    page = ella.get("/retailers").text
    assert "+85 points" in page
    assert "On its way" in page


@pytest.mark.parametrize("kind", ["status:500", "status:401", "status:429", "cut_before", "garbage", "html", "huge"])
def test_subtotals_trouble_is_said_honestly(ella: Shopper, vendors: Vendors, kind: str) -> None:
    vendors.fault("subtotal_connections", kind, times=9)
    for reply in (ella.api("GET", "/me/retailers"), ella.api("POST", "/me/retailers", {"retailerId": "amazon"})):
        assert reply.status_code in {502, 503, 504}
        assert reply.json()["code"].startswith("upstream_")
    page = ella.get("/retailers")
    assert (page.status, "couldn't load your linked shops" in page.text) == (200, True)
    without_faults(vendors)


def test_without_subtotal_there_is_nothing_of_it(start: Start) -> None:
    ella = start(SUBTOTAL_API_KEY="", SUBTOTAL_ACTIONS="").signed_in("ella")
    assert ella.get("/retailers").status == 404
    assert "/retailers" not in ella.get("/").reply.text
    for method, path, body in (("GET", "", None), ("POST", "", {}), ("DELETE", "/x", None)):
        reply = ella.api(method, f"/me/retailers{path}", body)
        assert (reply.status_code, reply.json()["code"]) == (404, "feature_unavailable")


# The page -----------------------------------------------------------------------------------------------------------


def submit(shopper: Shopper, page: Page, action: str, button: str, **fields: str) -> Page:
    """Press the button of that name in a form for this address."""
    form = next(
        form
        for form in page.read.forms
        if urlsplit(form.action).path == action and any(button in b for b in form.buttons)
    )
    return shopper.post(action, form.fields | fields, follow=False)


def test_a_stranger_is_asked_to_sign_in(service: Service) -> None:
    page = service.shopper().get("/retailers")
    assert (page.status, "Sign in to link a shop" in page.text) == (200, True)


def test_the_page_says_what_linking_earns(ella: Shopper) -> None:
    page = ella.get("/retailers")
    assert "No shop is linked yet" in page.text
    assert "Link a retailer account" in page.text
    assert "+150 points" in page.text


@pytest.mark.parametrize("persona", ["ella", "penny"])
def test_linking_leads_to_subtotal_and_back(service: Service, vendors: Vendors, persona: str) -> None:
    """Points also come to those who have not joined."""
    shopper = service.signed_in(persona)
    reply = submit(shopper, shopper.get("/retailers"), "/retailers", "Choose a shop")
    assert reply.status == 303
    back = at_subtotal(reply.reply.headers["location"], "sephora").headers["location"]
    page = shopper.get(back)
    assert "Welcome back" in page.text
    assert "Sephora" in page.text
    assert "Linked: purchases earn points" in page.text


def test_I3_the_form_may_lead_to_subtotal_and_nowhere_else(ella: Shopper, settings: dict[str, str]) -> None:
    subtotal = re.match(r"https?://[^/]+", settings["SUBTOTAL_LINK_URL"])
    assert subtotal
    policy = ella.get("/retailers").reply.headers["content-security-policy"]
    assert f"form-action 'self' {subtotal[0]};" in policy
    assert "form-action 'self';" in ella.get("/rewards").reply.headers["content-security-policy"]


def test_coming_back_proves_nothing(ella: Shopper) -> None:
    page = ella.get("/retailers?linked=1&subtotal_link_result=success")
    assert "No shop is linked yet" in page.text


def test_an_account_that_wants_a_new_sign_in_has_a_button_for_it(ella: Shopper, vendors: Vendors) -> None:
    link(vendors, status="unauthenticated")
    page = ella.get("/retailers")
    assert "wants you to sign in again" in page.text
    reply = submit(ella, page, "/retailers", "Sign in again")
    at_subtotal(reply.reply.headers["location"])
    assert "Linked: purchases earn points" in ella.get("/retailers").text


def test_unlinking_on_the_page(ella: Shopper, vendors: Vendors) -> None:
    account = link(vendors)
    reply = submit(ella, ella.get("/retailers"), f"/retailers/{account}/unlink", "Unlink now")
    assert (reply.status, reply.reply.headers["location"]) == (303, "/retailers?unlinked=1")
    assert "Unlinked" in ella.get("/retailers?unlinked=1").text
    assert connections(vendors) == []


@pytest.mark.parametrize("path", ["/retailers", "/retailers/{account}/unlink"])
def test_D5_forms_are_taken_with_their_own_token_only(
    service: Service, ella: Shopper, vendors: Vendors, path: str
) -> None:
    account = link(vendors)
    other = service.signed_in("tara").get("/retailers").form("/retailers").fields["csrf"]
    wrong = (other, "", ella.get("/refer").form("/refer").fields["csrf"])
    for token in wrong:
        page = ella.post(path.format(account=account), {"csrf": token})
        assert page.status in {403, 409}
    assert len(connections(vendors)) == 1
    assert vendors.calls("subtotal_link_tokens") == []


def test_a_failure_of_the_form_is_shown_on_the_page(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("subtotal_link_tokens", "status:500")
    page = submit(ella, ella.get("/retailers"), "/retailers", "Choose a shop")
    assert (page.status, "There is a problem" in page.text) == (502, True)


def test_who_is_blocked_gets_the_one_calm_page(service: Service) -> None:
    blake = service.signed_in("blake")
    assert blake.get("/retailers").path == "/blocked"
    assert blake.api("GET", "/me/retailers").json()["code"] == "member_blocked"
