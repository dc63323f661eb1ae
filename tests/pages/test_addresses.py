"""Where the service lives, where it sends people, and which addresses it takes for its own."""

from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from support.every_route import KEY, REWARD, SAFE, SIGNED, page_paths, surface, talk
from support.hostile_input import GOOD_RETURNS, HOSTILE_RETURNS, STRANGE_HOSTS
from support.proxied_service import HOST, behind_a_router
from support.services import Service, Vendors
from support.shopper import COOKIE, Shopper

EVIL = "evil.test"


def lands(service: Service, vendors: Vendors, return_to: str) -> str:
    """Where the callback sends somebody who signed in with this return_to."""
    shopper = service.shopper()
    begun = shopper.request("GET", f"/login?return_to={quote(return_to, safe='')}")
    assert begun.status_code == 302
    assert begun.headers["location"].startswith(vendors.url)
    back = vendors.http.post(begun.headers["location"], data={"persona": "ella"}).headers["location"]
    done = shopper.request("GET", back)
    assert done.status_code == 303
    return str(done.headers["location"])


def test_F1_a_hostile_way_back_leads_to_the_overview(service: Service, vendors: Vendors) -> None:
    assert len(HOSTILE_RETURNS) > 60
    assert {given: lands(service, vendors, given) for given in HOSTILE_RETURNS} == dict.fromkeys(HOSTILE_RETURNS, "/")


@pytest.mark.parametrize("return_to", GOOD_RETURNS)
def test_F1_a_page_of_ours_or_of_the_storefront_is_a_way_back(
    service: Service, vendors: Vendors, return_to: str
) -> None:
    assert lands(service, vendors, return_to) == return_to


def test_F1_two_ways_back_are_none(service: Service, vendors: Vendors) -> None:
    begun = service.shopper().request("GET", "/login?return_to=/rewards&return_to=https://evil.test")
    assert EVIL not in begun.headers.get("location", "")


def test_F2_a_form_that_worked_is_answered_with_303(service: Service, ella: Shopper, penny: Shopper) -> None:
    for shopper, path in ((penny, "/join"), (ella, f"/rewards/{REWARD}"), (ella, "/refer"), (ella, "/logout")):
        form = shopper.get("/" if path == "/logout" else path).form(path)
        sent = shopper.post(path, form.fields | {"email": "friend@example.com"}, follow=False)
        assert sent.status == 303, path
        assert sent.reply.headers["location"].startswith("/")


