"""Traces, logs and errors go where their settings say, tell what the log tells, and nobody's secrets."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support.canary_secrets import STRANGE, TOKENS, everybody_was_here
from support.collector import Collector, attributes, collecting
from support.concurrency import until
from support.enrolment_clients import Rows
from support.processes import start as started
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, Log, Vendors, in_thread

from bff.telemetry.logs import FIELDS


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture
def refusing(rows: Rows) -> Iterator[None]:
    """A database that refuses every redemption, and says so with all that is in the row."""
    rows.execute("ALTER TABLE redemptions ADD CONSTRAINT refusing CHECK (points < 0) NOT VALID")
    try:
        yield
    finally:
        rows.execute("ALTER TABLE redemptions DROP CONSTRAINT refusing")


def test_C1_M4_nothing_secret_or_personal_is_sent(
    settings: dict[str, str], vendors: Vendors, collector: Collector, log: Log
) -> None:
    with in_thread(settings | collector.settings | {"SHOPIFY_LEGACY_TOKENS": "on"}) as service:
        visit = everybody_was_here(service, vendors)
        never = visit.secrets | visit.cookie_parts | visit.forms | visit.addresses | visit.names | visit.codes
    text = collector.text()
    assert len(collector.spans()) > 150
    assert len(collector.lines()) > 150
    assert len(never) > 60
    assert not TOKENS.search(text)
    assert sorted(one for one in never | {STRANGE, "gid://", "@example", "/refer?"} if one and one in text) == []


def test_C1_an_error_is_reported_without_its_message(
    settings: dict[str, str], vendors: Vendors, collector: Collector, log: Log, refusing: None
) -> None:
    """PostgreSQL's own message quotes the whole row: the member, the reward and the key."""
    with in_thread(settings | collector.settings) as service:
        ella, key = service.signed_in("ella"), new_key()
        assert redeem(ella, FIVE_OFF, key).status_code == 500
    [error] = collector.errors()
    assert error["logentry"]["message"] == "unexpected"
    assert error["level"] == "error"
    assert error["tags"]["failure"] == "CheckViolation"
    [exception] = error["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("CheckViolation", "")
    assert "ledger.py" in {frame["filename"] for frame in exception["stacktrace"]["frames"]}
    assert {name for frame in exception["stacktrace"]["frames"] for name in frame} <= {
        "filename", "function", "lineno", "in_app",
    }  # fmt: skip
    text = collector.text()
    told = (key, FIVE_OFF, vendors.member("ella")["customerId"], "Failing row", "refusing")
    assert [one for one in told if one in text] == []


def test_a_request_and_its_calls_are_one_trace_which_the_vendors_see(
    settings: dict[str, str], vendors: Vendors, collector: Collector, log: Log
) -> None:
    with in_thread(settings | collector.settings) as service:
        ella = service.signed_in("ella")
        before = len(vendors.state()["calls"])
        log.clear()
        reply = ella.api("GET", "/me/rewards")
        sent = [call["headers"]["traceparent"].split("-") for call in vendors.state()["calls"][before:]]
        until(lambda: bool(log.events("request")))
        [line] = log.events("request")
    spans = {span.span_id.hex(): span for span in collector.spans() if span.trace_id.hex() == line["trace_id"]}
    [root] = [span for span in spans.values() if not span.parent_span_id]
    assert (root.name, root.kind) == ("GET /api/v1/me/rewards", root.SPAN_KIND_SERVER)
    assert attributes(root)["request_id"] == reply.headers["x-request-id"]
    assert (attributes(root)["status"], attributes(root)["route"]) == (200, "/api/v1/me/rewards")
    calls = {span_id: span for span_id, span in spans.items() if span is not root}
    assert {span.parent_span_id for span in calls.values()} == {root.span_id}
    assert {(version, trace, sampled) for version, trace, _, sampled in sent} == {("00", line["trace_id"], "01")}
    assert {span_id for _, _, span_id, _ in sent} == set(calls)
    assert {"okendo customer", "okendo customer_redemption_rules"} <= {span.name for span in calls.values()}
    assert {name for span in collector.spans() for name in attributes(span)} <= FIELDS


def test_a_failed_call_is_an_error_in_its_trace(
    settings: dict[str, str], vendors: Vendors, collector: Collector
) -> None:
    with in_thread(settings | collector.settings) as service:
        ella = service.signed_in("ella")
        vendors.fault("customer", "status:500", times=2)
        assert ella.api("GET", "/me").status_code == 502
    failed = {span.name for span in collector.spans() if span.status.code == span.status.STATUS_CODE_ERROR}
    assert failed == {"okendo customer", "GET /api/v1/me"}


def test_a_callers_trace_is_not_gone_on_with(settings: dict[str, str], collector: Collector) -> None:
    caller = "cafe7f3acafe7f3acafe7f3acafe7f3a"
    with in_thread(settings | collector.settings) as service:
        headers = {"traceparent": f"00-{caller}-00f067aa0ba902b7-01"}
        assert service.shopper().request("GET", "/api/v1/program", headers=headers).status_code == 200
    assert collector.spans()
    assert caller not in {span.trace_id.hex() for span in collector.spans()}
    assert not [span for span in collector.spans() if span.parent_span_id.hex() == "00f067aa0ba902b7"]


def test_log_lines_are_sent_as_they_are_written(settings: dict[str, str], collector: Collector, log: Log) -> None:
    log.clear()
    with in_thread(settings | collector.settings) as service:
        service.signed_in("ella")
    lines = collector.lines()
    [signed_in] = [line for line in lines if line.body.string_value == "signed_in"]
    assert (signed_in.severity_text, signed_in.severity_number) == ("INFO", 9)
    [written] = log.events("signed_in")
    assert attributes(signed_in) == {name: written[name] for name in attributes(signed_in)}
    assert signed_in.trace_id.hex() == written["trace_id"]


def test_the_worker_sends_too(settings: dict[str, str], collector: Collector, logfile: Path, rows: Rows) -> None:
    process = started(settings | collector.settings, "worker", out=logfile)
    until(lambda: rows.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (3,), 60)
    process.terminate()
    process.join(30)
    assert "worker_started" in {line.body.string_value for line in collector.lines()}


# Without ------------------------------------------------------------------------------------------------------------


def test_a_collector_that_is_away_holds_nobody_up(settings: dict[str, str], vendors: Vendors) -> None:
    nowhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "SENTRY_DSN": f"http://{'a' * 32}@127.0.0.1:1/1"}
    with in_thread(settings | nowhere) as service:
        assert service.signed_in("ella").api("GET", "/me").status_code == 200


