"""Several processes over the same two stores behave like one, and one that is told to stop finishes what it began."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx2
import psycopg
import pytest
from support.concurrency import at_once, meanwhile, same_browser, state_of, until
from support.expired_tokens import with_dead_tokens, without_a_jwt
from support.services import Service, Vendors, as_process, settings_for
from support.shopper import Shopper

from bff.devstack.servers import Server

KEY = "one-key-for-one-intent"


@pytest.fixture(scope="module")
def processes(
    urls: list[str], database: Server, store: Server, sandbox: Vendors, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Service]]:
    """Two that share everything but their address."""
    first = settings_for(urls[2], {"DATABASE_URL": database.url, "VALKEY_URL": store.url}, sandbox.url)
    second = first | {"PUBLIC_URL": urls[3], "PORT": urls[3].rpartition(":")[2]}
    logs = tmp_path_factory.mktemp("processes")
    with as_process(first, logs / "one.log") as one, as_process(second, logs / "two.log") as two:
        yield one, two


@pytest.fixture
def both(processes: tuple[Service, Service], stores: Mapping[str, str], vendors: Vendors) -> tuple[Service, Service]:
    """The two processes, with empty stores and a fresh sandbox."""
    return processes


def tabs(both: tuple[Service, Service], shopper: Shopper, count: int) -> list[Shopper]:
    """So many tabs of one browser, in turn at one process and the other."""
    return [same_browser(both[index % 2], shopper) for index in range(count)]


def statuses(replies: list[httpx2.Response]) -> set[int]:
    return {reply.status_code for reply in replies}


def cheapest_reward(shopper: Shopper) -> str:
    rewards = shopper.api("GET", "/me/rewards").json()["rewards"]
    ready = [reward for reward in rewards if reward["canRedeem"]["state"] == "ready"]
    return str(min(ready, key=lambda reward: int(reward["points"]))["id"])


def redeem(shopper: Shopper, reward_id: str, key: str = KEY) -> httpx2.Response:
    return shopper.api("POST", "/me/redemptions", {"rewardId": reward_id}, idempotency_key=key)


# Two of them --------------------------------------------------------------------------------------------------------


def test_a_session_of_one_process_is_a_session_of_the_other(both: tuple[Service, Service]) -> None:
    ella = both[0].signed_in("ella")
    assert [state_of(tab) for tab in tabs(both, ella, 2)] == ["enrolled", "enrolled"]


def test_B7_signing_out_in_one_process_is_signing_out_in_the_other(both: tuple[Service, Service]) -> None:
    for leaving, staying in ((0, 1), (1, 0)):
        ella = both[leaving].signed_in("ella")
        tab = same_browser(both[staying], ella)
        assert state_of(tab) == "enrolled"
        ella.submit(ella.get("/"), "/logout")
        assert state_of(tab) == "anonymous"


def test_P9_signing_out_everywhere_ends_the_sessions_of_every_process(both: tuple[Service, Service]) -> None:
    browsers = [both[number % 2].signed_in("ella") for number in range(4)]
    assert browsers[0].api("DELETE", "/me/sessions").status_code == 200
    states = [state_of(same_browser(process, browser)) for browser in browsers for process in both]
    assert states == ["anonymous"] * 8


def test_C8_fifty_requests_during_a_slow_exchange_are_one_call(both: tuple[Service, Service], vendors: Vendors) -> None:
    ella = without_a_jwt(both[0], vendors)
    before = len(vendors.calls("login"))
    vendors.fault("login", "delay", times=50, seconds=1.5)
    replies = at_once([partial(tab.api, "GET", "/me") for tab in tabs(both, ella, 50)])
    assert statuses(replies) == {200}
    assert len(vendors.calls("login")) == before + 1


def test_C8_a_refresh_token_is_used_once_by_all_processes(both: tuple[Service, Service], vendors: Vendors) -> None:
    ella = with_dead_tokens(both[0], vendors)
    vendors.fault("shopify_token", "delay", times=50, seconds=0.5)
    replies = at_once([partial(tab.api, "GET", "/me") for tab in tabs(both, ella, 20)])
    assert statuses(replies) == {200}
    assert [call["status"] for call in vendors.calls("shopify_token")] == [200, 200]


def test_C8_an_exchange_that_fails_for_many_at_once_signs_nobody_out(
    both: tuple[Service, Service], vendors: Vendors
) -> None:
    ella = without_a_jwt(both[0], vendors)
    vendors.fault("login", "status:503", times=100)
    replies = at_once([partial(tab.api, "GET", "/me") for tab in tabs(both, ella, 10)])
    assert statuses(replies) <= {409, 502, 503, 504}
    assert state_of(ella) != "anonymous"


def test_L1_one_key_in_both_processes_is_one_redemption(both: tuple[Service, Service], vendors: Vendors) -> None:
    ella = both[0].signed_in("ella")
    reward = cheapest_reward(ella)
    vendors.fault("redeem", "delay", seconds=0.4)
    replies = at_once([partial(redeem, tab, reward) for tab in tabs(both, ella, 8)])
    assert 201 in statuses(replies)
    assert statuses(replies) <= {201, 409}
    assert len(vendors.member("ella")["redemptions"]) == 1
    assert len(vendors.calls("redeem")) == 1
    again = [redeem(tab, reward) for tab in tabs(both, ella, 2)]
    assert [(reply.status_code, reply.headers.get("idempotency-replayed")) for reply in again] == [(201, "true")] * 2
    done = next(reply.json() for reply in replies if reply.status_code == 201)
    assert [reply.json() for reply in again] == [done, done]


def test_two_redemptions_of_one_member_never_run_together(both: tuple[Service, Service], vendors: Vendors) -> None:
    ella = both[0].signed_in("ella")
    reward = cheapest_reward(ella)
    before = vendors.member("ella")["balance"]
    vendors.fault("redeem", "delay", times=2, seconds=0.3)
    works = [partial(redeem, tab, reward, f"{KEY}-{index}") for index, tab in enumerate(tabs(both, ella, 6))]
    replies = at_once(works)
    assert statuses(replies) <= {201, 409, 422}
    made = vendors.member("ella")["redemptions"]
    assert len(made) == sum(reply.status_code == 201 for reply in replies)
    assert vendors.member("ella")["balance"] == before - sum(one["points"] for one in made) >= 0


def test_L7_joining_in_both_processes_at_once_is_joining_once(both: tuple[Service, Service], vendors: Vendors) -> None:
    penny = both[0].signed_in("penny")
    policies = penny.api("GET", "/legal-policies").json()
    agreement = {"policiesVersion": policies["version"], "policiesDigest": policies["digest"]}
    vendors.fault("customer_activation", "delay", seconds=0.3)
    works = [partial(tab.api, "POST", "/me/enrolment", agreement) for tab in tabs(both, penny, 6)]
    replies = at_once(works)
    assert sorted(reply.status_code for reply in replies) == [200] * 5 + [201]
    assert len(vendors.member("penny")["enrolments"]) == 1


# One that stops -----------------------------------------------------------------------------------------------------


@pytest.fixture
def stopping(settings: dict[str, str], logfile: Path) -> Iterator[tuple[Service, ExitStack]]:
    """A process that gets SIGTERM, and is waited for, when its stack is closed."""
    with ExitStack() as stack:
        yield stack.enter_context(as_process(settings, logfile)), stack


def state_in_ledger(stores: Mapping[str, str]) -> list[object]:
    with psycopg.connect(stores["DATABASE_URL"]) as connection:
        return [row[0] for row in connection.execute("SELECT state FROM redemptions").fetchall()]


def test_K9_a_redemption_in_flight_is_finished_and_answered(
    stopping: tuple[Service, ExitStack], vendors: Vendors, stores: Mapping[str, str]
) -> None:
    service, stack = stopping
    ella = service.signed_in("ella")
    reward = cheapest_reward(ella)
    vendors.fault("redeem", "delay", seconds=1.5)
    with meanwhile(partial(redeem, ella, reward)) as redeeming:
        until(lambda: len(vendors.calls("redeem")) == 1)
        stack.close()
        reply = redeeming.result()
    [redemption] = vendors.member("ella")["redemptions"]
    assert (reply.status_code, reply.json()["coupon"]["code"]) == (201, redemption["code"])
    assert state_in_ledger(stores) == ["succeeded"]


def test_K9_a_redemption_whose_shopper_has_gone_is_finished_too(
    stopping: tuple[Service, ExitStack], vendors: Vendors, stores: Mapping[str, str]
) -> None:
    service, stack = stopping
    ella = service.signed_in("ella")
    reward = cheapest_reward(ella)
    vendors.fault("redeem", "delay", seconds=1.5)
    with pytest.raises(httpx2.ReadTimeout):
        ella.request(
            "POST", "/api/v1/me/redemptions", json={"rewardId": reward}, timeout=0.5,
            headers={"origin": service.url, "x-loyalty-csrf": "1", "idempotency-key": KEY},
        )  # fmt: skip
    assert len(vendors.calls("redeem")) == 1
    stack.close()
    assert len(vendors.member("ella")["redemptions"]) == 1
    assert state_in_ledger(stores) == ["succeeded"]


def test_K9_a_process_that_was_told_to_stop_ends_well_and_takes_nobody_new(
    settings: dict[str, str], logfile: Path, vendors: Vendors
) -> None:
    with as_process(settings, logfile) as service:
        service.signed_in("ella")
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{service.url}/healthz", trust_env=False)
    said = logfile.read_text()
    assert "Traceback" not in said
    assert "unexpected" not in said
