"""Whatever a vendor does wrong while we read, every route and page says honestly what it knows, and nobody is lost."""

import pytest
from support.services import Service, Start, Vendors
from support.shopper import Page, Shopper
from support.vendor_faults import (
    CUSTOMER_READ,
    DISPENSABLE,
    DOWN,
    ENDED,
    FINE,
    HISTORY_READ,
    KINDS,
    LOGIN_READ,
    MEMBER_READ,
    PUBLIC_READ,
    QUICK,
    RULES_READ,
    SPEND_READ,
    Answer,
    Table,
    answer,
    clear,
    is_signed_in,
    is_whole,
    met,
    problem,
    trouble,
)

from bff.program.catalogue import STALE_SECONDS
from bff.stores.shared_cache import FAILED_SECONDS
from bff.vendors.upstream import BUSY_SECONDS

# A copy of public data, and every token, is older than it may be after this.
TOO_OLD_SECONDS = 4000
FIVE_OFF = "/rewards/9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"

PUBLIC_JSON = {
    ("/program", "earning_rules"): PUBLIC_READ,
    ("/program", "redemption_rules"): PUBLIC_READ,
    ("/program", "vip_program"): PUBLIC_READ,
    ("/earning-rules", "earning_rules"): PUBLIC_READ,
    ("/rewards", "redemption_rules"): PUBLIC_READ,
    ("/tiers", "vip_program"): PUBLIC_READ,
    ("/faqs", "faqs"): PUBLIC_READ,
    ("/legal-policies", "legal_policies"): PUBLIC_READ,
}
MEMBER_JSON = {
    ("/me", "customer"): CUSTOMER_READ,
    ("/me", "login"): LOGIN_READ,
    ("/me/rewards", "customer"): CUSTOMER_READ,
    ("/me/rewards", "customer_redemption_rules"): RULES_READ,
    ("/me/rewards", "vip_program"): DISPENSABLE,
    ("/me/earning-rules", "customer_earning_rules"): RULES_READ,
    ("/me/coupons", "transactions"): HISTORY_READ,
    ("/me/activity", "transactions"): HISTORY_READ,
    ("/me/tier-progress", "customer"): CUSTOMER_READ,
    ("/me/tier-progress", "vip_program"): PUBLIC_READ,
    ("/me/tier-progress", "spend"): SPEND_READ,
    ("/me/referrals", "referrals"): MEMBER_READ,
    ("/me/referrals", "referral_count"): MEMBER_READ,
    ("/me/referrals", "referral_sender"): DISPENSABLE,
}
# Who looks at which page, what fails, and words of another section that must be there all the same.
SECTIONS = (
    ("", "/", "earning_rules", "$5 off your order"),
    ("", "/", "redemption_rules", "Follow us on Instagram"),
    ("", "/join", "earning_rules", "Sign in to join"),
    ("", "/rewards", "redemption_rules", "Rewards"),
    ("penny", "/join", "earning_rules", "Accept terms & join"),
    ("ella", "/", "earning_rules", "1,240"),
    ("ella", "/", "customer", "Place an order"),
    ("ella", "/", "customer_redemption_rules", "1,240"),
    ("ella", "/", "login", "Place an order"),
    ("ella", "/", "transactions", "1,240"),
    ("ella", "/", "spend", "1,240"),
    ("ella", "/rewards", "customer", "Rewards"),
    ("ella", "/rewards", "customer_redemption_rules", "Rewards"),
    ("", "/earn", "earning_rules", "Ways to earn"),
    ("", "/tiers", "vip_program", "Tiers"),
    ("", "/faq", "faqs", "Questions and answers"),
    ("ella", "/earn", "customer", "Follow us on TikTok"),
    ("ella", "/earn", "customer_earning_rules", "1,240"),
    ("ella", "/earn/birthday", "customer", "Your birthday"),
    ("ella", "/tiers", "customer", "What each tier gives"),
    ("ella", "/tiers", "spend", "What each tier gives"),
    ("ella", "/refer", "referrals", "Send invitation"),
    ("ella", "/refer", "referral_count", "Send invitation"),
)
# A program that has no history for us has nothing to miss.
NO_HISTORY_HERE = {"status:400", "status:403", "status:404"}
# Parts without which a page has nothing less to show.
QUIET = (
    ("ella", "/", "vip_program", "1,240"),
    ("ella", "/rewards", "vip_program", "1,240"),
    ("ella", "/refer", "referral_sender", "Send invitation"),
    ("ella", "/earn", "earning_rules", "1,240"),
    ("", "/join", "legal_policies", "Sign in to join"),
)


