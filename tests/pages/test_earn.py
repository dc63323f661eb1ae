"""The page of all ways to earn, the page of each, and earning by a click."""

import pytest
from support.concurrency import at_once, same_browser
from support.services import Service, Start, Vendors
from support.shopper import Page, Shopper

WAY = "/earn/0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a"
INSTAGRAM, TIKTOK, YOUTUBE, REVIEW = (f"{WAY}{number}" for number in ("04", "05", "06", "03"))
FOLLOW = "https://www.instagram.com/okendo"


def earned(vendors: Vendors, persona: str) -> int:
    return len(vendors.member(persona)["triggers"])


def parts_of(page: Page) -> dict[str, str]:
    """The words below each heading of the page."""
    now, _, rest = page.text.partition("Do now")[2].partition("When you shop")
    shopping, _, done = rest.partition("Done")
    return {"now": now, "shopping": shopping, "done": done}


def test_ways_to_earn_stand_under_what_there_is_to_do(ella: Shopper) -> None:
    parts = parts_of(ella.get("/earn"))
    for part, names in {
        "now": ("Follow us on TikTok", "Celebrate your birthday", "Refer a friend", "Link a retailer account"),
        "shopping": ("Place an order", "Leave a review", "Shop at a linked retailer"),
        "done": ("Join the program", "Follow us on Instagram"),
    }.items():
        assert [name for name in names if name not in parts[part]] == [], part


def test_what_each_gives_is_in_plain_words(ella: Shopper) -> None:
    words = ella.get("/earn").text
    for gain in ("1 point for every $1", "2 points for every $1", "+50 points", "$5 off", "$2 in store credit"):
        assert gain in words
    assert "With a picture 20 points more." in words
    assert "×" not in words


def test_each_way_to_earn_leads_where_it_is_done(service: Service, ella: Shopper) -> None:
    page = ella.get("/earn")
    assert {"/refer", "/earn/birthday", "/retailers"} <= set(page.read.links)
    assert page.read.links.count(service.settings["STOREFRONT_ORIGINS"].split(",")[0]) >= 2


@pytest.mark.parametrize(
    ("way", "says"),
    [
        (INSTAGRAM, "You earned 50 points. You have 50 points now."),
        (TIKTOK, "You earned a coupon."),
        (YOUTUBE, "You earned $2 in store credit."),
    ],
)
def test_a_click_earns_and_leads_to_what_was_earned_and_to_the_link(
    service: Service, vendors: Vendors, way: str, says: str
) -> None:
    zoe = service.signed_in("zoe")
    sent = zoe.post(way, zoe.get("/earn").form(way).fields, follow=False)
    assert (sent.status, sent.reply.headers["location"]) == (303, way)
    for page in (zoe.get(way), zoe.get(way)):
        assert says in page.text
        assert any(link.startswith("https://www.") for link in page.read.links)
        assert not any(form.action == way for form in page.read.forms)
    assert earned(vendors, "zoe") == 1
    assert not any(form.action == way for form in zoe.get("/earn").read.forms)


