"""A shopper ends all their sessions: from a page, by JSON, and whatever else of theirs is under way (checklist P9)."""

import json
from collections.abc import Callable

import pytest
from support.concurrency import meanwhile, same_browser, state_of, until
from support.expired_tokens import without_a_jwt
from support.sandbox_catalogue import code_of
from support.services import Log, Service, Start, Vendors
from support.shopper import Shopper

EVERYWHERE = "/logout/everywhere"
TICKETS = "tickets-token-of-a-storefront-server-0123456789"


def from_the_page(shopper: Shopper) -> None:
    page = shopper.sign_out(EVERYWHERE)
    assert (page.status, page.path, page.heading) == (200, "/signed-out", "You are signed out everywhere")


def by_json(shopper: Shopper) -> None:
    assert shopper.api("DELETE", "/me/sessions").status_code == 200


WAYS = pytest.mark.parametrize("end_all", [from_the_page, by_json])
EndAll = Callable[[Shopper], None]


@WAYS
def test_P9_all_of_a_customers_sessions_end_and_nobody_elses(service: Service, end_all: EndAll) -> None:
    ella, phone, work, tara = (service.signed_in(persona) for persona in ("ella", "ella", "ella", "tara"))
    tab = same_browser(service, ella)
    end_all(ella)
    assert ella.cookies == {}
    assert [state_of(browser) for browser in (tab, phone, work, tara)] == [*["anonymous"] * 3, "enrolled"]
    assert phone.api("GET", "/me").status_code == 401
    assert service.signed_in("ella").api("GET", "/me").status_code == 200


def test_P9_the_page_is_found_from_every_page_and_says_what_will_happen(service: Service) -> None:
    ella = service.signed_in("ella")
    assert EVERYWHERE in ella.get("/rewards").read.links
    assert EVERYWHERE not in service.shopper().get("/rewards").read.links
    page = ella.get(EVERYWHERE)
    assert "every phone and computer, this one too" in page.text
    assert state_of(ella) == "enrolled"
    reply = ella.post(EVERYWHERE, page.form(EVERYWHERE).fields, follow=False).reply
    assert reply.status_code == 303
    assert reply.headers["location"].startswith("/signed-out?everywhere=")
    assert reply.headers["clear-site-data"] == '"cache"'


def test_P9_it_needs_the_forms_own_token(service: Service) -> None:
    ella, phone = service.signed_in("ella"), service.signed_in("ella")
    page = ella.get(EVERYWHERE)
    for fields in (
        {"csrf": ""},
        {"csrf": "made.up"},
        page.form("/logout").fields,
        phone.get(EVERYWHERE).form(EVERYWHERE).fields,
    ):
        assert ella.post(EVERYWHERE, fields).status in {403, 409}
    elsewhere = {"origin": "https://evil.example"}
    assert ella.post(EVERYWHERE, page.form(EVERYWHERE).fields, headers=elsewhere).status == 403
    assert code_of(ella.api("DELETE", "/me/sessions", x_loyalty_csrf="")) == "csrf_refused"
    assert [state_of(browser) for browser in (ella, phone)] == ["enrolled", "enrolled"]


def test_P9_who_has_no_session_is_not_told_that_all_have_ended(service: Service) -> None:
    ella, phone = service.signed_in("ella"), service.signed_in("ella")
    page, tab, ended = ella.get(EVERYWHERE), same_browser(service, ella), dict(ella.cookies)
    ella.api("DELETE", "/session")
    assert tab.post(EVERYWHERE, page.form(EVERYWHERE).fields).heading == "Please sign in to continue"
    for cookies, code in ((ended, "session_expired"), ({}, "session_required")):
        stranger = service.shopper()
        stranger.cookies = dict(cookies)
        reply = stranger.api("DELETE", "/me/sessions")
        assert (reply.status_code, code_of(reply)) == (401, code)
        assert stranger.request("GET", EVERYWHERE).status_code == 401
    assert state_of(phone) == "enrolled"


@WAYS
def test_P9_a_blocked_member_can_leave_everywhere_too(service: Service, end_all: EndAll) -> None:
    blake, phone = service.signed_in("blake"), service.signed_in("blake")
    assert state_of(blake) == "blocked"
    end_all(blake)
    assert state_of(phone) == "anonymous"