def someone(service: Service, persona: str) -> Shopper:
    return service.signed_in(persona) if persona else service.shopper()


@pytest.mark.broad
@pytest.mark.parametrize(("path", "operation"), PUBLIC_JSON)
def test_public_json_answers_every_vendor_trouble_honestly(
    service: Service, vendors: Vendors, path: str, operation: str
) -> None:
    shopper, seen, table = service.shopper(), dict[str, Answer](), PUBLIC_JSON[path, operation]
    kinds = met(KINDS, table, path + operation)
    for kind in kinds:
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, kind):
            seen[kind] = answer(shopper.api("GET", path))
        service.clock.advance(FAILED_SECONDS)
        assert answer(shopper.api("GET", path)) == (200, ""), f"after {kind} it is over"
    assert seen == {kind: table[kind] for kind in kinds}


@pytest.mark.broad
@pytest.mark.parametrize(("path", "operation"), MEMBER_JSON)
def test_B6_member_json_answers_every_vendor_trouble_and_keeps_the_session(
    service: Service, vendors: Vendors, path: str, operation: str
) -> None:
    seen, signed_in = dict[str, Answer](), dict[str, bool]()
    table = MEMBER_JSON[path, operation]
    kinds, ella = met(KINDS, table, path + operation), service.signed_in("ella")
    for kind in kinds:
        ella = ella if is_signed_in(ella) else service.signed_in("ella")
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, kind):
            seen[kind] = answer(ella.api("GET", path))
        signed_in[kind] = is_signed_in(ella)
        service.clock.advance(FAILED_SECONDS)
        if signed_in[kind]:
            assert answer(ella.api("GET", path)) == (200, ""), f"after {kind} it is over"
    assert seen == {kind: table[kind] for kind in kinds}
    assert signed_in == {kind: seen[kind] != ENDED for kind in kinds}


@pytest.mark.broad
@pytest.mark.parametrize(("persona", "path", "operation", "still"), SECTIONS)
def test_a_section_fails_alone(
    service: Service, vendors: Vendors, persona: str, path: str, operation: str, still: str
) -> None:
    public = operation in {"earning_rules", "redemption_rules", "vip_program", "faqs"}
    expected = {kind: expected_page(operation, kind, public=public) for kind in KINDS}
    kinds, seen = met(KINDS, expected, persona + path + operation), dict[str, str]()
    for kind in kinds:
        shopper = someone(service, persona)
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, kind):
            seen[kind] = described(shopper.get(path), still)
    assert seen == {kind: expected[kind] for kind in kinds}


def described(page: Page, still: str) -> str:
    """A page in a few words: what is missing, and whether the rest is there."""
    if page.path == "/blocked" or page.status != 200:
        return f"{page.path if page.path == '/blocked' else page.status} whole={is_whole(page)}"
    missing = 'class="notice missing"' in page.reply.text
    return f"200 whole={is_whole(page)} missing={missing} rest={still in page.text}"


def expected_page(operation: str, kind: str, *, public: bool) -> str:
    if kind == "set_cookie":
        return "200 whole=True missing=False rest=True"
    if kind == "status:401" and not public:
        return "401 whole=True"
    if operation == "spend" or (operation == "transactions" and kind in NO_HISTORY_HERE):
        return "200 whole=True missing=False rest=True"
    if kind == "status:403" and operation == "customer":
        return "/blocked whole=True"
    if (operation, kind) in {("customer", "status:404"), ("customer", "status:409"), ("login", "status:409")}:
        # There is nobody whose sections could be shown.
        return "404 whole=True"
    if kind == "status:403" and operation == "login":
        # The program is not open yet: that is a page of its own.
        return "403 whole=True"
    return "200 whole=True missing=True rest=True"


