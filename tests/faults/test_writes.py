"""Whatever a vendor does wrong while something is done, the answer is honest and the effect happens once at most."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from support.empty_stores import emptied
from support.services import Service, Start, Vendors
from support.shopper import Page, Shopper
from support.vendor_faults import (
    BLOCKED,
    BROKEN,
    CUSTOMER_READ,
    DISPENSABLE,
    DOWN,
    ENDED,
    KINDS,
    LATE,
    LOGIN_READ,
    PUBLIC_READ,
    QUICK,
    RULES_READ,
    SLOW,
    UNKNOWN_MEMBER,
    Answer,
    Table,
    afresh,
    answer,
    handed_in,
    is_signed_in,
    is_whole,
    met,
    new_world,
    trouble,
)

from bff.vendors.upstream import BUSY_SECONDS

Rows = psycopg.Connection[tuple[object, ...]]
TOO_OLD_SECONDS = 4000
# Most troubles come at once; for a slow vendor the service is given little patience.
Paces = tuple[tuple[tuple[str, ...], dict[str, str]], ...]
PACES: Paces = ((KINDS, {}), (SLOW, QUICK))
REDEEM_PACES: Paces = (((*KINDS, "status:422"), {}), (SLOW, QUICK))
FIVE_OFF = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
FRIEND = "a.friend@example.org"

UNKNOWN: Answer = (202, "")
DONE: Answer = (201, "")
NO_JOINING: Answer = (404, "feature_unavailable")
LATER: Answer = (503, "upstream_unavailable")
OPEN = ("status:500", "cut_before", "cut_after", "garbage", "html", "huge", "redirect", "delay", "delay_after")
# A clear no is final, if it is one that is known; a vendor that is too busy did nothing either.
REDEEM: Table = {
    **dict.fromkeys(OPEN, UNKNOWN),
    "status:400": (422, "reward_unavailable"),
    "status:401": LATER,
    "status:403": (422, "reward_ineligible"),
    "status:404": (422, "reward_unavailable"),
    "status:409": UNKNOWN,
    "status:422": (422, "currency_mismatch"),
    "status:429": LATER,
    "set_cookie": DONE,
}
CARRIED_OUT = {"cut_after", "garbage", "html", "huge", "delay_after", "set_cookie"}
# Before anything is sent, a failure is only a failure to read.
BEFORE_REDEEM: dict[str, Table] = {
    "customer": {**CUSTOMER_READ, "set_cookie": DONE},
    "customer_redemption_rules": {**RULES_READ, "set_cookie": DONE},
    "login": {**LOGIN_READ, "set_cookie": DONE},
    "vip_program": dict.fromkeys(DISPENSABLE, DONE),
}
# What the member's state says afterwards decides; the reply's body has no documented content.
JOIN: Table = {
    **dict.fromkeys(BROKEN, DOWN),
    **dict.fromkeys(("cut_after", "delay_after", "garbage", "html", "huge", "set_cookie"), DONE),
    "delay": LATE,
    # The words are those in force and the member is not blocked: it is the vendor's trouble, and said to be.
    "status:400": DOWN,
    "status:401": ENDED,
    "status:403": NO_JOINING,
    "status:404": DOWN,
    "status:409": DOWN,
}
BEFORE_JOIN: dict[str, Table] = {
    "customer": {**CUSTOMER_READ, "set_cookie": DONE},
    "legal_policies": {**PUBLIC_READ, "set_cookie": DONE},
}
# An answer without content says enough by its status. A no could mean that the friend is a customer already, and that
# is nobody's business (K5): it is answered like a yes.
REFER: Table = {
    **dict.fromkeys(BROKEN, DOWN),
    **dict.fromkeys(("garbage", "html", "set_cookie", "status:400"), (202, "")),
    **dict.fromkeys(("delay", "delay_after"), LATE),
    "status:401": ENDED,
    "status:403": (403, "not_enrolled"),
    "status:404": DOWN,
    "status:409": DOWN,
}
# Whether a lost completion went through shows in the rules: what happened is a success, what did not is a failure.
COMPLETE: Table = {
    **dict.fromkeys(BROKEN, DOWN),
    **dict.fromkeys(("cut_after", "delay_after", "garbage", "html", "huge", "set_cookie"), DONE),
    "delay": LATE,
    "status:400": (409, "rule_already_completed"),
    "status:401": ENDED,
    "status:403": (404, "feature_unavailable"),
    "status:404": (404, "not_found"),
    "status:409": DOWN,
}
# Telling the same birthday again does no harm, so what is not known is a failure, to be tried again by whoever cares.
BIRTHDAY: Table = {
    **dict.fromkeys(BROKEN, DOWN),
    **dict.fromkeys(("garbage", "html", "set_cookie"), (200, "")),
    **dict.fromkeys(("delay", "delay_after"), LATE),
    "status:400": (422, "invalid_birthday"),
    "status:401": ENDED,
    "status:403": (403, "not_enrolled"),
    "status:404": (404, "feature_unavailable"),
    "status:409": DOWN,
}
TIKTOK = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05"


def key(kind: str) -> str:
    return "an-intent-of-ella-" + kind.replace(":", "-")


def redeem(shopper: Shopper, key: str) -> Any:
    return shopper.api("POST", "/me/redemptions", {"rewardId": FIVE_OFF}, idempotency_key=key)


def join(shopper: Shopper) -> Any:
    words = shopper.api("GET", "/legal-policies").json()
    return shopper.api(
        "POST", "/me/enrolment", {"policiesVersion": words["version"], "policiesDigest": words["digest"]}
    )


@pytest.mark.parametrize(("kinds", "pace"), REDEEM_PACES)
def test_L3_a_redemption_is_told_to_the_vendor_once_whatever_comes_back(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str]
) -> None:
    service = start(**pace)
    seen, effects = dict[str, Answer](), dict[str, int]()
    for kind in kinds:
        ella = afresh(service, vendors, "ella")
        with trouble(vendors, "redeem", kind):
            first = redeem(ella, key(kind))
        seen[kind], effects[kind] = answer(first), len(vendors.member("ella")["redemptions"])
        again = redeem(ella, key(kind))
        replayed = again.headers.get("idempotency-replayed")
        assert (answer(again), replayed) == (seen[kind], "true"), (kind, first.text)
        assert len(vendors.calls("redeem")) == 1, kind
        assert is_signed_in(ella), kind
        kept = ella.api("GET", f"/me/redemptions/{key(kind)}").json()
        assert kept["state"] == {202: "unknown", 201: "succeeded"}.get(seen[kind][0], "failed")
        assert kept["supportReference"]
    assert seen == {kind: REDEEM[kind] for kind in kinds}
    assert effects == {kind: int(kind in CARRIED_OUT) for kind in kinds}


@pytest.mark.parametrize(("kinds", "pace"), REDEEM_PACES)
def test_L3_the_page_says_how_a_redemption_ended_and_the_form_cannot_repeat_it(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str]
) -> None:
    service = start(**pace)
    for kind in kinds:
        ella = afresh(service, vendors, "ella")
        form = ella.get(f"/rewards/{FIVE_OFF}")
        with trouble(vendors, "redeem", kind):
            landed = ella.submit(form, f"/rewards/{FIVE_OFF}")
        again = ella.submit(form, f"/rewards/{FIVE_OFF}")
        assert (landed.status, landed.path, is_whole(landed)) == (200, again.path, True), kind
        assert landed.path.startswith("/redemptions/"), kind
        says = {UNKNOWN: "do not redeem it again", DONE: "OKE-"}.get(REDEEM[kind], "were not taken")
        assert says in landed.text, kind
        assert says in again.text, kind
        assert len(vendors.calls("redeem")) == 1, kind


@pytest.mark.broad
@pytest.mark.parametrize(("kinds", "pace"), PACES)
@pytest.mark.parametrize("operation", BEFORE_REDEEM)
def test_L3_trouble_before_a_redemption_is_sent_leaves_the_key_unused(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str], operation: str
) -> None:
    service = start(**pace)
    seen, calls, table = dict[str, Answer](), dict[str, int](), BEFORE_REDEEM[operation]
    kinds = met(kinds, table, operation)
    for kind in kinds:
        new_world(service, vendors)
        ella = service.signed_in("ella")
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, kind):
            seen[kind] = answer(redeem(ella, key(kind)))
        calls[kind] = len(vendors.calls("redeem"))
        if calls[kind] == 0:
            service.clock.advance(BUSY_SECONDS)
            ella = ella if is_signed_in(ella) else service.signed_in("ella")
            assert answer(redeem(ella, key(kind))) == DONE, kind
    assert seen == {kind: table[kind] for kind in kinds}
    assert calls == {kind: int(seen[kind] == DONE) for kind in kinds}


@pytest.mark.parametrize(("kinds", "pace"), PACES)
def test_L5_joining_says_what_the_vendor_knows_and_happens_once(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str], rows: Rows
) -> None:
    service = start(**pace)
    seen, evidence = dict[str, Answer](), dict[str, object]()
    for kind in kinds:
        emptied(rows, "consents")
        penny = afresh(service, vendors, "penny")
        with trouble(vendors, "customer_activation", kind):
            seen[kind] = answer(join(penny))
        ((evidence[kind],),) = rows.execute("SELECT outcome FROM consents").fetchall()
        assert is_signed_in(penny) is (seen[kind] != ENDED)
        service.clock.advance(BUSY_SECONDS)
        penny = penny if is_signed_in(penny) else handed_in(service, vendors, "penny")
        assert answer(join(penny)) == ((200, "") if seen[kind] == DONE else DONE), kind
        assert len(vendors.member("penny")["enrolments"]) == 1
    assert seen == {kind: JOIN[kind] for kind in kinds}
    # Any other 4xx, such as a gateway's 408, does not say that nothing was done.
    refused = dict.fromkeys(("status:400", "status:401", "status:403", "status:429"), "refused")
    assert evidence == {kind: "accepted" if JOIN[kind] == DONE else refused.get(kind, "unknown") for kind in kinds}


@pytest.mark.parametrize("status", [404, 408, 409, 410, 418, 425])
def test_L5_a_4xx_that_says_nothing_is_neither_a_yes_nor_a_no_until_the_members_state_says_more(
    service: Service, vendors: Vendors, rows: Rows, status: int
) -> None:
    penny = handed_in(service, vendors, "penny")
    vendors.fault("customer_activation", f"status:{status}")
    assert answer(join(penny)) == DOWN
    vendors.fault("customer_activation", f"status_after:{status}")
    assert answer(join(penny)) == DONE
    outcomes = rows.execute("SELECT outcome FROM consents ORDER BY id").fetchall()
    assert outcomes == [("unknown",), ("accepted",)]
    assert len(vendors.member("penny")["enrolments"]) == 1


@pytest.mark.parametrize("status", [404, 408, 409, 425])
def test_L7_a_way_to_earn_that_was_completed_behind_a_4xx_is_found_out(
    service: Service, vendors: Vendors, status: int
) -> None:
    ella = handed_in(service, vendors, "ella")
    rules = ella.api("GET", "/me/earning-rules").json()["earningRules"]
    rule = next(rule["id"] for rule in rules if rule["name"] == "Follow us on TikTok")
    vendors.fault("trigger", f"status_after:{status}")
    reply = ella.api("POST", f"/me/earning-rules/{rule}/completions", {})
    assert reply.status_code == (404 if status == 404 else 201), reply.text
    assert len(vendors.member("ella")["triggers"]) == 1


@pytest.mark.parametrize(("kinds", "pace"), PACES)
@pytest.mark.parametrize("operation", BEFORE_JOIN)
def test_L5_nothing_is_sent_when_member_or_policies_cannot_be_read(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str], operation: str
) -> None:
    service = start(**pace)
    seen, calls = dict[str, Answer](), dict[str, int]()
    for kind in kinds:
        penny = afresh(service, vendors, "penny")
        words = penny.api("GET", "/legal-policies").json()
        body = {"policiesVersion": words["version"], "policiesDigest": words["digest"]}
        with trouble(vendors, operation, kind):
            seen[kind] = answer(penny.api("POST", "/me/enrolment", body))
        calls[kind] = len(vendors.calls("customer_activation"))
    assert seen == {kind: BEFORE_JOIN[operation][kind] for kind in kinds}
    assert calls == {kind: int(seen[kind] == DONE) for kind in kinds}


@pytest.mark.broad
@pytest.mark.parametrize(("kinds", "pace"), PACES)
@pytest.mark.parametrize("operation", ["customer_activation", "customer", "legal_policies"])
def test_the_join_page_comes_back_whole_and_says_that_it_did_not_work(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str], operation: str
) -> None:
    service = start(**pace)
    table = JOIN if operation == "customer_activation" else BEFORE_JOIN[operation]
    kinds = met(kinds, table, operation)
    seen, expected = dict[str, str](), dict[str, str]()
    for kind in kinds:
        penny = afresh(service, vendors, "penny")
        form = penny.get("/join")
        with trouble(vendors, operation, kind):
            landed = penny.submit(form, "/join")
        seen[kind] = f"{landed.path} {came_back(landed)} whole={is_whole(landed)}"
        expected[kind] = _after_joining(table[kind])
        assert len(vendors.member("penny")["enrolments"]) == (table[kind] == DONE)
    assert seen == expected


def came_back(page: Page) -> str:
    """Whether the page reports success, or says in the words of its status that there is a problem."""
    if page.status in {502, 503, 504}:
        return "later" + (" problem" if "There is a problem" in page.text or "paused" in page.text else "")
    return str(page.status)


def _after_joining(expected: Answer) -> str:
    where = {DONE: "/welcome 200", BLOCKED: "/blocked 200", ENDED: "/join 401"}
    where |= {UNKNOWN_MEMBER: "/join 404"}
    where |= {DOWN: "/join later problem", LATE: "/join later problem", NO_JOINING: "/join 404"}
    return f"{where[expected]} whole=True"


@pytest.mark.parametrize(("kinds", "pace"), PACES)
def test_L7_a_friend_is_invited_once_at_most(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str]
) -> None:
    service = start(**pace)
    seen, calls = dict[str, Answer](), dict[str, int]()
    for kind in kinds:
        ella = afresh(service, vendors, "ella")
        with trouble(vendors, "referral_request", kind):
            seen[kind] = answer(ella.api("POST", "/me/referrals", {"email": FRIEND}))
        calls[kind] = len(vendors.calls("referral_request"))
        assert len(vendors.member("ella")["referrals"]) <= 1
        assert is_signed_in(ella) is (seen[kind] != ENDED)
    assert seen == {kind: REFER[kind] for kind in kinds}
    # A 401 says that nothing was done, so the call is repeated once with a new JWT.
    assert calls == {kind: 2 if kind == "status:401" else 1 for kind in kinds}


@pytest.mark.parametrize(("kinds", "pace"), PACES)
def test_the_refer_page_comes_back_with_what_was_typed(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str]
) -> None:
    service = start(**pace)
    for kind in kinds:
        ella = afresh(service, vendors, "ella")
        form = ella.get("/refer")
        with trouble(vendors, "referral_request", kind):
            landed = ella.submit(form, "/refer", email=FRIEND)
        status, code = REFER[kind]
        assert landed.status == (200 if status == 202 else status), kind
        assert is_whole(landed), kind
        if code and code != "session_expired":
            assert "There is a problem" in landed.text, kind
            assert landed.form("/refer").fields["email"] == FRIEND, kind


@pytest.mark.parametrize(("kinds", "pace"), PACES)
def test_L3_a_way_to_earn_is_completed_once_at_most(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str]
) -> None:
    service = start(**pace)
    seen, calls = dict[str, Answer](), dict[str, int]()
    for kind in kinds:
        ella = afresh(service, vendors, "ella")
        with trouble(vendors, "trigger", kind):
            seen[kind] = answer(ella.api("POST", f"/me/earning-rules/{TIKTOK}/completions"))
        calls[kind] = len(vendors.calls("trigger"))
        assert len(vendors.member("ella")["triggers"]) == int(kind in CARRIED_OUT), kind
        assert is_signed_in(ella) is (seen[kind] != ENDED)
    assert seen == {kind: COMPLETE[kind] for kind in kinds}
    # A 401 says that nothing was done, so the call is repeated once with a new JWT.
    assert calls == {kind: 2 if kind == "status:401" else 1 for kind in kinds}


@pytest.mark.parametrize(("kinds", "pace"), PACES)
def test_a_birthday_is_told_once_and_the_answer_is_honest(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str]
) -> None:
    service = start(**pace)
    seen, calls = dict[str, Answer](), dict[str, int]()
    for kind in kinds:
        ella = afresh(service, vendors, "ella")
        with trouble(vendors, "birthday", kind):
            seen[kind] = answer(ella.api("PUT", "/me/birthday", {"day": 29, "month": 2}))
        calls[kind] = len(vendors.calls("birthday"))
        assert (vendors.member("ella")["birthday"] == {"day": 29, "month": 2}) is (kind in CARRIED_OUT), kind
    assert seen == {kind: BIRTHDAY[kind] for kind in kinds}
    assert calls == {kind: 2 if kind == "status:401" else 1 for kind in kinds}


# Completing is preceded by reading who it is and what is offered.
BEFORE_COMPLETION: dict[str, Table] = {
    "customer": {**CUSTOMER_READ, "set_cookie": DONE},
    "customer_earning_rules": {**RULES_READ, "set_cookie": DONE},
}


@pytest.mark.parametrize(("kinds", "pace"), PACES)
@pytest.mark.parametrize("operation", BEFORE_COMPLETION)
def test_L3_trouble_before_a_completion_is_sent_sends_nothing(
    start: Start, vendors: Vendors, kinds: Sequence[str], pace: dict[str, str], operation: str
) -> None:
    service = start(**pace)
    seen, calls = dict[str, Answer](), dict[str, int]()
    for kind in kinds:
        ella = afresh(service, vendors, "ella")
        with trouble(vendors, operation, kind):
            seen[kind] = answer(ella.api("POST", f"/me/earning-rules/{TIKTOK}/completions"))
        calls[kind] = len(vendors.calls("trigger"))
    assert seen == {kind: BEFORE_COMPLETION[operation][kind] for kind in kinds}
    assert calls == {kind: int(seen[kind] == DONE) for kind in kinds}
