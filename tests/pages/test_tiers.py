"""The ladder of tiers: what each gives, where a member stands, and how far it is to the next."""

import json
from pathlib import Path

import pytest
from support.fixed_vendor import fixed_vendor
from support.page_rules import markup_of
from support.services import Service, Start, Vendors
from support.shopper import Shopper


def test_the_ladder_says_what_each_tier_takes_and_gives(shopper: Shopper) -> None:
    page = shopper.get("/tiers")
    ladder = page.text.partition("What each tier gives")[2]
    order = [ladder.index(name) for name in ("Bronze", "Silver", "Gold")]
    assert order == sorted(order)
    for words in ("From the start", "From $300 on", "From $1,000 on", "Shop sales one day before everyone else."):
        assert words in ladder
    fills = [circle.attributes["fill"] for circle in markup_of(page).all("circle")]
    assert fills == ["#a86b32", "#8d99a6", "#c9a227"]


def test_a_multiplier_is_told_where_the_program_tells_it(start: Start) -> None:
    tiers = [{"name": "One", "multiplier": 1}, {"name": "Two", "multiplier": 1.5}]
    with fixed_vendor(json.dumps({"tiers": tiers}).encode()) as okendo:
        words = start(OKENDO_API_URL=okendo).shopper().get("/tiers").text
    assert words.count("times as many points") == 1
    assert "1.5 times as many points" in words


def test_a_program_without_tiers_says_so(start: Start) -> None:
    with fixed_vendor(b'{"tiers": []}') as okendo:
        page = start(OKENDO_API_URL=okendo).shopper().get("/tiers")
    assert (page.status, "This program has no tiers" in page.text) == (200, True)


def test_how_far_it_is_stands_there_as_a_bar_and_a_sentence(ella: Shopper) -> None:
    page = ella.get("/tiers")
    missing = ella.api("GET", "/me/tier-progress").json()["nextTier"]["missingSpend"]["amount"]
    assert f"Shop for ${missing} more to reach Silver" in page.text
    (bar,) = markup_of(page).all("progress")
    assert float(bar.attributes["max"]) - float(bar.attributes["value"]) == float(missing)
    assert "is yours until" in page.text
    assert "adds: Early access" in page.text
    assert "You are here" in page.text


def test_the_top_is_celebrated(service: Service) -> None:
    page = service.signed_in("tara").get("/tiers")
    assert "You have reached the top: Gold" in page.text
    assert markup_of(page).all("progress") == []
    assert [
        one.attributes["aria-current"] for one in markup_of(page).all("li") if "aria-current" in one.attributes
    ] == ["true"]


REACHED = "You have reached Silver"
A_DAY, A_WEEK = 86_400, 7 * 86_400


def test_another_tier_is_news_for_a_week(ella: Shopper, service: Service, vendors: Vendors) -> None:
    pages = ("/", "/tiers")
    assert [path for path in pages if "You have reached" in ella.get(path).text] == []
    vendors.control("member", persona="ella", tier="Silver")
    for path in pages:
        page = ella.get(path)
        assert REACHED in page.text
        assert len([one for one in markup_of(page).all("p") if one.attributes.get("class") == "burst"]) == 1
    service.clock.advance(A_WEEK)
    later = service.signed_in("ella")
    assert [path for path in pages if "You have reached" in later.get(path).text] == []


def test_the_tier_that_comes_with_joining_is_none_that_was_reached(penny: Shopper) -> None:
    penny.submit(penny.get("/join"), "/join")
    assert "Your tier is Bronze" in penny.get("/tiers").text
    assert "You have reached" not in penny.get("/").text + penny.get("/tiers").text


def test_where_nobody_tells_since_when_nothing_is_claimed(start: Start, vendors: Vendors, tmp_path: Path) -> None:
    overrides = tmp_path / "overrides.toml"
    overrides.write_text('[customer.names]\ntier_entered_at = ["nothing"]')
    ella = start(OKENDO_OVERRIDES=str(overrides)).signed_in("ella")
    vendors.control("member", persona="ella", tier="Silver")
    assert "You have reached" not in ella.get("/").text + ella.get("/tiers").text
    assert "tierEnteredAt" not in ella.api("GET", "/me").json()


@pytest.mark.parametrize(("operation", "says"), [("spend", "The next tier is Silver"), ("customer", "load your tier")])
def test_P4_what_is_still_known_is_shown(ella: Shopper, vendors: Vendors, operation: str, says: str) -> None:
    vendors.fault(operation, "status:500", times=9)
    page = ella.get("/tiers")
    assert (page.status, says in page.text, "From $1,000 on" in page.text) == (200, True, True)
    assert "Sign in to" not in page.text
    assert "Join" not in page.text


def test_P4_without_the_ladder_a_member_still_reads_their_tier(start: Start, vendors: Vendors) -> None:
    service = start()
    ella = service.signed_in("ella")
    service.clock.advance(5000)
    vendors.fault("vip_program", "status:500", times=9)
    words = ella.get("/tiers").text
    assert "We couldn't load the tiers." in words
    assert "Your tier is Bronze" in words


def test_those_who_have_not_joined_see_the_ladder_and_the_way_to_it(penny: Shopper, shopper: Shopper) -> None:
    assert {"/join"} <= set(penny.get("/tiers").read.links)
    assert "/login?return_to=%2Ftiers" in shopper.get("/tiers").read.links
    for page in (penny.get("/tiers"), shopper.get("/tiers")):
        assert "You are here" not in page.text
