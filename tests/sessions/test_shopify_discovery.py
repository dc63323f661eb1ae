"""What the service believes of Shopify: its discovery documents, its issuer, its keys and its ID tokens."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import redis
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, RSAKey
from support.concurrency import at_once, until
from support.expired_tokens import without_faults
from support.lying_shopify import ISSUER, KEY, Claims, Crooked, Forge, crooked_shopify, new_key, signed
from support.services import Log, Service, Start, Vendors
from support.shopper import COOKIE, Page, Shopper

from bff.vendors.shopify.discovery import KEY_RENEWAL_SECONDS, KEY_RENEWALS
from bff.vendors.shopify.trust import TrustedAddresses

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


def test_P5_the_issuer_seen_first_is_the_only_one_for_every_process(
    start: Start, crooked: Crooked, urls: list[str]
) -> None:
    assert start(SHOPIFY_SHOP_URL=crooked.url).signed_in("ella").session_cookie
    elsewhere = {"PUBLIC_URL": urls[1], "PORT": urls[1].rpartition(":")[2], "SHOPIFY_SHOP_URL": crooked.url}
    crooked.issuer = "https://shopify.com/authentication/1"
    assert not begins(start(**elsewhere).shopper())
    crooked.issuer = ISSUER
    moved = {"PUBLIC_URL": urls[2], "PORT": urls[2].rpartition(":")[2]}
    assert begins(start(**elsewhere | moved).shopper())


def test_P5_a_pin_that_the_store_lost_is_written_again(
    deceived: Service, crooked: Crooked, start: Start, urls: list[str], stores: Mapping[str, str]
) -> None:
    begins(deceived.shopper())
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        store.flushall()
        deceived.clock.advance(DAY + 60)
        assert begins(deceived.shopper())
        assert [store.get(key) for key in store.keys("pin:*")] == [ISSUER.encode()]


# Its addresses ------------------------------------------------------------------------------------------------------


ADDRESSES = ("authorization_endpoint", "token_endpoint", "end_session_endpoint", "jwks_uri", "graphql_api")
SHOP = "https://shop.merchant.example"
# What a production's discovery may name, and what it may not.
BELIEVED = (
    "https://shopify.com/authentication/74758783200/oauth/token",
    "https://merchant.account.myshopify.com/authentication/oauth/token",
    "https://merchant.myshopify.com/x",
    "https://account.merchant.example/authentication/oauth/token",
    "https://merchant.example:443/x",
    f"{SHOP}/x",
)
NOT_BELIEVED = (
    "http://shopify.com/authentication/74758783200/oauth/token",
    "http://shop.merchant.example/x",
    "https://10.0.0.1/token",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/token",
    "https://[fd00::1]/token",
    "https://localhost/token",
    "https://vault.internal/token",
    "https://2130706433/token",
    "https://evil.example/token",
    "https://shopify.com.evil.example/token",
    "https://evilshopify.com/token",
    "https://evil-shopify.com/token",
    "https://shop.merchant.example.evil.test/token",
    "https://myshopify.com.evil.example/token",
    "https://shopify.com@evil.example/token",
    "https://evil.example\\@shopify.com/token",
    "https://someone@shopify.com/token",
    "https://shopify.com:8443/token",
    "https://shopify.com:x/token",
    "https://[shopify.com/token",
    "https://shopify.com/to\nken",
    "//shopify.com/token",
    "/token",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "https://",
    "",
)


@pytest.mark.parametrize("address", BELIEVED)
def test_P5_an_address_of_the_shops_or_of_shopifys_is_believed(address: str) -> None:
    assert address in TrustedAddresses(shop_url=SHOP, accounts_url=None)


@pytest.mark.parametrize("address", NOT_BELIEVED)
def test_P5_no_other_address_is_believed(address: str) -> None:
    assert address not in TrustedAddresses(shop_url=SHOP, accounts_url="https://accounts.other.example")


def test_P5_the_accounts_domain_is_believed_when_it_is_set() -> None:
    for accounts_url, believed in ((None, False), ("https://accounts.brand.example", True)):
        trusted = TrustedAddresses(shop_url="https://brand.myshopify.com", accounts_url=accounts_url)
        assert ("https://accounts.brand.example/authentication/oauth/token" in trusted) is believed
        assert "http://accounts.brand.example/authentication/oauth/token" not in trusted


@pytest.mark.parametrize("name", ADDRESSES)
def test_P5_nothing_is_sent_to_an_address_that_is_not_believed(
    deceived: Service, crooked: Crooked, log: Log, name: str
) -> None:
    shopper = deceived.shopper()
    with crooked_shopify(crooked.sandbox) as stranger:
        for address in (stranger.url.replace("127.0.0.1", "localhost"), "https://evil.example", "javascript:alert(1)"):
            crooked.lies = {name: f"{address}/token"}
            log.clear()
            assert not begins(shopper)
            assert [line["what"] for line in log.events("endpoint_refused")] == [name]
        assert not stranger.asked
    assert set(crooked.asked) == {"discovery"}
    crooked.lies = {}
    assert begins(shopper)


# The callback -------------------------------------------------------------------------------------------------------


def returned(service: Service, persona: str, **more: str) -> Page:
    """The page a shopper lands on whom Shopify sends back with these parameters too."""
    shopper = service.shopper()
    page = shopper.get("/login")
    sent_back = httpx2.post(page.url, data={"persona": persona}, trust_env=False).headers["location"]
    return shopper.get(f"{sent_back}&{urlencode(more)}")


def test_P5_a_callback_of_another_issuer_redeems_no_code(deceived: Service, crooked: Crooked) -> None:
    for issuer in ("https://evil.example", ISSUER + "/", ISSUER.upper(), ""):
        page = returned(deceived, "ella", iss=issuer)
        assert (page.status, page.heading) == (401, "Sign-in did not work"), issuer
    assert "token" not in crooked.asked
    assert returned(deceived, "ella", iss=ISSUER).path == "/"
    assert crooked.asked["token"] == 1


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
    "about another customer": lambda claims: saying(sub=f"{claims['sub']}0")(claims),
    "about another customer, by GID": saying(sub="gid://shopify/Customer/1"),
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


# What the log calls each lie, if it is the ID token that is refused.
REASONS: Mapping[str, tuple[str, str]] = {
    "the nonce of another sign-in": ("nonce", "warning"),
    "made for another client": ("aud", "error"),
    "made for nobody": ("aud", "error"),
    "of another shop": ("iss", "error"),
    "of no issuer": ("iss", "error"),
    "without an end": ("exp", "error"),
    "about nobody": ("sub", "error"),
    "about another customer": ("subject", "warning"),
    "with the hash of another access token": ("at_hash", "error"),
    "signed by a stranger under our key's name": ("signature", "error"),
    "signed by an unknown key": ("key", "error"),
    "signed with the public key": ("alg", "error"),
    "no token at all": ("form", "error"),
}


@pytest.mark.parametrize("lie", REASONS)
def test_the_log_names_the_claim_that_does_not_hold(deceived: Service, crooked: Crooked, log: Log, lie: str) -> None:
    crooked.forge = LIES[lie]
    log.clear()
    deceived.shopper().sign_in("ella")
    [line] = log.events("id_token_refused")
    assert (line["reason"], line["level"]) == REASONS[lie]
    assert "seconds_ahead" not in line or line["reason"] == "exp"
    assert "eyJ" not in log.getvalue()


@pytest.mark.parametrize(("ahead", "claim"), [(600, "iat"), (-4000, "exp")])
def test_clocks_that_differ_are_told_by_how_much(
    deceived: Service, crooked: Crooked, log: Log, ahead: int, claim: str
) -> None:
    """As far as ours is behind, so far theirs is ahead."""
    crooked.forge = lambda claims: saying(iat=claims["iat"] + ahead, exp=claims["iat"] + ahead + HOUR)(claims)
    log.clear()
    assert deceived.shopper().sign_in("ella").status == 401
    [line] = log.events("id_token_refused")
    assert (line["reason"], line["level"]) == (claim, "error")
    assert abs(line["seconds_ahead"] - ahead) < 30


@pytest.mark.parametrize(
    "truth",
    [
        saying(),
        saying(azp=None, email=None),
        lambda claims: saying(sub=f"gid://shopify/Customer/{claims['sub']}")(claims),
        saying(sub="in-a-form-of-its-own"),
        late(60),
        lambda claims: saying(aud=[claims["aud"]])(claims),
        lambda claims: saying(iat=claims["iat"] + 60)(claims),
    ],
)
def test_an_id_token_that_holds_signs_in(deceived: Service, crooked: Crooked, truth: Forge) -> None:
    crooked.forge = truth
    assert deceived.signed_in("ella").session_cookie


# Keys ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kid", ["id_1", "id_2"])
def test_a_new_key_signs_in_at_once_whatever_it_is_called(deceived: Service, crooked: Crooked, kid: str) -> None:
    """Shopify names its keys by position, so another key may come under the name of the one before."""
    deceived.signed_in("ella")
    assert crooked.asked["jwks"] == 1
    for times in (2, 3):
        renewed = new_key(kid)
        crooked.published = [renewed]
        crooked.forge = lambda claims, renewed=renewed: signed(claims, renewed)  # type: ignore[misc]
        deceived.signed_in("ella")
        assert crooked.asked["jwks"] == times
    deceived.signed_in("tara")
    assert crooked.asked["jwks"] == 3


@pytest.mark.parametrize("kid", ["id_1", "id_9"])
def test_keys_are_not_asked_for_at_every_strangers_wish(deceived: Service, crooked: Crooked, kid: str) -> None:
    deceived.signed_in("ella")
    crooked.forge = lambda claims: signed(claims, STRANGER, kid=kid)
    for _ in range(8):
        assert deceived.shopper().sign_in("ella").status == 401
    assert crooked.asked["jwks"] == 1 + KEY_RENEWALS
    deceived.clock.advance(KEY_RENEWAL_SECONDS)
    for _ in range(2):
        assert deceived.shopper().sign_in("ella").status == 401
    assert crooked.asked["jwks"] == 2 + KEY_RENEWALS
    crooked.forge = lambda claims: signed(claims, KEY)
    deceived.signed_in("ella")


def test_many_sign_ins_under_a_new_key_ask_for_it_once(start: Start, crooked: Crooked) -> None:
    """How often, and not how quickly on a busy machine: hence the patience."""
    deceived = start(SHOPIFY_SHOP_URL=crooked.url, UPSTREAM_TIMEOUT_SECONDS="15", REQUEST_SECONDS="25")
    deceived.signed_in("ella")
    renewed = new_key("id_1")
    crooked.published, crooked.forge = [renewed], lambda claims: signed(claims, renewed)
    pages = at_once([lambda: deceived.shopper().sign_in("ella").status] * 12)
    assert pages == [200] * 12
    assert crooked.asked["jwks"] <= 3


def test_the_sandboxs_own_keys_may_change_too(service: Service, vendors: Vendors) -> None:
    for kid in ("id_0", "id_0", "id_1"):
        service.signed_in("ella")
        vendors.control("keys", kid=kid)
    assert service.signed_in("ella").sign_out().heading == "You are signed out"


def test_P5_a_key_that_is_short_or_no_rsa_key_is_not_believed(deceived: Service, crooked: Crooked) -> None:
    with pytest.warns(SecurityWarning, match="2048"):
        short = RSAKey.generate_key(1024, {"kid": "short", "use": "sig", "alg": "RS256"})
    shared = OctKey.generate_key(256, {"kid": "shared"})
    for key in (short, shared):
        crooked.published = [key, KEY]
        crooked.forge = lambda claims, key=key: jwt.encode({"alg": "RS256", "kid": key.kid}, claims, short)  # type: ignore[misc]
        assert deceived.shopper().sign_in("ella").status == 401
        deceived.clock.advance(31)
    crooked.forge = lambda claims: signed(claims, KEY)
    assert deceived.signed_in("ella").session_cookie
    crooked.published = [short]
    deceived.clock.advance(DAY + 60)
    assert deceived.shopper().sign_in("ella").status == 502


def test_a_key_that_was_withdrawn_is_not_believed_for_longer_than_a_day(deceived: Service, crooked: Crooked) -> None:
    deceived.signed_in("ella")
    crooked.published = [new_key("id_2")]
    deceived.clock.advance(DAY + 60)
    assert deceived.shopper().sign_in("ella").status == 401
