"""What the service believes of Shopify: its discovery documents, its issuer, its keys and its ID tokens."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
import redis
from joserfc import jwt
from joserfc.jwk import OctKey
from support.concurrency import at_once, until
from support.expired_tokens import without_faults
from support.lying_shopify import ISSUER, KEY, Claims, Crooked, Forge, crooked_shopify, new_key, signed
from support.services import Service, Start, Vendors
from support.shopper import COOKIE, Page, Shopper

HOUR, DAY = 3600, 86_400
STRANGER = new_key("id_1")
OTHER_CLIENT = "b1d24e8f-57c3-4f06-a9e2-83c0d6417a5b"


@pytest.fixture
def crooked(vendors: Vendors) -> Iterator[Crooked]:
    with crooked_shopify(vendors.url) as found:
        yield found


@pytest.fixture
def deceived(start: Start, crooked: Crooked) -> Service:
    """A service at whose shop the crooked Shopify answers."""
    return start(SHOPIFY_SHOP_URL=crooked.url)


def begins(shopper: Shopper) -> bool:
    """Whether a sign-in can be begun: the browser is sent to Shopify, or shown a page that says why not."""
    reply = shopper.request("GET", "/login")
    if reply.status_code == 302:
        return True
    assert reply.status_code == 502, reply.text
    assert Page(reply, "/login").heading == "Sign-in did not work"
    return False


# Discovery ----------------------------------------------------------------------------------------------------------


def test_discovery_is_read_once_however_many_sign_in_at_once(service: Service, vendors: Vendors) -> None:
    vendors.fault("shopify_discovery", "delay", times=2, seconds=0.2)
    assert at_once([partial(begins, service.shopper()) for _ in range(12)]) == [True] * 12
    paths = sorted(call["path"] for call in vendors.calls("shopify_discovery"))
    assert paths == ["/.well-known/customer-account-api", "/.well-known/openid-configuration"]


def test_discovery_is_read_again_after_an_hour_and_not_before(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    begins(shopper)
    service.clock.advance(HOUR - 60)
    assert begins(shopper)
    assert len(vendors.calls("shopify_discovery")) == 2
    service.clock.advance(120)
    assert begins(shopper)
    until(lambda: len(vendors.calls("shopify_discovery")) == 4)


def test_discovery_is_used_on_while_it_cannot_be_read_but_not_for_ever(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    begins(shopper)
    vendors.fault("shopify_discovery", "status:503", times=1000)
    service.clock.advance(DAY - 60)
    assert begins(shopper)
    assert service.signed_in("ella").session_cookie
    service.clock.advance(120)
    assert not begins(shopper)
    without_faults(vendors)
    assert begins(shopper)


@pytest.mark.parametrize(
    "kind", ["status:404", "status:500", "html", "garbage", "huge", "redirect", "cut_before", "status:429"]
)
def test_without_discovery_signing_in_is_refused_in_words_and_works_again_later(
    service: Service, vendors: Vendors, kind: str
) -> None:
    shopper = service.shopper()
    vendors.fault("shopify_discovery", kind, times=20)
    assert not begins(shopper)
    without_faults(vendors)
    service.clock.advance(1)
    assert begins(shopper)


# The issuer ---------------------------------------------------------------------------------------------------------


def test_the_issuer_that_is_set_is_accepted(start: Start) -> None:
    assert start(SHOPIFY_ISSUER=ISSUER).signed_in("ella").session_cookie


@pytest.mark.parametrize("issuer", ["https://shopify.com/authentication/1", ISSUER + "/", ISSUER.upper()])
def test_discovery_of_another_issuer_than_the_set_one_is_refused(start: Start, issuer: str) -> None:
    assert not begins(start(SHOPIFY_ISSUER=issuer).shopper())


@pytest.mark.parametrize(
    "issuer", ["https://evil.example/authentication/1", "http://shopify.com/authentication/1", "", ISSUER + "/x"]
)
def test_an_issuer_that_is_not_shopifys_is_never_pinned(deceived: Service, crooked: Crooked, issuer: str) -> None:
    crooked.issuer = issuer
    assert not begins(deceived.shopper())
    crooked.issuer = ISSUER
    assert begins(deceived.shopper())


def test_the_issuer_seen_first_stays_the_only_one(deceived: Service, crooked: Crooked) -> None:
    assert deceived.signed_in("ella").session_cookie
    crooked.issuer = "https://shopify.com/authentication/1"
    deceived.clock.advance(DAY + 60)
    assert not begins(deceived.shopper())


# ID tokens ----------------------------------------------------------------------------------------------------------


def saying(**changes: Any) -> Forge:
    """The true claims with changes, properly signed; a change to None leaves the claim out."""

    def forge(claims: Claims) -> str:
        given = {name: value for name, value in (claims | changes).items() if value is not None}
        return signed(given, KEY)

    return forge


def late(seconds: int) -> Forge:
    return lambda claims: saying(iat=int(time.time()) - HOUR, exp=int(time.time()) - seconds)(claims)


def unsigned(claims: Claims) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims)]
    return b".".join([*parts, b""]).decode()


def symmetric(claims: Claims) -> str:
    """Signed with what everybody knows: the public key as a shared secret."""
    secret = OctKey.import_key(json.dumps(KEY.as_dict(private=False)))
    return jwt.encode({"alg": "HS256", "kid": "id_1"}, claims, secret)


def tampered(claims: Claims) -> str:
    head, _, signature = signed(claims, KEY).split(".")
    payload = base64.urlsafe_b64encode(json.dumps(claims | {"email": "zoe@example.com"}).encode()).rstrip(b"=")
    return f"{head}.{payload.decode()}.{signature}"


LIES: Mapping[str, Forge] = {
    "the nonce of another sign-in": saying(nonce="another"),
    "no nonce": saying(nonce=None),
    "made for another client": saying(aud=OTHER_CLIENT),
    "made for another client that names us": lambda claims: saying(aud=OTHER_CLIENT, azp=claims["aud"])(claims),
    "made for a list without us": saying(aud=[OTHER_CLIENT]),
    "made for nobody": saying(aud=None),
    "of another shop": saying(iss="https://shopify.com/authentication/1"),
    "of no issuer": saying(iss=None),
    "expired": late(300),
    "without an end": saying(exp=None),
    "with an end that is none": saying(exp="tomorrow"),
    "from the future": lambda claims: saying(iat=claims["iat"] + HOUR, exp=claims["exp"] + HOUR)(claims),
    "about nobody": saying(sub=None),
    "with the hash of another access token": saying(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "signed by a stranger under our key's name": lambda claims: signed(claims, STRANGER),
    "signed by an unknown key": lambda claims: signed(claims, STRANGER, kid="id_9"),
    "not signed": unsigned,
    "signed with the public key": symmetric,
    "changed after it was signed": tampered,
    "absent": lambda claims: None,
    "empty": lambda claims: "",
    "no token at all": lambda claims: "eyJ.eyJ.eyJ",
}


@pytest.fixture
def sessions_kept(stores: Mapping[str, str]) -> Iterator[Callable[[], int]]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield lambda: len(list(client.scan_iter("session:*")))


def test_an_id_token_that_does_not_hold_signs_nobody_in(
    deceived: Service, crooked: Crooked, vendors: Vendors, sessions_kept: Callable[[], int]
) -> None:
    for lie, forge in LIES.items():
        crooked.forge = forge
        victim = deceived.shopper()
        page = victim.sign_in("ella")
        assert (page.status in {401, 502}, page.heading) == (True, "Sign-in did not work"), lie
        assert COOKIE not in victim.cookies, lie
        assert "eyJ" not in page.reply.text, lie
    assert (sessions_kept(), vendors.calls("login")) == (0, [])


@pytest.mark.parametrize(
    "truth",
    [
        saying(),
        saying(azp=None, email=None),
        late(60),
        lambda claims: saying(aud=[claims["aud"]])(claims),
        lambda claims: saying(iat=claims["iat"] + 60)(claims),
    ],
)
def test_an_id_token_that_holds_signs_in(deceived: Service, crooked: Crooked, truth: Forge) -> None:
    crooked.forge = truth
    assert deceived.signed_in("ella").session_cookie


# Keys ---------------------------------------------------------------------------------------------------------------


def test_new_keys_are_asked_for_once_and_not_at_every_strangers_wish(deceived: Service, crooked: Crooked) -> None:
    deceived.signed_in("ella")
    assert crooked.asked["jwks"] == 1
    renewed = new_key("id_2")
    crooked.published = [renewed]
    crooked.forge = lambda claims: signed(claims, renewed)
    deceived.clock.advance(31)
    deceived.signed_in("ella")
    assert crooked.asked["jwks"] == 2
    crooked.forge = lambda claims: signed(claims, STRANGER, kid="id_9")
    for _ in range(3):
        assert deceived.shopper().sign_in("ella").status == 401
    assert crooked.asked["jwks"] == 2
    crooked.forge = lambda claims: signed(claims, renewed)
    deceived.signed_in("ella")


def test_a_key_that_was_withdrawn_is_not_believed_for_longer_than_a_day(deceived: Service, crooked: Crooked) -> None:
    deceived.signed_in("ella")
    crooked.published = [new_key("id_2")]
    deceived.clock.advance(DAY + 60)
    assert deceived.shopper().sign_in("ella").status == 401
