"""A storefront page hands in the customer token it holds and gets a session for it (checklist D7 and B2)."""

from collections.abc import Mapping

import pytest
from support.concurrency import same_browser, state_of
from support.services import Service, Start, Vendors
from support.shopper import COOKIE, Shopper

STOREFRONT = "http://localhost:3000"
FIELDS = {"customer_account": "customerAccessToken", "storefront": "storefrontCustomerAccessToken"}


def body(vendors: Vendors, persona: str, kind: str = "customer_account", shop: str = "this") -> dict[str, str]:
    return {FIELDS[kind]: vendors.token(persona, kind=kind, shop=shop)}


def legacy(start: Start) -> Service:
    return start(SHOPIFY_LEGACY_TOKENS="on")


@pytest.mark.parametrize("kind", FIELDS)
def test_a_token_becomes_a_session(start: Start, vendors: Vendors, kind: str) -> None:
    service = legacy(start)
    shopper = service.shopper()
    given = body(vendors, "ella", kind)
    reply = shopper.api("POST", "/session", given)
    assert (reply.status_code, reply.json()["state"]) == (201, "enrolled")
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 1240
    assert shopper.api("GET", "/me").json()["name"] == "Ella Martin"
    assert set(shopper.cookies) == {COOKIE}
    assert all(given[FIELDS[kind]] not in reply.text + str(reply.headers) for reply in shopper.replies)


@pytest.mark.parametrize(("persona", "state"), [("penny", "pending"), ("blake", "blocked"), ("zoe", "enrolled")])
def test_the_answer_says_what_the_shopper_is(service: Service, vendors: Vendors, persona: str, state: str) -> None:
    shopper = service.shopper()
    assert shopper.api("POST", "/session", body(vendors, persona)).json()["state"] == state
    assert state_of(shopper) == state


def test_a_storefront_page_may_hand_in_from_its_own_origin(shopper: Shopper, vendors: Vendors) -> None:
    reply = shopper.api("POST", "/session", body(vendors, "ella"), origin=STOREFRONT, sec_fetch_site="same-site")
    assert reply.status_code == 201
    assert reply.headers["access-control-allow-origin"] == STOREFRONT


def test_legacy_tokens_are_refused_unless_they_are_switched_on(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    reply = shopper.api("POST", "/session", body(vendors, "ella", "storefront"))
    assert (reply.status_code, reply.json()["code"]) == (404, "feature_unavailable")
    assert shopper.cookies == {}
    assert vendors.calls("storefront_graphql") == []


@pytest.mark.parametrize("kind", FIELDS)
def test_a_token_of_another_shop_is_refused(start: Start, vendors: Vendors, kind: str) -> None:
    shopper = legacy(start).shopper()
    reply = shopper.api("POST", "/session", body(vendors, "ella", kind, "other"))
    assert (reply.status_code, reply.json()["code"]) == (401, "token_rejected")
    assert shopper.cookies == {}
    assert vendors.calls("login") == []


@pytest.mark.parametrize("kind", FIELDS)
def test_a_token_that_is_dead_or_made_up_or_of_the_other_kind_is_refused(
    start: Start, vendors: Vendors, kind: str
) -> None:
    shopper = legacy(start).shopper()
    given = body(vendors, "ella", kind)
    [other] = body(vendors, "ella", next(name for name in FIELDS if name != kind)).values()
    vendors.control("clock", advance=50 * 86_400)
    for token in (given[FIELDS[kind]], "shcat_made.up.token", "0" * 32, other):
        reply = shopper.api("POST", "/session", {FIELDS[kind]: token})
        assert (reply.status_code, reply.json()["code"]) == (401, "token_rejected"), token
    assert shopper.cookies == {}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"customerAccessToken": None},
        {"customerAccessToken": ""},
        {"customerAccessToken": "short"},
        {"customerAccessToken": "x" * 5000},
        {"customerAccessToken": "with a blank in it"},
        {"customerAccessToken": "with\r\nX-Evil: 1"},
        {"customerAccessToken": "with\x00nul-byte"},
        {"customerAccessToken": "wíth-an-accent"},
        {"customerAccessToken": 12345678},
        {"customerAccessToken": "shcat_abcdefgh", "storefrontCustomerAccessToken": "shcat_abcdefgh"},
        {"customerAccessToken": "shcat_abcdefgh", "customerId": "gid://shopify/Customer/7000000000001"},
        {"customerAccessToken": "shcat_abcdefgh", "refreshToken": "shcrt_abcdefgh"},
    ],
)
def test_what_is_no_token_is_refused_before_anybody_is_asked(
    start: Start, vendors: Vendors, given: Mapping[str, object]
) -> None:
    shopper = legacy(start).shopper()
    reply = shopper.api("POST", "/session", given)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
    assert shopper.cookies == {}
    assert vendors.calls("shopify_graphql") + vendors.calls("storefront_graphql") == []


