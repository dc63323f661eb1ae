"""Going back to the form of a reward that was just redeemed: a second one is possible, but never by accident."""

from support.enrolment_clients import Rows
from support.reconciliation_runs import hours_pass
from support.sandbox_catalogue import FIVE_OFF, STORE_CREDIT, redeem, redemptions_of
from support.services import Service, Vendors
from support.shopper import Shopper

ADDRESS = f"/rewards/{FIVE_OFF}"
KEY = "an-intent-of-ella-0001"


def test_L7_whoever_goes_back_is_told_what_was_just_redeemed(ella: Shopper, vendors: Vendors) -> None:
    redeem(ella, FIVE_OFF, KEY)
    page = ella.get(ADDRESS)
    assert "You have redeemed this already" in page.text
    assert f"/redemptions/{KEY}" in page.read.links
    assert [form.action for form in page.read.forms] == ["/logout"]
    assert len(redemptions_of(vendors, "ella")) == 1


def test_a_second_redemption_of_the_same_reward_takes_a_wish_of_its_own(ella: Shopper, vendors: Vendors) -> None:
    redeem(ella, FIVE_OFF, KEY)
    page = ella.get(ADDRESS)
    once_more = ella.get(next(link for link in page.read.links if link.endswith("again=1")))
    landed = ella.submit(once_more, ADDRESS)
    assert landed.path.startswith("/redemptions/")
    assert len(redemptions_of(vendors, "ella")) == 2


def test_a_redemption_before_this_sign_in_does_not_stand_in_the_way(service: Service, vendors: Vendors) -> None:
    redeem(service.signed_in("ella"), FIVE_OFF, KEY)
    later = service.signed_in("ella")
    landed = later.submit(later.get(ADDRESS), ADDRESS)
    assert landed.path.startswith("/redemptions/")
    assert len(redemptions_of(vendors, "ella")) == 2


def test_L3_whoever_goes_back_while_it_is_being_checked_is_warned_however_long_that_takes(
    service: Service, vendors: Vendors, rows: Rows
) -> None:
    """Not only in the sign-in and the minutes of the click: an answer may be looked for a whole day."""
    vendors.fault("redeem", "cut_after")
    redeem(service.signed_in("ella"), FIVE_OFF, KEY)
    hours_pass(rows, 1)
    later = service.signed_in("ella")
    page = later.get(ADDRESS)
    assert "still being checked" in page.text
    assert f"/redemptions/{KEY}" in page.read.links
    assert [form.action for form in page.read.forms] == ["/logout"]
    once_more = later.get(next(link for link in page.read.links if link.endswith("again=1")))
    assert "still being checked" in once_more.text
    landed = later.submit(once_more, ADDRESS)
    assert landed.path.startswith("/redemptions/")
    assert len(redemptions_of(vendors, "ella")) == 2


def test_L3_while_one_is_being_checked_the_page_of_another_reward_says_that_points_may_change(
    ella: Shopper, vendors: Vendors
) -> None:
    vendors.fault("redeem", "cut_after")
    redeem(ella, STORE_CREDIT, KEY)
    page = ella.get(ADDRESS)
    assert "still being checked" in page.text
    assert f"/redemptions/{KEY}" in page.read.links


def test_L3_what_was_given_up_does_not_stand_in_the_way(service: Service, vendors: Vendors, rows: Rows) -> None:
    vendors.fault("redeem", "cut_after")
    redeem(service.signed_in("ella"), FIVE_OFF, KEY)
    rows.execute("UPDATE redemptions SET check_until = NULL")
    hours_pass(rows, 1)
    later = service.signed_in("ella")
    assert later.submit(later.get(ADDRESS), ADDRESS).path.startswith("/redemptions/")