def test_a_coupon_that_was_earned_is_shown_with_its_code(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    page = zoe.submit(zoe.get(TIKTOK), TIKTOK)
    codes = [coupon["code"] for coupon in zoe.api("GET", "/me/coupons").json()["coupons"]]
    assert [code for code in codes if code in page.text] == codes
    assert len(codes) == 1


def test_what_was_earned_is_shown_to_the_browser_that_earned_it_and_for_an_hour(
    service: Service, vendors: Vendors, settings: dict[str, str]
) -> None:
    zoe, other = service.signed_in("zoe"), service.signed_in("zoe")
    zoe.submit(zoe.get(TIKTOK), TIKTOK)
    (code,) = [coupon["code"] for coupon in zoe.api("GET", "/me/coupons").json()["coupons"]]
    assert code in zoe.get(TIKTOK).text
    elsewhere = other.get(TIKTOK)
    assert code not in elsewhere.text
    assert "You have done this." in elsewhere.text


def test_L7_a_double_click_earns_once_and_ends_in_one_place(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    fields = zoe.get("/earn").form(INSTAGRAM).fields
    tabs = [same_browser(service, zoe) for _ in range(4)]
    pages = at_once([lambda tab=tab: tab.post(INSTAGRAM, fields) for tab in tabs])  # type: ignore[misc]
    assert {(page.status, page.path) for page in pages} == {(200, INSTAGRAM)}
    assert all("You earned 50 points" in page.text for page in pages)
    assert earned(vendors, "zoe") == 1


def test_L7_an_old_page_earns_nothing_more(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    old = zoe.get("/earn")
    zoe.submit(old, INSTAGRAM)
    again = zoe.submit(old, INSTAGRAM)
    assert (again.status, again.path) == (200, INSTAGRAM)
    assert "You earned 50 points" in again.text
    assert (earned(vendors, "zoe"), len(vendors.calls("trigger"))) == (1, 1)


def test_L3_an_answer_that_was_lost_is_found_out(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    page = zoe.get(TIKTOK)
    vendors.fault("trigger", "cut_after")
    done = zoe.submit(page, TIKTOK)
    assert "You earned a coupon. Its code shows up among your coupons." in done.text
    assert "See all your coupons" in done.text
    assert (earned(vendors, "zoe"), len(vendors.calls("trigger"))) == (1, 1)


def test_L5_a_click_whose_answer_comes_too_late_is_shown_at_the_next_look(start: Start, vendors: Vendors) -> None:
    zoe = start(REQUEST_SECONDS="1", UPSTREAM_TIMEOUT_SECONDS="6").signed_in("zoe")
    page = zoe.get(INSTAGRAM)
    vendors.fault("trigger", "delay", seconds=2)
    assert zoe.submit(page, INSTAGRAM).status == 504
    again = zoe.submit(page, INSTAGRAM)
    while again.status == 504:
        again = zoe.submit(page, INSTAGRAM)
    assert "You earned 50 points" in again.text
    assert (earned(vendors, "zoe"), len(vendors.calls("trigger"))) == (1, 1)


def test_what_fails_is_said_on_the_page_and_can_be_tried_again(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    page = zoe.get(INSTAGRAM)
    vendors.fault("trigger", "cut_before")
    failed = zoe.submit(page, INSTAGRAM)
    assert (failed.status, failed.path) == (502, INSTAGRAM)
    assert "There is a problem" in failed.text
    assert "You earned 50 points" in zoe.submit(failed, INSTAGRAM).text


def test_what_is_not_done_by_a_click_earns_nothing(ella: Shopper, vendors: Vendors) -> None:
    token = ella.get("/earn").form(TIKTOK).fields
    refused = ella.post(REVIEW, token)
    assert (refused.status, refused.path) == (404, REVIEW)
    assert "This way to earn cannot be completed here." in refused.text
    assert ella.post(f"{WAY}ff", token).status == 404
    assert ella.get(f"{WAY}ff").status == 404
    assert earned(vendors, "ella") == 0


def test_those_who_have_not_joined_earn_nothing_by_a_click(penny: Shopper, ella: Shopper, vendors: Vendors) -> None:
    page = penny.get("/earn")
    assert TIKTOK not in [form.action for form in page.read.forms]
    assert "/join" in page.read.links
    assert penny.post(TIKTOK, {"csrf": ella.get("/earn").form(TIKTOK).fields["csrf"]}).status == 409
    assert vendors.calls("trigger") == []


def test_strangers_are_asked_to_sign_in_and_come_back(shopper: Shopper) -> None:
    page = shopper.get("/earn")
    assert "Sign in to start earning" in page.text
    assert "/login?return_to=%2Fearn" in page.read.links
    assert shopper.post(TIKTOK, {"csrf": "x"}).status == 401


def test_a_blocked_member_sees_the_one_calm_page(service: Service) -> None:
    blake = service.signed_in("blake")
    assert {blake.get(path).path for path in ("/earn", TIKTOK, "/earn/birthday", "/tiers", "/faq")} == {"/blocked"}


def test_P4_without_their_own_a_member_sees_everybodys_ways_and_nothing_to_click(
    ella: Shopper, vendors: Vendors
) -> None:
    ella.get("/earn")
    vendors.fault("customer_earning_rules", "status:500", times=9)
    page = ella.get("/earn")
    assert (page.status, "1,240 points" in page.text, "$5 off" in page.text) == (200, True, True)
    assert "what you have done already" in page.text
    assert not any(form.action.startswith("/earn") for form in page.read.forms)


def test_P4_without_their_membership_a_member_sees_the_ways_and_nothing_to_click(
    ella: Shopper, vendors: Vendors
) -> None:
    vendors.fault("customer", "status:500", times=9)
    page = ella.get("/earn")
    assert (page.status, "$5 off" in page.text) == (200, True)
    assert "We can't read your membership" in page.text
    assert "Join" not in page.text.partition("Do now")[2].partition("When you shop")[0]
    assert not any(form.action.startswith("/earn") for form in page.read.forms)


def test_a_program_that_is_not_open_yet_says_so(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    service.clock.advance(4000)
    vendors.fault("login", "status:403", times=99)
    for path in ("/earn", TIKTOK, "/earn/birthday", "/tiers"):
        page = ella.get(path)
        assert (page.status, page.heading) == (403, "The program is not open yet"), path
        assert "The loyalty program is not open yet." in page.text


def test_every_way_to_earn_on_another_page_is_a_link(ella: Shopper, shopper: Shopper) -> None:
    for page in (ella.get("/"), shopper.get("/"), shopper.get("/join"), ella.get("/retailers")):
        assert "/earn" in page.read.links, page.path
        assert any(link.startswith(WAY) for link in page.read.links), page.path
    assert "/earn" in ella.get("/rewards").read.links
