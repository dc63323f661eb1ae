"""What a strict gate lets out again: nobody is locked out by a setting, a browser's habits, or a spelling."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from starlette.routing import Route
from support.every_route import talk
from support.services import Service, Start, Vendors, in_thread
from support.shopper import COOKIE, Shopper

from bff.app import MEMBER_ROUTES, PUBLIC_ROUTES

PARTITIONED = f"{COOKIE}-partitioned"
CAMPAIGN = "/refer?utm_source=mail%2Fnews&utm_campaign=" + "x" * 1200


def set_cookies(reply: httpx2.Response) -> dict[str, str]:
    headers = reply.headers.get_list("set-cookie")
    return {header.partition("=")[0]: header for header in headers}


# Cookies of the other mode ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [("", "partitioned"), ("partitioned", "")])
def test_P11_A5_another_cross_site_mode_locks_nobody_out(settings: dict[str, str], before: str, after: str) -> None:
    def in_mode(mode: str) -> AbstractContextManager[Service]:
        return in_thread({name: value for name, value in (settings | {"CROSS_SITE_MODE": mode}).items() if value})

    with in_mode(before) as service:
        kept = dict(service.signed_in("ella").cookies)
    with in_mode(after) as service:
        back = service.shopper()
        back.cookies.update(kept)
        assert back.api("GET", "/session").json() == {"state": "anonymous"}
        back.cookies.update(kept)
        assert back.sign_in("ella").status == 200
        assert back.api("GET", "/session").json()["state"] == "enrolled"
        # A browser that keeps both, as Chromium does, is believed all the same.
        back.cookies.update(kept)
        assert back.api("GET", "/session").json()["state"] == "enrolled"


@pytest.mark.parametrize(("before", "after"), [("", "partitioned"), ("partitioned", "")])
def test_P11_A2_the_other_modes_cookies_are_expired_in_their_own_form(start: Start, before: str, after: str) -> None:
    service = start(CROSS_SITE_MODE=after)
    other = PARTITIONED if before else COOKIE
    shopper = service.shopper()
    shopper.cookies.update({other: "from-before", f"{other}-login": "from-before"})
    found = set_cookies(shopper.request("GET", "/"))
    form = "SameSite=None; Partitioned" if before else "SameSite=Lax"
    for name in (other, f"{other}-login"):
        assert found[name] == f"{name}=; Max-Age=0; Path=/; Secure; HttpOnly; {form}"
    assert set_cookies(service.shopper().request("GET", "/")) == {}


# Sign-ins that went astray ------------------------------------------------------------------------------------------


def begun(shopper: Shopper, vendors: Vendors, return_to: str) -> str:
    """The address at which Shopify sends the browser back."""
    reply = shopper.request("GET", f"/login?return_to={quote(return_to, safe='')}")
    return str(vendors.http.post(reply.headers["location"], data={"persona": "ella"}).headers["location"])


def test_B4_a_browser_without_cookies_is_told_so(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    back = begun(shopper, vendors, "/refer")
    shopper.cookies.clear()
    again = shopper.request("GET", back)
    assert again.status_code == 302, "the first time it may be an accident"
    shopper.cookies.clear()
    second = vendors.http.post(again.headers["location"], data={"persona": "ella"}).headers["location"]
    page = shopper.get(second)
    assert page.status == 400
    assert "did not keep our cookie" in page.text
    assert "Safari" in page.text, "on a developer's machine that is the likely reason"


def test_B4_with_its_cookie_the_reason_is_another(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    shopper.request("GET", "/login")
    page = shopper.get("/callback?state=again.unknown&code=x")
    assert (page.status, "another browser or too long ago" in page.text) == (400, True)


def test_F1_a_sign_in_that_a_scanner_opened_first_still_leads_where_the_shopper_wanted(
    service: Service, vendors: Vendors
) -> None:
    shopper = service.shopper()
    back = begun(shopper, vendors, CAMPAIGN)
    assert service.shopper().request("GET", back).status_code == 302
    again = shopper.request("GET", back)
    assert again.status_code == 302
    end = vendors.http.post(again.headers["location"], data={"persona": "ella"}).headers["location"]
    assert shopper.request("GET", end).headers["location"] == CAMPAIGN


def test_F1_the_way_back_in_the_cookie_is_signed_and_checked_again(service: Service, vendors: Vendors) -> None:
    shopper = service.shopper()
    back = begun(shopper, vendors, "/refer")
    value = shopper.cookies[f"{COOKIE}-login"]
    # The last character of a signature has bits that mean nothing, so another one is changed.
    for forged in (
        value[:-9] + ("A" if value[-9] != "A" else "B") + value[-8:],
        "WyJ4IiwiLy9ldmlsLnRlc3QiXQ.x",
        "x" * 22,
        "",
    ):
        visitor = service.shopper()
        visitor.cookies[f"{COOKIE}-login"] = forged
        again = visitor.request("GET", back)
        assert again.status_code == 302
        assert "evil.test" not in str(again.headers)


# A browser that hides where it comes from ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "passes"),
    [("same-origin", True), ("same-site", False), ("cross-site", False), ("none", False), (None, False)],
)
def test_D3_a_form_whose_origin_is_hidden_passes_from_the_same_origin_alone(
    ella: Shopper, vendors: Vendors, site: str | None, passes: bool
) -> None:
    fields = ella.get("/refer").form("/refer").fields | {"email": "friend@example.com"}
    headers = {"origin": "null"} | ({"sec-fetch-site": site} if site else {})
    reply = ella.request("POST", "/refer", data=fields, headers=headers)
    assert reply.status_code == (303 if passes else 403)
    assert (vendors.calls("referral_request") != []) is passes


def test_D5_a_hidden_origin_does_not_make_up_for_a_form_token(ella: Shopper, vendors: Vendors) -> None:
    headers = {"origin": "null", "sec-fetch-site": "same-origin"}
    reply = ella.request("POST", "/refer", data={"csrf": "x", "email": "friend@example.com"}, headers=headers)
    assert reply.status_code == 403
    assert vendors.calls("referral_request") == []


# Preflights of monitored pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["baggage", "sentry-trace", "traceparent", "tracestate"])
def test_E3_a_preflight_may_ask_for_what_monitoring_adds(shopper: Shopper, name: str) -> None:
    asked = {"origin": "http://localhost:3000", "access-control-request-method": "POST"}
    asked["access-control-request-headers"] = f"content-type,x-loyalty-csrf,{name}"
    reply = shopper.request("OPTIONS", "/api/v1/me/referrals", headers=asked)
    assert reply.status_code == 204
    assert name in reply.headers["access-control-allow-headers"].lower()


# Spellings of an address --------------------------------------------------------------------------------------------


def readable(base: str) -> list[str]:
    """Every address that answers to GET, with something in the place of parameters."""
    routes = [route for route in PUBLIC_ROUTES + MEMBER_ROUTES if isinstance(route, Route)]
    return [base + re.sub(r"\{[^}]*\}", "x1", route.path) for route in routes if "GET" in (route.methods or ())]


@pytest.mark.parametrize("base", ["", "/loyalty"])
def test_F2_a_slash_too_many_leads_to_the_right_address(start: Start, base: str) -> None:
    service = start(BASE_PATH=base)
    shopper = service.shopper()
    addresses = [address for address in readable(base) if not address.endswith("/")]
    assert len(addresses) > 20
    for address in addresses:
        for method in ("GET", "HEAD"):
            reply = shopper.request(method, f"{address}/?a=%2F")
            assert (reply.status_code, reply.headers["location"]) == (308, f"{address}?a=%2F"), address
        moved = shopper.request("POST", f"{address}/", headers={"origin": service.url})
        assert moved.status_code in {403, 404, 405}, address
        assert "location" not in moved.headers


def test_F2_a_slash_leads_nowhere_else(service: Service) -> None:
    host = urlsplit(service.url).netloc
    for path in ("//evil.test/", "/%2f%2fevil.test/", "/nothing/", "/rewards//", "/rewards/%2f/", "/.//"):
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        said = talk(service.url, head.encode()).partition(b"\r\n\r\n")[0].lower()
        assert said.startswith(b"http/1.1 404 "), path
        assert b"\r\nlocation:" not in said


def hosts(url: str) -> Mapping[str, str]:
    port = urlsplit(url).port
    return {
        "with the dot of the root": f"localhost.:{port}",
        "in capitals": f"LocalHost:{port}",
        "as IPv4": f"127.0.0.1:{port}",
        "as IPv6": f"[::1]:{port}",
    }


def test_F3_every_spelling_of_our_host_is_ours(service: Service) -> None:
    for spelling, host in hosts(service.url).items():
        reply = talk(service.url, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert reply.startswith(b"HTTP/1.1 200 "), spelling


def test_F3_a_request_in_absolute_form_is_answered(service: Service) -> None:
    """RFC 9112 §3.2.2: a server must accept it."""
    host = urlsplit(service.url).netloc
    for target in (
        f"http://{host}/rewards?x=1",
        f"http://{host}",
        f"http://{host}?sent=1",
        f"HTTP://{host.upper()}/rewards",
    ):
        reply = talk(service.url, f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert reply.startswith(b"HTTP/1.1 200 "), target
