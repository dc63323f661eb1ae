"""One id joins our log lines and the vendors' for a request; what a stranger calls a trace goes no further (G3, M8)."""

import json
import re
from typing import Any

import httpx2
import pytest
from support.concurrency import until
from support.services import Log, Service, Vendors
from support.shopper import Shopper

FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-00")
CALLER = "cafe7f3acafe7f3acafe7f3acafe7f3a"
VALID = f"00-{CALLER}-00f067aa0ba902b7-01"
# A form that W3C Trace Context §3.2 does not allow, each for another reason.
MALFORMED = (
    "none", CALLER, f"00-{CALLER}-00f067aa0ba902b7", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{CALLER}-{'0' * 16}-01",
    f"ff-{CALLER}-00f067aa0ba902b7-01", f"00-{CALLER.upper()}-00f067aa0ba902b7-01", f"{VALID}-more", f"x {VALID}",
    f"00-{CALLER[:-1]}-00f067aa0ba902b7-01", f"00-{CALLER}0-00f067aa0ba902b7-01", f"00_{CALLER}_00f067aa0ba902b7_01",
    f"00-{CALLER[:-1]}g-00f067aa0ba902b7-01", f"{VALID}, {VALID}",
)  # fmt: skip


def line_of(log: Log, reply: httpx2.Response) -> dict[str, Any]:
    """The line of this request, which is written when the answer has gone out."""
    until(lambda: bool(_lines(log, reply)))
    [line] = _lines(log, reply)
    return line


def _lines(log: Log, reply: httpx2.Response) -> list[dict[str, Any]]:
    found = (json.loads(line) for line in log.getvalue().splitlines() if reply.headers["x-request-id"] in line)
    return [line for line in found if line["event"] == "request"]


def from_a_server(service: Service, **headers: str) -> httpx2.Response:
    """A storefront's server: without what browsers send."""
    with httpx2.Client(trust_env=False, timeout=20) as http:
        return http.get(f"{service.url}/api/v1/program", headers=headers)


def test_every_call_to_a_vendor_carries_the_trace_of_its_request(ella: Shopper, vendors: Vendors, log: Log) -> None:
    before = len(vendors.state()["calls"])
    line = line_of(log, ella.api("GET", "/me/rewards"))
    sent = [FORM.fullmatch(call["headers"]["traceparent"]) for call in vendors.state()["calls"][before:]]
    assert len(sent) >= 2
    assert {form and form[1] for form in sent} == {line["trace_id"]}
    assert len({form and form[2] for form in sent}) == len(sent), "each call is a span of its own"


def test_each_request_has_a_trace_of_its_own(shopper: Shopper, log: Log) -> None:
    traces = {line_of(log, shopper.api("GET", "/program"))["trace_id"] for _ in range(5)}
    assert len(traces) == 5


def test_M8_a_servers_trace_is_noted_and_not_passed_on(service: Service, vendors: Vendors, log: Log) -> None:
    reply = from_a_server(service, traceparent=VALID, tracestate="vendor=opaque", baggage="user=ella")
    line = line_of(log, reply)
    assert line["caller_trace_id"] == CALLER != line["trace_id"]
    calls = vendors.state()["calls"]
    assert calls
    for call in calls:
        assert CALLER not in str(call)
        assert not {"tracestate", "baggage"} & set(call["headers"])


@pytest.mark.parametrize("header", MALFORMED)
def test_M8_a_malformed_trace_is_ignored(service: Service, log: Log, header: str) -> None:
    reply = from_a_server(service, traceparent=header)
    assert reply.status_code == 200
    assert "caller_trace_id" not in line_of(log, reply)


@pytest.mark.parametrize("name", ["origin", "sec-fetch-site", "sec-fetch-mode"])
def test_M8_a_browsers_trace_is_ignored(service: Service, log: Log, name: str) -> None:
    values = {"origin": service.url, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
    reply = from_a_server(service, traceparent=VALID, **{name: values[name]})
    assert reply.status_code == 200
    assert "caller_trace_id" not in line_of(log, reply)
