"""What a request says twice, or under a name that some servers take for another, is not believed (checklist G4)."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.every_route import talk
from support.sandbox_catalogue import FIVE_OFF
from support.services import ROOT, Service, Vendors
from support.shopper import COOKIE, Shopper

from bff.web.fields import SINGLETONS
from bff.web.ready import LIKE, LONG_WAY

FACES = ("web", "api", "pages", "webhooks.py", "openapi", "ops/health.py")
READ = re.compile(r"(?:request\.headers\.get\(\s*|field\([a-z.]*scope, b)\"([a-z-]+)\"")
# Read as well, and harmless when it is repeated: a list by its nature, or nothing is granted for it.
MAY_REPEAT = {
    "accept": "a list",
    "accept-encoding": "a list",
    "accept-language": "a list",
    "access-control-request-headers": "a list; what is allowed is checked again when the request itself comes",
    "access-control-request-method": "the same",
    "if-none-match": "a list",
    "traceparent": "a name for logs",
    "x-request-id": "a name for logs, and some routers add one of their own",
}


def read_by_the_service() -> set[str]:
    places = [ROOT / "bff" / face for face in FACES]
    files = [file for place in places for file in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]
    return {name for file in files for name in READ.findall(Path(file).read_text())}


def test_G4_every_header_that_is_read_is_a_singleton_or_may_be_repeated() -> None:
    found = read_by_the_service()
    assert len(found) > 12
    assert found - set(SINGLETONS) == set(MAY_REPEAT)


def test_G4_a_ready_answer_is_for_a_request_that_is_alike_in_every_header_that_is_read() -> None:
    """Its id is put in; that it has a cookie makes a difference, and a public answer none of which."""
    told = {name.decode() for name in {*LIKE, *LONG_WAY}}
    assert read_by_the_service() - told == {"x-request-id"}
    assert set(SINGLETONS) <= told


def asked(service: Service, head: str, headers: Mapping[str, str], *, cookie: str = "", body: str = "") -> int:
    """The status of one request as these bytes; a name in `headers` may end in a space, to be there twice."""
    given = {"host": urlsplit(service.url).netloc, "connection": "close", "cookie": f"{COOKIE}={cookie}", **headers}
    lines = "".join(f"{name.strip()}: {value}\r\n" for name, value in given.items())
    said = talk(service.url, f"{head} HTTP/1.1\r\n{lines}\r\n{body}".encode())
    return int(said.split(b" ", 2)[1])


@pytest.mark.parametrize("name", SINGLETONS)
def test_G4_a_header_that_can_be_there_once_is_refused_twice(service: Service, name: str) -> None:
    value = {"host": urlsplit(service.url).netloc, "content-length": "0"}.get(name, "x")
    assert asked(service, "GET /healthz", {name: value}) == 200
    assert asked(service, "GET /healthz", {name: value, f"{name} ": value}) == 400


def redemption(shopper: Shopper, *without: str, **more: str) -> dict[str, str]:
    """The headers of a redemption that would be carried out."""
    headers = {
        "origin": shopper.base,
        "sec-fetch-site": "same-origin",
        "content-type": "application/json",
        "x-loyalty-csrf": "1",
        "idempotency-key": "a-key-of-twenty-four-abc",
    }
    return {name: value for name, value in headers.items() if name not in without} | more


@pytest.mark.parametrize(("name", "status"), [("x-loyalty-csrf", 403), ("content-type", 415), ("idempotency-key", 400)])
def test_G4_an_underscore_is_no_hyphen(service: Service, vendors: Vendors, name: str, status: int) -> None:
    """Servers that hand headers on as variables take one for the other."""
    ella, body = service.signed_in("ella"), f'{{"rewardId":"{FIVE_OFF}"}}'
    given = redemption(ella)
    spelled = redemption(ella, name, **{name.replace("-", "_"): given[name]})
    length = {"content-length": str(len(body))}
    cookie, head = ella.cookies[COOKIE], "POST /api/v1/me/redemptions"
    assert asked(service, head, spelled | length, cookie=cookie, body=body) == status
    assert vendors.calls("redeem") == []
    assert asked(service, head, given | length, cookie=cookie, body=body) == 201


def test_G4_what_a_proxy_says_is_not_said_by_an_underscore(service: Service) -> None:
    ella = service.signed_in("ella")
    headers = {"x_forwarded_proto": "http", "x_forwarded_host": "evil.test", "sec_fetch_dest": "image"}
    assert asked(service, "GET /api/v1/session", headers, cookie=ella.cookies[COOKIE]) == 200
