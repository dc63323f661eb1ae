"""The overview of somebody who has joined: the next tier, coupons, the latest activity, and what they cost."""

import gzip
from collections import Counter
from datetime import datetime

import pytest
from support.every_route import page_paths, surface
from support.page_rules import markup_of
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors
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
    assert missing == {"amount": "114.60", "currencyCode": "USD"}
    assert f"Shop for $114.60 more to reach {following}" in page.text
    bars = {bar.attributes["aria-label"]: bar.attributes for bar in markup_of(page).all("progress")}
    bar = bars[f"Progress towards {following}"]
    assert float(bar["max"]) - float(bar["value"]) == float(missing["amount"])


def test_points_for_money_are_worded_so_that_they_are_understood(shopper: Shopper) -> None:
    words = shopper.get("/").text
    assert "1 point for every $1" in words
    assert "$5 off" in words
    assert "$2 in store credit" in words


def test_at_the_top_there_is_no_next_tier(service: Service) -> None:
    page = service.signed_in("tara").get("/")
    assert "This is the highest tier" in page.text
    assert "Progress towards Gold" not in page.reply.text


@pytest.mark.parametrize(("told", "persona"), [([], "ella"), ([], "tara"), (["Bronze", "Silver"], "tara")])
def test_nothing_is_the_top_of_a_ladder_that_does_not_have_it(
    service: Service, vendors: Vendors, told: list[str], persona: str
) -> None:
    vendors.control("tiers", told=told)
    service.clock.advance(5000)
    member = service.signed_in(persona)
    words = member.get("/").text
    assert f"Your tier is {member.api('GET', '/me').json()['tier']}" in words
    for page in (words, member.get("/tiers").text):
        assert "highest tier" not in page
        assert "reached the top" not in page
        assert "The next tier is" not in page
        assert "more to reach" not in page
    assert "nextTier" not in member.api("GET", "/me/tier-progress").json()


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_member_of_whom_okendo_told_nothing_at_sign_in_is_no_stranger(
    service: Service, vendors: Vendors, *, comes_back: bool
) -> None:
    """Whether they have joined is not known, so nothing on any page says that they have not."""
    vendors.fault("login", "status:500", times=99)
    ella = service.signed_in("ella")
    assert ella.session_cookie is not None
    if comes_back:
        vendors.http.delete(f"{vendors.url}/_control/faults")
        service.clock.advance(3)
    page = ella.get("/")
    ways = page.text.partition("Ways to earn")[2]
    assert "Join" not in page.text
    assert "Place an order" in ways
    assert ("We couldn't load your points." in page.text) is not comes_back
    assert [section in page.text for section in OWN_SECTIONS] == [comes_back] * len(OWN_SECTIONS)
    if not comes_back:
        assert "$5 off" in page.text
        for path in ("/rewards", f"/rewards/{FIVE_OFF}", "/earn", "/tiers", "/coupons", "/refer", "/retailers"):
            assert "/join" not in ella.get(path).read.links, path


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


def test_the_overview_leads_to_one_reward_that_is_ready_and_names_the_next(ella: Shopper) -> None:
    rewards = ella.api("GET", "/me/rewards").json()["rewards"]
    ready = [reward for reward in rewards if reward["canRedeem"]["state"] == "ready"]
    gaps = [reward for reward in rewards if "missingPoints" in reward["canRedeem"]]
    dearest = max(ready, key=lambda reward: reward["points"])
    nearest = min(gaps, key=lambda reward: reward["canRedeem"]["missingPoints"])
    page = ella.get("/")
    shown = page.text[page.text.index("Ready now") :]
    assert shown.index(dearest["name"]) < shown.index("Redeem") < shown.index(nearest["name"])
    assert f"Next: {nearest['name']} , {nearest['canRedeem']['missingPoints']:,} points to go" in shown
    links = [link.attributes["href"] for link in markup_of(page).all("a")]
    assert [link for link in links if link.startswith("/rewards/")] == [f"/rewards/{dearest['id']}"]


def test_a_member_of_whom_nobody_tells_what_is_open_sees_the_rewards_of_everybody(
    ella: Shopper, shopper: Shopper, vendors: Vendors
) -> None:
    vendors.fault("customer_redemption_rules", "status:500", times=9)
    names = [reward["name"] for reward in shopper.api("GET", "/rewards").json()["rewards"]][:3]
    page = ella.get("/")
    assert [name for name in names if name not in page.text] == []
    assert "which of these you can redeem" in page.text
    assert "None is open to you" not in page.text
    assert [link.attributes["href"] for link in markup_of(page).all("a") if link.text.strip() == "Redeem"] == []


