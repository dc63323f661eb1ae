"""Reads of one session that are under way at the same time are one call of Okendo's; none outlives them."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import httpx2
from support.concurrency import until
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Service, Start, Vendors, in_thread
from support.shopper import Shopper

# Long enough for all to come while the first one waits, on a busy machine too.
SLOW = 3.0
MANY = 6


def clone(service: Service, shopper: Shopper) -> Shopper:
    """Another tab of the same browser."""
    other = service.shopper()
    other.cookies = dict(shopper.cookies)
    return other


def at_once(*asks: Callable[[], httpx2.Response]) -> list[httpx2.Response]:
    with ThreadPoolExecutor(len(asks)) as pool:
        return [each.result() for each in [pool.submit(ask) for ask in asks]]


def reading(shopper: Shopper, path: str = "/me") -> Callable[[], httpx2.Response]:
    return lambda: shopper.api("GET", path)


def slowly(vendors: Vendors, operation: str = "customer", times: int = 1) -> None:
    """What is answered then is what was so when it was asked."""
    vendors.fault(operation, "delay_after", times, seconds=SLOW)


def begun(pool: ThreadPoolExecutor, shopper: Shopper, vendors: Vendors) -> "Future[httpx2.Response]":
    """A read of theirs that Okendo is about to answer."""
    before = len(vendors.calls("customer"))
    reply = pool.submit(reading(shopper))
    until(lambda: len(vendors.calls("customer")) > before)
    return reply


def test_reads_at_the_same_time_are_one_call(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    before = len(vendors.calls("customer"))
    slowly(vendors)
    tabs = [clone(service, ella) for _ in range(MANY)]
    replies = at_once(*(reading(tab) for tab in tabs), reading(clone(service, ella), "/me/rewards"))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.content for reply in replies[:MANY]}) == 1
    assert len(vendors.calls("customer")) == before + 1


def test_a_read_that_is_over_is_asked_for_anew(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    before = len(vendors.calls("customer"))
    for _ in range(3):
        assert ella.api("GET", "/me").status_code == 200
    assert len(vendors.calls("customer")) == before + 3


def test_two_sessions_share_nothing_be_they_of_one_member(service: Service, vendors: Vendors) -> None:
    who = [service.signed_in("ella"), service.signed_in("ella"), service.signed_in("tara")]
    before = len(vendors.calls("customer"))
    slowly(vendors, times=len(who))
    replies = at_once(*map(reading, who))
    assert len(vendors.calls("customer")) == before + len(who)
    points = [reply.json()["points"]["balance"] for reply in replies]
    assert points[0] == points[1] != points[2]


def test_a_read_after_a_write_began_hears_nothing_from_before(service: Service, vendors: Vendors) -> None:
    """The slow one has begun before the write, and is still under way when the write has been answered."""
    ella = service.signed_in("ella")
    had = ella.api("GET", "/me").json()["points"]["balance"]
    slowly(vendors)
    with ThreadPoolExecutor(1) as pool:
        slow = begun(pool, clone(service, ella), vendors)
        spent = redeem(clone(service, ella), FIVE_OFF, new_key()).json()["points"]
        assert clone(service, ella).api("GET", "/me").json()["points"]["balance"] == had - spent
        assert slow.result().json()["points"]["balance"] == had


def test_a_write_by_another_process_is_seen_at_once(
    settings: dict[str, str], urls: list[str], vendors: Vendors
) -> None:
    there = settings | {"PUBLIC_URL": urls[1], "PORT": urls[1].rpartition(":")[2]}
    with in_thread(settings) as one, in_thread(there) as other:
        ella = one.signed_in("ella")
        had = ella.api("GET", "/me").json()["points"]["balance"]
        slowly(vendors)
        with ThreadPoolExecutor(1) as pool:
            slow = begun(pool, clone(one, ella), vendors)
            spent = redeem(clone(other, ella), FIVE_OFF, new_key()).json()["points"]
            assert clone(one, ella).api("GET", "/me").json()["points"]["balance"] == had - spent
            assert slow.result().json()["points"]["balance"] == had


def test_after_a_log_out_nobody_hears_what_is_still_under_way(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    slowly(vendors)
    with ThreadPoolExecutor(1) as pool:
        slow = begun(pool, clone(service, ella), vendors)
        assert clone(service, ella).api("DELETE", "/session").is_success
        assert clone(service, ella).api("GET", "/me").status_code == 401
        slow.result()


def test_whoever_leaves_ends_it_for_nobody_else(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    before = len(vendors.calls("customer"))
    slowly(vendors)
    impatient = clone(service, ella)
    impatient._http.timeout = httpx2.Timeout(SLOW / 2)

    def leave() -> httpx2.Response:
        try:
            return impatient.api("GET", "/me")
        except httpx2.TimeoutException:
            return httpx2.Response(499)

    first, second = at_once(leave, reading(clone(service, ella)))
    assert (first.status_code, second.status_code) == (499, 200)
    assert len(vendors.calls("customer")) == before + 1


def test_whose_time_is_up_ends_it_for_nobody_else(start: Start, vendors: Vendors) -> None:
    service = start(REQUEST_SECONDS="4", UPSTREAM_TIMEOUT_SECONDS="9")
    ella = service.signed_in("ella")
    before = len(vendors.calls("customer"))
    vendors.fault("customer", "delay_after", 1, seconds=5)
    vendors.fault("faqs", "delay", 1, seconds=2.5)
    with ThreadPoolExecutor(2) as pool:
        first = begun(pool, ella, vendors)
        # The second comes when this has been answered, so its time is up later.
        assert service.shopper().api("GET", "/faqs").status_code == 200
        second = pool.submit(reading(clone(service, ella)))
    assert (first.result().status_code, second.result().status_code) == (504, 200)
    assert len(vendors.calls("customer")) == before + 1


def test_a_failure_is_shared_too_and_not_kept(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    slowly(vendors)
    assert {reply.status_code for reply in at_once(*(reading(clone(service, ella)) for _ in range(3)))} == {200}
    vendors.fault("customer", "status:403", times=1)
    assert ella.api("GET", "/me").is_error
    assert ella.api("GET", "/me").status_code == 200
