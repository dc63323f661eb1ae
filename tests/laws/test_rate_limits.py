"""How often is often enough: budgets of a member, an address, an invited friend, and everybody (K2, K3, K4)."""

from collections.abc import Callable, Mapping
from functools import partial

import httpx2
import pytest
import redis
from support.concurrency import at_once
from support.services import Service, Start, Vendors
from support.shopper import Shopper

from bff.settings.locales import CURRENCIES

Ask = Callable[[Shopper, int], httpx2.Response]


def redeem(shopper: Shopper, number: int) -> httpx2.Response:
    return shopper.api(
        "POST", "/me/redemptions", {"rewardId": f"none-{number}"}, idempotency_key=f"a-new-key-{number:06}"
    )


def redeem_one(shopper: Shopper, number: int) -> httpx2.Response:
    return shopper.api("POST", "/me/redemptions", {"rewardId": "none"}, idempotency_key=f"a-new-key-{number:06}")


def join(shopper: Shopper, _: int) -> httpx2.Response:
    return shopper.api("POST", "/me/enrolment", {"policiesVersion": 0, "policiesDigest": "none"})


def earn(shopper: Shopper, _: int) -> httpx2.Response:
    return shopper.api("POST", "/me/earning-rules/none/completions")


def birthday(shopper: Shopper, _: int) -> httpx2.Response:
    return shopper.api("PUT", "/me/birthday", {"day": 31, "month": 2})


def refer(shopper: Shopper, number: int) -> httpx2.Response:
    return shopper.api("POST", "/me/referrals", {"email": f"friend-{number}@example.com"})


def refer_one(shopper: Shopper, number: int) -> httpx2.Response:
    return shopper.api("POST", "/me/referrals", {"email": f"Friend+{number}@Example.com"})


def cart(shopper: Shopper, _: int) -> httpx2.Response:
    return shopper.api("POST", "/me/coupons/none/cart", {"cartId": "gid://shopify/Cart/none"})


def read(shopper: Shopper, _: int) -> httpx2.Response:
    return shopper.api("GET", "/session")


# The member's own: how many, and how one is spent.
BUDGETS: dict[str, tuple[int, Ask]] = {
    "reads": (600, read),
    "join": (30, join),
    "redeem": (90, redeem),
    "redeem-reward": (60, redeem_one),
    "earn": (60, earn),
    "cart": (60, cart),
    "birthday": (20, birthday),
    "refer": (60, refer),
}


def check_limited(reply: httpx2.Response, name: str, amount: int) -> None:
    assert (reply.status_code, reply.json()["code"], reply.json()["retryable"]) == (429, "rate_limited", True)
    seconds = int(reply.headers["retry-after"])
    assert 0 < seconds <= 86_400
    assert reply.headers["ratelimit-policy"].startswith(f'"{name}";q={amount};w=')
    assert reply.headers["ratelimit"] == f'"{name}";r=0;t={seconds}'


@pytest.mark.parametrize("name", BUDGETS)
def test_K2_a_member_who_spent_a_budget_waits_and_others_do_not(service: Service, vendors: Vendors, name: str) -> None:
    amount, ask = BUDGETS[name]
    # Signing in is not counted here: only what the member asks for.
    ella, tara = service.signed_in("ella"), service.signed_in("tara")
    statuses: list[int] = []
    while not statuses or statuses[-1] != 429:
        statuses.append(ask(ella, len(statuses)).status_code)
        assert len(statuses) <= amount + 1
    # The page that signing in ends on has been read already.
    assert amount - len(statuses) + 1 in ({0, 1, 2} if name == "reads" else {0})
    calls = len(vendors.state()["calls"])
    check_limited(ask(ella, amount + 5), name, amount)
    assert len(vendors.state()["calls"]) == calls
    assert ask(tara, amount + 6).status_code != 429


def test_K2_K6_a_friend_is_not_invited_by_everybody(service: Service) -> None:
    """Spellings of one mailbox count together, whoever writes to it."""
    ella, tara = service.signed_in("ella"), service.signed_in("tara")
    replies = [refer_one(ella, number) for number in range(5)]
    refused = refer_one(tara, 7)
    assert [reply.status_code for reply in (*replies, refused)] == [202] * 5 + [429]
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    # K5: how often others have invited them is not told.
    assert not any("refer-target" in str(reply.headers) for reply in (*replies, refused))
    assert refer(tara, 1).status_code == 202


def test_K2_an_address_that_has_not_signed_in_has_a_budget(service: Service) -> None:
    shopper = service.shopper()
    statuses = [shopper.api("GET", "/session", x_forwarded_for="203.0.113.7").status_code for _ in range(1200)]
    assert set(statuses) == {200}
    check_limited(shopper.api("GET", "/session", x_forwarded_for="203.0.113.7"), "visits", 1200)
    page = shopper.request("GET", "/rewards", headers={"x-forwarded-for": "203.0.113.7"})
    assert page.status_code == 429
    assert "That was too often" in page.text
    assert "You can try again in " in page.text
    assert shopper.api("GET", "/session", x_forwarded_for="203.0.113.8").status_code == 200
    assert service.signed_in("ella").api("GET", "/session").status_code == 200


