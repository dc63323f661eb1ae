"""The wallet: coupons by the soonest end, what can be done with each, and what is said where not all can be read."""

import pytest
from support.page_rules import markup_of
from support.sandbox_catalogue import FIVE_OFF, FREE_PRODUCT, STORE_CREDIT, TEN_PERCENT, new_key, redeem
from support.services import Service, Start, Vendors
from support.shopper import Page, Shopper

DAY = 86_400
OLD_CODE = "OKE-WELCOMEBACK"


def code_given(shopper: Shopper, reward: str) -> str:
    reply = redeem(shopper, reward, new_key())
    assert reply.status_code == 201, reply.text
    return str(reply.json()["coupon"]["code"])


def codes(page: Page) -> list[str]:
    """Of the tickets, in their order."""
    inside = [element for element in markup_of(page).elements if element.attributes.get("class") == "ticket"]
    return [word for ticket in inside for word in ticket.text.split() if word.startswith("OKE-")]


def pass_days(service: Service, vendors: Vendors, days: float) -> None:
    vendors.control("clock", advance=days * DAY)
    service.clock.advance(days * DAY)


@pytest.fixture
def tara(service: Service) -> Shopper:
    return service.signed_in("tara")


def test_tickets_come_by_the_soonest_end_each_with_what_it_gives_and_what_can_be_done(tara: Shopper) -> None:
    late, soon = code_given(tara, FIVE_OFF), code_given(tara, FREE_PRODUCT)
    page = tara.get("/coupons")
    assert codes(page) == [soon, OLD_CODE, late]
    for words in (
        "A free travel-size cleanser",
        "$5 off your order",
        "This reward now asks for a minimum spend of $30.",
    ):
        assert words in page.text
    applied = [link for link in page.read.links if "/discount/" in link]
    assert [code in link for code, link in zip(codes(page), applied, strict=True)] == [True] * 3
    copied = [
        button.attributes["data-copy"] for button in markup_of(page).all("button") if "data-copy" in button.attributes
    ]
    assert copied == codes(page)


def test_an_end_that_is_near_is_told_in_words_and_never_later_than_it_is(
    service: Service, vendors: Vendors, tara: Shopper
) -> None:
    code_given(tara, FREE_PRODUCT)
    assert " left ·" not in tara.get("/coupons").text
    for days, left in ((26.5, "3 days left"), (2, "1 day left"), (1, "11 hours left")):
        pass_days(service, vendors, days)
        assert left in service.signed_in("tara").get("/coupons").text


def test_used_and_expired_ones_are_kept_apart(service: Service, vendors: Vendors, tara: Shopper) -> None:
    code = code_given(tara, FREE_PRODUCT)
    pass_days(service, vendors, 31)
    page = service.signed_in("tara").get("/coupons")
    assert code not in codes(page)
    [folded] = [part for part in markup_of(page).all("details") if part.attributes.get("class") == "past"]
    assert code in folded.text
    assert "Expired on" in folded.text
    assert "1 coupon that was used or has expired" in folded.text


def test_store_credit_has_no_code(tara: Shopper) -> None:
    assert redeem(tara, STORE_CREDIT, new_key()).status_code == 201
    page = tara.get("/coupons")
    assert codes(page) == [OLD_CODE]
    assert "Store credit has no code" in page.text
    assert "$8" in page.text


def test_an_empty_wallet_has_one_way_on(service: Service) -> None:
    page = service.signed_in("zoe").get("/coupons")
    assert "No coupons right now" in page.text
    assert "/rewards" in page.read.links


def test_a_history_that_is_too_long_does_not_make_the_wallet_empty(service: Service, vendors: Vendors) -> None:
    vendors.control("history", persona="zoe", lines=2100)
    page = service.signed_in("zoe").get("/coupons")
    assert "you may have more coupons than are shown here" in page.text
    assert "No coupons right now" not in page.text


@pytest.mark.parametrize(
    ("kind", "words"), [("status:500", "load your coupons"), ("status:404", "does not tell us about coupons")]
)
def test_without_okendos_history_the_coupons_redeemed_here_are_still_there(
    tara: Shopper, vendors: Vendors, kind: str, words: str
) -> None:
    code = code_given(tara, TEN_PERCENT)
    vendors.fault("transactions", kind, times=9)
    page = tara.get("/coupons")
    assert (page.status, codes(page)) == (200, [code])
    assert words in page.text
    assert "No coupons right now" not in page.text


def test_a_coupon_of_nobody_is_shown_to_nobody(service: Service, vendors: Vendors, tara: Shopper) -> None:
    """Neither to another member, nor, while Okendo is away, to one who was blocked."""
    code = code_given(tara, TEN_PERCENT)
    assert code not in service.signed_in("ella").get("/coupons").reply.text
    vendors.control("member", persona="tara", state="blocked", refused=False)
    blocked = tara.get("/coupons")
    assert (blocked.path, code in blocked.reply.text) == ("/blocked", False)
    for operation in ("customer", "transactions"):
        vendors.fault(operation, "status:500", times=9)
    again = tara.get("/coupons")
    assert (again.path, code in again.reply.text) == ("/blocked", False)


def test_without_postgresql_the_history_is_shown(start: Start, ella: Shopper, urls: list[str]) -> None:
    port = urls[1].rpartition(":")[2]
    away = start(PORT=port, PUBLIC_URL=urls[1], DATABASE_URL="postgresql://nobody@127.0.0.1:1/none").shopper()
    away.cookies = dict(ella.cookies)
    assert codes(away.get("/coupons")) == [OLD_CODE]