@pytest.mark.parametrize("kind", ["status:500", "status:429", "html", "garbage", "cut_before", "huge"])
def test_when_shopify_cannot_say_whose_token_it_is_nobody_is_signed_in(
    service: Service, vendors: Vendors, kind: str
) -> None:
    shopper = service.shopper()
    vendors.fault("shopify_graphql", kind, times=2)
    reply = shopper.api("POST", "/session", body(vendors, "ella"))
    assert reply.status_code in {502, 503, 504}
    assert shopper.cookies == {}


# The session ends when the token does -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FIELDS)
def test_a_session_ends_with_the_token_that_was_handed_in(start: Start, vendors: Vendors, kind: str) -> None:
    service = legacy(start)
    shopper = service.shopper()
    shopper.api("POST", "/session", body(vendors, "ella", kind))
    # Longer than a legacy token lives, with the session used in between.
    for _ in range(7):
        vendors.control("clock", advance=6 * 86_400)
        service.clock.advance(3700)
        state_of(shopper)
    reply = shopper.api("GET", "/me")
    assert (reply.status_code, reply.json()["code"]) == (401, "session_expired")
    assert state_of(shopper) == "anonymous"
    assert vendors.calls("shopify_token") == []


def test_a_handed_in_token_that_still_lives_gives_a_new_jwt(shopper: Shopper, vendors: Vendors) -> None:
    shopper.api("POST", "/session", body(vendors, "ella"))
    vendors.fault("customer", "status:401")
    assert shopper.api("GET", "/me").status_code == 200
    assert len(vendors.calls("login")) == 2


def test_signing_out_of_a_handed_in_session_leaves_shopify_alone(shopper: Shopper, vendors: Vendors) -> None:
    shopper.api("POST", "/session", body(vendors, "ella"))
    landed = shopper.sign_out()
    assert (landed.url, landed.heading) == (f"{shopper.base}/signed-out", "You are signed out here")
    assert "You may still be signed in at the shop" in landed.text
    assert shopper.cookies == {}
    assert vendors.calls("shopify_logout") == []


# Whose session it is ------------------------------------------------------------------------------------------------


def test_B2_another_customers_token_changes_the_customer_and_ends_the_old_session(
    service: Service, vendors: Vendors
) -> None:
    shopper = service.signed_in("ella")
    tab = same_browser(service, shopper)
    form = shopper.get("/").form("/logout")
    shopper.api("POST", "/session", body(vendors, "zoe"))
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 0
    assert state_of(tab) == "anonymous"
    assert shopper.post("/logout", form.fields).status == 409
    assert state_of(shopper) == "enrolled"


def test_a_token_that_is_refused_leaves_the_session_as_it_was(service: Service, vendors: Vendors) -> None:
    shopper = service.signed_in("ella")
    before = dict(shopper.cookies)
    assert shopper.api("POST", "/session", body(vendors, "zoe", shop="other")).status_code == 401
    assert shopper.cookies == before
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 1240


# D7 -----------------------------------------------------------------------------------------------------------------

FOREIGN: list[dict[str, str]] = [
    {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
    {"origin": "https://evil.example", "sec_fetch_site": ""},
    {"origin": "null"},
    {"origin": f"{STOREFRONT}.evil.example"},
    {"origin": STOREFRONT.upper()},
    {"origin": "https://localhost:3001", "sec_fetch_site": "same-site"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "none"},
    {"content_type": "text/plain"},
    {"content_type": "application/x-www-form-urlencoded"},
    {"content_type": "application/json;charset=utf-16"},
    {"x_loyalty_csrf": ""},
    {"x_loyalty_csrf": "0"},
]


def test_D7_nobody_elses_page_can_sign_a_shopper_in(service: Service, vendors: Vendors) -> None:
    for headers in FOREIGN:
        for persona in (None, "ella"):
            shopper = service.signed_in(persona) if persona else service.shopper()
            before = dict(shopper.cookies)
            asked = len(vendors.calls("shopify_graphql"))
            reply = shopper.api("POST", "/session", body(vendors, "zoe"), **headers)
            assert reply.status_code in {403, 415}, headers
            assert "set-cookie" not in reply.headers, headers
            assert shopper.cookies == before, headers
            assert len(vendors.calls("shopify_graphql")) == asked, headers


def test_D7_a_refusal_is_the_same_for_a_good_token_and_a_bad_one(shopper: Shopper, vendors: Vendors) -> None:
    foreign = {"origin": "https://evil.example"}
    replies = [
        shopper.api("POST", "/session", given, **foreign)
        for given in (body(vendors, "zoe"), {"customerAccessToken": "shcat_made.up.token"})
    ]
    good, bad = ({**reply.json(), "requestId": ""} for reply in replies)
    assert good == bad
    assert replies[0].status_code == replies[1].status_code == 403
