"""The birthday: a day and a month, asked for once, and shown from then on."""

import pytest
from support.concurrency import at_once, same_browser
from support.page_rules import markup_of
from support.services import Service, Vendors
from support.shopper import Page, Shopper

PATH = "/earn/birthday"


def tell(shopper: Shopper, day: str, month: str, page: Page | None = None) -> Page:
    return shopper.submit(page or shopper.get(PATH), PATH, day=day, month=month)


def test_a_birthday_is_told_once_and_shown_from_then_on(ella: Shopper, vendors: Vendors) -> None:
    page = ella.get(PATH)
    sent = ella.post(PATH, page.form(PATH).fields | {"day": "29", "month": "2"}, follow=False)
    assert (sent.status, sent.reply.headers["location"]) == (303, f"{PATH}?saved=1")
    saved = ella.get(f"{PATH}?saved=1")
    assert "February 29" in saved.text
    assert PATH not in [form.action for form in saved.read.forms]
    assert vendors.member("ella")["birthday"] == {"day": 29, "month": 2}


def test_one_who_has_told_it_is_not_asked_again(service: Service) -> None:
    page = service.signed_in("tara").get(PATH)
    assert "February 29" in page.text
    assert PATH not in [form.action for form in page.read.forms]


def test_another_tab_does_not_change_it(ella: Shopper, vendors: Vendors) -> None:
    old = ella.get(PATH)
    tell(ella, "29", "2", old)
    again = tell(ella, "1", "3", old)
    assert (again.status, "February 29" in again.text, "it is saved" in again.text) == (200, True, False)
    assert vendors.member("ella")["birthday"] == {"day": 29, "month": 2}


def test_a_double_click_tells_one_birthday(service: Service, ella: Shopper, vendors: Vendors) -> None:
    fields = ella.get(PATH).form(PATH).fields | {"day": "4", "month": "7"}
    tabs = [same_browser(service, ella) for _ in range(3)]
    pages = at_once([lambda tab=tab: tab.post(PATH, fields) for tab in tabs])  # type: ignore[misc]
    assert {(page.status, "July 4" in page.text) for page in pages} == {(200, True)}


@pytest.mark.parametrize(
    ("day", "month"),
    [("30", "2"), ("31", "4"), ("0", "1"), ("32", "1"), ("1", "13"), ("", ""), ("-1", "1"), ("1.5", "1"), ("٣", "1")],
)
def test_a_day_that_does_not_exist_comes_back_with_what_was_typed(
    ella: Shopper, vendors: Vendors, day: str, month: str
) -> None:
    page = tell(ella, day, month)
    assert (page.status, page.path) == (422, PATH)
    assert "Please check the day and the month." in page.text
    fields = {one.attributes.get("name"): one.attributes for one in markup_of(page).all("input", "select")}
    assert fields["day"]["value"] == day
    assert "aria-invalid" in fields["day"]
    assert "aria-invalid" in fields["month"]
    assert "#day" in page.read.links
    assert vendors.calls("birthday") == []


@pytest.mark.parametrize(("day", "month"), [("1", "1"), ("31", "12"), ("29", "2"), (" 07 ", "6")])
def test_a_day_that_exists_is_a_birthday(ella: Shopper, vendors: Vendors, day: str, month: str) -> None:
    assert tell(ella, day, month).status == 200
    assert vendors.member("ella")["birthday"] == {"day": int(day), "month": int(month)}


def test_those_who_have_not_joined_are_led_there(penny: Shopper, shopper: Shopper, vendors: Vendors) -> None:
    assert "/join" in penny.get(PATH).read.links
    assert "/login?return_to=%2Fearn%2Fbirthday" in shopper.get(PATH).read.links
    for page in (penny.get(PATH), shopper.get(PATH)):
        assert PATH not in [form.action for form in page.read.forms]
    assert shopper.post(PATH, {"day": "1", "month": "1"}).status == 401
    assert vendors.calls("birthday") == []


def test_P4_without_the_member_nothing_is_asked(ella: Shopper, vendors: Vendors) -> None:
    shown = ella.get(PATH)
    vendors.fault("customer", "status:500", times=9)
    for page in (ella.get(PATH), tell(ella, "1", "3", shown)):
        assert "We can't read your membership" in page.text
        assert PATH not in [form.action for form in page.read.forms]
    assert vendors.calls("birthday") == []


def test_a_program_without_birthdays_says_so(ella: Shopper, vendors: Vendors) -> None:
    page = ella.get(PATH)
    vendors.fault("birthday", "status:404", times=9)
    refused = tell(ella, "1", "3", page)
    assert (refused.status, "Birthdays cannot be added here." in refused.text) == (404, True)
