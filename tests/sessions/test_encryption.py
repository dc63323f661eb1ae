"""What lies in the store: sealed, bound to its place, worthless without the cookie, and movable to new keys (C2-C6)."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
import redis
from support.concurrency import same_browser, state_of
from support.processes import bff
from support.services import Log, Service, Start, Vendors, in_thread
from support.shopper import Shopper

from bff.sessions import records
from bff.settings.read import read_settings
from bff.stores.keyring import KeyRing, SealBroken

READERS: dict[str, Any] = {
    "hash": lambda store, key: [part for pair in store.hgetall(key).items() for part in pair],
    "string": lambda store, key: [store.get(key)],
    "zset": lambda store, key: store.zrange(key, 0, -1),
    "set": lambda store, key: list(store.smembers(key)),
    "list": lambda store, key: store.lrange(key, 0, -1),
}


@pytest.fixture
def store_inside(stores: Mapping[str, str]) -> Iterator[Any]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


def dump(store: Any) -> bytes:
    """Everything Valkey holds, names and contents."""
    parts: list[bytes] = []
    for key in store.scan_iter():
        parts += [key, *READERS[store.type(key).decode()](store, key)]
    return b"\n".join(parts)


def place_of(shopper: Shopper, store: Any) -> bytes:
    """The only session in the store, or the one that was read last."""
    state_of(shopper)
    places: list[bytes] = store.keys("session:*")
    return max(places, key=lambda place: float(store.hget(place, "seen") or 0))


def new_key(name: str) -> str:
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


# What a dump shows --------------------------------------------------------------------------------------------------


def test_B3_a_dump_shows_no_id_no_token_and_no_customer(
    ella: Shopper,
    vendors: Vendors,
    store_inside: Any,
    rows: "psycopg.Connection[tuple[object, ...]]",
    log: Log,
) -> None:
    ella.request("GET", "/login")
    page = ella.get("/rewards")
    path = next(link for link in page.read.links if link.startswith("/rewards/"))
    ella.submit(ella.get(path), path)
    cookie = str(ella.session_cookie)
    tables = [str(row) for table in ("redemptions", "consents") for row in rows.execute(f"TABLE {table}")]
    assert len(tables) == 1
    held = dump(store_inside)
    everything = held.decode("latin-1") + "".join(tables) + log.getvalue()
    for secret in (cookie, cookie[:22], cookie[22:44], "shcat_", "shcrt_", "shcac_", "eyJ"):
        assert secret not in everything, secret
    member = vendors.member("ella")
    for personal in ("Ella", member["email"], member["customerId"], member["customerId"].rpartition("/")[2]):
        assert personal.encode() not in held, personal


def test_B3_the_store_knows_an_id_only_by_its_hash(ella: Shopper, store_inside: Any) -> None:
    identity = str(ella.session_cookie)[:22]
    assert store_inside.keys("session:*") == [b"session:" + hashlib.sha256(identity.encode()).hexdigest().encode()]


# C2 -----------------------------------------------------------------------------------------------------------------


def test_C2_a_record_with_any_byte_changed_is_no_session(ella: Shopper, store_inside: Any) -> None:
    place = place_of(ella, store_inside)
    sealed: bytes = store_inside.hget(place, "record")
    for index in [*range(40), *range(40, len(sealed), 25), *range(len(sealed) - 17, len(sealed))]:
        changed = bytearray(sealed)
        changed[index] ^= 1
        store_inside.hset(place, "record", bytes(changed))
        assert state_of(ella) == "anonymous", index
    store_inside.hset(place, "record", sealed)
    assert state_of(ella) == "enrolled"


@pytest.mark.parametrize("record", [b"", b"\0", b"\xff", b"\x02k1", b"\x02k1" + bytes(12), b"\xc3\xa4" * 40])
def test_C2_a_record_that_is_none_is_no_session(ella: Shopper, store_inside: Any, record: bytes) -> None:
    store_inside.hset(place_of(ella, store_inside), "record", record)
    assert state_of(ella) == "anonymous"
    assert ella.api("GET", "/me").status_code == 401


@pytest.mark.parametrize("field", ["version", "seen"])
@pytest.mark.parametrize("value", [b"", b"x"])
def test_C2_a_row_whose_numbers_were_changed_is_no_session(
    ella: Shopper, store_inside: Any, field: str, value: bytes
) -> None:
    store_inside.hset(place_of(ella, store_inside), field, value)
    assert state_of(ella) == "anonymous"


def test_C2_a_record_opens_nowhere_but_in_its_own_place(service: Service, store_inside: Any) -> None:
    ella = service.signed_in("ella")
    of_ella = place_of(ella, store_inside)
    zoe = service.signed_in("zoe")
    of_zoe = place_of(zoe, store_inside)
    assert of_ella != of_zoe
    rows = {place: store_inside.hgetall(place) for place in (of_ella, of_zoe)}
    store_inside.hset(of_ella, mapping=rows[of_zoe])
    store_inside.hset(of_zoe, mapping=rows[of_ella])
    assert (state_of(ella), state_of(zoe)) == ("anonymous", "anonymous")
    store_inside.hset(of_ella, mapping=rows[of_ella])
    assert state_of(ella) == "enrolled"


def test_C2_tampering_is_logged(ella: Shopper, store_inside: Any, log: Log) -> None:
    place = place_of(ella, store_inside)
    store_inside.hset(place, "record", store_inside.hget(place, "record")[::-1])
    before = len(log.getvalue())
    assert state_of(ella) == "anonymous"
    lines = [json.loads(line) for line in log.getvalue()[before:].splitlines()]
    assert [line["level"] for line in lines if line["event"] != "request"] == ["warning"]


def test_C2_no_two_seals_are_alike() -> None:
    ring = KeyRing([("k1", secrets.token_bytes(32))])
    seals = [ring.seal("session", b"the same", associated_data=b"here") for _ in range(1000)]
    assert len({seal[3:15] for seal in seals}) == 1000
    assert {ring.open("session", seal, associated_data=b"here") for seal in seals} == {b"the same"}


# C3 -----------------------------------------------------------------------------------------------------------------


def test_C3_neither_a_dump_with_the_environment_nor_a_cookie_alone_opens_a_session(
    ella: Shopper, service: Service, store_inside: Any
) -> None:
    place = place_of(ella, store_inside)
    sealed: bytes = store_inside.hget(place, "record")
    ring = KeyRing(read_settings(service.settings).secret_keys)
    share = str(ella.session_cookie)[22:44].encode()
    opened = records.read(ring.open("session", sealed, associated_data=place, key_share=share))
    assert opened.name == "Ella Martin"
    other_keys = KeyRing([("k1", secrets.token_bytes(32))])
    for keys, half in ((ring, b""), (ring, share[:-1]), (ring, secrets.token_bytes(22)), (other_keys, share)):
        with pytest.raises(SealBroken):
            keys.open("session", sealed, associated_data=place, key_share=half)


def test_C3_the_halves_of_two_cookies_do_not_open_either_session(service: Service) -> None:
    ella, zoe, thief = service.signed_in("ella"), service.signed_in("zoe"), service.shopper()
    one, other = str(ella.session_cookie), str(zoe.session_cookie)
    for mixed in (one[:22] + other[22:], other[:22] + one[22:], one[:44] + other[44:]):
        thief.cookies = dict.fromkeys(ella.cookies, mixed)
        assert state_of(thief) == "anonymous"


# C4 -----------------------------------------------------------------------------------------------------------------


class Deployments:
    """The same service again and again, with other keys each time."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._stack = ExitStack()

    def deploy(self, *keys: str) -> Service:
        self._stack.close()
        return self._stack.enter_context(in_thread({**self._settings, "SECRET_KEYS": ",".join(keys)}))

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def deployments(settings: dict[str, str]) -> Iterator[Deployments]:
    found = Deployments(settings)
    yield found
    found.close()


