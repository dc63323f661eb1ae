"""Redemptions whose answer was lost: unknown is said to be unknown, and nothing is ever sent twice."""

import pytest
from support.enrolment_clients import Rows
from support.sandbox_catalogue import FIVE_OFF, STORE_CREDIT, code_of, new_key, redeem, redemptions_of, sends
from support.services import Service, Start, Vendors
from support.shopper import Shopper

KEY = "an-intent-that-got-lost"
# What leaves us without an answer, and whether the vendor carried it out all the same.
LOST = {
    "cut_after": True,
    # A yes that does not say what was given.
    "empty": True,
    "garbage": True,
    "html": True,
    "huge": True,
    "cut_before": False,
    "redirect": False,
    # These say neither that it was carried out nor that it was not.
    "status:408": False,
    "status:409": False,
    "status:418": False,
    "status:425": False,
    "status:499": False,
    "status:500": False,
    "status:502": False,
    "status:503": False,
    "status:504": False,
}


def left_behind(rows: Rows, state: str, seconds_ago: int) -> None:
    """The line of KEY as a process leaves it that died in the middle."""
    changed = rows.execute(
        "UPDATE redemptions SET state = %s, coupon_code = NULL, coupon_description = NULL, coupon_expires_at = NULL,"
        " changed_at = now() - make_interval(secs => %s) WHERE key = %s",
        (state, seconds_ago, KEY),
    )
    assert changed.rowcount == 1


def test_L3_a_lost_answer_is_unknown_and_never_sent_again(service: Service, vendors: Vendors) -> None:
    tara = service.signed_in("tara")
    for number, kind in enumerate(LOST, 1):
        key = new_key()
        vendors.fault("redeem", kind)
        first, again = redeem(tara, FIVE_OFF, key), redeem(tara, FIVE_OFF, key)
        assert (kind, first.status_code, again.status_code) == (kind, 202, 202)
        assert first.json()["state"] == again.json()["state"] == "unknown"
        assert again.headers["idempotency-replayed"] == "true"
        assert sends(vendors) == number, kind
    assert len(redemptions_of(vendors, "tara")) == sum(LOST.values())


def test_L3_an_answer_that_comes_too_late_is_unknown(start: Start, vendors: Vendors) -> None:
    ella = start(UPSTREAM_TIMEOUT_SECONDS="0.5").signed_in("ella")
    vendors.fault("redeem", "delay_after", seconds=1.5)
    first, again = redeem(ella, FIVE_OFF, KEY), redeem(ella, FIVE_OFF, KEY)
    assert [(reply.status_code, reply.json()["state"]) for reply in (first, again)] == [(202, "unknown")] * 2
    assert sends(vendors) == 1


def test_L3_unknown_says_where_to_look_and_what_to_quote(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "cut_after")
    reply = redeem(ella, FIVE_OFF, KEY)
    assert int(reply.headers["retry-after"]) >= 1
    looked = ella.request("GET", reply.headers["location"], headers={"sec-fetch-dest": "empty"})
    assert (looked.status_code, looked.json()) == (200, reply.json())
    page = ella.get(f"/redemptions/{KEY}")
    assert page.status == 200
    assert "do not redeem it again" in page.text
    assert reply.json()["supportReference"] in page.text
    assert "coupon" not in looked.json()
    assert (len(redemptions_of(vendors, "ella")), sends(vendors)) == (1, 1)


def test_L3_sending_the_form_again_shows_the_same_unknown_page(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "cut_after")
    path = f"/rewards/{FIVE_OFF}"
    page = ella.get(path)
    first, again = ella.submit(page, path), ella.submit(page, path)
    assert first.path == again.path == f"/redemptions/{page.form(path).fields['key']}"
    assert "do not redeem it again" in again.text
    assert (len(redemptions_of(vendors, "ella")), sends(vendors)) == (1, 1)


def test_L3_a_busy_vendor_has_taken_nothing(ella: Shopper, vendors: Vendors) -> None:
    """429 is a clear no: it was refused before anything was done."""
    vendors.fault("redeem", "status:429", retryAfter=7)
    first, again = redeem(ella, FIVE_OFF, KEY), redeem(ella, FIVE_OFF, KEY)
    assert (again.status_code, code_of(again)) == (first.status_code, code_of(first))
    assert first.status_code >= 429
    assert ella.api("GET", f"/me/redemptions/{KEY}").json()["state"] == "failed"
    assert (redemptions_of(vendors, "ella"), sends(vendors)) == ([], 1)


def test_K7_a_busy_vendor_tells_the_shopper_when_to_come_back(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "status:429", retryAfter=7)
    reply = redeem(ella, FIVE_OFF, KEY)
    assert (reply.status_code, reply.headers.get("retry-after")) == (503, "7")


