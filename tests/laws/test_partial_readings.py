"""What was read in part is never shown as the whole, and what is not known is never shown as nothing."""

from collections.abc import Mapping
from typing import Any

import pytest
from support.sandbox_catalogue import FIVE_OFF, code_of, new_key, redeem
from support.sandbox_client import CONFIG
from support.services import Log, Service, Start, Vendors
from support.shopper import Shopper
from support.subtotal_events import BUYING

MORE = "You may have more coupons than are shown here"


def wallet(shopper: Shopper) -> tuple[int, bool]:
    told = shopper.api("GET", "/me/coupons").json()
    part = shopper.api("GET", "/me?include=coupons").json()["coupons"]
    assert (part["data"], part["complete"]) == (told["coupons"], told["complete"])
    return len(told["coupons"]), told["complete"]


def says_more(shopper: Shopper) -> bool:
    page = shopper.get("/")
    assert page.status == 200
    return MORE in page.text


# How many newer transactions there are, what comes of it in JSON, and whether the overview, which looks less far, says
# that there may be more: the sandbox gives ella one coupon from before.
@pytest.mark.parametrize(
    ("newer", "found", "more"),
    [(0, (1, True), False), (300, (1, True), False), (1900, (1, True), True), (2100, (0, False), True)],
    ids=str,
)
def test_P10_a_coupon_is_found_behind_newer_transactions_or_said_to_be_possible(
    start: Start, vendors: Vendors, newer: int, found: tuple[int, bool], *, more: bool
) -> None:
    # A third of it is for the history, and a busy machine takes long for 20 pages.
    ella = start(REQUEST_SECONDS="25").signed_in("ella")
    if newer:
        vendors.control("history", persona="ella", lines=newer)
    assert wallet(ella) == found
    assert says_more(ella) is more
    assert "None right now" not in ella.get("/").text


def test_P10_nobody_looks_for_coupons_among_what_is_years_old(ella: Shopper, vendors: Vendors) -> None:
    vendors.control("history", persona="ella", lines=2100, days=4 * 365)
    before = len(vendors.calls("transactions"))
    assert wallet(ella) == (1, True)
    assert len(vendors.calls("transactions")) <= before + 4


@pytest.mark.parametrize("kind", ["status:500", "cut_before", "garbage", "status:429"])
def test_P10_a_history_that_breaks_off_is_not_taken_for_a_whole_one(ella: Shopper, vendors: Vendors, kind: str) -> None:
    code = redeem(ella, FIVE_OFF, new_key()).json()["coupon"]["code"]
    vendors.control("history", persona="ella", lines=90)
    first = ella.api("GET", "/me/activity?limit=100").json()
    assert first["next"], "there is a second page, and only that is to fail"
    vendors.fault("transactions", "delay", seconds=0)
    vendors.fault("transactions", kind, times=3)
    told = ella.api("GET", "/me/coupons").json()
    assert told["complete"] is False
    assert code in [coupon["code"] for coupon in told["coupons"]]


@pytest.mark.parametrize("path", ["/me/activity?limit=100", "/me/referrals"])
def test_P10_a_page_that_leads_back_to_itself_is_not_the_last(ella: Shopper, vendors: Vendors, path: str) -> None:
    vendors.control("history", persona="ella", lines=300, invitations=70)
    vendors.control("pages", circle=1)
    first = ella.api("GET", path).json()
    assert first["next"]
    more = f"{path}{'&' if '?' in path else '?'}cursor={first['next']}"
    refused = ella.api("GET", more)
    assert (refused.status_code, code_of(refused)) == (502, "upstream_unavailable")
    vendors.control("pages", circle=0)
    assert ella.api("GET", more).json()["next"] not in {None, first["next"]}


@pytest.mark.parametrize("path", ["/me/activity?limit=100", "/me/referrals"])
def test_P10_a_page_whose_next_one_cannot_be_asked_for_is_not_the_last(
    ella: Shopper, vendors: Vendors, log: Log, path: str
) -> None:
    vendors.control("history", persona="ella", lines=300, invitations=70)
    vendors.control("pages", dead_end=True)
    log.clear()
    refused = ella.api("GET", path)
    assert (refused.status_code, code_of(refused)) == (502, "upstream_unavailable")
    operation = path.partition("?")[0].removeprefix("/me/").replace("activity", "transactions")
    told = {(line["operation"], line["what"], "nextUrl" in line["where"]) for line in log.events("reply_unreadable")}
    assert told == {(operation, "the next page", True)}
    vendors.control("pages", circle=0)
    assert ella.api("GET", path).json()["next"]


def test_P10_coupons_of_a_history_that_cannot_be_followed_are_not_all(ella: Shopper, vendors: Vendors) -> None:
    code = redeem(ella, FIVE_OFF, new_key()).json()["coupon"]["code"]
    vendors.control("history", persona="ella", lines=90)
    vendors.control("pages", dead_end=True)
    assert wallet(ella)[1] is False
    assert says_more(ella)
    vendors.control("pages", circle=0)
    assert wallet(ella)[1] is True
    assert code in [coupon["code"] for coupon in ella.api("GET", "/me/coupons").json()["coupons"]]