def test_C4_a_key_is_rotated_in_three_steps_without_signing_anyone_out(deployments: Deployments) -> None:
    one, two = new_key("k1"), new_key("k2")
    ella = deployments.deploy(one).signed_in("ella")
    service = deployments.deploy(two, one)
    ella = same_browser(service, ella)
    assert state_of(ella) == "enrolled"
    assert ella.get("/").status == 200
    service = deployments.deploy(two)
    assert state_of(same_browser(service, ella)) == "enrolled"


def test_C4_removing_a_key_ends_exactly_the_sessions_it_protected(deployments: Deployments, store_inside: Any) -> None:
    one, two = new_key("k1"), new_key("k2")
    away = deployments.deploy(one).signed_in("ella")
    assert all(store_inside.hget(place, "record")[:3] == b"\x02k1" for place in store_inside.keys("session:*"))
    zoe = deployments.deploy(two, one).signed_in("zoe")
    service = deployments.deploy(two)
    assert state_of(same_browser(service, away)) == "anonymous"
    assert state_of(same_browser(service, zoe)) == "enrolled"


def test_C4_reading_a_session_seals_it_with_the_newest_key(deployments: Deployments, store_inside: Any) -> None:
    one, two = new_key("k1"), new_key("k2")
    ella = deployments.deploy(one).signed_in("ella")
    service = deployments.deploy(two, one)
    [place] = store_inside.keys("session:*")
    assert store_inside.hget(place, "record")[:3] == b"\x02k1"
    assert state_of(same_browser(service, ella)) == "enrolled"
    assert store_inside.hget(place, "record")[:3] == b"\x02k2"