def test_F2_no_write_is_ever_sent_elsewhere_with_its_body(ella: Shopper, settings: dict[str, str]) -> None:
    headers = {"origin": ella.base, "content-type": "application/json", "x-loyalty-csrf": "1"}
    redirected = set()
    for path in surface(settings):
        for shape in (path, path + "/", "/" + path, path + "//", path + "?x=1"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                if ella.request(method, ella.base + shape, headers=headers).status_code in {301, 302, 307, 308}:
                    redirected.add(f"{method} {shape}")
    assert redirected == set()


def test_F5_an_ended_session_is_explained_where_it_is_noticed(ella: Shopper, service: Service) -> None:
    cookies = dict(ella.cookies)
    service.clock.advance(8 * 86_400)
    for action in ("/join", f"/rewards/{REWARD}", "/refer"):
        ella.cookies = dict(cookies)
        answer = ella.post(action, {"csrf": "x", "email": "friend@example.com", "key": KEY}, follow=False)
        assert answer.status == 401
        assert "location" not in answer.reply.headers
        assert "sign in" in answer.heading.lower()
    for path in ("/me/referrals", "/me/redemptions", "/me/enrolment"):
        ella.cookies = dict(cookies)
        reply = ella.api("POST", path, {})
        assert (reply.status_code, reply.json()["code"]) == (401, "session_expired")
        assert "location" not in reply.headers


@pytest.mark.parametrize("action", ["/join", f"/rewards/{REWARD}", "/refer"])
def test_F5_signing_in_again_leads_back_to_the_page_of_the_form(ella: Shopper, service: Service, action: str) -> None:
    service.clock.advance(8 * 86_400)
    answer = ella.post(action, {"csrf": "x", "email": "friend@example.com", "key": KEY}, follow=False)
    (link,) = {link for link in answer.read.links if urlsplit(link).path == "/login"}
    assert parse_qs(urlsplit(link).query)["return_to"] == [action]


def test_F5_where_signing_in_leads_back_to_can_be_opened(
    ella: Shopper, service: Service, settings: dict[str, str]
) -> None:
    """The address of a form may take nothing but forms."""
    taking = [path for path, methods in surface(settings).items() if "POST" in methods]
    forms = [path for path in taking if path not in SIGNED and "/api/" not in path]
    cookies, shut = dict(ella.cookies), list[str]()
    service.clock.advance(8 * 86_400)
    for form in forms:
        ella.cookies = dict(cookies)
        links = ella.post(form, {"csrf": "x", "key": KEY}, follow=False).read.links
        ways = [parse_qs(urlsplit(link).query) for link in links if urlsplit(link).path == "/login"]
        shut += [form for way in ways for back in way.get("return_to", ()) if ella.get(back).status == 405]
    assert (len(forms) > 5, shut) == (True, [])


# F3: which hosts are ours


def test_F3_a_strange_host_is_refused_and_never_repeated(service: Service) -> None:
    port = service.url.rpartition(":")[2]
    for host in STRANGE_HOSTS:
        given = host.format(port=port).encode("latin-1")
        for path in (b"/", b"/login", b"/api/v1/program", b"/nothing"):
            said = talk(service.url, b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (path, given))
            assert said.startswith(b"HTTP/1.1 400 "), f"{host!r} {path!r}"
            assert EVIL.encode() not in said


def test_F3_absolute_addresses_and_two_hosts_are_refused(service: Service) -> None:
    ours, evil = service.url.removeprefix("http://").encode(), EVIL.encode()
    end = b"Connection: close\r\n\r\n"
    for request in (
        b"GET http://%s/ HTTP/1.1\r\nHost: %s\r\n" % (evil, ours),
        b"GET http://%s/ HTTP/1.1\r\nHost: %s\r\n" % (ours, evil),
        b"GET / HTTP/1.1\r\nHost: %s\r\nHost: %s\r\n" % (ours, evil),
        b"GET / HTTP/1.1\r\nHost: %s\r\nHost: %s\r\n" % (evil, ours),
        b"GET / HTTP/1.1\r\nHost: %s\r\nHost: %s\r\n" % (ours, ours),
        b"GET / HTTP/1.1\r\n",
        b"GET //%s/ HTTP/1.1\r\n" % evil,
    ):
        said = talk(service.url, request + end)
        assert said.startswith(b"HTTP/1.1 400 "), request
        assert evil not in said
    assert talk(service.url, b"GET / HTTP/1.1\r\nHost: %s\r\n%s" % (ours, end)).startswith(b"HTTP/1.1 200 ")


def test_F3_addresses_are_built_from_the_settings_alone(ella: Shopper, settings: dict[str, str]) -> None:
    names = ("x-forwarded-host", "x-forwarded-server", "x-host", "x-original-url", "x-rewrite-url", "x-original-host")
    hostile = dict.fromkeys(names, EVIL) | {"forwarded": f"host={EVIL};proto=https", "x-forwarded-prefix": f"//{EVIL}"}
    hostile |= {"x-forwarded-proto": "https", "x-forwarded-port": "6666", "referer": f"https://{EVIL}/"}
    for path in surface(settings):
        reply = ella.request("GET", path, headers=hostile)
        assert EVIL not in reply.text + str(reply.headers)
        assert "6666" not in str(reply.headers.get("location"))
        if path == "/login":
            wanted = parse_qs(urlsplit(reply.headers["location"]).query)["redirect_uri"]
            assert wanted == [f"{ella.base}/callback"]


def test_A3_F3_in_production_everything_is_https_and_on_our_host(settings: dict[str, str], logfile: Path) -> None:
    with behind_a_router(settings, logfile) as router:
        for host in (
            EVIL,
            "localhost",
            f"localhost:{settings['PORT']}",
            f"127.0.0.1:{settings['PORT']}",
            f"{HOST}:8080",
        ):
            refused = router.request("GET", "/", host=host)
            assert refused.status_code == 400
            assert EVIL not in refused.text + str(refused.headers)
        for path in ("/", "/rewards", "/nothing", f"//{EVIL}", f"/%2f%2f{EVIL}", "/%0d%0aSet-Cookie:%20a=b", "/%00"):
            moved = router.request("GET", path, proto="http", x_forwarded_host=EVIL)
            assert moved.status_code in {301, 308}
            there = urlsplit(moved.headers["location"])
            assert (there.scheme, there.netloc) == ("https", HOST)
            assert "set-cookie" not in moved.headers
        assert router.request("GET", "/healthz", proto="http", host="10.0.0.1").status_code == 200


def test_A3_the_way_to_https_keeps_path_and_query(settings: dict[str, str], logfile: Path) -> None:
    with behind_a_router(settings, logfile) as router:
        for address in ("/rewards", "/login?return_to=%2Frewards&locale=fr", "/refer?sent=1", "/rewards/a%20b%25"):
            moved = router.request("GET", address, proto="http")
            assert moved.headers["location"] == f"https://{HOST}{address}"


def test_A3_in_production_a_session_is_only_honoured_over_https(
    ella: Shopper, settings: dict[str, str], urls: list[str], logfile: Path
) -> None:
    cookie = f"{COOKIE}={ella.session_cookie}"
    elsewhere = settings | {"PORT": urls[1].rpartition(":")[2]}
    with behind_a_router(elsewhere, logfile) as router:
        assert router.request("GET", "/api/v1/session", cookie=cookie).json()["state"] == "enrolled"
        for proto in ("http", "https, http", "", "HTTP", "httpss", "ws"):
            reply = router.request("GET", "/api/v1/session", proto=proto, cookie=cookie)
            assert reply.status_code == 403, proto
            assert reply.headers["content-type"] == "application/problem+json"
            assert "enrolled" not in reply.text
            assert not {"set-cookie", "location"} & reply.headers.keys()
            page = router.request("GET", "/signed-out", proto=proto, cookie=cookie)
            assert (page.status_code, page.text) == (308, "")
            assert "set-cookie" not in page.headers
        written = router.request("POST", "/logout", proto="http", cookie=cookie, origin=f"https://{HOST}")
        assert written.status_code == 403
    assert ella.api("GET", "/session").json()["state"] == "enrolled"


# G2 and J3: addresses that do not exist


def test_G2_a_method_that_an_address_does_not_take_is_refused_with_those_it_takes(
    ella: Shopper, settings: dict[str, str]
) -> None:
    found = surface(settings)
    headers = {"origin": ella.base, "x-loyalty-csrf": "1", "content-type": "application/json"}
    wrong = {}
    for path in sorted(found.keys() - SIGNED):
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} - found[path]:
            reply = ella.request(method, path, headers=headers if method not in SAFE else {})
            allowed = {name.strip() for name in reply.headers.get("allow", "").split(",")}
            if reply.status_code != 405 or allowed != found[path]:
                wrong[f"{method} {path}"] = (reply.status_code, allowed)
    assert wrong == {}


SUFFIXES = (
    "/x.css",
    ".css",
    ";.js",
    ";x.js",
    "%0a.png",
    "%3b.js",
    "%2ex.css",
    "/.js",
    "%00.css",
    "%23.css",
    "%3f.css",
    "~",
    "/..%2fx.css",
)


def test_J3_a_members_page_under_a_made_up_name_is_not_found_and_not_kept(
    ella: Shopper, settings: dict[str, str]
) -> None:
    found = surface(settings)
    for path in [*page_paths(found), "/api/v1/me", "/api/v1/session", "/api/v1/me/referrals"]:
        for suffix in SUFFIXES:
            reply = ella.request("GET", ella.base + (path.rstrip("/") if suffix[0] == "/" else path) + suffix)
            assert reply.status_code == 404, path + suffix
            assert "no-store" in reply.headers["cache-control"]
            assert "1,240" not in reply.text
