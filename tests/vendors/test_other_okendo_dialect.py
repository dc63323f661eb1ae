"""If every guess about Okendo were wrong: a file puts it right, from the first page to the last coupon (product §8)."""

from pathlib import Path
from typing import Any

import pytest
from support.concurrency import until
from support.other_okendo_dialect import DIALECT, OVERRIDES
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors

from bff.vendors.okendo.operations import OPERATIONS
from bff.vendors.okendo.row import ForMerchant

TIKTOK = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05"
YOUTUBE = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a06"
PUBLIC = [
    "/program",
    "/earning-rules",
    "/rewards?locale=en&country=us&currency=USD",
    "/tiers",
    "/faqs",
    "/legal-policies",
]
MINE = ["/me", "/me/rewards", "/me/earning-rules", "/me/coupons", "/me/tier-progress", "/me/activity", "/me/referrals"]


@pytest.fixture
def corrected(start: Start, urls: list[str], vendors: Vendors, tmp_path: Path) -> Service:
    """A service with the overrides, before a vendor that speaks otherwise."""
    file = tmp_path / "overrides.toml"
    file.write_text(OVERRIDES, "utf-8")
    vendors.control("dialect", **DIALECT)
    return start(OKENDO_OVERRIDES=str(file), PUBLIC_URL=urls[1], PORT=urls[1].rpartition(":")[2])


def told(reply: Any) -> Any:
    assert reply.is_success, reply.text
    return reply.json()


def test_every_operation_is_spoken_otherwise() -> None:
    assert set(DIALECT) == {name for name, row in OPERATIONS.items() if not isinstance(row, ForMerchant)}


def test_what_is_read_is_the_same_in_both_dialects(service: Service, corrected: Service, vendors: Vendors) -> None:
    vendors.control("dialect")
    shopper, ella = service.shopper(), service.signed_in("ella")
    plain = [told(shopper.api("GET", path)) for path in PUBLIC] + [told(ella.api("GET", path)) for path in MINE]
    vendors.control("dialect", **DIALECT)
    shopper, ella = corrected.shopper(), corrected.signed_in("ella")
    otherwise = [told(shopper.api("GET", path)) for path in PUBLIC] + [told(ella.api("GET", path)) for path in MINE]
    assert otherwise == plain


def test_everything_can_be_done_in_the_other_dialect(corrected: Service, vendors: Vendors) -> None:
    penny = corrected.signed_in("penny")
    assert penny.submit(penny.get("/join"), "/join").path == "/welcome"
    assert len(vendors.member("penny")["enrolments"]) == 1

    ella = corrected.signed_in("ella")
    redemption = told(redeem(ella, FIVE_OFF, new_key()))
    assert redemption["coupon"]["code"] == vendors.member("ella")["redemptions"][0]["code"]
    assert redemption["coupon"]["expiresAt"]
    assert told(ella.api("PUT", "/me/birthday", {"day": 29, "month": 2}))["birthday"] == {"day": 29, "month": 2}
    coupon = told(ella.api("POST", f"/me/earning-rules/{TIKTOK}/completions"))["result"]
    assert coupon["coupon"]["code"].startswith("OKE-")
    credit = told(ella.api("POST", f"/me/earning-rules/{YOUTUBE}/completions"))["result"]
    assert credit == {"kind": "store_credit", "storeCredit": {"amount": "2.00", "currencyCode": "USD"}}
    assert ella.api("POST", "/me/referrals", {"email": "friend@example.com"}).status_code == 202
    referrals = told(ella.api("GET", "/me/referrals"))
    assert referrals["count"] == len(referrals["referrals"]) == 3
    assert referrals["referrals"][0]["status"] == "pending"
    assert vendors.member("ella")["referrals"] == [{"email": "friend@example.com"}]
    assert {call["status"] for call in vendors.state()["calls"] if call["vendor"] == "okendo"} <= {200, 204}


def test_history_is_paged_in_the_other_dialect(corrected: Service) -> None:
    ella, seen, query = corrected.signed_in("ella"), list[str](), "limit=2"
    whole = [one["id"] for one in told(ella.api("GET", "/me/activity?limit=100"))["activity"]]
    while query:
        page = told(ella.api("GET", f"/me/activity?{query}"))
        seen += [one["id"] for one in page["activity"]]
        query = f"limit=2&cursor={page['next']}" if page["next"] else ""
    assert len(whole) > 3
    assert seen == whole


def test_a_lost_redemption_is_found_out_in_the_other_dialect(
    corrected: Service, vendors: Vendors, work: Any, tmp_path: Path
) -> None:
    work(REDEMPTION_SETTLING_SECONDS="1", OKENDO_OVERRIDES=str(tmp_path / "overrides.toml"))
    ella, key = corrected.signed_in("ella"), new_key()
    vendors.fault("redeem", "cut_after")
    assert redeem(ella, FIVE_OFF, key).status_code == 202
    until(lambda: told(ella.api("GET", f"/me/redemptions/{key}"))["state"] == "succeeded", 30)
    assert len(vendors.calls("redeem")) == 1


def test_without_the_file_nothing_is_made_up(service: Service, vendors: Vendors) -> None:
    vendors.control("dialect", **DIALECT)
    shopper = service.shopper()
    assert {shopper.api("GET", path).status_code for path in PUBLIC} <= {502, 503}
    ella = service.signed_in("ella")
    for path in MINE:
        reply = ella.api("GET", path)
        assert reply.status_code in {502, 503}, path
        assert reply.json()["code"] == "upstream_unavailable", path
    # It is certain that nothing was carried out where nothing is.
    assert redeem(ella, FIVE_OFF, new_key()).status_code in {502, 503}
    assert not vendors.calls("redeem")
    page = shopper.get("/join")
    assert "paused" in page.text or page.status == 200