def test_K2_everybody_together_has_a_budget_that_nobody_is_told(start: Start) -> None:
    service = start(REQUESTS_PER_MINUTE="8")
    replies = [service.shopper().api("GET", "/session", x_forwarded_for=f"203.0.113.{number}") for number in range(9)]
    assert [reply.status_code for reply in replies] == [200] * 8 + [429]
    assert int(replies[-1].headers["retry-after"]) > 0
    assert not any("everybody" in str(reply.headers) for reply in replies)
    assert service.shopper().api("GET", "/program").status_code == 200
    assert service.shopper().request("GET", "/healthz").status_code == 200


def in_currencies(shopper: Shopper, amount: int, address: Callable[[int], str]) -> list[int]:
    """The statuses of the same list in so many currencies, first for no country and then for one."""
    asked = [f"currency={code}{country}" for country in ("", "&country=us") for code in sorted(CURRENCIES)]
    assert amount <= len(asked)
    return [
        shopper.api("GET", f"/rewards?{query}", x_forwarded_for=address(number)).status_code
        for number, query in enumerate(asked[:amount])
    ]


def test_K2_currencies_that_nobody_has_asked_for_are_not_asked_for_without_limit(
    service: Service, vendors: Vendors
) -> None:
    shopper = service.shopper()
    assert in_currencies(shopper, 70, lambda _: "203.0.113.7") == [200] * 60 + [429] * 10
    assert len(vendors.calls("redemption_rules")) == 60
    # What has a copy is not counted, nor is anybody else.
    assert shopper.api("GET", "/rewards?currency=AED", x_forwarded_for="203.0.113.7").status_code == 200
    refused = shopper.api("GET", "/program?currency=ZMW", x_forwarded_for="203.0.113.7")
    check_limited(refused, "locales", 60)
    other = shopper.api("GET", "/program?currency=ZMW", x_forwarded_for="203.0.113.8")
    assert (other.status_code, "ratelimit" in other.headers) == (200, False)


def test_K2_all_addresses_together_ask_for_so_many_currencies(start: Start, vendors: Vendors) -> None:
    service = start(REQUESTS_PER_MINUTE="20")
    statuses = in_currencies(service.shopper(), 25, lambda number: f"203.0.113.{number}")
    assert statuses == [200] * 20 + [429] * 5
    assert len(vendors.calls("redemption_rules")) == 20


def test_K2_many_currencies_fill_no_store_and_throw_no_copy_out(
    service: Service, vendors: Vendors, stores: Mapping[str, str], start: Start, urls: list[str]
) -> None:
    shopper = service.shopper()
    before = shopper.api("GET", "/rewards").content
    assert set(in_currencies(shopper, 300, lambda number: f"203.0.113.{number % 250}")) == {200}
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        assert 200 < len(store.keys("copy:*")) <= 257
    calls = len(vendors.calls("redemption_rules"))
    cold = start(PUBLIC_URL=urls[1], PORT=urls[1].rpartition(":")[2]).shopper()
    assert [each.api("GET", "/rewards").content for each in (shopper, cold)] == [before, before]
    assert len(vendors.calls("redemption_rules")) == calls


def test_K3_every_counted_answer_tells_what_is_left(ella: Shopper) -> None:
    first, second = (ella.api("GET", "/me") for _ in range(2))
    assert first.headers["ratelimit-policy"] == '"reads";q=600;w=60'
    left = [int(reply.headers["ratelimit"].removeprefix('"reads";r=')) for reply in (first, second)]
    assert left[0] - left[1] == 1
    both = birthday(ella, 0)
    assert both.headers["ratelimit-policy"] == '"reads";q=600;w=60, "birthday";q=20;w=3600'
    assert both.headers["ratelimit"].endswith('"birthday";r=19')


def test_K4_processes_share_the_count_and_none_is_lost(service: Service, start: Start, urls: list[str]) -> None:
    other = start(PUBLIC_URL=urls[1], PORT=urls[1].rpartition(":")[2])

    def hand_in(number: int) -> int:
        return (service, other)[number % 2].shopper().api("POST", "/session", {}).status_code

    statuses = at_once([partial(hand_in, number) for number in range(140)])
    assert (statuses.count(400), statuses.count(429)) == (120, 20)


def test_K4_without_valkey_reading_is_open_and_what_changes_something_is_closed(start: Start) -> None:
    shopper = start(VALKEY_URL="valkey://127.0.0.1:1/0").shopper()
    page = shopper.get("/join")
    assert page.status == 200
    assert "ratelimit" not in page.reply.headers
    assert shopper.api("POST", "/session", {}).status_code == 503
    assert shopper.request("GET", "/login").status_code == 503
