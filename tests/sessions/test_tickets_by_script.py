"""A page of the storefront gets a ticket from its own server and brings it to `POST /session`: nobody goes anywhere.

Checklist B2, B14, D2, D7, M4 and P6 for the ticket that a script brings. What a redirect brings: test_tickets.py.
"""

from collections.abc import Mapping
from functools import partial

import httpx2
import pytest
import redis
from support.concurrency import at_once, same_browser, state_of
from support.services import TICKETS_TOKEN as TOKEN
from support.services import Log, Service, Start, Vendors
from support.shopper import Shopper

STOREFRONT, OTHER = "http://localhost:3000", "http://localhost:3001"


@pytest.fixture
def service(start: Start) -> Service:
    return start(STOREFRONT_ORIGINS=f"{STOREFRONT},{OTHER}")


def made(service: Service, vendors: Vendors, persona: str = "ella", **more: str) -> httpx2.Response:
    """As the storefront's server."""
    body = {"customerAccessToken": vendors.token(persona), **more}
    headers = {"authorization": f"Bearer {TOKEN}"}
    return service.shopper().request("POST", "/api/v1/session-tickets", json=body, headers=headers)


def ticket_for(service: Service, vendors: Vendors, persona: str = "ella", **more: str) -> str:
    reply = made(service, vendors, persona, **more)
    assert reply.status_code == 201, reply.text
    return str(reply.json()["ticket"])


def bring(shopper: Shopper, ticket: str, origin: str = STOREFRONT, **headers: str) -> httpx2.Response:
    return shopper.api("POST", "/session", {"ticket": ticket}, origin=origin, sec_fetch_site="same-site", **headers)


def code_of(reply: httpx2.Response) -> tuple[int, str]:
    assert "set-cookie" not in reply.headers
    return reply.status_code, reply.json()["code"]


REJECTED = (401, "token_rejected")


def test_a_ticket_becomes_a_session_without_a_navigation(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    reply = bring(shopper, ticket_for(service, vendors))
    assert (reply.status_code, reply.json()["state"]) == (201, "enrolled")
    assert reply.headers["access-control-allow-origin"] == STOREFRONT
    assert "no-store" in reply.headers["cache-control"]
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 1240


def test_a_ticket_works_once_whichever_way_it_comes(service: Service, vendors: Vendors) -> None:
    ticket = ticket_for(service, vendors)
    visitors = [service.shopper() for _ in range(6)]
    replies = at_once([partial(bring, visitor, ticket) for visitor in visitors])
    assert sorted(reply.status_code for reply in replies) == [201, 401, 401, 401, 401, 401]
    assert code_of(bring(service.shopper(), ticket)) == REJECTED
    assert service.shopper().get(f"/session/continue?ticket={ticket}").status == 400
    ticket = ticket_for(service, vendors)
    assert service.shopper().get(f"/session/continue?ticket={ticket}&return_to=/rewards").status == 200
    assert code_of(bring(service.shopper(), ticket)) == REJECTED


def test_a_ticket_is_too_old_after_a_minute(service: Service, vendors: Vendors, stores: Mapping[str, str]) -> None:
    ticket = ticket_for(service, vendors)
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        (key,) = store.keys("ticket:*")
        assert 0 < store.ttl(key) <= 60
        store.pexpire(key, 0)
    assert code_of(bring(service.shopper(), ticket)) == REJECTED


@pytest.mark.parametrize("ticket", ["", "x", "A" * 44, "A" * 43 + "é", "A" * 4000, "../../session:0123456789abcdef"])
def test_a_ticket_that_was_never_given_is_rejected(service: Service, ticket: str) -> None:
    assert code_of(bring(service.shopper(), ticket)) == REJECTED


def test_a_ticket_comes_alone(service: Service, vendors: Vendors) -> None:
    ticket = ticket_for(service, vendors)
    for more in ({"customerAccessToken": vendors.token("zoe")}, {"storefrontCustomerAccessToken": "a-legacy-token"}):
        reply = service.shopper().api("POST", "/session", {"ticket": ticket, **more})
        assert code_of(reply) == (400, "invalid_request")
    assert bring(service.shopper(), ticket).status_code == 201, "it was not used up"


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": ""},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "none"},
        {"x_loyalty_csrf": ""},
    ],
    ids=lambda changed: "-".join([*changed.keys(), *changed.values()]),
)
def test_D2_D7_nobody_elses_page_brings_a_ticket(service: Service, vendors: Vendors, changed: dict[str, str]) -> None:
    shopper, ticket = service.shopper(), ticket_for(service, vendors)
    headers = {"origin": STOREFRONT, "sec_fetch_site": "same-site"} | changed
    assert code_of(shopper.api("POST", "/session", {"ticket": ticket}, **headers)) == (403, "csrf_refused")
    assert bring(shopper, ticket).status_code == 201, "it was not used up"