@pytest.mark.parametrize(("persona", "path", "operation", "still"), QUIET)
def test_what_a_page_can_do_without_is_left_out_quietly(
    service: Service, vendors: Vendors, persona: str, path: str, operation: str, still: str
) -> None:
    shopper = someone(service, persona)
    for kind in KINDS:
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, kind):
            page = shopper.get(path)
        assert described(page, still) == "200 whole=True missing=False rest=True", kind


@pytest.mark.parametrize(("persona", "table"), [("", PUBLIC_READ), ("ella", MEMBER_READ)])
def test_a_page_about_one_reward_says_when_it_cannot_be_shown(
    service: Service, vendors: Vendors, persona: str, table: Table
) -> None:
    for kind in KINDS:
        shopper = someone(service, persona)
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, "redemption_rules", kind), trouble(vendors, "customer_redemption_rules", kind):
            page = shopper.get(FIVE_OFF)
        # Late or down is one thing to a person: this page cannot be shown now.
        assert page.status in {table[kind][0], 502}, kind
        assert is_whole(page), kind


def test_a_reward_is_shown_without_its_button_while_nobody_tells_whether_it_is_open_to_the_member(
    service: Service, vendors: Vendors
) -> None:
    operation = "customer_redemption_rules"
    for kind in KINDS:
        ella = service.signed_in("ella")
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, kind):
            page = ella.get(FIVE_OFF)
        assert described(page, "$5 off your order") == expected_page(operation, kind, public=False), kind
        redeemable = any(form.action == FIVE_OFF for form in page.read.forms)
        assert redeemable is (kind == "set_cookie"), kind


def test_J5_L5_joining_is_paused_while_the_policies_cannot_be_read(service: Service, vendors: Vendors) -> None:
    penny = service.signed_in("penny")
    for kind in KINDS:
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, "legal_policies", kind):
            page = penny.get("/join")
        joinable = any(form.action == "/join" for form in page.read.forms)
        assert (page.status, joinable) == ((200, True) if kind == "set_cookie" else (503, False)), kind
        assert is_whole(page), kind


def test_B6_trouble_with_renewing_shopify_tokens_ends_no_session(service: Service, vendors: Vendors) -> None:
    """Only `invalid_grant` is a no; Shopify's odd 400 and 401 with an empty error are not."""
    for kind in KINDS:
        ella = service.signed_in("ella")
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, "shopify_token", kind):
            seen = answer(ella.api("GET", "/me"))
            assert is_signed_in(ella), kind
        service.clock.advance(BUSY_SECONDS)
        assert seen == ((200, "") if kind == "set_cookie" else DOWN), kind


def test_B6_a_dead_grant_ends_the_session(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    service.clock.advance(TOO_OLD_SECONDS)
    vendors.control("clock", advance=400 * 86_400)
    assert answer(ella.api("GET", "/me")) == ENDED
    assert not is_signed_in(ella)


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("customer", "status:401"),
        ("customer_redemption_rules", "status:401"),
        # A member who was merged into another: the new JWT is of the one who is there now.
        ("customer", "status:404"),
        ("customer", "status:409"),
        ("customer", "status:410"),
        ("customer_redemption_rules", "status:409"),
    ],
)
def test_B6_a_jwt_that_is_refused_once_is_renewed_and_nobody_notices(
    ella: Shopper, vendors: Vendors, operation: str, kind: str
) -> None:
    before = len(vendors.calls("login"))
    vendors.fault(operation, kind, times=1)
    assert answer(ella.api("GET", "/me/rewards")) == (200, "")
    assert len(vendors.calls("login")) == before + 1


