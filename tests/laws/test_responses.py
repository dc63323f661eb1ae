"""Laws over answers: what every one of them carries, whoever asks, for whatever, in whatever state."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
from support.every_route import api_paths, member_paths, page_paths, surface
from support.page_rules import nonce_of
from support.proxied_service import behind_a_router
from support.services import Service, Vendors
from support.shopper import Page, Shopper

from bff.errors import CODES
from bff.web.assets import SHARED

DATA_POLICY = {"default-src": "'none'", "frame-ancestors": "'none'", "sandbox": ""}
PAGE_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "manifest-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
    "require-trusted-types-for": "'script'",
}
TOKENS = re.compile(r"shcat_|shcrt_|shcac_|eyJ[\w-]+\.eyJ")
INSIDES = re.compile(r"(?i)postgres|redis|valkey|okendo\.io|traceback|\.py\b|127\.0\.0\.1|0x[0-9a-f]{6}|exception")


def everything(service: Service, settings: dict[str, str]) -> Iterator[tuple[Shopper, str, httpx2.Response]]:
    """Every address, by every method, for a member and a stranger, with the answers to what is malformed."""
    found = surface(settings)
    for visitor in (service.signed_in("ella"), service.shopper()):
        ours = {"origin": visitor.base, "x-loyalty-csrf": "1", "content-type": "application/json"}
        for path in [*sorted(found), "/nothing", "/api/v1/nothing", "/static/nothing.css"]:
            for method in ("GET", "HEAD", "OPTIONS", "PUT"):
                yield visitor, path, visitor.request(method, path, headers=ours)
        for path in ("/refer", "/api/v1/me/referrals"):
            yield visitor, path, visitor.request("POST", path, headers=ours | {"origin": "null"})
            yield visitor, path, visitor.request("POST", path, headers=ours, content=b"x" * 20_000)
            yield visitor, path, visitor.request("POST", path, headers=ours | {"content-type": "text/x"})
        yield visitor, "/", visitor.request("GET", "/", headers={"host": "evil.test"})
        yield visitor, "/api/v1/session", visitor.request("GET", "/api/v1/session?unknown=1")


def directives(reply: httpx2.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in reply.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


def test_I3_I5_every_answer_carries_the_security_headers(service: Service, settings: dict[str, str]) -> None:
    statuses = set()
    for _, path, reply in everything(service, settings):
        statuses.add(reply.status_code)
        headers = reply.headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] in {"same-origin", "no-referrer"}
        is_shared = path.removeprefix("/") in SHARED and reply.status_code == 302
        assert headers["cross-origin-resource-policy"] == ("cross-origin" if is_shared else "same-origin"), path
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert not {"server", "x-powered-by", "x-aspnet-version", "via"} & headers.keys()
        assert re.fullmatch(r"[A-Za-z0-9-]{20,200}", headers["x-request-id"])
        policy = directives(reply)
        if headers.get("content-type", "").startswith("text/html"):
            script = policy.pop("script-src").split()
            assert re.fullmatch(r"'nonce-[\w-]{22,}'", script[0])
            assert script[1:] == ["'strict-dynamic'"]
            # The one page whose form leads to a vendor says to which.
            target = f"'self' {settings['SUBTOTAL_LINK_URL'].removesuffix('/link')}"
            leads = policy.pop("form-action")
            assert leads == "'self'" or (leads, path) == (target, "/retailers")
            assert policy.items() >= PAGE_POLICY.items(), path
        else:
            assert policy == DATA_POLICY, path
    assert statuses >= {200, 302, 400, 401, 403, 404, 405, 413, 415}


def test_I3_what_is_unchanged_keeps_the_policy_that_it_came_with(shopper: Shopper) -> None:
    for path in ("/api/v1/docs", "/problems/not_found", "/api/v1/program"):
        tag = shopper.request("GET", path).headers["etag"]
        again = shopper.request("GET", path, headers={"if-none-match": tag})
        assert (again.status_code, again.headers.get("content-security-policy")) == (304, None), path


def test_I5_in_production_every_answer_asks_for_https_from_now_on(settings: dict[str, str], logfile: Path) -> None:
    with behind_a_router(settings, logfile) as router:
        for path in ("/", "/nothing", "/api/v1/session", "/api/v1/nothing", "/static/x", "/healthz", "/readyz"):
            for proto in ("https", "http"):
                sent = router.request("GET", path, proto=proto).headers["strict-transport-security"]
                age = re.search(r"max-age=(\d+)", sent)
                assert age is not None
                assert int(age[1]) >= 31_536_000
                assert "includeSubDomains" in sent


def test_I4_no_two_answers_share_a_nonce_and_no_page_is_kept(shopper: Shopper) -> None:
    nonces = set()
    for _ in range(300):
        page = Page(shopper.request("GET", "/signed-out"), shopper.base)
        assert page.reply.headers["cache-control"] == "private, no-store"
        assert page.reply.text.count(nonce_of(page)) == 1
        nonces.add(nonce_of(page))
    assert len(nonces) == 300


def test_I8_every_body_says_what_it_is(service: Service, settings: dict[str, str]) -> None:
    kinds = set()
    for _, path, reply in everything(service, settings):
        kind = reply.headers.get("content-type", "")
        if reply.content:
            assert kind, path
            kinds.add(kind.partition(";")[0])
        if kind.startswith("text/"):
            assert "charset=utf-8" in kind, path
    assert kinds >= {"text/html", "application/json", "application/problem+json"}


def test_I8_M2_an_error_comes_in_the_form_that_was_asked_for(ella: Shopper) -> None:
    def kind(path: str, accept: str | None) -> str:
        headers = {} if accept is None else {"accept": accept}
        return str(ella.request("GET", path, headers=headers).headers["content-type"].partition(";")[0])

    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    for accept in (browser, "*/*", "text/html", "text/html, application/json", None):
        assert kind("/nothing", accept) == "text/html"
    for accept in ("application/json", "application/problem+json", "application/json, text/plain, */*"):
        assert kind("/nothing", accept) == "application/problem+json"
    for accept in (browser, "*/*", None):
        assert kind("/api/v1/nothing", accept) == "application/problem+json"


def test_I9_assets_are_named_after_their_content_and_kept_for_ever(ella: Shopper, service: Service) -> None:
    addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', ella.get("/").reply.text))
    assert {address.rpartition(".")[2] for address in addresses} == {"css", "js", "svg", "png", "webmanifest"}
    for address in addresses:
        mine, theirs = ella.request("GET", address), service.shopper().request("GET", address)
        assert mine.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert mine.content == theirs.content
        assert "set-cookie" not in mine.headers
        assert "cookie" not in mine.headers.get("vary", "").lower()
        assert re.search(r"\.[0-9a-f]{8,}\.\w+$", address)


def test_I9_nothing_else_of_the_disk_is_served(shopper: Shopper) -> None:
    names = (
        "/static/", "/static", "/static/loyalty.css", "/static/loyalty.js.map", "/static/..%2fpyproject.toml",
        "/static/.git", "/static/%2e%2e/bff/app.py", "/.git/config", "/.env", "/pyproject.toml", "/bff/app.py",
        "/templates/base.html", "/Procfile", "/static/..%5c..%5cpyproject.toml", "/.well-known/../.env",
        "/static//etc/passwd", "/static/%2fetc%2fpasswd",
    )  # fmt: skip
    for name in names:
        assert shopper.request("GET", shopper.base + name).status_code == 404, name


def test_J1_whatever_read_the_session_is_kept_by_nobody(service: Service, settings: dict[str, str]) -> None:
    found = surface(settings)
    personal = [*page_paths(found), *member_paths(found), "/nothing"]
    for persona in ("ella", "penny", "blake", None):
        visitor = service.signed_in(persona) if persona else service.shopper()
        for path in personal:
            for method in ("GET", "HEAD", "OPTIONS"):
                reply = visitor.request(method, path)
                assert reply.headers["cache-control"] == "private, no-store", f"{method} {path}"
                assert "cookie" in reply.headers["vary"].lower(), f"{method} {path}"


def test_J1_answers_to_writes_are_kept_by_nobody(ella: Shopper) -> None:
    replies = [ella.api("POST", "/me/referrals", {"email": email}) for email in ("friend@example.com", "nobody")]
    replies += [ella.post("/refer", {"a": "b"}, follow=False).reply, ella.api("DELETE", "/session")]
    assert {reply.status_code for reply in replies} == {202, 422, 403, 200}
    for reply in replies:
        assert reply.headers["cache-control"] == "private, no-store"


def test_J2_A4_public_answers_are_the_same_for_everybody_and_set_no_cookie(
    ella: Shopper, service: Service, settings: dict[str, str]
) -> None:
    found = surface(settings)
    public = [path for path in api_paths(found) if path not in member_paths(found)]
    assert len(public) >= 4
    for path in [*public, "/healthz", "/readyz"]:
        mine, theirs = ella.request("GET", path), service.shopper().request("GET", path)
        assert (mine.status_code, mine.content) == (theirs.status_code, theirs.content)
        assert "set-cookie" not in mine.headers
        assert "cookie" not in mine.headers.get("vary", "").lower()
        assert ("public" in mine.headers["cache-control"]) is (path in public)


def test_A4_nobody_gets_a_cookie_by_looking(service: Service, settings: dict[str, str]) -> None:
    stranger, ella = service.shopper(), service.signed_in("ella")
    for path in [*surface(settings), "/nothing", "/api/v1/nothing", "/static/nothing.css"]:
        for visitor in (stranger, ella):
            for method in ("GET", "HEAD"):
                reply = visitor.request(method, path)
                assert ("set-cookie" in reply.headers) is (path == "/login"), f"{method} {path}"
                assert not ("set-cookie" in reply.headers and "public" in reply.headers["cache-control"])


def test_M1_every_json_error_has_the_same_shape_and_no_secrets(
    service: Service, settings: dict[str, str], vendors: Vendors
) -> None:
    def all_problems() -> Iterator[httpx2.Response]:
        for _, _, reply in everything(service, settings):
            yield reply
        service.clock.advance(5000)
        for operation in ("customer", "redemption_rules", "legal_policies", "earning_rules"):
            for kind in ("status:500", "garbage", "html", "cut_after"):
                vendors.fault(operation, kind, times=2)
        ella = service.signed_in("ella")
        for path in ("/me", "/rewards", "/legal-policies", "/program", "/me/rewards") * 4:
            yield ella.api("GET", path)

    problems = [
        reply for reply in all_problems() if "problem" in reply.headers.get("content-type", "") and reply.content
    ]
    assert {reply.status_code for reply in problems} >= {400, 401, 403, 404, 405, 413, 415, 502}
    for reply in problems:
        body = reply.json()
        assert set(body) == {"type", "title", "status", "detail", "code", "requestId", "retryable"}
        assert reply.headers["content-type"] == "application/problem+json"
        assert body["status"] == reply.status_code >= 400
        assert body["code"] in CODES
        assert body["type"] == f"{service.url}/problems/{body['code']}"
        assert body["requestId"] == reply.headers["x-request-id"]
        assert isinstance(body["retryable"], bool)
        assert re.fullmatch(r"[A-Z][^\n<>{}]{5,150}\.", body["detail"]), body["detail"]
        assert not INSIDES.search(reply.text), reply.text


def test_M1_C1_no_answer_of_any_kind_carries_a_token(service: Service, settings: dict[str, str]) -> None:
    for _, path, reply in everything(service, settings):
        assert not TOKENS.search(reply.text + str(reply.headers)), path


def hand_in(shopper: Shopper, forwarded: str) -> httpx2.Response:
    return shopper.api("POST", "/session", {}, x_forwarded_for=forwarded)


def test_K1_the_budget_belongs_to_the_hop_our_router_saw(start: Callable[..., Service]) -> None:
    shopper = start(TRUSTED_HOPS="1").shopper()
    for number in range(120):
        assert hand_in(shopper, f"198.51.100.{number}, 203.0.113.7").status_code == 400
    for spoofed in ("203.0.113.7", "192.0.2.1, 203.0.113.7", "203.0.113.8,203.0.113.7", ", 203.0.113.7"):
        limited = hand_in(shopper, spoofed)
        assert (limited.status_code, limited.json()["code"], limited.json()["retryable"]) == (429, "rate_limited", True)
        assert 0 < int(limited.headers["retry-after"]) <= 60
    assert hand_in(shopper, "203.0.113.7, 203.0.113.8").status_code == 400


def test_K1_two_trusted_hops_are_counted_from_the_right(start: Callable[..., Service]) -> None:
    shopper = start(TRUSTED_HOPS="2").shopper()
    for number in range(120):
        hand_in(shopper, f"198.51.100.{number}, 203.0.113.7, 10.0.0.{number}")
    assert hand_in(shopper, "203.0.113.7, 10.1.1.1").status_code == 429
    assert hand_in(shopper, "203.0.113.8, 10.0.0.1").status_code == 400


def test_K1_without_trusted_hops_the_header_is_not_read(start: Callable[..., Service]) -> None:
    shopper = start(TRUSTED_HOPS="0").shopper()
    for number in range(120):
        hand_in(shopper, f"198.51.100.{number}")
    assert hand_in(shopper, "203.0.113.8").status_code == 429


def test_K1_addresses_of_one_ipv6_network_share_a_budget(service: Service) -> None:
    shopper = service.shopper()
    same = ("2001:db8::{:x}", "2001:DB8:0::1:{:x}")
    for number in range(120):
        hand_in(shopper, same[number % 2].format(number + 1))
    for spelling in ("2001:db8::ffff", "2001:0DB8:0:0:1:2:3:4", "2001:db8:0:0::9"):
        assert hand_in(shopper, spelling).status_code == 429, spelling
    assert hand_in(shopper, "2001:db8:0:1::1").status_code == 400


def test_K2_signing_in_too_often_is_told_when_to_come_back(service: Service) -> None:
    shopper, headers = service.shopper(), {"x-forwarded-for": "203.0.113.9"}
    statuses = [shopper.request("GET", "/login", headers=headers).status_code for _ in range(301)]
    assert statuses[:300] == [302] * 300
    page = shopper.get("/login", headers=headers)
    assert page.status == 429
    assert int(page.reply.headers["retry-after"]) > 0
    assert page.heading
    assert shopper.request("GET", "/login", headers={"x-forwarded-for": "203.0.113.10"}).status_code == 302
