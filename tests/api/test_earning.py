"""Ways to earn: which are done, completing one, and the birthday."""

from typing import Any

import pytest
from support.concurrency import at_once, same_browser
from support.sandbox_catalogue import code_of
from support.services import Service, Vendors
from support.shopper import Shopper

INSTAGRAM = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a04"
TIKTOK = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05"
YOUTUBE = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a06"
REVIEW = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a03"


def complete(shopper: Shopper, rule: str) -> Any:
    return shopper.api("POST", f"/me/earning-rules/{rule}/completions", {})


def triggers(vendors: Vendors, persona: str) -> list[Any]:
    found: list[Any] = vendors.member(persona)["triggers"]
    return found


def test_each_way_to_earn_says_whether_it_is_completed(ella: Shopper) -> None:
    rules = {rule["id"]: rule for rule in ella.api("GET", "/me/earning-rules").json()["earningRules"]}
    assert rules[INSTAGRAM]["completed"] is True
    assert rules[TIKTOK]["completed"] is False
    assert rules[INSTAGRAM]["kind"] == "social_follow"
    assert rules[INSTAGRAM]["url"].startswith("https://www.instagram.com/")


def test_completing_one_pays_points_a_coupon_or_store_credit(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    points, coupon, credit = (complete(zoe, rule) for rule in (INSTAGRAM, TIKTOK, YOUTUBE))
    assert [reply.status_code for reply in (points, coupon, credit)] == [201, 201, 201]
    assert points.json()["result"] == {"kind": "points", "points": 50}
    assert points.json()["member"]["points"]["balance"] == 50
    assert coupon.json()["result"]["kind"] == "coupon"
    assert coupon.json()["result"]["coupon"]["code"].startswith("OKE-")
    assert credit.json()["result"] == {"kind": "store_credit", "storeCredit": {"amount": "2.00", "currencyCode": "USD"}}
    assert len(triggers(vendors, "zoe")) == 3
    rules = {rule["id"]: rule for rule in zoe.api("GET", "/me/earning-rules").json()["earningRules"]}
    assert all(rules[rule]["completed"] for rule in (INSTAGRAM, TIKTOK, YOUTUBE))


def test_a_second_time_is_refused_without_telling_the_vendor(ella: Shopper, vendors: Vendors) -> None:
    reply = complete(ella, INSTAGRAM)
    assert (reply.status_code, code_of(reply)) == (409, "rule_already_completed")
    assert vendors.calls("trigger") == []


def test_L7_a_double_click_completes_once(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    tabs = [same_browser(service, zoe) for _ in range(6)]
    replies = at_once([lambda tab=tab: complete(tab, INSTAGRAM) for tab in tabs])  # type: ignore[misc]
    assert sorted(reply.status_code for reply in replies) == [201, 409, 409, 409, 409, 409]
    assert len(triggers(vendors, "zoe")) == 1


def test_H3_completing_takes_no_fields(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    path = f"/me/earning-rules/{INSTAGRAM}/completions"
    reply = zoe.api("POST", path, {"points": 5000})
    assert (reply.status_code, code_of(reply)) == (400, "invalid_request")
    assert vendors.calls("trigger") == []
    assert zoe.api("POST", path).status_code == 201


def test_D4_what_is_not_sent_needs_no_content_type(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    path, headers = f"/api/v1/me/earning-rules/{INSTAGRAM}/completions", {"origin": zoe.base, "x-loyalty-csrf": "1"}
    assert zoe.request("POST", path, headers=headers, content=b"{}").status_code == 415
    assert zoe.request("POST", path, headers=headers | {"content-type": "text/plain"}).status_code == 415
    assert zoe.request("POST", path, headers={"origin": zoe.base}).status_code == 403
    assert vendors.calls("trigger") == []
    assert zoe.request("POST", path, headers=headers).status_code == 201


def test_H8_only_what_was_offered_can_be_completed(ella: Shopper, vendors: Vendors) -> None:
    for rule in ("nothing-like-it", "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0aff"):
        reply = complete(ella, rule)
        assert (reply.status_code, code_of(reply)) == (404, "not_found")
    assert vendors.calls("trigger") == []


def test_what_is_not_done_by_a_click_cannot_be_completed(ella: Shopper, vendors: Vendors) -> None:
    reply = complete(ella, REVIEW)
    assert (reply.status_code, code_of(reply)) == (404, "feature_unavailable")
    assert triggers(vendors, "ella") == []


def test_those_who_have_not_joined_complete_nothing(penny: Shopper, vendors: Vendors) -> None:
    reply = complete(penny, TIKTOK)
    assert (reply.status_code, code_of(reply)) == (403, "not_enrolled")
    assert vendors.calls("trigger") == []


def test_L3_a_lost_reply_is_found_out_and_not_sent_again(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    vendors.fault("trigger", "cut_after")
    reply = complete(zoe, INSTAGRAM)
    assert (reply.status_code, reply.json()["result"]) == (201, {"kind": "points", "points": 50})
    assert (len(vendors.calls("trigger")), len(triggers(vendors, "zoe"))) == (1, 1)


@pytest.mark.parametrize(("rule", "kind"), [(TIKTOK, "coupon"), (YOUTUBE, "store_credit")])
def test_L3_what_a_lost_reply_paid_is_not_made_up(service: Service, vendors: Vendors, rule: str, kind: str) -> None:
    zoe = service.signed_in("zoe")
    vendors.fault("trigger", "cut_after")
    reply = complete(zoe, rule)
    assert (reply.status_code, reply.json()["result"]) == (201, {"kind": kind})
    assert len(triggers(vendors, "zoe")) == 1


def test_L3_what_did_not_reach_the_vendor_is_said_to_have_failed(service: Service, vendors: Vendors) -> None:
    zoe = service.signed_in("zoe")
    vendors.fault("trigger", "cut_before")
    reply = complete(zoe, INSTAGRAM)
    assert (reply.status_code, code_of(reply)) == (502, "upstream_unavailable")
    assert len(vendors.calls("trigger")) == 1
    assert complete(zoe, INSTAGRAM).status_code == 201


def test_a_birthday_is_told_and_shown(ella: Shopper, vendors: Vendors) -> None:
    reply = ella.api("PUT", "/me/birthday", {"day": 29, "month": 2})
    assert (reply.status_code, reply.json()["birthday"]) == (200, {"day": 29, "month": 2})
    assert vendors.member("ella")["birthday"] == {"day": 29, "month": 2}


def test_a_birthday_that_is_known_is_never_changed(ella: Shopper, vendors: Vendors) -> None:
    for _ in range(2):
        reply = ella.api("PUT", "/me/birthday", {"day": 29, "month": 2})
        assert (reply.status_code, reply.json()["birthday"]) == (200, {"day": 29, "month": 2})
    assert len(vendors.calls("birthday")) == 1
    for other in ({"day": 1, "month": 2}, {"day": 29, "month": 3}):
        reply = ella.api("PUT", "/me/birthday", other)
        assert (reply.status_code, code_of(reply)) == (409, "rule_already_completed")
        assert reply.json()["detail"].startswith("A birthday is told once, and we know yours.")
    assert len(vendors.calls("birthday")) == 1
    assert vendors.member("ella")["birthday"] == {"day": 29, "month": 2}


def test_of_two_birthdays_at_once_one_is_told(service: Service, ella: Shopper, vendors: Vendors) -> None:
    tabs = [same_browser(service, ella) for _ in range(4)]
    told = [{"day": day, "month": 5} for day in range(1, 5)]
    calls = [lambda tab=tab, day=day: tab.api("PUT", "/me/birthday", day) for tab, day in zip(tabs, told, strict=True)]
    replies = at_once(calls)
    answers = sorted(code_of(reply) if reply.status_code != 200 else "" for reply in replies)
    assert answers == ["", *["rule_already_completed"] * 3]
    assert len(vendors.calls("birthday")) == 1


def test_whoever_has_not_joined_is_not_asked_for_their_birthday(penny: Shopper, vendors: Vendors) -> None:
    reply = penny.api("PUT", "/me/birthday", {"day": 29, "month": 2})
    assert (reply.status_code, code_of(reply)) == (403, "not_enrolled")
    assert vendors.calls("birthday") == []


def test_P4_without_the_member_no_birthday_is_told(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("customer", "status:500", times=9)
    reply = ella.api("PUT", "/me/birthday", {"day": 29, "month": 2})
    assert (reply.status_code, code_of(reply)) == (502, "upstream_unavailable")
    assert vendors.calls("birthday") == []


@pytest.mark.parametrize(("day", "month"), [(0, 1), (32, 1), (30, 2), (31, 4), (1, 0), (1, 13), (-1, 5)])
def test_a_day_that_does_not_exist_is_no_birthday(ella: Shopper, vendors: Vendors, day: int, month: int) -> None:
    reply = ella.api("PUT", "/me/birthday", {"day": day, "month": month})
    assert (reply.status_code, code_of(reply)) == (422, "invalid_birthday")
    assert vendors.calls("birthday") == []


NO_BIRTHDAYS: list[Any] = [
    {}, {"day": 1}, {"day": "1", "month": 1}, {"day": 1.5, "month": 1}, {"day": True, "month": 1},
    {"day": 1, "month": 1, "year": 1990}, [1, 1], None,
]  # fmt: skip


@pytest.mark.parametrize("body", NO_BIRTHDAYS)
def test_H3_a_birthday_of_another_form_is_refused(ella: Shopper, vendors: Vendors, body: Any) -> None:
    reply = ella.api("PUT", "/me/birthday", body)
    assert (reply.status_code, code_of(reply)) == (400, "invalid_request")
    assert vendors.calls("birthday") == []
