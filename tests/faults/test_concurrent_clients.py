"""Fifty clients at two processes want the same thing at once, and Valkey forgets everything in the middle (L1, L4)."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest
import redis
from support.concurrency import at_once, meanwhile, same_browser, until
from support.sandbox_catalogue import FIVE_OFF, TEN_PERCENT, new_key, redeem, redemptions_of, sends
from support.services import Service, Vendors, as_process, settings_for
from support.shopper import Shopper

from bff.cli import migrate_database
from bff.devstack.servers import Server, postgres, valkey

CLIENTS = 50


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey(tmp_path_factory.mktemp("own-valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def processes(
    urls: list[str], store: Server, sandbox: Vendors, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Service]]:
    """Two processes, over stores that this module may empty as it likes."""
    folder: Path = tmp_path_factory.mktemp("processes")
    with postgres(folder) as database:
        migrate_database(database.url)
        first = settings_for(urls[2], {"DATABASE_URL": database.url, "VALKEY_URL": store.url}, sandbox.url)
        second = first | {"PUBLIC_URL": urls[3], "PORT": urls[3].rpartition(":")[2]}
        with as_process(first, folder / "one.log") as one, as_process(second, folder / "two.log") as two:
            yield one, two


@pytest.fixture
def tara(processes: tuple[Service, Service], store: Server, vendors: Vendors) -> Shopper:
    forget_everything(store)
    return processes[0].signed_in("tara")


def forget_everything(store: Server) -> None:
    with redis.Redis.from_url(store.url) as client:
        client.flushall()


def tabs(processes: tuple[Service, Service], shopper: Shopper, count: int) -> list[Shopper]:
    return [same_browser(processes[index % 2], shopper) for index in range(count)]


def coupons(replies: list[httpx2.Response]) -> set[str]:
    return {reply.json()["coupon"]["code"] for reply in replies if reply.status_code == 201}


def test_L1_fifty_clients_with_one_key_are_one_redemption(
    processes: tuple[Service, Service], tara: Shopper, vendors: Vendors
) -> None:
    key = new_key()
    replies = at_once([partial(redeem, tab, FIVE_OFF, key) for tab in tabs(processes, tara, CLIENTS)])
    assert {reply.status_code for reply in replies} <= {201, 409}
    [effect] = redemptions_of(vendors, "tara")
    assert coupons(replies) == {effect["code"]}
    assert sends(vendors) == 1
    assert redeem(tara, FIVE_OFF, key).json()["coupon"]["code"] == effect["code"]


def test_L1_L4_forgetting_everything_in_the_middle_changes_nothing(
    processes: tuple[Service, Service], store: Server, tara: Shopper, vendors: Vendors
) -> None:
    key = new_key()
    vendors.fault("redeem", "delay_after", seconds=1.5)
    clients = tabs(processes, tara, CLIENTS)
    with meanwhile(partial(at_once, [partial(redeem, tab, FIVE_OFF, key) for tab in clients])) as answers:
        until(lambda: len(redemptions_of(vendors, "tara")) == 1)
        forget_everything(store)
        late = processes[1].signed_in("tara")
        assert redeem(late, FIVE_OFF, key).status_code in {201, 409}
    replies: list[httpx2.Response] = answers.result()
    assert {reply.status_code for reply in replies} <= {201, 202, 401, 409}
    [effect] = redemptions_of(vendors, "tara")
    assert coupons(replies) <= {effect["code"]}
    assert sends(vendors) == 1
    again = redeem(processes[0].signed_in("tara"), FIVE_OFF, key)
    assert (again.status_code, coupons([again])) == (201, {effect["code"]})
    assert sends(vendors) == 1


def test_a_lost_lease_lets_no_second_redemption_overtake_the_first(
    processes: tuple[Service, Service], store: Server, tara: Shopper, vendors: Vendors
) -> None:
    # Long enough to sign in and to try a second one meanwhile, on a busy machine too.
    vendors.fault("redeem", "delay_after", seconds=3)
    with meanwhile(partial(redeem, tara, FIVE_OFF, new_key())) as first:
        until(lambda: len(redemptions_of(vendors, "tara")) == 1)
        forget_everything(store)
        other, key = processes[1].signed_in("tara"), new_key()
        second = redeem(other, TEN_PERCENT, key)
        assert (second.status_code, second.json()["code"]) == (409, "request_in_progress")
        assert sends(vendors) == 1
    assert first.result().status_code == 201
    assert redeem(other, TEN_PERCENT, key).status_code == 201
    assert [effect["points"] for effect in redemptions_of(vendors, "tara")] == [500, 1000]


def test_two_intents_at_once_are_two_redemptions_one_after_the_other(
    processes: tuple[Service, Service], tara: Shopper, vendors: Vendors
) -> None:
    one, two = tabs(processes, tara, 2)
    keys = (new_key(), new_key())
    at_once([partial(redeem, one, FIVE_OFF, keys[0]), partial(redeem, two, TEN_PERCENT, keys[1])])
    ends = [redeem(one, FIVE_OFF, keys[0]), redeem(two, TEN_PERCENT, keys[1])]
    assert [end.status_code for end in ends] == [201, 201]
    assert coupons(ends) == {effect["code"] for effect in redemptions_of(vendors, "tara")}
    assert sends(vendors) == 2
