"""In a cluster keys lie apart: whatever is asked in one command or one script has its keys in one slot.

Looked at in what one Valkey is really asked, so that nobody has to keep a list of it.
"""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import redis
from redis.crc import key_slot
from support.canary_secrets import everybody_was_here
from support.concurrency import until
from support.held_requests import TOKEN
from support.services import Start, Vendors
from support.watched_commands import Asked, Watched

from bff.stores.shared_cache import BOUNDED_ENTRIES, MAX_BOUNDED_ENTRIES
from bff.stores.shared_metrics import NAMES

SCRIPTS = {b"EVAL", b"EVALSHA"}
# What Valkey has for several commands at once, and what a cluster does not take in one piece.
TOGETHER = {b"MULTI", b"EXEC", b"WATCH"}


@pytest.fixture
def store_client(stores: Mapping[str, str]) -> Iterator[Any]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


@pytest.fixture
def asked(start: Start, vendors: Vendors, store_client: Any, stores: Mapping[str, str]) -> list[Asked]:
    """What was asked while everybody was here, somebody signed out everywhere, a cache ran over, and one process told
    what all of them count."""
    store_client.zadd(BOUNDED_ENTRIES, {f"copy:{number}": number for number in range(MAX_BOUNDED_ENTRIES + 5)})
    # With two keys, some things have a name by each.
    keys = f"k1:{base64.b64encode(bytes(32)).decode()},k0:{base64.b64encode(bytes(range(32))).decode()}"
    service = start(SHOPIFY_LEGACY_TOKENS="on", METRICS_TOKEN=TOKEN, SECRET_KEYS=keys)
    watched = Watched(stores["VALKEY_URL"])
    everybody_was_here(service, vendors)
    ella, _ = service.signed_in("ella"), service.signed_in("ella")
    assert ella.api("GET", "/rewards?currency=CAD").status_code == 200
    until(lambda: store_client.zcard(BOUNDED_ENTRIES) <= MAX_BOUNDED_ENTRIES)
    assert ella.api("DELETE", "/me/sessions").status_code == 200
    store_client.zadd(NAMES, dict.fromkeys(("one process", "another process"), service.clock()))
    metrics = service.shopper().request("GET", "/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert metrics.status_code == 200
    watched.end()
    return watched.commands


def test_whatever_is_asked_at_once_has_its_keys_in_one_slot(asked: list[Asked], store_client: Any) -> None:
    """One long visit, looked at from every side."""
    commands_stay_in_one_slot(asked, store_client)
    scripts_touch_what_they_were_given(asked, store_client)
    assert [command.words for command in asked if command.words[0].upper() in TOGETHER] == []


def commands_stay_in_one_slot(asked: list[Asked], client: Any) -> None:
    slots = [set(map(key_slot, keys_of(client, command.words))) for command in asked]
    assert [command.words for command, own in zip(asked, slots, strict=True) if len(own) > 1] == []
    assert sum(map(len, slots)) > 100


def scripts_touch_what_they_were_given(asked: list[Asked], client: Any) -> None:
    scripts = [command for command in asked if command.words[0].upper() in SCRIPTS]
    touched = [
        (command.words[1], inner)
        for command in scripts
        for inner in command.by_script
        if not set(keys_of(client, inner)) <= set(keys_of(client, command.words))
    ]
    assert touched == []
    assert len({command.words[1] for command in scripts if command.by_script}) > 5


def keys_of(client: Any, words: tuple[bytes, ...]) -> list[bytes]:
    if words[0].upper() in SCRIPTS:
        return list(words[3 : 3 + int(words[2])])
    try:
        return [str(key).encode() for key in client.execute_command("COMMAND GETKEYS", *words)]
    except redis.ResponseError:
        return []
