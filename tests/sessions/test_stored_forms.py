"""Sessions take little room in the store, and those that the version before left there are found and ended like any."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
import redis
from support.concurrency import state_of, until
from support.processes import bff
from support.services import Service, Start, Vendors, Work
from support.shopper import Shopper
from vendors.test_okendo_webhooks import SECRET, customer_event, deliver

from bff.sessions.data import LoyaltyToken, SessionData
from bff.sessions.records import FORM, read, written
from bff.settings.read import read_settings
from bff.stores.keyring import KeyRing, SealBroken
from bff.vendors.shopify.tokens import ShopifyTokens

# What a record of the version before says of what is not known.
UNKNOWN = {"loyalty": None, "state": "pending", "name": None, "email": None, "storefront": None}
UNKNOWN_TOKENS = {"refresh_token": None, "id_token": None}


# Of the form that is written now, to be read for as long as a session may live after the next form.
EARLIER = bytes.fromhex(
    "019bd4ba1ac9d90b0d57215cb8306f15c28da7ed3f3080c172a8639b97805cbb01ddb56b905dbb6015c25da71d58a00640dd"
    "ddb418e87054151c101553a61d612f8184e9118e2460ca05c654ed11a6123d300f18a546101e575271667a5e62496951ea24"
    "880e605c1c614fbaec7e1f88a6e2d5cb94543115c84884704a92a0743200"
)


@pytest.fixture
def service(start: Start) -> Service:
    return start(OKENDO_WEBHOOK_SECRET=SECRET, SESSIONS_PER_CUSTOMER="3")


@pytest.fixture
def store_inside(stores: Mapping[str, str]) -> Iterator[Any]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


def handed_in(service: Service, vendors: Vendors, persona: str) -> Shopper:
    shopper = service.shopper()
    reply = shopper.api("POST", "/session", {"customerAccessToken": vendors.token(persona)})
    assert reply.status_code == 201, reply.text
    return shopper


def as_before(store: Any, service: Service, *shoppers: Shopper) -> None:
    """Everything in the store as the version before left it: members of indexes are keys, records say all fields."""
    for index in (*store.keys("customer:*"), *store.keys("member:*")):
        members = store.zrange(index, 0, -1, withscores=True)
        store.zrem(index, *(member for member, _ in members))
        store.zadd(index, {f"session:{member.hex()}": at for member, at in members})
    ring = KeyRing(read_settings(service.settings).secret_keys)
    for place in store.keys("session:*"):
        for shopper in shoppers:
            write_in_full(store, ring, place, str(shopper.session_cookie)[22:44].encode())


def write_in_full(store: Any, ring: KeyRing, place: bytes, share: bytes) -> None:
    bound = {"associated_data": place, "key_share": share}
    try:
        record = msgspec.to_builtins(read(ring.open("session", store.hget(place, "record"), **bound)))
    except SealBroken:
        return
    record = UNKNOWN | record | {"shopify": UNKNOWN_TOKENS | record["shopify"]}
    store.hset(place, "record", ring.seal("session", msgspec.msgpack.encode(record), **bound))


def test_an_index_of_sessions_stays_small(service: Service, vendors: Vendors, store_inside: Any) -> None:
    """Valkey keeps it as a listpack as long as no member has more than 64 bytes."""
    for _ in range(3):
        handed_in(service, vendors, "ella")
    indexes = [*store_inside.keys("customer:*"), *store_inside.keys("member:*")]
    assert len(indexes) == 2
    for index in indexes:
        assert {len(member) for member in store_inside.zrange(index, 0, -1)} == {32}
        assert store_inside.object("encoding", index) == b"listpack"
        assert store_inside.memory_usage(index) < 400


def room_taken(store: Any) -> int:
    """By a session and its indexes."""
    return sum(
        store.memory_usage(key) for pattern in ("session:*", "customer:*", "member:*") for key in store.keys(pattern)
    )


def test_P5_a_session_takes_at_most_two_kilobytes(service: Service, vendors: Vendors, store_inside: Any) -> None:
    """That of somebody who signed in at Shopify, with an ID token and one to renew the others by."""
    assert state_of(service.signed_in("ella")) == "enrolled"
    assert 1000 < room_taken(store_inside) <= 2048


def test_P5_a_session_of_a_token_that_was_handed_in_takes_less(
    service: Service, vendors: Vendors, store_inside: Any
) -> None:
    assert state_of(handed_in(service, vendors, "ella")) == "enrolled"
    assert 500 < room_taken(store_inside) <= 1536


def with_tokens(access: str, refresh: str | None, identity: str | None, jwt: str | None) -> SessionData:
    tokens = ShopifyTokens(
        kind="customer_account", access_token=access, expires_at=2.5, refresh_token=refresh, id_token=identity
    )
    loyalty = None if jwt is None else LoyaltyToken(jwt=jwt, expires_at=3.0)
    return SessionData(customer_id="1", session_nonce="n", created_at=1.0, shopify=tokens, loyalty=loyalty)


KNOWN = with_tokens("shcat_eyJhIjoxfQ.eyJiIjoyfQ.c2lnbmF0dXJl", "shcrt_00ff00ff", "eyJhIjoxfQ.eyJiIjoyfQ.eA", "a.b.c")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a", "=", "YQ", "YR", "YQ==", "Y Q", "shcat_", "shcat_YQ.YQ.YQ", "shcat_shcat_YQ", "x_YQ", "tb",
     "é.ü", "a+b/", "a-b_", "\0", "0" * 32, "A" * 5000],
)  # fmt: skip
def test_tokens_of_whatever_form_are_kept_as_they_are(token: str) -> None:
    data = with_tokens(token, token, token, token)
    assert read(written(data)) == data


def test_what_is_written_now_can_be_read_later() -> None:
    """The words that records are deflated against are part of their form: another list needs another form."""
    assert (EARLIER[:1], read(EARLIER)) == (FORM, KNOWN)


@pytest.mark.parametrize("record", [b"", b"\x02rest", FORM, FORM + b"no deflated words", b"\xc0"])
def test_a_record_of_no_known_form_is_none(record: bytes) -> None:
    with pytest.raises((ValueError, msgspec.DecodeError)):
        read(record)


def test_a_record_does_not_say_what_is_not_known(service: Service, vendors: Vendors, store_inside: Any) -> None:
    ella = handed_in(service, vendors, "ella")
    (place,) = store_inside.keys("session:*")
    before = len(store_inside.hget(place, "record"))
    as_before(store_inside, service, ella)
    assert len(store_inside.hget(place, "record")) > before


def test_a_deploy_signs_nobody_out(service: Service, vendors: Vendors, store_inside: Any) -> None:
    ella, tara = service.signed_in("ella"), handed_in(service, vendors, "tara")
    as_before(store_inside, service, ella, tara)
    assert (state_of(ella), state_of(tara)) == ("enrolled", "enrolled")
    assert ella.get("/rewards").status == 200


def test_B12_sessions_of_the_version_before_are_revoked(
    service: Service, vendors: Vendors, store_inside: Any, settings: dict[str, str]
) -> None:
    old, tara = handed_in(service, vendors, "ella"), service.signed_in("tara")
    as_before(store_inside, service, old, tara)
    new = handed_in(service, vendors, "ella")
    done = bff(settings, "sessions", "revoke", vendors.member("ella")["customerId"])
    assert (done.returncode, done.stdout) == (0, "Sessions ended: 2.\n")
    assert [state_of(browser) for browser in (old, new, tara)] == ["anonymous", "anonymous", "enrolled"]


def test_P9_signing_out_everywhere_ends_those_of_the_version_before(
    service: Service, vendors: Vendors, store_inside: Any
) -> None:
    old = service.signed_in("ella")
    as_before(store_inside, service, old)
    new = service.signed_in("ella")
    assert new.api("DELETE", "/me/sessions").status_code == 200
    assert [state_of(browser) for browser in (old, new)] == ["anonymous", "anonymous"]


def test_B13_those_of_the_version_before_count_and_the_oldest_ends_first(
    service: Service, vendors: Vendors, store_inside: Any
) -> None:
    old = [handed_in(service, vendors, "ella") for _ in range(2)]
    as_before(store_inside, service, *old)
    new = [handed_in(service, vendors, "ella") for _ in range(2)]
    assert [state_of(browser) for browser in (*old, *new)] == ["anonymous", "enrolled", "enrolled", "enrolled"]


def test_a_webhook_finds_those_of_the_version_before(
    service: Service, vendors: Vendors, store_inside: Any, work: Work
) -> None:
    old = service.signed_in("ella")
    as_before(store_inside, service, old)
    vendors.control("member", persona="ella", state="blocked")
    work(OKENDO_WEBHOOK_SECRET=SECRET)
    assert deliver(service, customer_event(vendors, "ella")).status_code == 204
    until(lambda: state_of(old) == "blocked")


def test_what_has_ended_leaves_an_index_in_either_form(service: Service, vendors: Vendors, store_inside: Any) -> None:
    old = handed_in(service, vendors, "ella")
    as_before(store_inside, service, old)
    new = handed_in(service, vendors, "ella")
    for shopper in (old, new):
        assert shopper.api("DELETE", "/session").status_code == 200
    handed_in(service, vendors, "ella")
    (index,) = store_inside.keys("customer:*")
    assert store_inside.zcard(index) == 1