def test_C4_a_key_of_the_same_name_is_not_the_same_key(deployments: Deployments) -> None:
    ella = deployments.deploy(new_key("k1")).signed_in("ella")
    assert state_of(same_browser(deployments.deploy(new_key("k1")), ella)) == "anonymous"


def test_C4_the_limit_on_sessions_holds_over_a_rotation(deployments: Deployments, settings: dict[str, str]) -> None:
    settings["SESSIONS_PER_CUSTOMER"] = "1"
    one, two = new_key("k1"), new_key("k2")
    before = deployments.deploy(one).signed_in("ella")
    service = deployments.deploy(two, one)
    service.clock.advance(1)
    assert state_of(service.signed_in("ella")) == "enrolled"
    assert state_of(same_browser(service, before)) == "anonymous"


def test_C4_a_form_from_before_a_rotation_is_accepted_after_it(deployments: Deployments) -> None:
    one, two = new_key("k1"), new_key("k2")
    ella = deployments.deploy(one).signed_in("ella")
    form = ella.get("/").form("/logout")
    service = deployments.deploy(two, one)
    assert same_browser(service, ella).post("/logout", form.fields).path == "/signed-out"


def test_C4_a_sign_in_begun_before_a_rotation_is_finished_after_it(deployments: Deployments) -> None:
    one, two = new_key("k1"), new_key("k2")
    zoe = deployments.deploy(one).shopper()
    authorize = zoe.get("/login?return_to=/refer").url
    zoe = same_browser(deployments.deploy(two, one), zoe)
    back = zoe.request("POST", authorize, data={"persona": "zoe"}).headers["location"]
    assert zoe.get(back).path == "/refer"


# C6 -----------------------------------------------------------------------------------------------------------------


def test_C6_the_key_of_one_purpose_fails_in_every_other() -> None:
    ring = KeyRing([("k1", secrets.token_bytes(32))])
    sealed, mark = ring.seal("session", b"secret", associated_data=b"here"), ring.hmac("csrf", "ella", "logout")
    assert ring.verify("csrf", mark, "ella", "logout")
    for purpose in ("session cookie", "login", "consent", "customer index", "redemption"):
        with pytest.raises(SealBroken):
            ring.open(purpose, sealed, associated_data=b"here")
        assert not ring.verify(purpose, mark, "ella", "logout")


def test_C6_a_mark_is_over_its_parts_and_not_over_their_sum() -> None:
    ring = KeyRing([("k1", secrets.token_bytes(32))])
    mark = ring.hmac("csrf", "ab", "c")
    for parts in (("a", "bc"), ("abc",), ("ab", "c", ""), ("AB", "c"), ()):
        assert not ring.verify("csrf", mark, *parts), parts
    for changed in ("", mark[:-1], mark + "A", mark.swapcase(), "ä" * 43):
        assert not ring.verify("csrf", changed, "ab", "c"), changed