@pytest.mark.parametrize("path", ["/", "/rewards", "/earn", "/earn/birthday", "/tiers", FIVE_OFF])
@pytest.mark.parametrize("kind", ["status:404", "status:409", "status:410"])
def test_P4_a_member_whom_okendo_does_not_know_any_more_is_told_so(
    ella: Shopper, vendors: Vendors, kind: str, path: str
) -> None:
    with trouble(vendors, "customer", kind):
        page = ella.get(path)
    assert (page.status, is_whole(page)) == (404, True)
    assert page.heading == "The program does not know this account any more"
    assert any("/login?" in link for link in page.read.links)
    assert "Try again" not in page.text
    assert ella.get(path).status == 200, "the session stays"


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "status:502", "status:503", "status:504"])
def test_G10_a_read_that_broke_off_is_tried_once_more_and_no_more(ella: Shopper, vendors: Vendors, kind: str) -> None:
    before = len(vendors.calls("customer"))
    vendors.fault("customer", kind, times=1)
    assert answer(ella.api("GET", "/me")) == (200, "")
    assert len(vendors.calls("customer")) == before + 2
    vendors.fault("customer", kind, times=9)
    assert answer(ella.api("GET", "/me"))[0] == 502
    assert len(vendors.calls("customer")) == before + 4


@pytest.mark.parametrize(("told", "passed_on"), [(7, "7"), (86_400, "60")])
def test_K7_a_vendor_that_asks_for_patience_is_given_it(
    ella: Shopper, vendors: Vendors, told: int, passed_on: str
) -> None:
    before = len(vendors.calls("customer"))
    vendors.fault("customer", "status:429", retryAfter=told)
    reply = ella.api("GET", "/me")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, passed_on)
    assert problem(reply)["retryable"] is True
    assert len(vendors.calls("customer")) == before + 1


@pytest.mark.parametrize(("kind", "told"), [("status:429", 7), ("status:503", 7), ("status:429", None)])
def test_K7_nobody_asks_a_busy_vendor_again_before_its_time(
    service: Service, vendors: Vendors, kind: str, told: int | None
) -> None:
    ella, tara = service.signed_in("ella"), service.signed_in("tara")
    before = len(vendors.calls("customer"))
    vendors.fault("customer", kind, times=50, **({"retryAfter": told} if told else {}))
    replies = [shopper.api("GET", "/me") for shopper in (ella, tara) * 5]
    assert len(vendors.calls("customer")) == before + 1
    for reply in replies[1:]:
        assert (reply.status_code, problem(reply)["code"]) == (503, "upstream_unavailable")
        assert 1 <= int(reply.headers["retry-after"]) <= (told or 1)
    clear(vendors)
    # Another operation of the same vendor goes on.
    assert ella.api("GET", "/me/earning-rules").status_code == 200
    service.clock.advance(told or 1)
    assert answer(ella.api("GET", "/me")) == FINE


def test_J5_public_data_outlives_its_vendor_for_a_while(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    assert answer(shopper.api("GET", "/program")) == (200, "")
    for kind in KINDS:
        service.clock.advance(120)
        with trouble(vendors, "earning_rules", kind):
            assert answer(shopper.api("GET", "/program")) == (200, ""), kind


@pytest.mark.parametrize(("age", "told"), [(STALE_SECONDS - 60, FINE), (STALE_SECONDS + 60, DOWN)])
def test_J5_public_data_is_not_served_for_longer_than_its_hour(
    service: Service, vendors: Vendors, age: float, told: Answer
) -> None:
    shopper = service.shopper()
    assert answer(shopper.api("GET", "/program")) == FINE
    service.clock.advance(age)
    with trouble(vendors, "earning_rules", "status:500"):
        assert answer(shopper.api("GET", "/program")) == told


def test_G10_a_slow_vendor_makes_no_json_answer_late(start: Start, vendors: Vendors) -> None:
    service = start(**QUICK)
    for (path, operation), table in {**PUBLIC_JSON, **MEMBER_JSON}.items():
        ella = service.signed_in("ella")
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, "delay"):
            assert answer(ella.api("GET", path)) == table["delay"], (path, operation)
        assert is_signed_in(ella)


def test_G10_a_slow_vendor_makes_no_page_late(start: Start, vendors: Vendors) -> None:
    service = start(**QUICK)
    for persona, path, operation, still in (*SECTIONS, *QUIET):
        shopper = someone(service, persona)
        service.clock.advance(TOO_OLD_SECONDS)
        with trouble(vendors, operation, "delay"):
            page = shopper.get(path)
        missing = (persona, path, operation, still) in SECTIONS and operation != "spend"
        assert described(page, still) == f"200 whole=True missing={missing} rest=True", (path, operation)
