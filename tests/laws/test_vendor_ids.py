"""Whatever a vendor's ids look like, every address with one leads where it should, and no page is lost to one."""

import pytest
from starlette.routing import Route
from support.concurrency import until
from support.services import Vendors, Work
from support.shopper import Shopper

from bff.app import MEMBER_ROUTES, PUBLIC_ROUTES

FIVE_OFF = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
TIKTOK = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05"
# Each with a test here or, for Subtotal's accounts, a form that is not taken at all.
ROUTES_WITH_IDS = {
    "/rewards/{id}",
    "/earn/{id}",
    "/api/v1/me/earning-rules/{id}/completions",
    "/retailers/{id}/unlink",
    "/api/v1/me/retailers/{id}",
}
ODD = (
    "gid://okendo/RedemptionRule/42",
    "a/b/../c",
    "../../customer",
    "/",
    "...",
    "50%",
    "%2e%2e%2f",
    "%252F",
    "what?yes=1#no",
    "five off",
    " ",
    "a;b=c&d+e",
    "back\\slash",
    "<b>'\"id</b>",
    "prix-réduit-é",
    "\u0643\u0648\u0628\u0648\u0646",
    "\U0001f381",
    "~Zm9v",
    "~",
    "x" * 300,
    "\u00e9/" * 150,
    "9" * 40,
)
# Nothing that could be sent back in an address: a dot segment, a control character, more than an address can hold.
UNUSABLE = (".", "..", "a\0b", "a\r\nb", "\x1b[31m", "\x7f", "\x85", "x" * 2000)


def test_P4_every_route_that_carries_a_vendors_id_is_known_here() -> None:
    routes = {route.path for route in (*PUBLIC_ROUTES, *MEMBER_ROUTES) if isinstance(route, Route)}
    assert {path for path in routes if "{id}" in path} == ROUTES_WITH_IDS


def rename(vendors: Vendors, **ids: str) -> None:
    vendors.control("ids", **ids)


@pytest.mark.parametrize("odd", ODD)
def test_P4_a_reward_of_any_id_is_shown_and_redeemed_on_pages(ella: Shopper, vendors: Vendors, odd: str) -> None:
    rename(vendors, **{FIVE_OFF: odd})
    for path in ("/", "/rewards"):
        assert ella.get(path).status == 200
    link = next(link for link in ella.get("/rewards").read.links if "/rewards/" in link and link.endswith(mine(ella)))
    page = ella.get(link)
    assert "$5 off your order" in page.heading
    done = ella.submit(page, link)
    assert "Your code" in done.text
    assert [one["rule"] for one in vendors.member("ella")["redemptions"]] == [odd]
    assert "You have redeemed this already" in ella.get(link).text


@pytest.mark.parametrize("odd", ODD)
def test_P4_a_way_to_earn_of_any_id_is_shown_and_completed_on_pages(ella: Shopper, vendors: Vendors, odd: str) -> None:
    rename(vendors, **{TIKTOK: odd})
    way = earned_by(ella, "Follow us on TikTok")
    page = ella.get("/earn")
    assert (page.status, way in page.read.links) == (200, True)
    assert ella.get(way).heading == "Follow us on TikTok"
    for done in (ella.submit(page, way), ella.get(way)):
        assert (done.status, done.path) == (200, way)
        assert "You earned a coupon." in done.text
    assert [one["rule"] for one in vendors.member("ella")["triggers"]] == [odd]
    assert way not in [form.action for form in ella.get("/earn").read.forms]


def earned_by(shopper: Shopper, name: str) -> str:
    """The address of the page of this way to earn."""
    rules = shopper.api("GET", "/me/earning-rules").json()["earningRules"]
    return f"/earn/{next(rule['id'] for rule in rules if rule['name'] == name)}"


def mine(shopper: Shopper) -> str:
    """The id by which this service knows the reward."""
    rewards = shopper.api("GET", "/me/rewards").json()["rewards"]
    return str(next(reward["id"] for reward in rewards if reward["name"] == "$5 off your order"))


@pytest.mark.parametrize("odd", ODD)
def test_P4_ids_of_any_kind_work_in_json(ella: Shopper, vendors: Vendors, odd: str) -> None:
    rename(vendors, **{FIVE_OFF: odd, TIKTOK: f"{odd}/trigger"})
    key = "k" * 20
    reply = ella.api("POST", "/me/redemptions", {"rewardId": mine(ella)}, idempotency_key=key)
    assert reply.status_code == 201, reply.text
    assert reply.json()["reward"]["id"] == mine(ella)
    assert ella.api("GET", f"/me/redemptions/{key}").json()["reward"]["id"] == mine(ella)
    public = ella.api("GET", "/rewards").json()["rewards"]
    assert mine(ella) in [reward["id"] for reward in public]
    rules = ella.api("GET", "/me/earning-rules").json()["earningRules"]
    rule = next(rule["id"] for rule in rules if rule["name"] == "Follow us on TikTok")
    done = ella.api("POST", f"/me/earning-rules/{rule}/completions", {})
    assert done.status_code == 201, done.text
    told = vendors.member("ella")
    assert [one["rule"] for one in told["redemptions"]] == [odd]
    assert [one["rule"] for one in told["triggers"]] == [f"{odd}/trigger"]


@pytest.mark.parametrize("odd", ODD[:1])
def test_P4_a_lost_redemption_is_found_again_by_any_id(ella: Shopper, vendors: Vendors, work: Work, odd: str) -> None:
    rename(vendors, **{FIVE_OFF: odd})
    vendors.fault("redeem", "cut_after")
    key = "k" * 20
    assert ella.api("POST", "/me/redemptions", {"rewardId": mine(ella)}, idempotency_key=key).status_code == 202
    work()
    until(lambda: ella.api("GET", f"/me/redemptions/{key}").json()["state"] == "succeeded")


@pytest.mark.parametrize("unusable", UNUSABLE)
def test_P4_an_id_that_no_address_can_hold_is_left_out_of_the_list(
    ella: Shopper, vendors: Vendors, unusable: str
) -> None:
    rename(vendors, **{FIVE_OFF: unusable, TIKTOK: unusable})
    assert ella.get("/").status == 200
    assert "$5 off your order" not in ella.get("/rewards").text
    page = ella.get("/earn")
    assert (page.status, "Follow us on TikTok" in page.text) == (200, False)
    assert len(ella.api("GET", "/me/rewards").json()["rewards"]) == 5
    assert len(ella.api("GET", "/me/earning-rules").json()["earningRules"]) == 9