def test_B14_a_ticket_in_an_address_begins_no_session_by_json(service: Service, vendors: Vendors) -> None:
    shopper, ticket = service.shopper(), ticket_for(service, vendors)
    assert shopper.api("GET", f"/session?ticket={ticket}").status_code == 400
    assert shopper.api("POST", f"/session?ticket={ticket}", {}).status_code == 400
    assert shopper.cookies == {}


# For one storefront -------------------------------------------------------------------------------------------------


def test_D7_a_ticket_for_one_storefront_is_worth_nothing_at_another(service: Service, vendors: Vendors) -> None:
    assert code_of(bring(service.shopper(), ticket_for(service, vendors, origin=STOREFRONT), OTHER)) == REJECTED
    own = service.shopper()
    reply = own.api("POST", "/session", {"ticket": ticket_for(service, vendors, origin=STOREFRONT)})
    assert code_of(reply) == REJECTED, "nor on a page of the service"
    assert bring(service.shopper(), ticket_for(service, vendors, origin=STOREFRONT)).status_code == 201
    assert bring(service.shopper(), ticket_for(service, vendors, origin=OTHER), OTHER).status_code == 201


def test_D7_P6_a_ticket_for_one_storefront_signs_nobody_in_who_follows_a_link(
    service: Service, vendors: Vendors
) -> None:
    ticket = ticket_for(service, vendors, origin=STOREFRONT)
    victim = service.shopper()
    assert victim.get(f"/session/continue?ticket={ticket}&return_to={STOREFRONT}/").status == 400
    assert victim.cookies == {}


@pytest.mark.parametrize("origin", ["https://evil.test", "http://localhost:3000/", "*", "null", "", "localhost:3000"])
def test_only_a_storefront_on_the_list_can_be_named(service: Service, vendors: Vendors, origin: str) -> None:
    assert code_of(made(service, vendors, origin=origin)) == (400, "invalid_request")
    assert vendors.calls("shopify_graphql") == []


# Who is signed in already -------------------------------------------------------------------------------------------


def test_P6_a_ticket_makes_nobody_another_customer(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    before, ticket = dict(ella.cookies), ticket_for(service, vendors, "zoe")
    assert code_of(bring(ella, ticket)) == (409, "csrf_refused")
    assert ella.cookies == before
    assert ella.api("GET", "/me").json()["points"]["balance"] == 1240
    assert code_of(bring(service.shopper(), ticket)) == REJECTED, "it is used up all the same"
    assert ella.api("DELETE", "/session").status_code == 200
    assert bring(ella, ticket_for(service, vendors, "zoe")).status_code == 201
    assert ella.api("GET", "/me").json()["points"]["balance"] == 0


def test_B2_a_ticket_of_the_same_customer_replaces_their_session(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    before = same_browser(service, ella)
    assert bring(ella, ticket_for(service, vendors)).status_code == 201
    assert (state_of(ella), state_of(before)) == ("enrolled", "anonymous")


def test_P9_a_ticket_from_before_somebody_signed_out_everywhere_signs_nobody_in(
    service: Service, vendors: Vendors
) -> None:
    ticket = ticket_for(service, vendors)
    assert service.signed_in("ella").api("DELETE", "/me/sessions").status_code == 200
    assert code_of(bring(service.shopper(), ticket)) == (401, "session_expired")


def test_M4_a_ticket_is_not_logged(service: Service, vendors: Vendors, log: Log) -> None:
    ticket = ticket_for(service, vendors, origin=STOREFRONT)
    bring(service.shopper(), ticket)
    bring(service.shopper(), ticket)
    assert ticket not in log.getvalue()
