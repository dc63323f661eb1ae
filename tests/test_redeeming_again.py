"""Going back to the form of a reward that was just redeemed: a second one is possible, but never by accident."""

from offered import FIVE_OFF, redeem, redemptions_of
from running import Service, Vendors
from shopper import Shopper

ADDRESS = f"/rewards/{FIVE_OFF}"
KEY = "an-intent-of-ella-0001"


def test_L7_whoever_goes_back_is_told_what_was_just_redeemed(ella: Shopper, vendors: Vendors) -> None:
    redeem(ella, FIVE_OFF, KEY)
    page = ella.get(ADDRESS)
    assert "You redeemed this a moment ago" in page.text
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