@pytest.mark.parametrize("circle", [1, 2, 3])
def test_P10_a_history_that_goes_in_circles_is_not_taken_for_a_whole_one(
    ella: Shopper, vendors: Vendors, circle: int
) -> None:
    code = redeem(ella, FIVE_OFF, new_key()).json()["coupon"]["code"]
    vendors.control("history", persona="ella", lines=90)
    vendors.control("history", persona="ella", lines=600, days=400)
    vendors.control("pages", circle=circle)
    before = len(vendors.calls("transactions"))
    told = ella.api("GET", "/me/coupons").json()
    assert told["complete"] is False
    assert [coupon["code"] for coupon in told["coupons"]].count(code) == 1
    assert len(vendors.calls("transactions")) <= before + circle + 2
    assert says_more(ella)


def test_P10_more_coupons_than_the_overview_has_room_for_are_not_passed_over(
    service: Service, vendors: Vendors
) -> None:
    tara = service.signed_in("tara")
    give_points(vendors, "tara@example.com", 5000)
    for _ in range(4):
        assert redeem(tara, FIVE_OFF, new_key()).status_code == 201
    assert says_more(tara)


def give_points(vendors: Vendors, email: str, points: int) -> None:
    reply = vendors.http.post(
        f"{vendors.url}/enterprise/loyalty/earning_transactions",
        json={"email": email, "earningRuleId": BUYING, "value": points / 2},
        headers={"okendo-api-version": "2025-02-01"},
        auth=(CONFIG.okendo_user_id, CONFIG.okendo_api_key),
    )
    assert reply.is_success, reply.text


def without(vendors: Vendors, operation: str, *names: str) -> None:
    """From now on these fields of the operation's answer are missing."""
    vendors.control("dialect", **{operation: {"names": {name: f"unheard-of-{name}" for name in names}}})


@pytest.mark.parametrize("operation", ["redemption_rules", "customer_redemption_rules"])
def test_P10_a_price_that_is_not_told_is_not_nothing(service: Service, vendors: Vendors, operation: str) -> None:
    without(vendors, operation, "points")
    shopper = service.signed_in("ella") if operation.startswith("customer") else service.shopper()
    path = "/me/rewards" if operation.startswith("customer") else "/rewards"
    rewards = shopper.api("GET", path).json()["rewards"]
    assert len(rewards) == 6
    assert not [reward for reward in rewards if "points" in reward]
    for page in (shopper.get("/rewards"), shopper.get(f"/rewards/{FIVE_OFF}")):
        assert page.status == 200
        assert "Price not known right now" in page.text
        assert "0 points" not in page.text.replace("1,240 points", "")
    if operation.startswith("customer"):
        assert {reward["canRedeem"]["state"] for reward in rewards} == {"unavailable"}
        refused = redeem(shopper, FIVE_OFF, new_key())
        assert (refused.status_code, code_of(refused)) == (422, "reward_unavailable")
        assert vendors.calls("redeem") == []


SILVER = "5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c02"


def test_P10_what_a_tier_takes_is_not_nothing_where_it_is_not_told(service: Service, vendors: Vendors) -> None:
    without(vendors, "vip_program", "spendRequirement")
    ella = service.signed_in("ella")
    tiers = ella.api("GET", "/tiers").json()["tiers"]
    assert [(tier["name"], "spend" in tier) for tier in tiers] == [
        ("Bronze", False), ("Silver", False), ("Gold", False),
    ]  # fmt: skip
    assert ella.api("GET", "/me/tier-progress").json()["nextTier"] == {"id": SILVER, "name": "Silver"}
    assert "The next tier is Silver" in ella.get("/").text


ABSENT: Mapping[str, tuple[str, str, str]] = {
    # Operation, what it leaves out, where that would be shown, and as what.
    "referral_count": ("count", "/me/referrals", "count"),
    "customer": ("pending", "/me", "points.pending"),
    "transactions": ("amount", "/me/activity", "activity.points"),
    "customer_earning_rules": ("isCompleted", "/me/earning-rules", "earningRules.completed"),
}


@pytest.mark.parametrize("operation", ABSENT)
def test_P10_what_is_not_told_is_left_out(ella: Shopper, vendors: Vendors, operation: str) -> None:
    name, path, shown = ABSENT[operation]
    assert any(held(ella, path, shown))
    without(vendors, operation, name)
    assert not any(held(ella, path, shown))


def test_P10_a_transaction_without_a_status_is_not_called_complete(ella: Shopper, vendors: Vendors) -> None:
    without(vendors, "transactions", "status")
    assert not any(held(ella, "/me/activity", "activity.status"))


def held(shopper: Shopper, path: str, shown: str) -> list[bool]:
    """Whether each object at the dotted path has the field that is its last word."""
    *where, field = shown.split(".")
    found: Any = shopper.api("GET", path).json()
    for step in where:
        found = found[step]
    return [field in one for one in (found if isinstance(found, list) else [found])]


def test_P10_invitations_on_further_pages_are_not_passed_over(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    for number in range(26):
        assert ella.api("POST", "/me/referrals", {"email": f"friend{number}@example.com"}).status_code == 202
    words = ella.get("/refer").text
    assert "28 invitations so far" in words
    assert "Older invitations" in words
    without(vendors, "referral_count", "count")
    words = ella.get("/refer").text
    assert "so far" not in words
    assert "Older invitations" in words
