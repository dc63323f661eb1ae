"""Redemptions whose answer was lost are found out by the worker, from the vendor's history (L3)."""

import base64
import secrets
from datetime import UTC, datetime

import msgspec
import pytest
import redis
from support.concurrency import until
from support.enrolment_clients import Rows
from support.expired_tokens import aged, without_faults
from support.reconciliation_runs import check, hours_pass, lines
from support.sandbox_catalogue import FIVE_OFF, STORE_CREDIT, new_key, redeem, redemptions_of, sends
from support.services import Service, Start, Vendors, Work, in_thread, worker_in_thread
from support.shopper import Shopper

from bff.redemptions.reconcile import balance_after, judged, newest_first
from bff.redemptions.unresolved import Unresolved
from bff.sandbox.okendo.program import RETAIL_PURCHASE
from bff.vendors.okendo.replies import Transaction

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


def coupon_of(shopper: Shopper, key: str = KEY) -> str:
    return str(shopper.api("GET", f"/me/redemptions/{key}").json()["coupon"]["code"])


def lose(shopper: Shopper, vendors: Vendors, key: str = KEY, reward: str = FIVE_OFF, fault: str = "cut_after") -> None:
    vendors.fault("redeem", fault)
    assert redeem(shopper, reward, key).json()["state"] == "unknown"


# Who has left -------------------------------------------------------------------------------------------------------


