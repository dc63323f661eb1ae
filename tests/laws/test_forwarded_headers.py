"""What X-Forwarded-For and X-Forwarded-Proto say counts only where a proxy of ours says it (checklist P8, K1)."""

from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from support.proxied_service import behind_a_router, production
from support.services import Service, Start
from support.shopper import Shopper

from bff.settings.read import read_settings
from bff.web.forwarded import Proxies

# As a service on this machine sees whoever connects to it.
PEER, NOT_THE_PEER = "192.0.2.0/24, 127.0.0.0/8", "192.0.2.0/24,2001:db8::/32"
BUDGET = 120


def hand_in(shopper: Shopper, forwarded: str) -> httpx2.Response:
    return shopper.api("POST", "/session", {}, x_forwarded_for=forwarded)


def test_P8_K1_an_ipv6_address_that_stands_for_an_ipv4_one_counts_as_that(service: Service) -> None:
    shopper = service.shopper()
    spellings = ("203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107", "64:ff9b::203.0.113.7", "2002:cb00:7107:5::1")
    for number in range(BUDGET):
        assert hand_in(shopper, spellings[number % len(spellings)]).status_code == 400
    for spelling in spellings:
        assert hand_in(shopper, spelling).status_code == 429, spelling
    # None of these shares the budget, though they are in one /64 with the others.
    for other in ("::ffff:203.0.113.8", "64:ff9b::203.0.113.8", "2002:cb00:7108::1", "::cb00:7107"):
        assert hand_in(shopper, other).status_code == 400, other


def test_P8_from_another_peer_an_address_is_not_believed(start: Start) -> None:
    shopper = start(TRUSTED_PROXIES=NOT_THE_PEER).shopper()
    for number in range(BUDGET):
        assert hand_in(shopper, f"203.0.113.{number}").status_code == 400
    assert hand_in(shopper, "203.0.113.250").status_code == 429


def test_P8_from_a_proxy_of_ours_it_is(start: Start) -> None:
    shopper = start(TRUSTED_PROXIES=PEER).shopper()
    for _ in range(BUDGET):
        assert hand_in(shopper, "203.0.113.7").status_code == 400
    assert hand_in(shopper, "203.0.113.7").status_code == 429
    assert hand_in(shopper, "203.0.113.8").status_code == 400


@pytest.mark.parametrize(("proxies", "is_believed"), [(PEER, True), (NOT_THE_PEER, False)])
def test_P8_A3_only_a_proxy_of_ours_makes_a_request_https(
    settings: dict[str, str], logfile: Path, proxies: str, is_believed: bool
) -> None:
    with behind_a_router(settings | {"TRUSTED_PROXIES": proxies}, logfile) as router:
        assert router.request("GET", "/api/v1/session").status_code == (200 if is_believed else 403)
        assert router.request("GET", "/signed-out").status_code == (200 if is_believed else 308)
        # Platforms ask without a proxy in between.
        assert router.request("GET", "/healthz").status_code == 200


@pytest.mark.parametrize(
    ("peer", "is_believed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::7", True),
        ("11.1.2.3", False),
        ("::ffff:11.1.2.3", False),
        # Who comes from the internet may have an address of 6to4 or NAT64 with a private one inside.
        ("2002:0a01:0203::1", False),
        ("64:ff9b::10.1.2.3", False),
        ("", False),
    ],
)
def test_P8_a_proxy_is_known_by_its_own_address(settings: dict[str, str], peer: str, is_believed: bool) -> None:
    proxies = Proxies(read_settings(production(settings) | {"TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8"}))
    headers = [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-proto", b"https")]
    request = Request({"type": "http", "headers": headers, "client": (peer, 1) if peer else None})
    assert proxies.says_https(request) is is_believed
    assert (proxies.client_of(request) == "203.0.113.7") is is_believed
