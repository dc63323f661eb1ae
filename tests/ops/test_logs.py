"""What the log says of a failure: enough to find it, and nothing of what it was about."""

import json
import os
import re
import socket
import subprocess
import sys

import httpx2
import pytest
from support.concurrency import until
from support.held_requests import TOKEN
from support.services import ROOT, Log, Service, Start, Vendors, Work
from support.store_outages import agreement, failing_inserts
from support.subtotal_events import ACTIONS, bought, connection_of, deliver


def test_M4_an_unexpected_error_names_our_own_line_and_what_it_was_but_no_value(service: Service, log: Log) -> None:
    penny = service.signed_in("penny")
    log.clear()
    with failing_inserts(service.settings["DATABASE_URL"], "consents"):
        reply = penny.api("POST", "/me/enrolment", agreement(penny))
    assert (reply.status_code, reply.json()["code"]) == (500, "internal_error")
    until(lambda: any(line["status"] == 500 for line in log.events("request")))
    [line] = log.events("unexpected")
    assert (line["level"], line["failure"], line["sqlstate"]) == ("error", "DivisionByZero", "22012")
    assert re.fullmatch(r"bff\.members\.consents\.Consents\.store:\d+", line["where"])
    assert line["request_id"] == reply.json()["requestId"]
    assert [each["code"] for each in log.events("request") if each["status"] == 500] == ["internal_error"]
    assert "canary" not in log.getvalue()


def test_a_job_that_fails_says_where_and_why(start: Start, vendors: Vendors, work: Work, log: Log) -> None:
    service = start(SUBTOTAL_ACTIONS=ACTIONS)
    log.clear()
    with failing_inserts(service.settings["DATABASE_URL"], "awards"):
        assert deliver(service, bought(connection_of(vendors, "ella"), "5.00")).status_code == 204
        work(SUBTOTAL_ACTIONS=ACTIONS)
        until(lambda: bool(log.events("job_failed")))
    line = log.events("job_failed")[0]
    assert (line["level"], line["what"], line["sqlstate"]) == ("error", "take_event", "22012")
    assert line["where"].startswith("bff.awards.")
    assert "canary" not in log.getvalue()


NOWHERE = {"VALKEY_URL": "valkey://127.0.0.1:1/0", "DATABASE_URL": "postgresql://user:password@127.0.0.1:1/loyalty"}


def unavailable(service: Service, store: str) -> float:
    reply = httpx2.get(f"{service.url}/metrics", headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False)
    found = re.findall(rf'^loyalty_store_unavailable_total{{.*store="{store}".*}} (.*)$', reply.text, re.MULTILINE)
    return sum(map(float, found))


@pytest.mark.parametrize(("setting", "away"), [("VALKEY_URL", "valkey"), ("DATABASE_URL", "postgresql")])
def test_a_store_that_is_away_is_named_in_log_and_metric(start: Start, log: Log, setting: str, away: str) -> None:
    service = start(**{setting: NOWHERE[setting]}, METRICS_TOKEN=TOKEN)
    before, other = unavailable(service, away), {"valkey": "postgresql", "postgresql": "valkey"}[away]
    others = unavailable(service, other)
    log.clear()
    assert service.shopper().request("GET", "/readyz").status_code == 503
    lines = log.events("store_unavailable")
    assert {(line["what"], line["level"]) for line in lines} == {(away, "warning")}
    assert all(re.fullmatch(r"\w+", line["failure"]) for line in lines)
    # Whoever asks for the metrics asks the stores, too.
    assert unavailable(service, away) - before >= len(lines)
    assert unavailable(service, other) == others


def test_a_limit_that_cannot_be_counted_names_the_store(start: Start, log: Log) -> None:
    service = start(VALKEY_URL=NOWHERE["VALKEY_URL"])
    log.clear()
    reply = service.shopper().api("POST", "/session", {"customerAccessToken": "a-token-of-nobody"})
    assert (reply.status_code, reply.json()["code"]) == (503, "store_unavailable")
    named = [
        line["what"] for line in log.events("store_unavailable") if line["request_id"] == reply.json()["requestId"]
    ]
    assert set(named) == {"valkey"}


def test_a_vendor_that_fails_is_a_warning_and_one_that_answers_is_none(
    service: Service, vendors: Vendors, log: Log
) -> None:
    log.clear()
    vendors.fault("faqs", "status:500", times=9)
    for path in ("/faqs", "/tiers"):
        service.shopper().api("GET", path)
    levels = {line["operation"]: line["level"] for line in log.events("call")}
    assert (levels["faqs"], levels["vip_program"]) == ("warning", "info")


SAYING = """
import asyncio, logging, warnings
from bff.telemetry.logs import set_up

async def canary():
    raise LookupError("canary") from KeyError("canary")

async def main():
    try:
        await canary()
    except LookupError as error:
        asyncio.get_running_loop().call_exception_handler({"message": "canary", "exception": error})

set_up()
warnings.warn("canary", ResourceWarning)
asyncio.run(main())
logging.getLogger("psycopg.pool").warning("canary: %s", ConnectionResetError("canary"))
logging.getLogger("psycopg.pool").warning("canary", exc_info=True)
"""


def test_M4_what_a_library_says_keeps_its_class_and_nothing_else() -> None:
    command = [sys.executable, "-W", "always", "-c", SAYING]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # Ours.
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["event"], line["logger"], line.get("failure"), line.get("cause")) for line in lines] == [
        ("library", "py.warnings", "ResourceWarning", None),
        ("library", "asyncio", "LookupError", "KeyError"),
        ("library", "psycopg.pool", "ConnectionResetError", None),
        ("library", "psycopg.pool", None, None),
    ]
    assert "canary" not in done.stdout + done.stderr


TELLING = """
import asyncio, os
from bff.telemetry.logs import QuickLogger, set_up

set_up()
QuickLogger().log(20, "request", status=1)

async def main():
    for status in (2, 3, 4):
        QuickLogger().log(20, "request", status=status)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # Nothing is written on the way out.
    os._exit(0)

asyncio.run(main())
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_the_lines_of_one_turn_are_handed_over_together_and_none_waits_for_more(unbuffered: str) -> None:
    """A datagram is what one call of the system wrote."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.settimeout(20)
        env = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        subprocess.run([sys.executable, "-c", TELLING], cwd=ROOT, stdout=theirs.fileno(), env=env, check=True)  # noqa: S603  # Ours.
        written = [[json.loads(line)["status"] for line in ours.recv(65536).splitlines()] for _ in range(2)]
    assert written == [[1], [2, 3, 4]]
