"""Who somebody claims to be: cookies that are not ours, and tokens where no token belongs."""

import re

import httpx2
import redis
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from support.services import Log, Vendors
from support.shopper import COOKIE, Shopper

# A5 and A6: cookies


def test_A5_two_session_cookies_are_none_and_are_cleared(ella: Shopper) -> None:
    real = f"{COOKIE}={ella.session_cookie}"
    for cookies in (f"{real}; {COOKIE}=planted", f"{COOKIE}=planted; {real}", f"{real}; {real}", f"{COOKIE}=; {real}"):
        assert ella.request("GET", "/api/v1/session", headers={"cookie": cookies}).json() == {"state": "anonymous"}
        page = httpx2.get(ella.base, headers={"cookie": cookies}, trust_env=False)
        assert "1,240" not in page.text
        assert page.headers["set-cookie"].startswith(f"{COOKIE}=; Max-Age=0; Path=/; Secure; HttpOnly")
    two_headers = [("cookie", real), ("cookie", f"{COOKIE}=planted")]
    reply = httpx2.get(f"{ella.base}/api/v1/session", headers=two_headers, trust_env=False)
    assert reply.json() == {"state": "anonymous"}
    assert ella.api("GET", "/session").json()["state"] == "enrolled"


def lookups(settings: dict[str, str]) -> int:
    """How often the store was asked for a session."""
    with redis.Redis.from_url(settings["VALKEY_URL"]) as store:
        counted = store.info("commandstats")
    return int(counted.get("cmdstat_hmget", {"calls": 0})["calls"])


def test_A6_a_cookie_that_is_not_ours_is_nobody_and_the_store_is_not_asked(
    ella: Shopper, settings: dict[str, str]
) -> None:
    real, before = str(ella.session_cookie), lookups(settings)
    assert ella.api("GET", "/session").json()["state"] == "enrolled"
    assert lookups(settings) == before + 1
    for value in ("", f'"{real}"', real + "x", real[:-1], real.swapcase(), "a" * 5000, real * 40, "\xe9" * 20, "%00"):
        reply = ella.request("GET", "/api/v1/session", headers={"cookie": f"{COOKIE}={value}".encode("latin-1")})
        assert reply.json() == {"state": "anonymous"}, value[:60]
    assert lookups(settings) == before + 1


def test_A6_no_cookie_whatever_is_a_failure_of_ours(shopper: Shopper, settings: dict[str, str]) -> None:
    before = lookups(settings)
    octets = st.binary(max_size=150).map(lambda value: re.sub(rb"[\x00-\x20\x7f]", b"", value))
    paths = st.sampled_from(["/api/v1/session", "/signed-out", "/callback?state=x", "/healthz"])

    @effort(max_examples=500, deadline=None, database=None)
    @given(path=paths, name=st.sampled_from([COOKIE, f"{COOKIE}-login", "x"]), value=octets)
    def law(path: str, name: str, value: bytes) -> None:
        reply = shopper.request("GET", path, headers={b"cookie": name.encode() + b"=" + value})
        assert reply.status_code < 500
        assert reply.json() == {"state": "anonymous"} if path.endswith("session") else True

    law()
    assert lookups(settings) == before


# C9: a Shopify token travels in a body, and nowhere else


def test_C9_a_token_in_an_address_is_refused_and_never_logged(shopper: Shopper, vendors: Vendors, log: Log) -> None:
    token = vendors.token("ella")
    for name in ("token", "customerAccessToken", "access_token"):
        reply = shopper.api("POST", f"/session?{name}={token}", {"customerAccessToken": token})
        assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
        assert shopper.api("GET", f"/session?{name}={token}").status_code == 400
        shopper.request("GET", f"/login?{name}={token}")
        assert shopper.request("GET", f"/?{name}={token}").status_code in {200, 400}
    assert shopper.session_cookie is None
    assert vendors.calls("shopify_graphql") == []
    assert token not in log.getvalue()
    assert '"request"' in log.getvalue()


def test_C9_what_cannot_be_a_token_is_not_shown_to_shopify(shopper: Shopper, vendors: Vendors) -> None:
    unfit = (
        "",
        "short",
        "a" * 4097,
        "a b c d e f g h",
        "shcat_\r\nX-Evil: 1",
        "shcat_\x00\x00\x00\x00",
        "shcat_\u00e9\u00e9\u00e9",
        "\tshcat_12345",
    )
    for token in unfit:
        for name in ("customerAccessToken", "storefrontCustomerAccessToken"):
            reply = shopper.api("POST", "/session", {name: token})
            assert reply.status_code in {400, 404}, repr(token)
            assert "set-cookie" not in reply.headers
    assert vendors.calls("shopify_graphql") + vendors.calls("storefront_graphql") == []
