"""The member's activity, coupons, tier and parts, as JSON."""

from urllib.parse import parse_qs

import httpx2
import pytest
from support.sandbox_catalogue import FIVE_OFF, STORE_CREDIT, code_of, new_key, redeem
from support.services import Service, Start, Vendors
from support.shopper import Shopper

SILVER = "5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c02"


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "USD"}


def activity(shopper: Shopper, query: str = "") -> httpx2.Response:
    return shopper.api("GET", f"/me/activity{query}")


def test_activity_comes_page_by_page_each_line_once(ella: Shopper) -> None:
    ids: list[str] = []
    query, pages = "?limit=10", 0
    while query:
        page = activity(ella, query).json()
        ids += [line["id"] for line in page["activity"]]
        query = f"?limit=10&cursor={page['next']}" if page["next"] else ""
        pages += 1
    assert pages == 3
    assert len(ids) == len(set(ids)) == 28
    dates = [line["createdAt"] for line in activity(ella, "?limit=100").json()["activity"]]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 28


def test_points_that_were_spent_are_below_zero(ella: Shopper) -> None:
    redeem(ella, FIVE_OFF, new_key())
    line = activity(ella, "?limit=1").json()["activity"][0]
    assert (line["kind"], line["points"], line["description"]) == ("redemption", -500, "Redeemed: $5 off your order")
    assert line["coupon"]["applyUrl"].endswith(f"/discount/{line['coupon']['code']}?redirect=/")


NO_PAGES = (
    "?limit=0", "?limit=101", "?limit=x", "?limit=-1", "?limit=07", "?limit=1e1", "?limit=", "?limit=5&limit=6",
    "?cursor=", "?cursor=nonsense", "?order=asc",
)  # fmt: skip


@pytest.mark.parametrize("query", NO_PAGES)
def test_H5_a_page_that_cannot_be_is_refused(ella: Shopper, vendors: Vendors, query: str) -> None:
    before = len(vendors.calls("transactions"))
    reply = activity(ella, query)
    assert (reply.status_code, code_of(reply)) == (400, "invalid_request")
    assert len(vendors.calls("transactions")) == before


def test_a_cursor_is_good_for_its_own_list_and_member_only(service: Service) -> None:
    ella, tara = service.signed_in("ella"), service.signed_in("tara")
    cursor = activity(ella, "?limit=2").json()["next"]
    assert activity(ella, f"?limit=2&cursor={cursor}").status_code == 200
    for reply in (activity(tara, f"?cursor={cursor}"), ella.api("GET", f"/me/referrals?cursor={cursor}")):
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request")
    # Not the very last character: some of its bits say nothing.
    forged = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    assert activity(ella, f"?cursor={forged}").status_code == 400


