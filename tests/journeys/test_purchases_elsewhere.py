"""The whole way: an account linked on Subtotal's page, a purchase there, a webhook, Okendo's points, and our page."""

from typing import Any

import pytest
from support.concurrency import state_of, until
from support.enrolment_clients import Rows
from support.services import Service, Start, Vendors, Work
from support.subtotal_events import BUYING, FAST, LINKING, RATE, awards_of, has_awards

from journeys.test_retailers import at_subtotal


@pytest.fixture
def service(start: Start, work: Work, vendors: Vendors) -> Service:
    """Known to the vendors, which tell it what happens."""
    service = start(**FAST)
    vendors.control("clock", rate=RATE)
    vendors.control(
        "webhooks", subtotal=f"{service.url}/webhooks/subtotal", okendo=f"{service.url}/webhooks/okendo", simulated=True
    )
    work(**FAST)
    return service


def deliveries(vendors: Vendors, vendor: str) -> list[Any]:
    found: list[Any] = vendors.state()[vendor]["deliveries"]
    return found


def test_from_the_link_to_the_points(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    address = ella.api("POST", "/me/retailers", {"retailerId": "sephora"}).json()["linkUrl"]
    assert at_subtotal(address).status_code == 303
    until(has_awards(vendors, "ella", 1))
    vendors.control("subtotal/purchase", persona="ella", retailer="sephora", total="42.50")
    until(has_awards(vendors, "ella", 2))
    assert awards_of(vendors, "ella") == [
        {"rule": LINKING, "value": None, "points": 150},
        {"rule": BUYING, "value": 42.5, "points": 85},
    ]
    until(lambda: "+85 points" in ella.get("/retailers").text)
    assert ella.api("GET", "/me").json()["points"]["balance"] == 1240 + 150 + 85
    assert [one["outcome"] for one in deliveries(vendors, "subtotal")] == ["delivered"] * 2


def test_a_first_link_brings_a_history(service: Service, vendors: Vendors, rows: Rows) -> None:
    history = [{"total": f"{number}.25", "date": "2026-02-03"} for number in range(1, 31)]
    vendors.control("subtotal/link", persona="zoe", retailer="target", purchases=history)
    until(has_awards(vendors, "zoe", 31), 60)
    assert sorted(award["value"] for award in awards_of(vendors, "zoe") if award["value"]) == [
        number + 0.25 for number in range(1, 31)
    ]
    assert rows.execute("SELECT count(*) FROM awards").fetchone() == (31,)


def test_subtotal_delivers_again_what_was_not_taken(
    start: Start, work: Work, vendors: Vendors, settings: dict[str, str]
) -> None:
    """The service is not there for the first try; five minutes later it is."""
    vendors.control("webhooks", subtotal=f"{settings['PUBLIC_URL']}/webhooks/subtotal")
    vendors.control("subtotal/purchase", persona="ella", retailer="walmart", total="10.00")
    until(lambda: [one["attempts"] for one in deliveries(vendors, "subtotal")] == [1, 1])
    start(**FAST)
    work(**FAST)
    vendors.control("clock", advance=301)
    until(has_awards(vendors, "ella", 2), 30)
    assert [one["attempts"] for one in deliveries(vendors, "subtotal")] == [2, 2]


def test_okendo_tells_when_a_member_is_blocked(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    vendors.control("member", persona="ella", state="blocked")
    until(lambda: state_of(ella) == "blocked", 30)
    vendors.control("member", persona="ella", state="enrolled")
    until(lambda: state_of(ella) == "enrolled", 30)
