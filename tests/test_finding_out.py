"""Redemptions whose answer was lost are found out by the worker, from the vendor's history (L3)."""

from conftest import Start, Work
from joins import Rows
from meanwhile import until
from offered import FIVE_OFF, FREE_SHIPPING, redeem, redemptions_of, sends
from running import Service, Vendors
from shopper import Shopper

KEY = "an-intent-that-got-lost"


def state_of(shopper: Shopper, key: str = KEY) -> str:
    return str(shopper.api("GET", f"/me/redemptions/{key}").json()["state"])


def test_L3_what_was_carried_out_is_found_with_its_coupon(service: Service, work: Work, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    vendors.fault("redeem", "cut_after")
    assert redeem(ella, FIVE_OFF, KEY).json()["state"] == "unknown"
    work()
    until(lambda: state_of(ella) == "succeeded")
    [effect] = redemptions_of(vendors, "ella")
    found = ella.api("GET", f"/me/redemptions/{KEY}").json()
    assert found["coupon"]["code"] == effect["code"]
    assert found["coupon"]["expiresAt"]
    replay = redeem(ella, FIVE_OFF, KEY)
    assert (replay.status_code, replay.json()) == (201, found)
    assert sends(vendors) == 1


def test_L3_what_was_not_carried_out_has_failed_when_enough_time_has_passed(
    service: Service, work: Work, vendors: Vendors
) -> None:
    ella = service.signed_in("ella")
    vendors.fault("redeem", "cut_before")
    redeem(ella, FIVE_OFF, KEY)
    work(REDEMPTION_SETTLING_SECONDS="1")
    until(lambda: state_of(ella) == "failed")
    assert (redemptions_of(vendors, "ella"), sends(vendors)) == ([], 1)
    assert "Your points were not taken" in ella.get(f"/redemptions/{KEY}").text
