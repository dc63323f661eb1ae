"""Redeeming: the key that makes it once, who may redeem what, and what the answer looks like."""

import redis
from support.concurrency import at_once, meanwhile, until
from support.enrolment_clients import Rows
from support.sandbox_catalogue import (
    FIVE_OFF,
    GOLD_ONLY,
    TEN_PERCENT,
    code_of,
    new_key,
    redeem,
    redemptions_of,
    sends,
)
from support.services import Service, Start, Vendors
from support.shopper import Shopper

KEY = "an-intent-of-ella-0001"
REFUSALS = {400: "reward_unavailable", 403: "reward_ineligible", 404: "reward_unavailable", 422: "currency_mismatch"}
MALFORMED_KEYS = (
    "fifteen-letters",
    "x" * 65,
    "with a space in it",
    "with.a.dot.in.it.now",
    "with/a/slash/in/it/now",
    "with=equals=signs=in=it",
    '"only-opened-quotes',
    'only-closed-quotes"',
    '""doubly-quoted-key""',
    "'single-quoted-key-1'",
    '"fifteen-letters"',
    "?1-sixteen-letters-or-so",
    "one-key-of-sixteen, another-of-sixteen",
    "one-key-of-sixteen;parameter=1",
)


def test_L1_a_redemption_without_a_key_is_refused(ella: Shopper, vendors: Vendors) -> None:
    for headers in ({}, {"idempotency_key": ""}):
        reply = ella.api("POST", "/me/redemptions", {"rewardId": FIVE_OFF}, **headers)
        assert (reply.status_code, code_of(reply)) == (400, "idempotency_key_missing")
    assert sends(vendors) == 0


def test_L1_a_malformed_key_is_refused(ella: Shopper, vendors: Vendors) -> None:
    for key in MALFORMED_KEYS:
        reply = redeem(ella, FIVE_OFF, key)
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request"), key
    assert sends(vendors) == 0


def test_L1_keys_of_16_and_of_64_characters_are_taken(service: Service) -> None:
    tara = service.signed_in("tara")
    for key in ("Az09_-Az09_-Az09", "k" * 64):
        reply = redeem(tara, FIVE_OFF, key)
        assert (reply.status_code, reply.json()["key"]) == (201, key)


def test_L1_a_quoted_key_is_the_same_key_as_a_bare_one(ella: Shopper, vendors: Vendors) -> None:
    quoted, bare = redeem(ella, FIVE_OFF, f'"{KEY}"'), redeem(ella, FIVE_OFF, KEY)
    assert (quoted.status_code, quoted.json()["key"]) == (201, KEY)
    assert (bare.headers["idempotency-replayed"], bare.content) == ("true", quoted.content)
    assert sends(vendors) == 1


def test_L1_the_same_key_gets_the_same_answer_again(ella: Shopper, vendors: Vendors) -> None:
    first, again = redeem(ella, FIVE_OFF, KEY), redeem(ella, FIVE_OFF, KEY)
    assert first.status_code == again.status_code == 201
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    assert len(redemptions_of(vendors, "ella")) == sends(vendors) == 1
    assert vendors.member("ella")["balance"] == 740


def test_L1_the_same_key_for_another_reward_is_refused(ella: Shopper, vendors: Vendors) -> None:
    assert redeem(ella, FIVE_OFF, KEY).status_code == 201
    reply = redeem(ella, GOLD_ONLY, KEY)
    assert (reply.status_code, code_of(reply)) == (422, "idempotency_key_reused")
    assert sends(vendors) == 1


def test_L1_a_refusal_by_the_vendor_is_kept_under_its_key(ella: Shopper, vendors: Vendors) -> None:
    refusals = {
        400: "reward_unavailable",
        403: "reward_ineligible",
        404: "reward_unavailable",
        422: "currency_mismatch",
    }
    for number, (status, code) in enumerate(refusals.items(), 1):
        key = new_key()
        vendors.fault("redeem", f"status:{status}")
        first, again = redeem(ella, FIVE_OFF, key), redeem(ella, FIVE_OFF, key)
        assert (first.status_code, code_of(first)) == (again.status_code, code_of(again)) == (422, code)
        assert again.headers["idempotency-replayed"] == "true"
        assert ella.api("GET", f"/me/redemptions/{key}").json()["state"] == "failed"
        assert "points were not taken" in ella.get(f"/redemptions/{key}").text
        assert sends(vendors) == number
    assert vendors.member("ella")["balance"] == 1240


def test_L1_a_key_whose_redemption_is_under_way_has_to_wait(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "delay", seconds=0.6)
    with meanwhile(lambda: redeem(ella, FIVE_OFF, KEY)) as first:
        until(lambda: sends(vendors) > 0)
        early = redeem(ella, FIVE_OFF, KEY)
        other = redeem(ella, TEN_PERCENT, KEY)
        assert first.result().status_code == 201
    assert (early.status_code, code_of(early)) == (409, "request_in_progress")
    assert int(early.headers["retry-after"]) >= 1
    assert early.json()["retryable"] is True
    assert code_of(other) == "idempotency_key_reused"
    assert redeem(ella, FIVE_OFF, KEY).content == first.result().content
    assert sends(vendors) == 1


