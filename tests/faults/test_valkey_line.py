"""What happens to the one connection on which the questions of all requests go to Valkey (B10, K2).

docs/decisions/valkey-line.md
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from functools import partial
from urllib.parse import urlsplit

import pytest
import redis
from support.concurrency import at_once, same_browser, state_of
from support.services import Service, Start
from support.shopper import Shopper
from support.silent_wire import SilentWire

PERSONAS = {"ella": "enrolled", "penny": "pending", "blake": "blocked"}


class TalkativeWire(SilentWire):
    """A wire on which more can be said than the server has said."""

    def say(self, words: bytes) -> None:
        for near in self._open[::2]:
            with suppress(OSError):
                near.sendall(words)


@pytest.fixture
def client(stores: Mapping[str, str]) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


def left(shopper: Shopper) -> int:
    """How many more reads they are told they may make."""
    return int(shopper.api("GET", "/session").headers["ratelimit"].partition("r=")[2].partition(";")[0])


def test_a_valkey_that_forgot_its_scripts_gets_them_again(service: Service, client: redis.Redis) -> None:
    ella = service.signed_in("ella")
    before = left(ella)
    client.script_flush()
    assert left(ella) == before - 1
    assert left(ella) == before - 2


def test_B10_connections_that_valkey_closes_cost_nobody_anything(service: Service, client: redis.Redis) -> None:
    ella = service.signed_in("ella")
    before = left(ella)
    for closed in range(1, 4):
        client.client_kill_filter(_type="normal")
        assert left(ella) == before - closed
    assert ella.api("DELETE", "/session").status_code == 200


@pytest.mark.parametrize("words", [b"+OK\r\n", b"*3\r\n$3\r\nbad\r\n$1\r\n1\r\n$-1\r\n", b"what?\r\n"])
def test_B10_what_nobody_asked_for_is_nobodys_answer(start: Start, stores: Mapping[str, str], words: bytes) -> None:
    with closing(TalkativeWire(urlsplit(stores["VALKEY_URL"]).port or 0)) as wire:
        service = start(VALKEY_URL=f"valkey://127.0.0.1:{wire.port}/0")
        shoppers = {persona: service.signed_in(persona) for persona in PERSONAS}
        for _ in range(3):
            wire.say(words)
            found = {persona: state_of(shopper) for persona, shopper in shoppers.items()}
            assert found == PERSONAS


def test_B10_each_of_many_at_once_is_told_of_their_own_session(service: Service) -> None:
    shoppers = [service.signed_in(persona) for persona in PERSONAS]
    tabs = [same_browser(service, shopper) for _ in range(12) for shopper in shoppers]
    assert at_once([partial(state_of, tab) for tab in tabs]) == list(PERSONAS.values()) * 12


def test_K2_who_has_signed_out_spends_nothing_of_the_member_any_more(service: Service) -> None:
    ella, phone = service.signed_in("ella"), service.signed_in("ella")
    tab = same_browser(service, ella)
    before = left(phone)
    assert left(tab) == before - 1
    assert ella.api("DELETE", "/session").status_code == 200
    replies = [tab.api("GET", "/session") for _ in range(6)]
    assert {reply.headers["ratelimit-policy"].partition(";")[0] for reply in replies} == {'"visits"'}
    # The one that signed out, and the question in which this process learned of it.
    assert left(phone) >= before - 4
