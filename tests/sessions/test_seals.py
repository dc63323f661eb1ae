"""What a seal is bound to, each part alone: its type, its place in the store, and its key (C2, C6)."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support.concurrency import state_of
from support.services import Service, Start, Vendors
from support.shopper import Shopper

from bff.settings.read import read_settings
from bff.stores.keyring import KeyRing, Purpose, derive

TOKEN = "tickets-token-of-a-storefront-server-0123456789"


@pytest.fixture
def store_inside(stores: Mapping[str, str]) -> Iterator[Any]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


@pytest.fixture
def ring(service: Service) -> KeyRing:
    return KeyRing(read_settings(service.settings).secret_keys)


def place_of(shopper: Shopper, store: Any) -> bytes:
    """Where the session lies that was begun or read last."""
    state_of(shopper)
    places: list[bytes] = store.keys("session:*")
    return max(places, key=lambda place: float(store.hget(place, "seen")))


def key_share(shopper: Shopper) -> bytes:
    return str(shopper.session_cookie)[22:44].encode()


def balance(shopper: Shopper) -> Any:
    return shopper.api("GET", "/me").json()["points"]["balance"]


# Places -------------------------------------------------------------------------------------------------------------


def test_C2_a_record_opens_in_its_own_place_alone_even_with_the_right_key_share(
    service: Service, store_inside: Any, ring: KeyRing
) -> None:
    """Zoe's record, sealed with the key share of Ella's cookie: all that refuses it is the place it was sealed for."""
    ella, zoe = service.signed_in("ella"), service.signed_in("zoe")
    of_zoe, of_ella = place_of(zoe, store_inside), place_of(ella, store_inside)
    sealed = store_inside.hget(of_zoe, "record")
    record = ring.open("session", sealed, associated_data=of_zoe, key_share=key_share(zoe))
    for place, state in ((of_zoe, "anonymous"), (of_ella, "enrolled")):
        moved = ring.seal("session", record, associated_data=place, key_share=key_share(ella))
        store_inside.hset(of_ella, "record", moved)
        assert state_of(ella) == state
    assert balance(ella) == 0, "sealed for her place, it would have made her Zoe"


def test_C2_what_was_sealed_as_something_else_is_no_session(service: Service, store_inside: Any, ring: KeyRing) -> None:
    ella = service.signed_in("ella")
    place, share = place_of(ella, store_inside), key_share(ella)
    record = ring.open("session", store_inside.hget(place, "record"), associated_data=place, key_share=share)
    for purpose in get_args(Purpose):
        store_inside.hset(place, "record", ring.seal(purpose, record, associated_data=place, key_share=share))
        assert state_of(ella) == ("enrolled" if purpose == "session" else "anonymous"), purpose


def test_C2_a_ticket_opens_in_its_own_place_alone_even_with_the_right_key_share(
    start: Start, vendors: Vendors, store_inside: Any
) -> None:
    service = start(SESSION_TICKETS_TOKEN=TOKEN)
    ring = KeyRing(read_settings(service.settings).secret_keys)

    def ticket_for(persona: str) -> tuple[bytes, bytes]:
        """Its place in the store, and the ticket."""
        before = set(store_inside.keys("ticket:*"))
        body, headers = {"customerAccessToken": vendors.token(persona)}, {"authorization": f"Bearer {TOKEN}"}
        reply = service.shopper().request("POST", "/api/v1/session-tickets", json=body, headers=headers)
        (place,) = set(store_inside.keys("ticket:*")) - before
        return place, str(reply.json()["ticket"]).encode()

    for right in (False, True):
        (of_ella, ella), (of_zoe, zoe) = ticket_for("ella"), ticket_for("zoe")
        payload = ring.open("ticket", store_inside.get(of_zoe), associated_data=of_zoe, key_share=zoe[22:])
        place = of_ella if right else of_zoe
        store_inside.set(of_ella, ring.seal("ticket", payload, associated_data=place, key_share=ella[22:]))
        arrived = service.shopper().request("GET", f"/session/continue?ticket={ella.decode()}")
        assert arrived.status_code == (303 if right else 400)


def test_C2_a_pending_sign_in_opens_in_its_own_place_alone(
    service: Service, vendors: Vendors, store_inside: Any
) -> None:
    """No key share is in these: two that lie in each other's place are unknown, so that signing in begins anew."""
    shopper = service.shopper()
    pages = [shopper.request("GET", "/login").headers["location"] for _ in range(2)]
    one, other = store_inside.keys("login:*")
    kept = {place: store_inside.get(place) for place in (one, other)}
    store_inside.mset({one: kept[other], other: kept[one]})
    back = vendors.http.post(pages[0], data={"persona": "ella"}).headers["location"]
    again = shopper.request("GET", back)
    assert (again.status_code, vendors.calls("shopify_token")) == (302, [])
    assert parse_qs(urlsplit(again.headers["location"]).query)["state"][0].startswith("again.")


# The parts of a seal, without the service ---------------------------------------------------------------------------


def test_C2_type_place_and_key_are_authenticated_with_what_is_sealed() -> None:
    secret = bytes(range(32))
    sealed = KeyRing([("k1", secret)]).seal("session", b"a record", associated_data=b"its place", key_share=b"share")
    cipher, nonce, rest = AESGCM(derive(secret, "session", b"share")), sealed[3:15], sealed[15:]
    assert cipher.decrypt(nonce, rest, b"session\0its place\0k1") == b"a record"
    for other in (b"its place\0k1", b"session\0k1", b"session\0its place", b"", None):
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, rest, other)


def test_C6_every_purpose_and_every_key_share_has_a_key_of_its_own() -> None:
    secret = bytes(range(32))
    keys = {derive(secret, purpose, share) for purpose in get_args(Purpose) for share in (b"", b"one", b"two")}
    assert len(keys) == 3 * len(get_args(Purpose))