def test_L3_it_is_found_out_after_the_member_signed_out(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    ella = service.signed_in("ella")
    lose(ella, vendors)
    assert ella.api("DELETE", "/session").status_code == 200
    work()
    until(lambda: rows.execute("SELECT state FROM redemptions").fetchone() == ("succeeded",))
    assert coupon_of(service.signed_in("ella")) == vendors.member("ella")["redemptions"][0]["code"]


def test_L3_who_comes_back_after_all_credentials_died_helps_to_find_out(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    ella = service.signed_in("ella")
    lose(ella, vendors)
    ella.api("DELETE", "/session")
    aged(service, vendors, 3700)
    work()
    until(lambda: "401" in str([call["status"] for call in vendors.calls("transactions")]))
    assert rows.execute("SELECT state FROM redemptions").fetchone() == ("unknown",)
    back = service.signed_in("ella")
    until(lambda: state_of(back) == "succeeded")
    assert coupon_of(back) == vendors.member("ella")["redemptions"][0]["code"]


def test_L3_L4_it_is_found_out_after_valkey_forgot_everything(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    lose(service.signed_in("ella"), vendors)
    with redis.Redis.from_url(service.settings["VALKEY_URL"]) as client:
        client.flushall()
    work()
    until(lambda: rows.execute("SELECT state FROM redemptions").fetchone() == ("succeeded",))


def test_L3_it_is_found_out_when_okendo_was_down_for_an_hour(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    ella = service.signed_in("ella")
    lose(ella, vendors)
    vendors.fault("transactions", "status:500", times=500)
    work()
    until(lambda: len(vendors.calls("transactions")) > 3)
    aged(service, vendors, 3700)
    hours_pass(rows, 1.02)
    before = len(vendors.calls("transactions"))
    until(lambda: len(vendors.calls("transactions")) > before)
    assert state_of(ella) == "unknown"
    without_faults(vendors)
    hours_pass(rows, 0)
    until(lambda: state_of(ella) == "succeeded")
    assert coupon_of(ella) == vendors.member("ella")["redemptions"][0]["code"]


def test_C4_L3_it_is_found_out_after_the_keys_were_rotated(
    settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    """The session was sealed anew by the new key, the line in the ledger was not; looking at it helps."""
    old = settings["SECRET_KEYS"]
    new = "k2:" + base64.b64encode(secrets.token_bytes(32)).decode()
    cookies: dict[str, str] = {}
    with in_thread(settings) as service:
        ella = service.signed_in("ella")
        lose(ella, vendors)
        cookies |= ella.cookies
    with in_thread(settings | {"SECRET_KEYS": f"{new},{old}"}) as service:
        ella = service.shopper()
        ella.cookies |= cookies
        assert ella.get("/").status == 200
        cookies |= ella.cookies
    newest = settings | {"SECRET_KEYS": new}
    with in_thread(newest) as service, worker_in_thread(newest):
        until(lambda: "check_redemption" in jobs(rows))
        ella = service.shopper()
        ella.cookies |= cookies
        until(lambda: state_of(ella) == "succeeded")


# What it may be -----------------------------------------------------------------------------------------------------


def test_L3_store_credit_is_found_too(service: Service, work: Work, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    lose(ella, vendors, reward=STORE_CREDIT)
    work()
    until(lambda: state_of(ella) == "succeeded")
    assert ella.api("GET", f"/me/redemptions/{KEY}").json()["storeCredit"] == {"amount": "8.00", "currencyCode": "USD"}
    assert "store credit" in ella.get(f"/redemptions/{KEY}").text


def test_L3_a_vendor_that_carries_it_out_late_is_never_said_to_have_failed(
    start: Start, work: Work, vendors: Vendors
) -> None:
    ella = start(UPSTREAM_TIMEOUT_SECONDS="0.5").signed_in("ella")
    vendors.fault("redeem", "delay", seconds=3)
    assert redeem(ella, FIVE_OFF, KEY).json()["state"] == "unknown"
    work(REDEMPTION_SETTLING_SECONDS="15")
    seen = set()

    def found() -> bool:
        seen.add(state_of(ella))
        return "succeeded" in seen

    until(found)
    assert seen <= {"unknown", "succeeded"}


def test_L3_two_lost_redemptions_of_one_reward_each_get_their_own_coupon(
    service: Service, work: Work, vendors: Vendors
) -> None:
    tara = service.signed_in("tara")
    keys = ["the-first-intent-of-two", "the-second-intent-of-two"]
    for key in keys:
        lose(tara, vendors, key)
    work()
    until(lambda: all(state_of(tara, key) == "succeeded" for key in keys))
    assert [coupon_of(tara, key) for key in keys] == [one["code"] for one in redemptions_of(vendors, "tara")]


def test_L3_a_lost_one_and_a_clear_one_are_not_mixed_up(service: Service, work: Work, vendors: Vendors) -> None:
    tara = service.signed_in("tara")
    for fault, expected in (("cut_after", "succeeded"), ("cut_before", "failed")):
        key, clear = new_key(), new_key()
        lose(tara, vendors, key, fault=fault)
        code = redeem(tara, FIVE_OFF, clear).json()["coupon"]["code"]
        work(REDEMPTION_SETTLING_SECONDS="1")
        until(lambda key=key, expected=expected: state_of(tara, key) == expected)  # type: ignore[misc]
        assert coupon_of(tara, clear) == code
    assert len(redemptions_of(vendors, "tara")) == 3


def test_L3_when_two_transactions_fit_it_stays_unknown_and_is_given_up_in_the_end(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    """Somebody redeems the same reward in another channel at the same time."""
    tara = service.signed_in("tara")
    lose(tara, vendors)
    login = vendors.http.post(
        f"{vendors.url}/v1/stores/{service.settings['OKENDO_USER_ID']}/loyalty/login",
        json={"customerAccessToken": vendors.token("tara")},
        headers={"okendo-api-version": "2025-02-01"},
    )
    elsewhere = {"authorization": f"Bearer {login.json()['token']}", "okendo-api-version": "2025-02-01"}
    again = vendors.http.post(
        f"{vendors.url}/v1/loyalty/redemptions", json={"redemptionRuleId": FIVE_OFF}, headers=elsewhere
    )
    assert again.status_code == 200
    work(REDEMPTION_SETTLING_SECONDS="1")
    before = len(vendors.calls("transactions"))
    until(lambda: len(vendors.calls("transactions")) > before + 2)
    assert state_of(tara) == "unknown"
    assert "still being checked" in tara.get("/").text
    rows.execute("UPDATE redemptions SET check_until = now()")
    hours_pass(rows, 0)
    until(lambda: rows.execute("SELECT check_until, credentials FROM redemptions").fetchone() == (None, None))
    page = tara.get(f"/redemptions/{KEY}")
    assert "could not confirm" in page.text
    assert tara.api("GET", f"/me/redemptions/{KEY}").json()["supportReference"] in page.text
    assert state_of(tara) == "unknown"
    assert "still being checked" not in tara.get("/").text


def test_L3_much_may_have_happened_since(service: Service, work: Work, vendors: Vendors) -> None:
    """More than a page of the history is read to find what came first."""
    tara = service.signed_in("tara")
    lose(tara, vendors)
    earn = {"email": "tara@example.com", "earningRuleId": RETAIL_PURCHASE, "value": 1}
    headers = {"okendo-api-version": "2025-02-01"}
    basic = (service.settings["OKENDO_USER_ID"], service.settings["OKENDO_API_KEY"])
    earned = 0
    while earned < 60:
        reply = vendors.http.post(
            f"{vendors.url}/enterprise/loyalty/earning_transactions", json=earn, headers=headers, auth=basic
        )
        earned += reply.is_success
        if reply.status_code == 429:
            vendors.control("clock", advance=1)
    work()
    until(lambda: state_of(tara) == "succeeded")
    assert len([call for call in vendors.calls("transactions") if call["status"] == 200]) >= 3


# Without a history --------------------------------------------------------------------------------------------------


def test_without_a_history_redeeming_works_and_a_lost_answer_stays_unknown(
    service: Service, work: Work, vendors: Vendors
) -> None:
    ella = service.signed_in("ella")
    vendors.fault("transactions", "status:404", times=2)
    assert redeem(ella, FIVE_OFF, "an-intent-that-went-well").status_code == 201
    lose(ella, vendors)
    work(REDEMPTION_SETTLING_SECONDS="1")
    assert state_of(ella) == "unknown"


def test_a_history_that_fails_just_now_sends_nothing_and_the_key_is_good_later(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("transactions", "status:500", times=3)
    assert redeem(ella, FIVE_OFF, KEY).status_code == 502
    without_faults(vendors)
    assert sends(vendors) == 0
    assert redeem(ella, FIVE_OFF, KEY).status_code == 201


# The queue ----------------------------------------------------------------------------------------------------------


def jobs(rows: Rows) -> list[str]:
    found = rows.execute("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id").fetchall()
    return [str(name) for (name,) in found]


def test_row_and_job_are_committed_together(ella: Shopper, vendors: Vendors, rows: Rows) -> None:
    redeem(ella, FIVE_OFF, "an-intent-that-went-well")
    assert jobs(rows) == ["rescue_redemption"]
    lose(ella, vendors)
    assert jobs(rows) == ["rescue_redemption", "rescue_redemption", "check_redemption"]


def test_C1_M4_the_queue_holds_no_more_than_a_number(ella: Shopper, vendors: Vendors, rows: Rows) -> None:
    lose(ella, vendors)
    for (arguments,) in rows.execute("SELECT args FROM procrastinate_jobs").fetchall():
        assert isinstance(arguments, dict)
        assert set(arguments) == {"row"}
        assert isinstance(arguments["row"], int)


def test_C1_what_lies_in_the_ledger_opens_nothing_and_goes_with_the_outcome(
    service: Service, work: Work, vendors: Vendors, rows: Rows
) -> None:
    ella = service.signed_in("ella")
    lose(ella, vendors)
    [(sealed,)] = rows.execute("SELECT credentials FROM redemptions").fetchall()
    assert isinstance(sealed, bytes)
    cookie = ella.session_cookie or ""
    assert b"eyJ" not in sealed
    assert cookie[22:44].encode() not in sealed
    work()
    until(lambda: state_of(ella) == "succeeded")
    assert rows.execute("SELECT credentials FROM redemptions").fetchone() == (None,)


def test_C1_what_was_sealed_for_another_member_opens_nothing(
    service: Service, settings: dict[str, str], vendors: Vendors, rows: Rows
) -> None:
    """Whoever can write to the ledger alone cannot read one member's history as another's."""
    for persona in ("ella", "tara"):
        lose(service.signed_in(persona), vendors)
    rows.execute(
        "UPDATE redemptions SET credentials = other.credentials FROM redemptions AS other"
        " WHERE other.id <> redemptions.id"
    )
    before = len(vendors.calls("transactions"))
    check(settings, rows)
    assert len(vendors.calls("transactions")) == before
    assert lines(rows) == [("unknown", None), ("unknown", None)]


@pytest.mark.parametrize(("state", "end"), [("reserved", "failed"), ("sent", "succeeded")])
def test_K9_the_line_of_a_dead_process_is_looked_after(
    service: Service, work: Work, vendors: Vendors, rows: Rows, state: str, end: str
) -> None:
    ella = service.signed_in("ella")
    lose(ella, vendors)
    rows.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'check_redemption'")
    rows.execute("UPDATE redemptions SET state = %s, check_until = NULL", (state,))
    hours_pass(rows, 1)
    work()
    until(lambda: rows.execute("SELECT state FROM redemptions").fetchone() == (end,))


# What the history says ----------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 1, tzinfo=UTC)
IN_DOUBT = Unresolved(
    customer_id="c", key="k", fingerprint="f", reward_id="r-1", reward_name="R", points=500, balance_seen=900,
    newest_transaction="t-0", session="s", credentials=None, request_id="q", id=7, state="unknown",
    transaction_id=None, coupon_code=None, coupon_description=None, coupon_expires_at=None, store_credit=None,
    currency=None, reason=None, note=None, support_reference="R-1", created_at=NOW, changed_at=NOW, sent_at=NOW,
    check_until=NOW, seconds_since_sent=100, overdue=False, claimed=[], next_newest=None, later_open=False,
    later_codes=[],
)  # fmt: skip


def spent(name: str, reward: str | None = "r-1", kind: str = "redemption", points: float = -500) -> Transaction:
    return Transaction(id=name, kind=kind, reward=reward, points=points, code=f"code of {name}")


ONE, TWO, OTHER = spent("t-1"), spent("t-2"), spent("t-3", reward="r-2")
GAIN = Transaction(id="t-4", kind="earning", points=500)
# The line, the history since then (newest first), whether enough time has passed; what is said.
JUDGED: list[tuple[dict[str, object], list[Transaction] | None, bool, str | None]] = [
    ({}, [ONE], False, "t-1"),
    ({}, [GAIN, ONE, OTHER], False, "t-1"),
    ({}, [], False, None),
    ({}, [], True, "failed"),
    ({}, [GAIN, OTHER], True, "failed"),
    ({}, [TWO, ONE], True, None),
    ({}, None, True, None),
    ({"claimed": ["t-2"]}, [TWO, ONE], True, "t-1"),
    ({"claimed": ["t-1", "t-2"]}, [TWO, ONE], True, "failed"),
    # A later redemption noted t-1 as newest, so t-2 is not surely of this one.
    ({"next_newest": "t-1", "later_open": True}, [TWO, ONE], True, "t-1"),
    ({"next_newest": "t-0", "later_open": True}, [TWO], True, None),
    ({"next_newest": "t-0", "claimed": ["t-2"]}, [TWO], True, "failed"),
    ({"next_newest": "t-0"}, [TWO], True, "t-2"),
    ({"next_newest": "t-9"}, [TWO, ONE], True, None),
    ({"later_open": True}, [ONE], True, None),
    # Of a later redemption no transaction is known, but its coupon is, or not even that.
    ({"next_newest": "t-0", "claimed": ["code of t-2"], "later_codes": ["code of t-2"]}, [TWO], True, "failed"),
    ({"next_newest": "t-0", "claimed": ["another"], "later_codes": ["another"]}, [TWO], True, None),
    ({"next_newest": "t-0", "later_codes": [None]}, [TWO], True, None),
    ({"next_newest": "t-1", "later_codes": [None]}, [TWO, ONE], True, "t-1"),
    # Where the vendor does not say which reward, the price tells.
    ({}, [spent("t-5", reward=None)], False, "t-5"),
    ({}, [spent("t-5", reward=None, points=500)], False, "t-5"),
    ({}, [spent("t-5", reward=None, points=-750)], True, "failed"),
    ({}, [spent("t-6", kind="LOYALTY_REDEMPTION")], False, "t-6"),
    ({}, [spent("t-6", kind="redeemed")], False, "t-6"),
    ({}, [spent("t-6", kind="")], False, "t-6"),
    # Words for what a transaction is are not public, so what it was for counts, or what was given and its price.
    ({}, [spent("t-6", kind="adjustment")], True, "t-6"),
    ({}, [spent("t-6", kind="adjustment", reward="r-2")], True, "failed"),
    ({}, [spent("t-6", kind="adjustment", reward=None)], True, "t-6"),
    ({}, [spent("t-6", kind="earning", reward=None, points=0)], True, "failed"),
    ({}, [Transaction(id="t-6", kind="earning", code="a coupon earned")], True, "failed"),
]


@pytest.mark.parametrize(("line", "since", "settled", "said"), JUDGED)
def test_L3_only_what_is_certain_is_said(
    line: dict[str, object], since: list[Transaction] | None, settled: bool, said: str | None
) -> None:
    outcome, why = judged(msgspec.structs.replace(IN_DOUBT, **line), since, settled=settled)
    assert (outcome and (outcome.transaction_id or outcome.state)) == said
    assert bool(why) is (said is None)


# What happened since then; what the member has at least if the redemption of 500 of their 900 points did not happen.
HAVING: list[tuple[list[Transaction], float]] = [
    ([], 900),
    ([GAIN], 1400),
    ([Transaction(id="t-4", kind="earning", points=500, status="pending")], 900),
    ([OTHER], 400),
    ([spent("t-3", reward="r-2", kind="adjustment", points=300)], 600),
    ([spent("t-3", reward=None)], 400),
    ([spent("t-8", reward=None, kind="adjustment")], 900),
    ([spent("t-9", reward=None, kind="adjustment")], 400),
    ([Transaction(id="t-4", kind="expiry", points=-200)], 900),
    ([Transaction(id="t-4", kind="redemption")], 900),
]


@pytest.mark.parametrize(("since", "balance"), HAVING)
def test_L3_only_points_that_surely_went_otherwise_are_not_missed(since: list[Transaction], balance: float) -> None:
    assert balance_after(msgspec.structs.replace(IN_DOUBT, claimed=["t-9"]), since) == balance


def test_L3_a_history_in_another_order_is_not_trusted() -> None:
    dated = [Transaction(id=str(day), date=datetime(2026, 1, day, tzinfo=UTC)) for day in (3, 2, 1)]
    assert newest_first(dated)
    assert newest_first([*dated, Transaction(id="undated")])
    assert not newest_first(dated[::-1])
    assert newest_first([])


def test_L3_a_history_that_cannot_be_followed_proves_nothing(
    service: Service, vendors: Vendors, settings: dict[str, str], rows: Rows
) -> None:
    """Not even of a member whose history was empty before and who was given points since: the redemption is on the page
    that cannot be asked for."""
    vendors.control("member", persona="zoe", balance=1000)
    zoe = service.signed_in("zoe")
    vendors.fault("redeem", "cut_after")
    assert redeem(zoe, FIVE_OFF, KEY).status_code == 202
    vendors.control("history", persona="zoe", lines=170)
    vendors.control("member", persona="zoe", balance=1000)
    rows.execute("UPDATE redemptions SET sent_at = sent_at - interval '5 minutes'")
    vendors.control("pages", dead_end=True)
    check(settings, rows)
    assert lines(rows) == [("unknown", None)]
    vendors.control("pages", circle=0)
    check(settings, rows)
    assert lines(rows) == [("succeeded", vendors.member("zoe")["redemptions"][0]["code"])]


@pytest.mark.parametrize("circle", [1, 2])
def test_L3_a_history_that_goes_in_circles_proves_nothing(
    ella: Shopper, vendors: Vendors, settings: dict[str, str], rows: Rows, circle: int
) -> None:
    vendors.fault("redeem", "cut_after")
    assert redeem(ella, FIVE_OFF, KEY).status_code == 202
    vendors.control("history", persona="ella", lines=170)
    vendors.control("pages", circle=circle)
    check(settings, rows)
    assert lines(rows) == [("unknown", None)]
    vendors.control("pages", circle=0)
    check(settings, rows)
    [(state, code)] = lines(rows)
    assert (state, code) == ("succeeded", vendors.member("ella")["redemptions"][0]["code"])
