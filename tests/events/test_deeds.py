"""What a shopper does is told to the merchant's server once, by page as by script; what was refused is not."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import psycopg
import pytest
from api.test_earning import INSTAGRAM, TIKTOK, complete
from awards.test_payments import states
from journeys.test_referring import invite
from pages.test_carts import WELCOME_BACK, press, with_cart
from support.carts import UNKNOWN, apply, cart_of, redeem_into
from support.concurrency import at_once, same_browser, until
from support.enrolment_clients import Rows, agree
from support.processes import bff
from support.receiver import Receiver
from support.sandbox_catalogue import FIVE_OFF, GOLD_ONLY, new_key, redeem
from support.services import Service, Start, Vendors, Work, as_process
from support.shopper import Shopper
from support.subtotal_events import ACTIONS, BUYING, FAST, RATE, bought, connection_of, deliver

KEY = "an-intent-that-is-told-of"
SECRETS = re.compile(r"@|OKE-|eyJ|shcat_|shcrt_|Ella|Martin|Zoe|Penny|whsec_")
Deed = Callable[[Shopper], Any]


def stored(rows: Rows) -> list[str]:
    return [str(kind) for (kind,) in rows.execute("SELECT type FROM outbound_events ORDER BY id").fetchall()]


class OnPage(NamedTuple):
    """The form of a page, and what a shopper fills in."""

    path: str
    action: str
    fields: dict[str, str]


# By event: whose deed it is, by script and by page, and what is told of it besides whose it is.
DEEDS: dict[str, tuple[str, Deed, OnPage, dict[str, Any]]] = {
    "joined": ("penny", agree, OnPage("/join", "/join", {}), {}),
    "redeemed": (
        "ella",
        lambda shopper: redeem(shopper, FIVE_OFF, KEY),
        OnPage(f"/rewards/{FIVE_OFF}", f"/rewards/{FIVE_OFF}", {"key": KEY}),
        {"redemptionKey": KEY, "rewardId": FIVE_OFF, "points": 500},
    ),
    "earned": (
        "zoe",
        lambda shopper: complete(shopper, INSTAGRAM),
        OnPage("/earn", f"/earn/{INSTAGRAM}", {}),
        {"earningRuleId": INSTAGRAM, "kind": "points", "points": 50},
    ),
    "referred": (
        "ella",
        lambda shopper: invite(shopper, "friend@example.com"),
        OnPage("/refer", "/refer", {"email": "friend@example.com"}),
        {},
    ),
}


@pytest.mark.parametrize("kind", DEEDS)
@pytest.mark.parametrize("way", ["script", "page"])
def test_P12_each_deed_is_told_once_and_says_nothing_personal(
    told: Service, telling: None, receiver: Receiver, vendors: Vendors, rows: Rows, kind: str, way: str
) -> None:
    persona, by_script, on_page, says = DEEDS[kind]
    shopper = told.signed_in(persona)
    if way == "script":
        deed = partial(by_script, shopper)
    else:
        deed = partial(shopper.submit, shopper.get(on_page.path), on_page.action, **on_page.fields)
    # Clicked twice.
    deed()
    deed()
    events = {event["type"]: event for event in receiver.wait_for("signed_in", kind)}
    assert events[kind]["data"] == {"customerId": vendors.member(persona)["customerId"]} | says
    assert set(events[kind]) == {"type", "timestamp", "data"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", events[kind]["timestamp"])
    assert stored(rows) == ["signed_in", kind]
    assert len({posted.id for posted in receiver.posted}) == len(receiver.posted) == 2
    for posted in receiver.posted:
        assert receiver.trusts(posted)
        assert SECRETS.search(posted.body.decode()) is None
        assert receiver.url.endswith(posted.path)
        assert posted.headers["content-type"] == "application/json"
        assert not {"cookie", "authorization", "origin"} & set(posted.headers)


@pytest.mark.parametrize("way", ["shop", "token", "ticket"])
def test_each_way_to_sign_in_is_told_once(
    told: Service, telling: None, receiver: Receiver, vendors: Vendors, way: str
) -> None:
    shopper = told.shopper()
    if way == "shop":
        shopper.sign_in("zoe")
    elif way == "token":
        assert shopper.api("POST", "/session", {"customerAccessToken": vendors.token("zoe")}).status_code == 201
    else:
        assert shopper.get(f"/session/continue?ticket={told.ticket(vendors.token('zoe'))}").status == 200
    [event] = receiver.wait_for("signed_in")
    assert event["data"] == {"customerId": vendors.member("zoe")["customerId"]}


def test_who_renews_their_own_session_has_not_signed_in_again(told: Service, vendors: Vendors, rows: Rows) -> None:
    ella = told.signed_in("ella")
    for persona in ("ella", "ella", "zoe"):
        assert ella.api("POST", "/session", {"customerAccessToken": vendors.token(persona)}).status_code == 201
    until(lambda: stored(rows) == ["signed_in"] * 2)


def test_what_was_refused_is_not_told(told: Service, vendors: Vendors, rows: Rows) -> None:
    zoe, penny = told.signed_in("zoe"), told.signed_in("penny")
    assert redeem(zoe, FIVE_OFF, new_key()).status_code == 422
    assert redeem(zoe, GOLD_ONLY, new_key()).status_code == 422
    assert agree(penny, policiesDigest="0" * 64).status_code == 409
    assert complete(told.signed_in("ella"), INSTAGRAM).status_code == 409
    assert complete(penny, TIKTOK).status_code == 403
    assert invite(zoe, "zoe@example.com")[0] == 422
    # Okendo refuses a friend who is a customer, which the shopper is never told.
    assert invite(zoe, "tara@example.com")[0] == 202
    vendors.fault("redeem", "status:422")
    assert redeem(told.signed_in("tara"), FIVE_OFF, new_key()).status_code == 422
    assert told.shopper().api("POST", "/session", {"customerAccessToken": "nonsense"}).status_code == 401
    until(lambda: len(stored(rows)) >= 4)
    assert set(stored(rows)) == {"signed_in"}


@pytest.mark.parametrize("way", ["script", "page", "redemption"])
def test_a_coupon_is_told_when_it_has_come_into_the_cart(
    start: Start, telling: None, receiver: Receiver, vendors: Vendors, rows: Rows, way: str
) -> None:
    ella = start(CART_COOKIE="cart", **receiver.settings).signed_in("ella")
    cart, says = cart_of(vendors), {"customerId": vendors.member("ella")["customerId"], "rewardId": FIVE_OFF}
    # Twice, of which the second finds it there; and once where it does not count.
    for into in (cart, cart, UNKNOWN):
        if way == "script":
            assert apply(ella, WELCOME_BACK, into).status_code == 200
        elif way == "page":
            press(with_cart(ella, into))
        else:
            assert redeem_into(ella, FIVE_OFF, KEY, into).status_code == 201
    [event] = receiver.wait_for("coupon_applied")
    assert event["data"] == says
    assert all(map(receiver.trusts, receiver.posted))
    assert all(SECRETS.search(posted.body.decode()) is None for posted in receiver.posted)
    assert stored(rows).count("coupon_applied") == 1


def test_a_redemption_is_told_when_it_is_certain_and_not_before(
    told: Service, work: Work, receiver: Receiver, vendors: Vendors, rows: Rows
) -> None:
    ella = told.signed_in("ella")
    vendors.fault("redeem", "cut_after")
    assert redeem(ella, FIVE_OFF, KEY).json()["state"] == "unknown"
    assert "redeemed" not in stored(rows)
    work(**receiver.settings)
    [event] = receiver.wait_for("redeemed")
    assert event["data"]["redemptionKey"] == KEY
    assert redeem(ella, FIVE_OFF, KEY).headers["idempotency-replayed"] == "true"
    assert stored(rows).count("redeemed") == 1


def test_a_redemption_that_came_to_nothing_is_not_told(
    told: Service, work: Work, receiver: Receiver, vendors: Vendors, rows: Rows
) -> None:
    ella = told.signed_in("ella")
    vendors.fault("redeem", "cut_before")
    redeem(ella, FIVE_OFF, KEY)
    work(**receiver.settings, REDEMPTION_SETTLING_SECONDS="1")
    until(lambda: ella.api("GET", f"/me/redemptions/{KEY}").json()["state"] == "failed")
    assert stored(rows) == ["signed_in"]


def test_what_a_person_resolves_and_corrects_is_told_once(
    told: Service, receiver: Receiver, vendors: Vendors, rows: Rows
) -> None:
    mine = dict(told.settings)
    vendors.fault("redeem", "cut_after")
    reference = redeem(told.signed_in("ella"), FIVE_OFF, KEY).json()["supportReference"]
    for state, *more in (("failed",), ("succeeded", "--correct"), ("failed", "--correct"), ("succeeded", "--correct")):
        done = bff(mine, "redemptions", "resolve", reference, state, "--why", "looked", *more)
        assert done.returncode == 0, done.stderr
    assert stored(rows) == ["signed_in", "redeemed"]


def test_a_lost_answer_to_joining_is_told_once_it_is_known(told: Service, vendors: Vendors, rows: Rows) -> None:
    penny = told.signed_in("penny")
    vendors.fault("customer_activation", "cut_after")
    # The first look at the member goes well; the one after the lost reply does not.
    vendors.fault("customer", "delay", seconds=0)
    vendors.fault("customer", "status:500", times=2)
    assert agree(penny).status_code == 502
    assert stored(rows) == ["signed_in"]
    vendors.http.delete(f"{vendors.url}/_control/faults")
    assert [agree(penny).status_code for _ in range(2)] == [200, 200]
    assert stored(rows) == ["signed_in", "joined"]


def test_many_tabs_and_processes_tell_of_one_deed_once(
    settings: dict[str, str], receiver: Receiver, work: Work, rows: Rows, logfile: Any
) -> None:
    work(**receiver.settings)
    with as_process(settings | receiver.settings, logfile, WEB_CONCURRENCY="2") as service:
        ella, penny = service.signed_in("ella"), service.signed_in("penny")
        at_once([partial(redeem, same_browser(service, ella), FIVE_OFF, KEY) for _ in range(6)])
        at_once([partial(agree, same_browser(service, penny)) for _ in range(4)])
        receiver.wait_for("redeemed", "joined")
    assert sorted(stored(rows)) == ["joined", "redeemed", "signed_in", "signed_in"]
    assert len(receiver.posted) == 4


def test_a_purchase_elsewhere_is_told_when_it_is_paid(
    start: Start, work: Work, receiver: Receiver, vendors: Vendors, rows: Rows
) -> None:
    vendors.control("clock", rate=RATE)
    # Nobody can ask Subtotal for more than its events say.
    more = {"SUBTOTAL_ACTIONS": ACTIONS, "SUBTOTAL_API_KEY": "", **FAST, **receiver.settings}
    service = start(**more)
    event = bought(connection_of(vendors, "ella"), "20.00")
    assert deliver(service, event).status_code == 204
    # Whom Subtotal knows by an address alone is paid, and not told of.
    anonymous = connection_of(vendors, "zoe", customer_id=None, connection_id="AN0NYM0US")
    assert deliver(service, bought(anonymous, "20.00")).status_code == 204
    work(**more)
    [told] = receiver.wait_for("earned")
    customer = vendors.member("ella")["customerId"]
    assert told["data"] == {"customerId": customer, "earningRuleId": BUYING, "kind": "points", "points": 40}
    until(lambda: states(rows) == ["paid", "paid"])
    assert stored(rows) == ["earned"]


def test_nothing_is_stored_where_there_is_nobody_to_tell(service: Service, rows: Rows) -> None:
    ella = service.signed_in("ella")
    assert redeem(ella, FIVE_OFF, KEY).status_code == 201
    assert agree(service.signed_in("penny")).status_code == 201
    assert invite(ella, "friend@example.com")[0] == 202
    assert stored(rows) == []


def test_what_cannot_be_stored_fails_no_deed(told: Service, rows: Rows, log: Any) -> None:
    rows.execute("ALTER TABLE outbound_events RENAME TO outbound_events_of_tomorrow")
    try:
        ella = told.signed_in("ella")
        assert invite(ella, "friend@example.com")[0] == 202
        assert complete(told.signed_in("zoe"), INSTAGRAM).status_code == 201
        until(lambda: len(log.events("event_lost")) == 4)
    finally:
        rows.execute("ALTER TABLE outbound_events_of_tomorrow RENAME TO outbound_events")
    assert {line["what"] for line in log.events("event_lost")} == {"signed_in", "referred", "earned"}


def test_the_table_holds_no_more_than_what_is_told(told: Service, rows: Rows) -> None:
    assert redeem(told.signed_in("ella"), FIVE_OFF, KEY).status_code == 201
    until(lambda: len(stored(rows)) == 2)
    with rows.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        kept = cursor.execute("SELECT * FROM outbound_events").fetchall()
    assert SECRETS.search(json.dumps(kept, default=str)) is None
