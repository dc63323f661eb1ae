"""Every answer says what it spent its time on, and one log line says the same."""

import json
import re
from typing import Any

import httpx2
import pytest
from support.concurrency import meanwhile, until
from support.services import Log, Service, Vendors
from support.shopper import Shopper

LISTED = "http://localhost:3000"


def timings(reply: httpx2.Response) -> dict[str, float]:
    """Server-Timing as milliseconds by name; raises for anything that is not of its form."""
    parts = reply.headers["server-timing"].split(", ")
    forms = [re.fullmatch(r'(\w+);dur=(\d+(?:\.\d)?)(?:;desc="\d+ calls")?', part) for part in parts]
    return {form[1]: float(form[2]) for form in forms if form is not None or pytest.fail(str(parts))}


def lines(log: Log, request_id: str, event: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.getvalue().splitlines() if request_id in line]
    return [line for line in found if line["event"] == event]


def test_a_read_tells_what_it_spent_its_time_on(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("customer", "delay", seconds=0.2)
    told = timings(ella.api("GET", "/me"))
    # The session and the limits are one question, so nothing else of it is asked of a store.
    assert set(told) == {"session", "vendor", "render", "total"}
    assert 200 <= told["vendor"] <= told["total"]


def test_calls_that_run_side_by_side_are_not_added_up(ella: Shopper, vendors: Vendors) -> None:
    for operation in ("customer", "customer_redemption_rules"):
        vendors.fault(operation, "delay", seconds=0.3)
    reply = ella.api("GET", "/me/rewards")
    told = timings(reply)
    assert 300 <= told["vendor"] <= told["total"]
    assert 'desc="2 calls"' in reply.headers["server-timing"]


@pytest.mark.parametrize("path", ["/program", "/openapi.json", "/session"])
def test_what_calls_no_vendor_says_so(shopper: Shopper, path: str) -> None:
    shopper.api("GET", path)
    assert "vendor" not in timings(shopper.api("GET", path))


def test_pages_errors_and_files_are_timed_as_well(shopper: Shopper) -> None:
    for path in ("/", "/rewards", "/nothing-here", "/healthz", "/api/v1/nothing-here", "/api/v1/me"):
        assert timings(shopper.request("GET", path))["total"] >= 0


def test_K5_what_changes_something_tells_its_whole_time_only(ella: Shopper) -> None:
    for reply in (
        ella.api("POST", "/me/referrals", {"email": "friend@example.org"}),
        ella.api("PUT", "/me/birthday", {"day": 1, "month": 2}),
        ella.api("POST", "/session", {}),
    ):
        assert set(timings(reply)) == {"total"}


def test_only_a_storefront_on_the_list_may_read_it(start: Any) -> None:
    service = start(STOREFRONT_ORIGINS=LISTED)
    own, listed, foreign = (
        service.shopper().api("GET", "/session", origin=origin)
        for origin in (service.url, LISTED, "http://evil.example")
    )
    assert own.headers["timing-allow-origin"] == service.url
    assert listed.headers["timing-allow-origin"] == LISTED
    assert "timing-allow-origin" not in foreign.headers


@pytest.mark.parametrize("origin", [LISTED, "https://evil.example"])
def test_what_every_page_may_read_lends_its_timing_to_none(start: Any, origin: str) -> None:
    """One copy is for all origins: it cannot name the storefronts, and would let strangers know how busy we are."""
    reply = start(STOREFRONT_ORIGINS=LISTED).shopper().api("GET", "/program", origin=origin)
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "timing-allow-origin" not in reply.headers


def test_the_log_line_of_a_request_has_the_same_numbers(ella: Shopper, vendors: Vendors, log: Log) -> None:
    vendors.fault("customer", "delay", seconds=0.2)
    reply = ella.api("GET", "/me")
    told = timings(reply)
    until(lambda: bool(lines(log, reply.headers["x-request-id"], "request")))
    [line] = lines(log, reply.headers["x-request-id"], "request")
    assert {phase: line[f"{phase}_ms"] for phase in ("session", "vendor", "render")} == {
        phase: told[phase] for phase in ("session", "vendor", "render")
    }
    assert (line["calls"], line["route"], line["status"]) == (1, "/api/v1/me", 200)
    assert line["ms"] >= told["vendor"]


def test_vendor_calls_are_logged_under_the_request_that_made_them(ella: Shopper, log: Log) -> None:
    reply = ella.api("GET", "/me/rewards")
    operations = {line["operation"] for line in lines(log, reply.headers["x-request-id"], "call")}
    assert operations >= {"customer", "customer_redemption_rules"}


def test_two_requests_at_once_do_not_mix_their_numbers(service: Service, vendors: Vendors) -> None:
    ella, stranger = service.signed_in("ella"), service.shopper()
    vendors.fault("customer", "delay", seconds=0.5)
    with meanwhile(lambda: ella.api("GET", "/me")) as slow:
        quick = [timings(stranger.api("GET", "/session")) for _ in range(5)]
        assert all("vendor" not in told for told in quick)
        assert timings(slow.result(20))["vendor"] >= 500