def test_C6_a_cookie_is_no_form_token_and_a_form_token_no_cookie(ella: Shopper, start: Start) -> None:
    form = ella.get("/").form("/logout")
    assert ella.post("/logout", {"csrf": str(ella.session_cookie)}).status in {403, 409}
    ella.cookies = dict.fromkeys(ella.cookies, form.fields["csrf"])
    assert state_of(ella) == "anonymous"


# Ending all sessions of a customer, whichever key sealed them ---------------------------------------------------------


def revoked(settings: Mapping[str, str], vendors: Vendors, *keys: str) -> str:
    """What `sessions revoke` says for ella under these keys."""
    return bff(
        {**settings, "SECRET_KEYS": ",".join(keys)}, "sessions", "revoke", vendors.member("ella")["customerId"]
    ).stdout


def test_B12_sessions_under_an_older_key_are_revoked(
    deployments: Deployments, settings: dict[str, str], vendors: Vendors
) -> None:
    one, two = new_key("k1"), new_key("k2")
    before, away = (deployments.deploy(one).signed_in("ella") for _ in range(2))
    service = deployments.deploy(two, one)
    after = service.signed_in("ella")
    assert state_of(same_browser(service, before)) == "enrolled"
    assert revoked(settings, vendors, two, one) == "Sessions ended: 3.\n"
    assert [state_of(same_browser(service, one)) for one in (before, away, after)] == ["anonymous"] * 3


def test_B12_a_session_that_outlived_its_first_key_is_revoked(
    deployments: Deployments, settings: dict[str, str], vendors: Vendors
) -> None:
    """It was visited while both keys were listed, and so goes on under the newer one alone."""
    one, two = new_key("k1"), new_key("k2")
    ella = deployments.deploy(one).signed_in("ella")
    service = deployments.deploy(two, one)
    ella = same_browser(service, ella)
    assert state_of(ella) == "enrolled"
    service = deployments.deploy(two)
    ella = same_browser(service, ella)
    assert state_of(ella) == "enrolled"
    assert revoked(settings, vendors, two) == "Sessions ended: 1.\n"
    assert state_of(ella) == "anonymous"


def test_P9_a_session_that_outlived_its_first_key_ends_with_all_others(deployments: Deployments) -> None:
    one, two = new_key("k1"), new_key("k2")
    ella = deployments.deploy(one).signed_in("ella")
    ella = same_browser(deployments.deploy(two, one), ella)
    assert state_of(ella) == "enrolled"
    service = deployments.deploy(two)
    assert service.signed_in("ella").api("DELETE", "/me/sessions").status_code == 200
    assert state_of(same_browser(service, ella)) == "anonymous"


def test_B12_a_session_whose_key_is_gone_stays_revoked_when_the_key_is_listed_again(
    deployments: Deployments, settings: dict[str, str], vendors: Vendors
) -> None:
    one, two = new_key("k1"), new_key("k2")
    ella, tara = (deployments.deploy(one).signed_in(persona) for persona in ("ella", "tara"))
    service = deployments.deploy(two)
    assert state_of(same_browser(service, ella)) == "anonymous"
    assert revoked(settings, vendors, two) == "Sessions ended: 0.\n"
    service = deployments.deploy(two, one)
    assert state_of(same_browser(service, ella)) == "anonymous"
    assert state_of(same_browser(service, tara)) == "enrolled"


def test_B13_a_session_that_moved_to_a_newer_key_counts_once(
    deployments: Deployments, settings: dict[str, str]
) -> None:
    settings["SESSIONS_PER_CUSTOMER"] = "2"
    one, two = new_key("k1"), new_key("k2")
    before = deployments.deploy(one).signed_in("ella")
    service = deployments.deploy(two, one)
    before = same_browser(service, before)
    assert state_of(before) == "enrolled"
    service.clock.advance(1)
    assert state_of(service.signed_in("ella")) == "enrolled"
    assert state_of(before) == "enrolled"
    service.clock.advance(1)
    assert state_of(service.signed_in("ella")) == "enrolled"
    assert state_of(before) == "anonymous"