def test_L1_fifty_at_once_under_one_key_redeem_once(ella: Shopper, vendors: Vendors) -> None:
    replies = at_once([lambda: redeem(ella, FIVE_OFF, KEY)] * 50)
    done = [reply for reply in replies if reply.status_code == 201]
    waiting = [reply for reply in replies if reply.status_code != 201]
    assert done
    assert {reply.content for reply in done} == {done[0].content}
    # So many share a few connections to PostgreSQL, for which some may wait too long.
    assert {code_of(reply) for reply in waiting} <= {"request_in_progress", "overloaded"}
    assert all("retry-after" in reply.headers for reply in waiting)
    assert len(redemptions_of(vendors, "ella")) == sends(vendors) == 1


def test_L7_two_keys_at_once_are_two_redemptions_one_after_the_other(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "delay", seconds=0.3)
    keys = [new_key(), new_key()]
    at_once([lambda key=key: redeem(ella, FIVE_OFF, key) for key in keys])  # type: ignore[misc]  # a default binds key
    replies = [redeem(ella, FIVE_OFF, key) for key in keys]
    codes = {reply.json()["coupon"]["code"] for reply in replies}
    assert codes == {redemption["code"] for redemption in redemptions_of(vendors, "ella")}
    assert len(codes) == sends(vendors) == 2


def test_L8_points_for_one_reward_are_not_spent_twice_at_once(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "delay", seconds=0.3)
    keys = [new_key(), new_key(), new_key()]
    at_once([lambda key=key: redeem(ella, TEN_PERCENT, key) for key in keys])  # type: ignore[misc]  # as above
    replies = [redeem(ella, TEN_PERCENT, key) for key in keys]
    assert sorted(reply.status_code for reply in replies) == [201, 422, 422]
    assert {code_of(reply) for reply in replies if reply.status_code == 422} == {"insufficient_points"}
    assert vendors.member("ella")["balance"] == 240
    assert sends(vendors) == 1


def test_L2_a_key_belongs_to_one_customer(ella: Shopper, service: Service, vendors: Vendors) -> None:
    tara, zoe = service.signed_in("tara"), service.signed_in("zoe")
    hers = redeem(ella, FIVE_OFF, KEY).json()
    other = redeem(tara, TEN_PERCENT, KEY)
    assert (other.status_code, other.json()["reward"]["id"]) == (201, TEN_PERCENT)
    assert other.json()["coupon"]["code"] != hers["coupon"]["code"]
    reply, page = zoe.api("GET", f"/me/redemptions/{KEY}"), zoe.get(f"/redemptions/{KEY}")
    assert (reply.status_code, code_of(reply), page.status) == (404, "not_found", 404)
    assert hers["coupon"]["code"] not in page.reply.text + reply.text + other.text
    assert [len(redemptions_of(vendors, persona)) for persona in ("ella", "tara", "zoe")] == [1, 1, 0]


def test_L2_a_key_nobody_can_have_used_is_simply_not_found(ella: Shopper) -> None:
    for key in ("never-used-by-anybody", "%00", f"{KEY}%00", "%FF%FE", "x" * 4000, "%F0%9F%8E%89", "' OR 1=1 --"):
        reply, page = ella.api("GET", f"/me/redemptions/{key}"), ella.get(f"/redemptions/{key}")
        assert (key, reply.status_code, page.status) == (key, 404, 404)


def test_L4_the_answer_survives_a_new_process_and_an_empty_cache(
    service: Service, start: Start, urls: list[str], vendors: Vendors
) -> None:
    first = redeem(service.signed_in("ella"), FIVE_OFF, KEY)
    with redis.Redis.from_url(service.settings["VALKEY_URL"]) as store:
        store.flushall()
    elsewhere = start(PUBLIC_URL=urls[1], PORT=urls[1].rpartition(":")[2])
    again = redeem(elsewhere.signed_in("ella"), FIVE_OFF, KEY)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.content == first.content
    assert sends(vendors) == 1


def test_L7_a_double_click_on_the_button_redeems_once(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("redeem", "delay", seconds=0.3)
    path = f"/rewards/{FIVE_OFF}"
    page = ella.get(path)
    landed = at_once([lambda: ella.submit(page, path)] * 2)
    key = page.form(path).fields["key"]
    assert {one.path for one in landed} == {f"/redemptions/{key}"}
    assert len(redemptions_of(vendors, "ella")) == sends(vendors) == 1


def test_L4_times_are_told_in_utc_whatever_time_zone_the_database_keeps(
    start: Start, rows: Rows, vendors: Vendors
) -> None:
    """Which decides in what day a coupon ends on a page."""
    name = rows.info.dbname
    rows.execute(f"ALTER DATABASE {name} SET timezone = 'Pacific/Kiritimati'".encode())
    try:
        ella = start().signed_in("ella")
        reply = redeem(ella, FIVE_OFF, KEY)
        told = reply.json()["coupon"]["expiresAt"]
        assert told.endswith("Z"), told
        assert ella.api("GET", f"/me/redemptions/{KEY}").json()["coupon"]["expiresAt"] == told
    finally:
        rows.execute(f"ALTER DATABASE {name} RESET timezone".encode())
