"""Valkey may lose a lease that is held; the ledger still keeps a member's redemptions apart (L1, L7), and a session
sends its refresh token once (B6)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis
from support import processes
from support.concurrency import at_once, meanwhile, same_browser, state_of, until
from support.enrolment_clients import Rows
from support.expired_tokens import aged
from support.sandbox_catalogue import FIVE_OFF, STORE_CREDIT, code_of, new_key, redeem, redemptions_of, sends
from support.services import Service, Start, Vendors
from support.shopper import Shopper

from bff.services.visitors import CALLS_PER_REFRESH
from bff.vendors.upstream import BUSY_SECONDS

KEY = "an-intent-of-tara-0001"
LEASES = "lease:redeem:*"


@pytest.fixture
def valkey(stores: Mapping[str, str]) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


def lose_leases(valkey: Any) -> None:
    assert valkey.delete(*valkey.keys(LEASES)) == 1


def test_L7_another_reward_is_not_redeemed_beside_one_whose_lease_is_lost(
    service: Service, vendors: Vendors, valkey: Any
) -> None:
    tara = service.signed_in("tara")
    vendors.fault("redeem", "delay", seconds=3)
    with meanwhile(lambda: redeem(tara, FIVE_OFF, KEY)) as first:
        until(lambda: sends(vendors) == 1)
        lose_leases(valkey)
        other = redeem(tara, STORE_CREDIT, new_key())
        assert first.result().status_code == 201
    assert (other.status_code, code_of(other)) == (409, "request_in_progress")
    assert (sends(vendors), len(redemptions_of(vendors, "tara"))) == (1, 1)


def test_L1_a_key_is_good_for_one_redemption_though_its_lease_is_lost(
    service: Service, vendors: Vendors, valkey: Any, rows: Rows
) -> None:
    """The first still reads what it needs when the second, which shares nothing with it, is done."""
    tara, elsewhere = service.signed_in("tara"), service.signed_in("tara")
    vendors.fault("transactions", "delay", seconds=3)
    before = len(vendors.calls("transactions"))
    with meanwhile(lambda: redeem(tara, FIVE_OFF, KEY)) as first:
        until(lambda: len(vendors.calls("transactions")) > before)
        lose_leases(valkey)
        second = redeem(elsewhere, FIVE_OFF, KEY)
        assert not first.done()
        replayed = first.result()
    assert (second.status_code, replayed.status_code) == (201, 201)
    assert (replayed.headers["idempotency-replayed"], replayed.content) == ("true", second.content)
    assert (sends(vendors), len(redemptions_of(vendors, "tara"))) == (1, 1)
    assert rows.execute("SELECT count(*) FROM redemptions").fetchone() == (1,)


def test_L7_who_comes_second_waits_for_the_lease(service: Service, vendors: Vendors) -> None:
    tara = service.signed_in("tara")
    vendors.fault("redeem", "delay", seconds=0.5)
    replies = at_once([lambda: redeem(tara, FIVE_OFF, new_key())] * 2)
    assert [reply.status_code for reply in replies] == [201, 201]


def test_L7_a_lease_is_renewed_while_it_is_held(start: Start, vendors: Vendors, valkey: Any) -> None:
    """Else a redemption that takes longer than a lease would not be alone any more."""
    tara = start(UPSTREAM_TIMEOUT_SECONDS="8").signed_in("tara")
    vendors.fault("redeem", "delay", seconds=6)
    with meanwhile(lambda: redeem(tara, FIVE_OFF, KEY)):
        until(lambda: sends(vendors) == 1)
        [lease] = valkey.keys(LEASES)
        valkey.pexpire(lease, 5000)
        until(lambda: valkey.pttl(lease) > 5000, 5)


# A refresh token ----------------------------------------------------------------------------------------------------

EXCHANGES = "lease:exchange:*"


def refreshes(vendors: Vendors) -> int:
    """How often a refresh token was sent: the sign-in itself was the first token call."""
    return len(vendors.calls("shopify_token")) - 1


def test_B6_a_refresh_token_is_sent_once_though_the_lease_is_lost(
    service: Service, vendors: Vendors, valkey: Any
) -> None:
    """A second use would end the whole sign-in at Shopify."""
    ella = service.signed_in("ella")
    tabs = [same_browser(service, ella) for _ in range(2)]
    aged(service, vendors, 3700)
    vendors.fault("shopify_token", "delay", seconds=3)
    with meanwhile(lambda: ella.api("GET", "/me")) as first:
        until(lambda: refreshes(vendors) == 1)
        assert valkey.delete(*valkey.keys(EXCHANGES)) == 1
        others = at_once([lambda tab=tab: tab.api("GET", "/me") for tab in tabs])  # type: ignore[misc]
        assert first.result().status_code == 200
    assert [reply.status_code for reply in others] == [200, 200]
    assert refreshes(vendors) == 1
    aged(service, vendors, 3700)
    assert ella.api("GET", "/me").status_code == 200
    assert refreshes(vendors) == 2


def test_B6_while_the_old_token_works_nobody_waits_for_the_refresh_of_another(
    service: Service, vendors: Vendors, valkey: Any
) -> None:
    ella = service.signed_in("ella")
    service.clock.advance(3600 - 60)
    vendors.fault("customer", "status:401")
    vendors.fault("shopify_token", "delay", seconds=3)
    tab = same_browser(service, ella)
    with meanwhile(lambda: ella.api("GET", "/me")) as first:
        until(lambda: refreshes(vendors) == 1)
        valkey.delete(*valkey.keys(EXCHANGES))
        vendors.fault("customer", "status:401")
        assert tab.api("GET", "/me").status_code == 200
        assert not first.done()
        assert first.result().status_code == 200
    assert refreshes(vendors) == 1


def test_B6_a_refresh_that_failed_can_be_tried_again_at_once(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    aged(service, vendors, 3700)
    vendors.fault("shopify_token", "status:500")
    assert ella.api("GET", "/me").status_code == 502
    service.clock.advance(BUSY_SECONDS)
    assert ella.api("GET", "/me").status_code == 200
    assert refreshes(vendors) == 2


def test_B6_a_refresh_whose_process_has_died_is_waited_for_and_then_done_anew(
    service: Service, vendors: Vendors, valkey: Any, settings: Mapping[str, str], urls: list[str], logfile: Path
) -> None:
    ella = service.signed_in("ella")
    vendors.control("clock", advance=3700)
    vendors.fault("shopify_token", "delay", seconds=25)
    logfile.touch()
    other = dict(settings) | {"PUBLIC_URL": urls[1], "PORT": urls[1].rpartition(":")[2]}
    process = processes.start(other, "serve", out=logfile)
    try:
        until(lambda: answers(urls[1]))
        elsewhere = Shopper(urls[1])
        elsewhere.cookies = dict(ella.cookies)
        with meanwhile(lambda: with_no_answer(elsewhere)) as killed:
            until(lambda: refreshes(vendors) == 1)
            process.kill()
            assert killed.result()
    finally:
        process.kill()
        process.join()
    valkey.delete(*valkey.keys(EXCHANGES))
    assert ella.api("GET", "/me").status_code == 504
    assert (refreshes(vendors), state_of(ella)) == (1, "enrolled")
    service.clock.advance(CALLS_PER_REFRESH * 5)
    assert ella.api("GET", "/me").status_code == 200
    assert refreshes(vendors) == 2


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def with_no_answer(shopper: Shopper) -> bool:
    """Ask for the member; whether the connection broke before there was an answer."""
    try:
        shopper.api("GET", "/me")
    except httpx2.TransportError:
        return True
    return False
