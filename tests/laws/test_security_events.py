"""Every security event is in the log, as the documentation says, and names nobody (checklist M6)."""

import ast
import base64
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from support.concurrency import until
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, Log, Service, Vendors, in_thread

from bff.telemetry.logs import FIELDS

Line = Mapping[str, Any]


@dataclass
class Stage:
    """A service, what stands around it, and whatever else is said than in its own log."""

    service: Service
    vendors: Vendors
    settings: Mapping[str, str]
    next_url: str
    said: str = ""

    def __post_init__(self) -> None:
        self.ella = self.service.signed_in("ella")


def revoke(stage: Stage) -> None:
    stage.said = bff(stage.settings, "sessions", "revoke", stage.vendors.member("ella")["customerId"]).stderr


def tamper(stage: Stage) -> None:
    with redis.Redis.from_url(stage.settings["VALKEY_URL"]) as store:
        for key in store.scan_iter("session:*"):
            store.hset(key, "record", "changed")
    stage.ella.get("/")


def rotate(stage: Stage) -> None:
    """The next deployment, which has a newer key, is visited by the same browser."""
    place = {"PUBLIC_URL": stage.next_url, "PORT": stage.next_url.rpartition(":")[2]}
    keys = f"new:{base64.b64encode(secrets.token_bytes(32)).decode()},{stage.settings['SECRET_KEYS']}"
    with in_thread({**stage.settings, **place, "SECRET_KEYS": keys}) as later:
        shopper = later.shopper()
        shopper.cookies = dict(stage.ella.cookies)
        assert shopper.api("GET", "/session").json()["state"] == "enrolled"


def fail_to_redeem(stage: Stage) -> None:
    stage.vendors.fault("redeem", "status:403")
    redeem(stage.ella, FIVE_OFF, new_key())


def lose_a_redemption(stage: Stage) -> None:
    stage.vendors.fault("redeem", "cut_after")
    redeem(stage.ella, FIVE_OFF, new_key())


def join(stage: Stage) -> None:
    penny = stage.service.signed_in("penny")
    penny.submit(penny.get("/join"), "/join")


def join_in_vain(stage: Stage) -> None:
    stage.vendors.fault("customer_activation", "status:400")
    join(stage)


def press_too_often(stage: Stage) -> None:
    replies = [stage.ella.api("PUT", "/me/birthday", {"day": 31, "month": 2}) for _ in range(21)]
    assert replies[-1].status_code == 429


# What is done, the event that it is, and the fields by which it is told.
EVENTS: tuple[tuple[Callable[[Stage], object], str, Line], ...] = (
    (lambda stage: stage.service.signed_in("zoe"), "signed_in", {"what": "first"}),
    (lambda stage: stage.ella.sign_in("ella"), "signed_in", {"what": "again"}),
    (lambda stage: stage.ella.sign_in("tara"), "signed_in", {"what": "another customer"}),
    (
        lambda stage: stage.ella.api("POST", "/session", {"customerAccessToken": stage.vendors.token("tara")}),
        "signed_in",
        {"what": "another customer"},
    ),
    (lambda stage: stage.ella.get("/callback?state=again.x&code=x"), "sign_in_failed", {"status": 400}),
    (lambda stage: stage.ella.submit(stage.ella.get("/"), "/logout"), "signed_out", {}),
    (lambda stage: stage.ella.api("DELETE", "/session"), "signed_out", {}),
    (lambda stage: stage.service.handle(stage.vendors.token("ella")), "handle_issued", {}),
    (revoke, "sessions_revoked", {"level": "warning"}),
    (tamper, "session_refused", {"level": "warning"}),
    (rotate, "session_resealed", {}),
    (join, "consent", {"state": "accepted"}),
    (join_in_vain, "consent", {"state": "refused"}),
    (lambda stage: redeem(stage.ella, FIVE_OFF, new_key()), "redemption", {"state": "succeeded"}),
    (fail_to_redeem, "redemption", {"state": "failed"}),
    (lose_a_redemption, "redemption", {"state": "unknown"}),
    (
        lambda stage: stage.ella.request("POST", "/refer", headers={"origin": "https://evil.test"}),
        "request",
        {"code": "csrf_refused", "status": 403, "route": None},
    ),
    (
        lambda stage: stage.ella.submit(stage.ella.get("/refer"), "/refer", csrf="x"),
        "request",
        {"code": "csrf_refused", "status": 403, "route": "/refer"},
    ),
    (press_too_often, "request", {"code": "rate_limited", "status": 429}),
    (
        lambda stage: stage.service.shopper().api("POST", "/session", {"customerAccessToken": "shcat_nobodys"}),
        "request",
        {"code": "token_rejected", "status": 401},
    ),
)


@pytest.mark.parametrize(("cause", "event", "fields"), EVENTS, ids=[f"{event}-{fields}" for _, event, fields in EVENTS])
def test_M6_what_concerns_security_is_logged(
    service: Service,
    vendors: Vendors,
    settings: dict[str, str],
    urls: list[str],
    log: Log,
    cause: Callable[[Stage], object],
    event: str,
    fields: Line,
) -> None:
    stage = Stage(service, vendors, settings, urls[1])
    before = len(log.getvalue())
    cause(stage)

    def found() -> list[Line]:
        return [line for line in read(log.getvalue()[before:] + stage.said) if line["event"] == event]

    # The line about a request is written after its answer.
    until(lambda: any(line.items() >= fields.items() for line in found()))
    assert set(documented()[event]) <= {name for line in found() for name in line}
    for line in found():
        assert re.fullmatch(r"[\w-]{16}", line.get("who", "x" * 16))
        assert "request_id" in line or event == "sessions_revoked"


def read(text: str) -> list[Line]:
    return [json.loads(line) for line in text.splitlines()]


def documented() -> dict[str, list[str]]:
    """The events of the documentation with the fields of each."""
    section = (ROOT / "docs" / "operations.md").read_text().partition("## Security events")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {re.findall(r"`(\w+)`", row[0])[0]: re.findall(r"`(\w+)`", row[1]) for row in rows}


def test_M6_the_documented_events_are_those_that_are_tested() -> None:
    assert set(documented()) == {event for _, event, _ in EVENTS}


def test_M6_one_customer_is_the_same_in_every_line_and_another_is_not(
    service: Service, vendors: Vendors, log: Log
) -> None:
    before = len(log.getvalue())
    for persona in ("ella", "ella", "tara"):
        service.signed_in(persona).api("DELETE", "/session")
    lines = [line for line in read(log.getvalue()[before:]) if line["event"] in {"signed_in", "signed_out"}]
    first, again, other = (lines[number : number + 2] for number in (0, 2, 4))
    assert len({line["who"] for line in first + again}) == 1
    assert first[0]["who"] != other[0]["who"]


def test_M4_nothing_is_logged_under_a_name_that_would_be_dropped() -> None:
    calls = list(log_calls())
    assert len(calls) > 40
    assert {f"{where}: {name}" for where, names in calls for name in names if name not in FIELDS} == set()


def log_calls() -> Iterator[tuple[str, list[str]]]:
    """Every call of our loggers, and the names of the fields that it gives."""
    levels = {"debug", "info", "warning", "error"}
    for file in sorted((ROOT / "bff").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), keywords=given) if (
                    level in levels
                ):
                    yield f"{file.name}:{node.lineno}", [each.arg for each in given if each.arg]
