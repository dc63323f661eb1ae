"""The overview of somebody who has joined: the next tier, coupons, the latest activity, and what they cost."""

import gzip
from collections import Counter

from support.every_route import page_paths, surface
from support.page_rules import markup_of
from support.sandbox_catalogue import FIVE_OFF
from support.services import Service, Vendors
from support.shopper import Shopper

HTML_BYTES, CSS_BYTES = 20_480, 8_192
OWN_SECTIONS = ("Your tier", "Your coupons", "Latest activity")


def redeemed(shopper: Shopper) -> str:
    page = shopper.get(f"/rewards/{FIVE_OFF}")
    done = shopper.submit(page, f"/rewards/{FIVE_OFF}")
    assert done.status == 200
    return done.path


def test_the_way_to_the_next_tier_is_a_bar_and_a_sentence(ella: Shopper) -> None:
    told = ella.api("GET", "/me/tier-progress").json()
    missing, following = told["nextTier"]["missingSpend"], told["nextTier"]["name"]
    page = ella.get("/")
    assert f"Shop for {missing} {told['currency']} more to reach {following}" in page.text
    bars = {bar.attributes["aria-label"]: bar.attributes for bar in markup_of(page).all("progress")}
    bar = bars[f"Progress towards {following}"]
    assert float(bar["max"]) - float(bar["value"]) == float(missing)


def test_points_for_money_are_worded_so_that_they_are_understood(shopper: Shopper) -> None:
    words = shopper.get("/").text
    assert "× what you spend" in words
    assert "every 1" not in words


def test_at_the_top_there_is_no_next_tier(service: Service) -> None:
    page = service.signed_in("tara").get("/")
    assert "This is the highest tier" in page.text
    assert "Progress towards Gold" not in page.reply.text


def test_a_coupon_is_on_the_overview_with_its_code_its_last_day_and_the_way_to_the_cart(
    ella: Shopper, vendors: Vendors
) -> None:
    redeemed(ella)
    [redemption] = vendors.member("ella")["redemptions"]
    [coupon, *_] = ella.api("GET", "/me/coupons").json()["coupons"]
    page = ella.get("/")
    assert redemption["code"] == coupon["code"]
    assert coupon["code"] in page.text
    assert coupon["applyUrl"] in page.read.links
    assert "Use it by" in page.text
    assert "−500 points" in page.text


def test_the_overview_shows_the_three_newest_lines_of_the_activity(ella: Shopper) -> None:
    redeemed(ella)
    lines = ella.api("GET", "/me/activity?limit=4").json()["activity"]
    words = ella.get("/").text
    after = words[words.index("Latest activity") :]
    assert [line["description"] in after for line in lines[:3]] == [True] * 3
    assert after.count(" points") >= 3


def test_somebody_without_history_is_told_what_will_be_there(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    words = zoe.get("/").text
    assert "None right now" in words
    assert ("Nothing has happened yet" in words) is (zoe.api("GET", "/me/activity").json()["activity"] == [])


def test_who_has_not_joined_sees_nothing_of_a_members_own(shopper: Shopper, penny: Shopper) -> None:
    for visitor in (shopper, penny):
        words = visitor.get("/").text
        assert [section for section in OWN_SECTIONS if section in words] == []


def test_the_overview_asks_okendo_once_for_each_part(ella: Shopper, vendors: Vendors) -> None:
    ella.get("/")
    before = len(vendors.state()["calls"])
    ella.get("/")
    asked = Counter(call["operation"] for call in vendors.state()["calls"][before:])
    assert asked == dict.fromkeys(("customer", "customer_redemption_rules", "spend", "transactions"), 1)


def test_pages_and_styles_are_small(ella: Shopper, settings: dict[str, str]) -> None:
    redeemed(ella)
    sizes = {path: len(gzip.compress(ella.get(path).reply.content)) for path in page_paths(surface(settings))}
    assert {path: size for path, size in sizes.items() if size > HTML_BYTES} == {}
    (style,) = [link.attributes["href"] for link in markup_of(ella.get("/")).all("link") if "css" in str(link)]
    assert len(gzip.compress(ella.get(style).reply.content)) < CSS_BYTES