def test_a_program_without_history_says_so(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("transactions", "status:404", times=2)
    for path in ("/me/activity", "/me/coupons"):
        reply = ella.api("GET", path)
        assert (reply.status_code, code_of(reply)) == (404, "feature_unavailable")


def test_coupons_are_those_that_can_still_be_used(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    code = redeem(ella, FIVE_OFF, new_key()).json()["coupon"]["code"]
    coupons = ella.api("GET", "/me/coupons").json()["coupons"]
    assert coupons[0]["code"] == code
    assert len(coupons) == 2
    vendors.control("clock", advance=91 * 86_400)
    service.clock.advance(91 * 86_400)
    assert service.signed_in("ella").api("GET", "/me/coupons").json()["coupons"] == []


def test_store_credit_is_no_coupon(ella: Shopper) -> None:
    before = ella.api("GET", "/me/coupons").json()
    assert redeem(ella, STORE_CREDIT, new_key()).status_code == 201
    assert ella.api("GET", "/me/coupons").json() == before
    assert activity(ella, "?limit=1").json()["activity"][0]["storeCredit"] == usd("8.00")


def test_the_way_to_the_next_tier(service: Service) -> None:
    ella = service.signed_in("ella").api("GET", "/me/tier-progress").json()
    silver = {"id": SILVER, "name": "Silver", "spend": usd("300.00"), "missingSpend": usd("114.60")}
    assert ella == {"tier": "Bronze", "spend": usd("185.40"), "nextTier": silver}
    tara = service.signed_in("tara").api("GET", "/me/tier-progress").json()
    assert "nextTier" not in tara
    assert tara["tier"] == "Gold"
    penny = service.signed_in("penny").api("GET", "/me/tier-progress")
    assert penny.status_code == 200
    assert "missingSpend" not in penny.json()["nextTier"]


def test_the_member_comes_with_the_parts_that_were_asked_for(ella: Shopper) -> None:
    alone = {"state", "points", "tier", "tierEnteredAt", "tierExpiresAt", "enrolledAt", "name"}
    assert set(ella.api("GET", "/me").json()) == alone
    whole = ella.api("GET", "/me?include=rewards,earningRules,tierProgress,coupons").json()
    assert whole["rewards"]["data"] == ella.api("GET", "/me/rewards").json()["rewards"]
    assert whole["earningRules"]["data"] == ella.api("GET", "/me/earning-rules").json()["earningRules"]
    assert whole["tierProgress"]["data"] == ella.api("GET", "/me/tier-progress").json()
    assert whole["coupons"]["data"] == ella.api("GET", "/me/coupons").json()["coupons"]


def test_parts_may_be_asked_for_one_by_one_and_each_comes_under_its_own_name(ella: Shopper) -> None:
    names = ["rewards", "earningRules", "tierProgress", "coupons"]
    listed = ella.api("GET", f"/me?include={','.join(names)}").json()
    repeated = ella.api("GET", "/me?" + "&".join(f"include={name}" for name in names)).json()
    mixed = ella.api("GET", "/me?include=rewards&include=earningRules,tierProgress&include=coupons").json()
    assert repeated == mixed == listed
    assert all("data" in listed[name] for name in names)
    for twice in (
        "include=rewards&include=rewards",
        "include=rewards,coupons&include=coupons",
        "include=rewards&locale=en&locale=en",
    ):
        assert code_of(ella.api("GET", f"/me?{twice}")) == "invalid_request", twice


def test_the_parts_speak_of_one_moment_and_of_a_language_that_all_are_in(ella: Shopper, vendors: Vendors) -> None:
    """The member is asked for once, and every part that needs them is reckoned from that answer."""
    before = len(vendors.calls("customer"))
    reply = ella.api("GET", "/me?include=rewards,earningRules,tierProgress,coupons", accept_language="fr")
    assert len(vendors.calls("customer")) == before + 1
    # Of these, Okendo takes a language for rewards alone.
    assert "content-language" not in reply.headers
    assert ella.api("GET", "/me?include=rewards", accept_language="fr").headers["content-language"] == "fr"
    assert "accept-language" in reply.headers["vary"].lower()


def test_each_part_fails_alone(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("customer_earning_rules", "status:500", times=4)
    vendors.fault("transactions", "status:404")
    reply = ella.api("GET", "/me?include=rewards,earningRules,coupons")
    assert reply.status_code == 200
    assert reply.json()["rewards"]["data"]
    assert reply.json()["earningRules"]["error"]["code"] == "upstream_unavailable"
    assert reply.json()["coupons"]["error"]["code"] == "feature_unavailable"
    assert "data" not in reply.json()["earningRules"]


@pytest.mark.parametrize("include", ["everything", "rewards,rewards", "rewards,", ",", "Rewards", "tier", "earning"])
def test_H5_a_part_that_does_not_exist_is_refused(ella: Shopper, vendors: Vendors, include: str) -> None:
    before = len(vendors.state()["calls"])
    reply = ella.api("GET", f"/me?include={include}")
    assert (reply.status_code, code_of(reply)) == (400, "invalid_request")
    assert len(vendors.state()["calls"]) == before


def test_rewards_come_in_the_language_that_was_asked_for(ella: Shopper) -> None:
    """By the query, else by what the browser prefers, else in the shop's own."""
    asked = {"accept_language": "de-AT;q=0.5, fr-CA, fr;q=0.9, *;q=0.1"}
    for headers, query, language in (
        ({}, "", None), (asked, "", "fr"), (asked, "?locale=es", "es"), ({"accept_language": "*"}, "", None),
        ({"accept_language": "klingon-Latn, nonsense;;q=x, de;q=0"}, "", None),
    ):  # fmt: skip
        for path in ("/me/rewards", "/rewards", "/program"):
            reply = ella.api("GET", path + query, **headers)
            # Of the program, Okendo takes a language for rewards alone, so that it is in none.
            told = None if path == "/program" else language
            assert reply.headers.get("content-language") == told, (path, headers, query)
            assert "accept-language" in reply.headers["vary"].lower()


# As Shopify, browsers and shops write them, and what Okendo is asked for.
LOCALES = {
    "en": ("en", ""),
    "EN": ("en", ""),
    "pt_BR": ("pt", "br"),
    "pt-br": ("pt", "br"),
    "zh-Hans": ("zh", ""),
    "zh-Hant-HK": ("zh", "hk"),
    "ZH_TW": ("zh", "tw"),
    "es-419": ("es", ""),
    "fil": ("fil", ""),
    "fil-PH": ("fil", "ph"),
    "sr_Latn_RS": ("sr", "rs"),
}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("path", ["/rewards", "/me/rewards", "/program"])
def test_a_locale_is_understood_however_it_is_written(ella: Shopper, vendors: Vendors, path: str, locale: str) -> None:
    operation = "customer_redemption_rules" if path.startswith("/me") else "redemption_rules"
    reply = ella.api("GET", f"{path}?locale={locale}")
    assert reply.status_code == 200
    language, country = LOCALES[locale]
    assert reply.headers.get("content-language") == (None if path == "/program" else language)
    asked = parse_qs(vendors.calls(operation)[-1]["query"])
    assert (asked["languageCode"], asked.get("countryCode", [""])) == ([language], [country])


@pytest.mark.parametrize(
    "locale", ["", "e", "english", "en-", "-en", "en-USA", "en-US-x", "en_US.UTF-8", "en US", "419"]
)
def test_H5_what_is_no_locale_is_refused(ella: Shopper, locale: str) -> None:
    reply = ella.api("GET", f"/rewards?locale={locale}")
    assert (reply.status_code, code_of(reply)) == (400, "invalid_request")


def test_the_language_that_nobody_asked_for_is_told_where_it_is_known(start: Start, vendors: Vendors) -> None:
    service = start(DEFAULT_LANGUAGE="de")
    ella = service.signed_in("ella")
    for path in ("/me/rewards", "/rewards", "/program", "/me?include=rewards"):
        assert ella.api("GET", path).headers["content-language"] == "de"
        told = None if path == "/program" else "fr"
        assert ella.api("GET", path, accept_language="fr").headers.get("content-language") == told
    asked = {parse_qs(call["query"]).get("languageCode", [""])[0] for call in vendors.calls("redemption_rules")}
    assert asked == {"", "fr"}


def test_tiers_and_questions_are_for_everybody(service: Service) -> None:
    stranger = service.shopper()
    tiers = stranger.api("GET", "/tiers").json()["tiers"]
    assert [tier["name"] for tier in tiers] == ["Bronze", "Silver", "Gold"]
    faqs = stranger.api("GET", "/faqs").json()["faqs"]
    assert faqs[0]["question"] == "How do I earn points?"
    assert faqs[0]["answerHtml"].startswith("<p>")


def test_I2_answers_are_sanitised(service: Service, vendors: Vendors) -> None:
    vendors.control("texts", hostile=True)
    for faq in service.shopper().api("GET", "/faqs").json()["faqs"]:
        assert "<script" not in faq["answerHtml"]
        assert "onerror" not in faq["answerHtml"]