@WAYS
def test_P9_a_ticket_that_was_not_used_yet_is_worth_nothing(start: Start, vendors: Vendors, end_all: EndAll) -> None:
    service = start(SESSION_TICKETS_TOKEN=TICKETS)

    def ticket() -> str:
        body, headers = {"customerAccessToken": vendors.token("ella")}, {"authorization": f"Bearer {TICKETS}"}
        return str(
            service.shopper().request("POST", "/api/v1/session-tickets", json=body, headers=headers).json()["ticket"]
        )

    ella, phone = service.signed_in("ella"), service.shopper()
    before = ticket()
    end_all(ella)
    refused = phone.get(f"/session/continue?ticket={before}")
    assert (refused.status, "signed out everywhere" in refused.text) == (401, True)
    assert (phone.cookies, state_of(phone)) == ({}, "anonymous")
    assert phone.get(f"/session/continue?ticket={ticket()}").status == 200
    assert state_of(phone) == "enrolled"


@WAYS
def test_P9_a_sign_in_under_way_is_not_finished(service: Service, end_all: EndAll) -> None:
    ella, phone, of_tara = service.signed_in("ella"), service.shopper(), service.shopper()
    backs = []
    for shopper, persona in ((phone, "ella"), (of_tara, "tara")):
        authorize = shopper.request("GET", "/login?return_to=/refer").headers["location"]
        backs.append(shopper.request("POST", authorize, data={"persona": persona}).headers["location"])
    end_all(ella)
    refused = phone.get(backs[0])
    assert (refused.status, refused.heading, state_of(phone)) == (401, "Sign-in did not work", "anonymous")
    assert "/login?return_to=%2Frefer" in refused.read.links
    assert of_tara.get(backs[1]).path == "/refer"
    assert phone.sign_in("ella").status == 200
    assert state_of(phone) == "enrolled"


def test_P9_a_token_that_is_being_handed_in_begins_no_session(service: Service, vendors: Vendors) -> None:
    ella, page = service.signed_in("ella"), service.shopper()
    token, asked = vendors.token("ella"), len(vendors.calls("shopify_graphql"))
    vendors.fault("shopify_graphql", "delay", seconds=1)
    with meanwhile(lambda: page.api("POST", "/session", {"customerAccessToken": token})) as handing_in:
        until(lambda: len(vendors.calls("shopify_graphql")) > asked)
        by_json(ella)
        assert (handing_in.result().status_code, code_of(handing_in.result())) == (401, "session_expired")
    assert (page.cookies, state_of(page)) == ({}, "anonymous")


@pytest.mark.parametrize("operation", ["login", "customer"])
def test_B8_a_slow_request_of_another_browser_revives_nothing(
    service: Service, vendors: Vendors, operation: str
) -> None:
    phone, ella = without_a_jwt(service, vendors), service.signed_in("ella")
    vendors.fault(operation, "delay", seconds=0.4)
    already = len(vendors.calls(operation))
    with meanwhile(lambda: same_browser(service, phone).api("GET", "/me")) as slow:
        until(lambda: len(vendors.calls(operation)) > already)
        by_json(ella)
        assert slow.result().status_code in {200, 401}
    assert state_of(phone) == "anonymous"


def test_P9_it_is_logged_without_a_word_about_the_customer(service: Service, vendors: Vendors, log: Log) -> None:
    ella, _ = service.signed_in("ella"), service.signed_in("ella")
    before = len(log.getvalue())
    by_json(ella)
    said = log.getvalue()[before:]
    [line] = [line for line in map(json.loads, said.splitlines()) if line["event"] == "signed_out_everywhere"]
    assert line["what"] == "2 sessions"
    member = vendors.member("ella")
    assert not [word for word in ("Ella", member["email"], member["customerId"].rpartition("/")[2]) if word in said]


def test_P9_shopify_hears_of_the_session_that_asked(service: Service, vendors: Vendors) -> None:
    ella, _ = service.signed_in("ella"), service.signed_in("ella")
    from_the_page(ella)
    assert len(vendors.calls("shopify_logout")) == 1
