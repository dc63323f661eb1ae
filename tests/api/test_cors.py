"""Which other origins may read the JSON routes, and what they are told."""

from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2
import pytest
from support.every_route import DOCS, api_paths, member_paths, page_paths, surface
from support.processes import bff
from support.proxied_service import HOST, STOREFRONT, behind_a_router, production, with_a_fault
from support.services import Log, Service, Vendors
from support.shopper import Shopper

from bff.errors import SettingsError
from bff.settings.read import read_settings

SHOP = "http://localhost:3000"
FOREIGN = (
    "https://evil.test",
    "null",
    "https://localhost:3000",
    "http://localhost:3000.evil.test",
    "http://LOCALHOST:3000",
)
REFUSED_LISTS = (
    "*", "null", "https://*.example.com", "https://shop.example.com/", "https://shop.example.com/path",
    "https://Shop.example.com", "shop.example.com", "https://user@shop.example.com", "https://shop.example.com?",
    "https://shop.example.com#", "https://", "ftp://shop.example.com",
    "https://shop.example.com https://b.example.com", "^https://.*$", "http://shop.example.com",
    "https://shop.example.com,*", "https://shop.example.com;https://b.example.com",
)  # fmt: skip


def cors_headers(reply: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("origins", REFUSED_LISTS)
def test_E1_a_list_that_is_not_of_exact_https_origins_stops_the_boot(settings: dict[str, str], origins: str) -> None:
    with pytest.raises(SettingsError, match="STOREFRONT_ORIGINS"):
        read_settings(production(settings) | {"STOREFRONT_ORIGINS": origins})


def test_E1_a_wildcard_ends_the_process_which_says_why(settings: dict[str, str]) -> None:
    ended = bff(production(settings) | {"STOREFRONT_ORIGINS": "*"}, "serve")
    assert ended.returncode != 0
    assert "STOREFRONT_ORIGINS" in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr


def test_E1_E2_only_the_exact_origin_is_answered(settings: dict[str, str], logfile: Path) -> None:
    resembling = (
        f"{STOREFRONT}.evil.test", "https://evilshop.example.com", "https://SHOP.example.com", f"{STOREFRONT}/",
        f"{STOREFRONT}:443", f"{STOREFRONT}:8443", "http://shop.example.com", "https://a.shop.example.com",
        "https://example.com", "https://evil.test", "null", "*", "", f"{STOREFRONT},https://evil.test",
        f"{STOREFRONT} https://evil.test", "https://shop.example.com@evil.test", "https://shopXexample.com",
    )  # fmt: skip
    with behind_a_router(settings, logfile) as router:
        for origin in resembling:
            assert cors_headers(router.request("GET", "/api/v1/session", origin=origin)) == {}, origin
        for origin in (STOREFRONT, f"https://{HOST}"):
            found = cors_headers(router.request("GET", "/api/v1/session", origin=origin))
            assert found["access-control-allow-origin"] == origin
            assert found["access-control-allow-credentials"] == "true"


def test_E2_E4_every_route_of_a_visitor_answers_each_origin_by_the_list(
    ella: Shopper, settings: dict[str, str]
) -> None:
    for path in [*member_paths(surface(settings)), "/api/v1/nothing"]:
        for origin in (*FOREIGN, SHOP, None):
            reply = ella.request("GET", path, headers={"origin": origin} if origin else {})
            assert "origin" in reply.headers["vary"].lower().split(", "), f"{path} {origin}"
            found = cors_headers(reply)
            assert found.get("access-control-allow-origin") == (SHOP if origin == SHOP else None)
            assert found.get("access-control-allow-credentials") == ("true" if origin == SHOP else None)
            assert bool(found) is (origin == SHOP)


def public_paths(settings: Mapping[str, str]) -> list[str]:
    found = surface(settings)
    return sorted(set(api_paths(found)) - set(member_paths(found)))


def check_is_for_everybody(reply: httpx2.Response) -> None:
    """Any page may read it without cookies, and a cache may give the same copy to all of them."""
    found = cors_headers(reply)
    assert found["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in found
    assert "timing-allow-origin" not in reply.headers
    varies = {name.strip().lower() for name in reply.headers.get("vary", "").split(",")}
    assert not varies & {"origin", "cookie"}


def test_E2_E4_what_is_public_may_be_read_by_every_page_without_cookies(
    ella: Shopper, settings: dict[str, str], vendors: Vendors
) -> None:
    paths = public_paths(settings)
    assert len(paths) == 8
    for path in paths:
        for origin in (*FOREIGN, SHOP, None):
            headers = {"origin": origin} if origin else {}
            reply = ella.request("GET", path, headers=headers)
            assert reply.status_code == 200
            check_is_for_everybody(reply)
            check_is_for_everybody(ella.request("HEAD", path, headers=headers))
            wrong = ella.request("GET", f"{path}?unknown=1", headers=headers)
            check_is_for_everybody(wrong)
            if tag := reply.headers.get("etag"):
                unchanged = ella.request("GET", path, headers=headers | {"if-none-match": tag})
                assert unchanged.status_code == 304
                check_is_for_everybody(unchanged)
    vendors.fault("faqs", "status:500", times=20)
    failed = ella.request("GET", "/api/v1/faqs?locale=fr", headers={"origin": "https://evil.test"})
    check_is_for_everybody(failed)


def test_E2_every_origin_gets_the_same_bytes_of_what_is_public(ella: Shopper, settings: dict[str, str]) -> None:
    changing = {"date", "x-request-id", "server-timing", "age", "cache-status", "content-security-policy"}
    for path in public_paths(settings):
        replies = [
            ella.request("GET", path, headers={"origin": origin} if origin else {})
            for origin in (SHOP, "https://evil.test", None)
        ]
        told = [{name: value for name, value in reply.headers.items() if name not in changing} for reply in replies]
        assert told[0] == told[1] == told[2], path
        if path != DOCS:
            assert len({reply.content for reply in replies}) == 1, path


def test_E3_every_page_may_ask_for_what_is_public(shopper: Shopper) -> None:
    for origin in (*FOREIGN, SHOP):
        reply = preflight(shopper, "/api/v1/program", "GET", "if-none-match", origin)
        assert reply.status_code == 204
        check_is_for_everybody(reply)
        for method in ("POST", "DELETE"):
            assert preflight(shopper, "/api/v1/program", method, "", origin).status_code == 403


REFUSED = (
    ("/api/v1/me", "GET", "", "https://evil.test", "origin_unknown", None),
    ("/api/v1/me", "GET", "x-evil", "null", "origin_unknown", None),
    ("/api/v1/me", "DELETE", "", SHOP, "method", None),
    ("/api/v1/nothing", "GET", "x-evil", SHOP, "method", None),
    ("/api/v1/program", "POST", "", "https://evil.test", "method", None),
    ("/api/v1/me", "GET", "x-b, X-Evil,accept-language", SHOP, "header", "x-b, x-evil"),
    ("/api/v1/program", "GET", "authorization", "https://evil.test", "header", "authorization"),
    ("/api/v1/me", "GET", f"ella@example.com, {'x' * 50}, a=b", SHOP, "header", ""),
    ("/api/v1/me", "GET", ", ".join("abcdefgh"), SHOP, "header", "a, b, c, d, e"),
)


def test_E3_M4_a_refused_preflight_says_in_the_log_why_and_repeats_no_value(shopper: Shopper, log: Log) -> None:
    for path, method, headers, origin, reason, what in REFUSED:
        log.clear()
        reply = preflight(shopper, path, method, headers, origin)
        assert reply.status_code == 403
        [line] = log.events("preflight_refused")
        assert (line["reason"], line.get("what")) == (reason, what)
        assert line["request_id"] == reply.headers["x-request-id"]
        assert not any(word in log.getvalue() for word in ("evil.test", "ella@", SHOP, "a=b"))
    log.clear()
    assert preflight(shopper, "/api/v1/me", "GET").status_code == 204
    assert log.events("preflight_refused") == []


def preflight(shopper: Shopper, path: str, method: str, headers: str = "", origin: str = SHOP) -> httpx2.Response:
    asked = {"origin": origin, "access-control-request-method": method}
    return shopper.request(
        "OPTIONS", path, headers=asked | ({"access-control-request-headers": headers} if headers else {})
    )


def test_E3_a_preflight_allows_what_the_route_takes_and_nothing_else(
    ella: Shopper, settings: dict[str, str], vendors: Vendors
) -> None:
    found, calls = surface(settings), len(vendors.state()["calls"])
    for path in api_paths(found) + api_paths(found, "POST"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "X"):
            reply = preflight(ella, path, method, "content-type, x-loyalty-csrf")
            assert reply.status_code == (204 if method in found[path] else 403), f"{method} {path}"
            assert ("access-control-allow-methods" in reply.headers) is (method in found[path])
            if method in found[path]:
                assert set(reply.headers["access-control-allow-methods"].split(", ")) == found[path]
                assert 0 < int(reply.headers["access-control-max-age"]) <= 7200
            assert "set-cookie" not in reply.headers
    assert len(vendors.state()["calls"]) == calls


def test_E3_a_preflight_refuses_other_headers_origins_and_addresses(shopper: Shopper) -> None:
    path = "/api/v1/me/redemptions"
    assert preflight(shopper, path, "POST", "Idempotency-Key,Content-Type,X-Loyalty-CSRF").status_code == 204
    # A copy may be asked for anew, and only a copy.
    assert preflight(shopper, "/api/v1/program", "GET", "if-none-match").status_code == 204
    assert preflight(shopper, path, "POST", "if-none-match").status_code == 403
    for headers in ("x-evil", "content-type, x-evil", "authorization", "*", "cookie", "x-forwarded-for"):
        refused = preflight(shopper, path, "POST", headers)
        assert refused.status_code == 403, headers
        assert not {"access-control-allow-methods", "access-control-allow-headers"} & refused.headers.keys()
    for origin in FOREIGN:
        refused = preflight(shopper, path, "POST", "content-type", origin)
        assert (refused.status_code, cors_headers(refused)) == (403, {}), origin
    assert preflight(shopper, "/api/v1/nothing", "GET").status_code == 403
    assert "access-control-allow-methods" not in preflight(shopper, "/rewards", "GET").headers


def test_E3_a_preflight_needs_neither_store_nor_vendor(start: Callable[..., Service], vendors: Vendors) -> None:
    lonely = start(VALKEY_URL="redis://127.0.0.1:1").shopper()
    lonely.cookies["__Host-Http-loyalty"] = "x" * 43
    assert preflight(lonely, "/api/v1/me", "GET").status_code == 204
    assert vendors.state()["calls"] == []


def write(shopper: Shopper, path: str, content: bytes = b"{}", **changes: str) -> httpx2.Response:
    headers = {"origin": SHOP, "x-loyalty-csrf": "1", "content-type": "application/json"}
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return shopper.request("POST", f"/api/v1{path}", content=content, headers=headers)


def read(shopper: Shopper, path: str, method: str = "GET") -> httpx2.Response:
    return shopper.request(method, f"/api/v1{path}", headers={"origin": SHOP})


def check_readable(reply: httpx2.Response, status: int) -> None:
    """The storefront's script can read this problem and the headers that belong to it."""
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["status"] == status
    found = cors_headers(reply)
    assert found["access-control-allow-origin"] == SHOP
    assert found["access-control-allow-credentials"] == "true"
    exposed = {name.strip().lower() for name in found["access-control-expose-headers"].split(",")}
    assert exposed >= {"retry-after", "ratelimit", "ratelimit-policy", "idempotency-replayed", "location"}
    assert "Origin" in reply.headers["vary"]


def test_E5_every_refusal_can_be_read_by_the_storefront(service: Service, ella: Shopper, vendors: Vendors) -> None:
    check_readable(read(service.shopper(), "/me"), 401)
    check_readable(write(ella, "/me/referrals", x_loyalty_csrf="0"), 403)
    check_readable(write(ella, "/me/referrals", content_type="text/plain"), 415)
    check_readable(write(ella, "/me/referrals", b"x" * 20_000), 413)
    check_readable(write(ella, "/me/referrals", b"nonsense"), 400)
    check_readable(write(ella, "/me/referrals", b'{"email": "nobody"}'), 422)
    check_readable(read(ella, "/nothing"), 404)
    check_readable(read(ella, "/me", "PROPFIND"), 403)
    check_readable(read(ella, "/me", "OPTIONS"), 405)
    vendors.fault("customer", "status:500", times=5)
    check_readable(read(ella, "/me"), 502)


def test_E5_too_many_requests_can_be_read_by_the_storefront(shopper: Shopper) -> None:
    replies = [write(shopper, "/session") for _ in range(125)]
    assert {reply.status_code for reply in replies} == {400, 429}
    check_readable(replies[-1], 429)
    assert int(replies[-1].headers["retry-after"]) > 0


def test_E5_a_store_that_is_away_can_be_read_by_the_storefront(
    ella: Shopper, start: Callable[..., Service], urls: list[str]
) -> None:
    port = urls[1].rpartition(":")[2]
    lonely = start(PORT=port, PUBLIC_URL=urls[1], VALKEY_URL="redis://127.0.0.1:1").shopper()
    lonely.cookies = dict(ella.cookies)
    check_readable(read(lonely, "/me"), 503)


def test_E5_M3_an_unforeseen_failure_can_be_read_and_tells_nothing(settings: dict[str, str]) -> None:
    with with_a_fault(settings, "/api/v1/fault") as url, httpx2.Client(trust_env=False, timeout=20) as http:
        headers = {"origin": SHOP, "x-loyalty-csrf": "1", "content-type": "application/json"}
        for method in ("GET", "POST"):
            reply = http.request(method, f"{url}/api/v1/fault", headers=headers)
            check_readable(reply, 500)
            for secret in ("shcat_", "postgresql", "RuntimeError", "Traceback", ".py"):
                assert secret not in reply.text


def test_E6_pages_are_for_their_own_origin_alone(ella: Shopper, service: Service, settings: dict[str, str]) -> None:
    for path in page_paths(surface(settings)):
        for visitor in (ella, service.shopper()):
            for method in ("GET", "HEAD", "OPTIONS"):
                assert cors_headers(visitor.request(method, path, headers={"origin": SHOP})) == {}, path
        assert cors_headers(preflight(ella, path, "GET")) == {}