def run(settings: Mapping[str, str], *command: str, **more: str) -> "subprocess.CompletedProcess[str]":
    surroundings = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return subprocess.run(  # noqa: S603  # Our own command.
        [sys.executable, *command], cwd=ROOT, env=surroundings | dict(settings) | more, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "SENTRY_DSN"])
def test_a_setting_whose_packages_are_missing_stops_the_boot_with_one_line(
    settings: dict[str, str], tmp_path: Path, name: str, command: str
) -> None:
    for package in ("opentelemetry", "sentry_sdk"):
        (tmp_path / f"{package}.py").write_text("raise ImportError('as if it were not installed')")
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "SENTRY_DSN": "http://0123456789@127.0.0.1:1/1"}
    done = run(settings, "-m", "bff", command, PYTHONPATH=str(tmp_path), **{name: given[name]})
    assert done.returncode == 2
    packages = {"OTEL_EXPORTER_OTLP_ENDPOINT": "requirements-otel.txt", "SENTRY_DSN": "requirements-sentry.txt"}[name]
    expected = f"bff: {name}: needs packages that are not installed. Install {packages}, or leave it out.\n"
    assert done.stdout + done.stderr == expected
    assert (ROOT / packages).exists()


def test_without_the_settings_nothing_that_sends_is_loaded() -> None:
    """redis-py looks for OpenTelemetry's metrics by itself, and does not use them."""
    code = (
        "import sys, bff.app, bff.worker, bff.cli, bff.ops.exports;"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.exporter', 'sentry_sdk'))])"
    )
    assert run({}, "-c", code).stdout == "[]\n"