def test_L1_a_stored_failure_never_invites_to_try_the_same_key_again(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "status:429")
    redeem(ella, FIVE_OFF, KEY)
    again = redeem(ella, FIVE_OFF, KEY)
    assert (again.headers["idempotency-replayed"], again.json()["retryable"]) == ("true", False)


def test_L3_a_refused_token_takes_nothing_and_is_not_tried_twice(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "status:401")
    first, again = redeem(ella, FIVE_OFF, KEY), redeem(ella, FIVE_OFF, KEY)
    assert [(reply.status_code, code_of(reply)) for reply in (first, again)] == [(503, "upstream_unavailable")] * 2
    assert ella.api("GET", "/session").json()["state"] == "enrolled"
    assert ella.api("GET", f"/me/redemptions/{KEY}").json()["state"] == "failed"
    assert (redemptions_of(vendors, "ella"), sends(vendors)) == ([], 1)
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 201


def test_L3_reads_that_fail_before_the_redemption_send_nothing(ella: Shopper, vendors: Vendors) -> None:
    for operation in ("customer", "customer_redemption_rules"):
        vendors.fault(operation, "status:500")
        reply = redeem(ella, FIVE_OFF, KEY)
        assert (reply.status_code, code_of(reply)) == (502, "upstream_unavailable"), operation
    assert sends(vendors) == 0
    assert redeem(ella, FIVE_OFF, KEY).status_code == 201


def test_L3_a_process_that_died_before_sending_has_taken_nothing(ella: Shopper, vendors: Vendors, rows: Rows) -> None:
    redeem(ella, FIVE_OFF, KEY)
    left_behind(rows, "reserved", 70)
    seen = ella.api("GET", f"/me/redemptions/{KEY}").json()
    assert seen["state"] == "failed"
    assert "points were not taken" in ella.get(f"/redemptions/{KEY}").text
    again = redeem(ella, FIVE_OFF, KEY)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (503, "true")
    assert sends(vendors) == 1


def test_L3_a_process_that_died_after_sending_leaves_it_unknown(ella: Shopper, vendors: Vendors, rows: Rows) -> None:
    redeem(ella, FIVE_OFF, KEY)
    left_behind(rows, "sent", 70)
    seen = ella.api("GET", f"/me/redemptions/{KEY}").json()
    assert seen["state"] == "unknown"
    assert seen["supportReference"] in ella.get(f"/redemptions/{KEY}").text
    again = redeem(ella, FIVE_OFF, KEY)
    assert (again.status_code, again.json()["state"]) == (202, "unknown")
    assert sends(vendors) == 1


@pytest.mark.parametrize("state", ["reserved", "sent"])
def test_L3_what_may_still_be_under_way_is_waited_for(ella: Shopper, vendors: Vendors, rows: Rows, state: str) -> None:
    redeem(ella, FIVE_OFF, KEY)
    left_behind(rows, state, 30)
    assert ella.api("GET", f"/me/redemptions/{KEY}").json()["state"] == "working"
    assert "Checking" in ella.get(f"/redemptions/{KEY}").heading
    for key in (KEY, new_key()):
        reply = redeem(ella, FIVE_OFF, key)
        assert (reply.status_code, code_of(reply)) == (409, "request_in_progress")
        assert int(reply.headers["retry-after"]) >= 1
    assert sends(vendors) == 1


@pytest.mark.parametrize("state", ["reserved", "sent"])
def test_L3_what_a_dead_process_left_behind_does_not_lock_the_member_out(
    ella: Shopper, vendors: Vendors, rows: Rows, state: str
) -> None:
    redeem(ella, FIVE_OFF, KEY)
    left_behind(rows, state, 70)
    assert redeem(ella, FIVE_OFF, new_key()).status_code == 201
    assert sends(vendors) == 2


def test_L4_without_the_ledger_nothing_is_redeemed(start: Start, vendors: Vendors) -> None:
    ella = start(DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing").signed_in("ella")
    reply = redeem(ella, STORE_CREDIT, KEY)
    assert (reply.status_code, code_of(reply)) == (503, "store_unavailable")
    assert "retry-after" in reply.headers
    assert sends(vendors) == 0
    assert "1,240" in ella.get("/").text


def test_times_are_in_utc_whatever_the_database_thinks(start: Start, rows: Rows) -> None:
    name = rows.info.dbname
    rows.execute(f'ALTER DATABASE "{name}" SET timezone TO "Asia/Kolkata"'.encode())
    try:
        ella = start().signed_in("ella")
        assert redeem(ella, FIVE_OFF, KEY).json()["coupon"]["expiresAt"].endswith(("Z", "+00:00"))
    finally:
        rows.execute(f'ALTER DATABASE "{name}" RESET timezone'.encode())