def test_each_section_leads_to_the_page_that_has_all_of_it(ella: Shopper) -> None:
    links = ella.get("/").read.links
    assert {"/rewards", "/tiers", "/coupons", "/earn", "/activity"} <= set(links)


def test_who_has_no_points_sees_the_reward_to_save_up_for(service: Service) -> None:
    zoe = service.signed_in("zoe")
    rewards = zoe.api("GET", "/me/rewards").json()["rewards"]
    gaps = {one["canRedeem"]["missingPoints"]: one for one in rewards if "missingPoints" in one["canRedeem"]}
    page = zoe.get("/")
    assert "Ready now" not in page.text
    assert f"{min(gaps):,} points to go" in page.text
    assert f"Progress towards {gaps[min(gaps)]['name']}" in {
        bar.attributes["aria-label"] for bar in markup_of(page).all("progress")
    }


def test_members_see_three_ways_to_earn_and_none_that_is_done(ella: Shopper, shopper: Shopper) -> None:
    everybody, own = shopper.get("/").text, ella.get("/").text
    names = [rule["name"] for rule in shopper.api("GET", "/earning-rules").json()["earningRules"]]
    assert [name for name in names if name not in everybody] == []
    assert [name for name in names if name in own] == ["Place an order", "Leave a review", "Celebrate your birthday"]


def test_the_history_is_read_no_further_than_it_is_shown(service: Service, vendors: Vendors) -> None:
    tara = service.signed_in("tara")
    vendors.control("history", persona="tara", lines=300)
    for _ in range(2):
        assert redeem(tara, FIVE_OFF, new_key()).status_code == 201
    asked = [pages_asked(tara, vendors)]
    assert redeem(tara, FIVE_OFF, new_key()).status_code == 201
    asked.append(pages_asked(tara, vendors))
    assert asked == [4, 1], "two coupons are fewer than it has room for, so there may be a third further back"
    assert "You may have more coupons" in tara.get("/").text


def pages_asked(shopper: Shopper, vendors: Vendors) -> int:
    before = len(vendors.calls("transactions"))
    assert shopper.get("/").status == 200
    return len(vendors.calls("transactions")) - before


@pytest.mark.parametrize(("days", "warned"), [(40, False), (20, True)])
def test_points_that_end_soon_come_first(service: Service, vendors: Vendors, days: int, *, warned: bool) -> None:
    ends_at = service.signed_in("ella").api("GET", "/me").json()["points"]["expiresAt"]
    seconds = round(datetime.fromisoformat(ends_at).timestamp() - service.clock()) - days * 86_400
    vendors.control("clock", advance=seconds)
    service.clock.advance(seconds)
    words = service.signed_in("ella").get("/").text
    assert "Use them by" in words
    assert ("Your points end on" in words) is warned


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


def test_I1_what_is_put_into_a_sentence_is_escaped(start: Start) -> None:
    page = start(BRAND_NAME="Tea & <b>Sons</b>").shopper().get("/")
    assert "whenever you shop at Tea &amp; &lt;b&gt;Sons&lt;/b&gt; and" in page.reply.text


def test_a_rate_that_a_tier_may_change_is_not_told_as_the_members_own(service: Service) -> None:
    """The overview reads what everybody sees; `/earn` reads what is theirs."""
    rami = service.signed_in("rami")
    assert "5 points for every $4" in rami.get("/earn").text
    words = rami.get("/").text
    assert "for every" not in words
    assert "Place an order Points" in words
    assert "1 point for every $1" in service.shopper().get("/").text


def test_a_birthday_that_is_known_is_not_asked_for(service: Service, ella: Shopper) -> None:
    assert "birthday" in ella.get("/").text
    assert "birthday" not in service.signed_in("tara").get("/").text


def test_points_that_end_soon_lead_to_what_can_be_done_about_it(service: Service) -> None:
    notice = "Your points end on"
    penny, rami = service.signed_in("penny").get("/").text, service.signed_in("rami").get("/").text
    assert f"{notice} " in penny
    assert "Join to use your points" in penny.partition(notice)[2][:60]
    assert "See ways to earn" in rami.partition(notice)[2][:60]
    assert "Choose a reward before that" not in rami
