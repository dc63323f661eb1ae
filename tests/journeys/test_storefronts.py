"""Several storefronts before one program: coupons and "back to the shop" lead to the one the shopper comes from."""

from collections.abc import Callable

import pytest
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors, in_thread
from support.shopper import Shopper

FIRST, SECOND, THIRD = "http://localhost:3000", "http://localhost:3001", "http://localhost:3002"
TOKEN = "the-token-of-the-storefronts-server-0123456789"


@pytest.fixture
def service(start: Start) -> Service:
    return start(STOREFRONT_ORIGINS=f"{FIRST},{SECOND},{THIRD}", SESSION_TICKETS_TOKEN=TOKEN)


def by_login(service: Service, vendors: Vendors) -> Shopper:
    shopper = service.shopper()
    page = shopper.request("GET", f"/login?return_to={SECOND}/account")
    reply = vendors.http.post(page.headers["location"], data={"persona": "ella"})
    assert shopper.request("GET", reply.headers["location"]).headers["location"] == f"{SECOND}/account"
    return shopper


def by_hand_in(service: Service, vendors: Vendors, origin: str = SECOND) -> Shopper:
    shopper = service.shopper()
    body = {"customerAccessToken": vendors.token("ella")}
    assert shopper.api("POST", "/session", body, origin=origin, sec_fetch_site="same-site").status_code == 201
    return shopper


def by_ticket(service: Service, vendors: Vendors) -> Shopper:
    shopper = service.shopper()
    body = {"customerAccessToken": vendors.token("ella")}
    given = shopper.api("POST", "/session-tickets", body, origin="", authorization=f"Bearer {TOKEN}")
    ticket = given.json()["ticket"]
    assert shopper.request("GET", f"/session/continue?ticket={ticket}&return_to={SECOND}/").status_code == 303
    return shopper


WAYS = (by_login, by_hand_in, by_ticket)


def apply_urls(shopper: Shopper, **headers: str) -> set[str]:
    """Where every coupon that JSON tells of is applied, by the origin of the address."""
    redeemed = redeem(shopper, FIVE_OFF, new_key()) if not headers else None
    told = [
        *shopper.api("GET", "/me/coupons", **headers).json()["coupons"],
        *shopper.api("GET", "/me?include=coupons", **headers).json()["coupons"]["data"],
        *(
            line["coupon"]
            for line in shopper.api("GET", "/me/activity", **headers).json()["activity"]
            if "coupon" in line
        ),
        *([redeemed.json()["coupon"]] if redeemed else []),
    ]
    assert told
    return {coupon["applyUrl"].partition("/discount/")[0] for coupon in told}


@pytest.mark.parametrize("sign_in", WAYS)
def test_coupons_lead_to_the_storefront_through_which_one_signed_in(
    service: Service, vendors: Vendors, sign_in: Callable[[Service, Vendors], Shopper]
) -> None:
    shopper = sign_in(service, vendors)
    assert apply_urls(shopper) == {SECOND}
    links = shopper.get("/").read.links
    assert any(link.startswith(f"{SECOND}/discount/") for link in links)
    assert [link for link in links if link.startswith((FIRST, THIRD))] == []
    assert SECOND in links, "back to the shop"


def test_the_storefront_whose_page_asks_comes_before_that(service: Service, vendors: Vendors) -> None:
    shopper = by_hand_in(service, vendors)
    assert apply_urls(shopper, origin=THIRD, sec_fetch_site="same-site") == {THIRD}
    redeemed = shopper.api(
        "POST", "/me/redemptions", {"rewardId": FIVE_OFF},
        idempotency_key=new_key(), origin=THIRD, sec_fetch_site="same-site",
    )  # fmt: skip
    assert redeemed.json()["coupon"]["applyUrl"].startswith(f"{THIRD}/discount/")
    rule = next(
        rule["id"]
        for rule in shopper.api("GET", "/me/earning-rules").json()["earningRules"]
        if rule["name"] == "Follow us on TikTok"
    )
    earned = shopper.api("POST", f"/me/earning-rules/{rule}/completions", {}, origin=THIRD, sec_fetch_site="same-site")
    assert earned.json()["result"]["coupon"]["applyUrl"].startswith(f"{THIRD}/discount/")


def test_whoever_comes_from_nowhere_is_led_to_the_first(service: Service) -> None:
    assert apply_urls(service.signed_in("ella")) == {FIRST}
    assert FIRST in service.shopper().get("/").read.links


@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"{SECOND}.evil.example", "https://localhost:3009"])
def test_E1_nobody_else_is_led_to(service: Service, origin: str) -> None:
    shopper = service.signed_in("ella")
    assert apply_urls(shopper, origin=origin) == {FIRST}


def test_a_storefront_that_is_not_allowed_any_more_is_led_to_no_more(
    settings: dict[str, str], vendors: Vendors
) -> None:
    """It is none of this machine, whose origins development allows without a list."""
    gone, across = "https://shop.example.com", settings | {"CROSS_SITE_MODE": "partitioned"}
    with in_thread(across | {"STOREFRONT_ORIGINS": f"{FIRST},{gone}"}) as before:
        shopper = by_hand_in(before, vendors, gone)
        assert apply_urls(shopper) == {gone}
        cookies = dict(shopper.cookies)
    with in_thread(across | {"STOREFRONT_ORIGINS": FIRST}) as after:
        shopper = after.shopper()
        shopper.cookies.update(cookies)
        assert apply_urls(shopper) == {FIRST}
