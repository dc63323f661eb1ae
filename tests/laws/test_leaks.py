"""After everybody was here and much went wrong, nothing secret or personal lies where it must not be."""

import json
import re
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
import redis
from support.canary_secrets import STRANGE, TOKENS, Visit, everybody_was_here, everything_in, everything_recorded
from support.services import Log, Service, Start, Vendors, as_process

Rows = psycopg.Connection[tuple[object, ...]]
# What a log line may tell; whoever adds to this has thought about what will be in it.
FIELDS = {
    "event", "level", "logger", "timestamp", "request_id", "method", "route", "status", "ms", "code", "reason",
    "vendor", "operation", "failure", "tries", "state", "reference", "who", "what", "port", "workers",
    "invalid_client", "where", "trace_id", "calls", "session_ms", "store_ms", "vendor_ms", "render_ms",
}  # fmt: skip
EVENTS = {"request", "call", "redemption"}


@pytest.fixture
def visit(start: Start, vendors: Vendors, log: Log) -> Visit:
    """Everybody has been at a service that logs at its most talkative."""
    log.clear()
    return everybody_was_here(start(LOG_LEVEL="debug", SHOPIFY_LEGACY_TOKENS="on"), vendors)


def found_in(text: str, canaries: Iterable[str]) -> list[str]:
    return sorted(canary for canary in canaries if canary and canary in text)


def told(reply: httpx2.Response) -> str:
    """All that a browser gets to see of a reply: its headers without our own cookies, and its body."""
    headers = "\n".join(f"{name}: {value}" for name, value in reply.headers.items() if name != "set-cookie")
    return f"{reply.status_code}\n{headers}\n{reply.text}"


def test_C1_M1_M4_B3_nothing_lies_where_it_must_not_be(visit: Visit, log: Log, rows: Rows) -> None:
    """One long visit, looked at from every side: browsers, log, Valkey and PostgreSQL."""
    nets_are_fit_to_catch(visit)
    browsers_got_nothing(visit)
    the_log_tells_nothing(visit, log.getvalue())
    with redis.Redis.from_url(visit.service.settings["VALKEY_URL"]) as store:
        nothing_lies_open(visit, everything_in(store))
    nothing_lies_open(visit, everything_recorded(rows))


def nets_are_fit_to_catch(visit: Visit) -> None:
    """The canaries are there: tokens were used, cookies and coupons given, replies collected."""
    tokens = [secret for secret in visit.secrets if TOKENS.search(secret)]
    assert len(tokens) > 20
    assert {token[:3] for token in tokens} >= {"shc", "eyJ"}
    assert len(visit.cookies) > 8
    assert len(visit.forms) > 8
    assert len(visit.codes) >= 2
    assert len(visit.addresses) == 8
    replies = [reply for shopper in visit.shoppers for reply in shopper.replies]
    assert len(replies) > 150
    assert {reply.status_code for reply in replies} >= {200, 201, 303, 302, 400, 401, 403, 404, 422, 502}


def browsers_got_nothing(visit: Visit) -> None:
    secrets, addresses = visit.secrets | visit.cookies, visit.addresses
    for shopper in visit.shoppers:
        for reply in shopper.replies:
            text, where = told(reply), f"{reply.request.method} {urlsplit(str(reply.url)).path}"
            headers = str(reply.headers)
            if where == "GET /logout/continue":
                # The one answer that sends a browser to Shopify with an ID token (OpenID Connect RP-Initiated Logout).
                text, headers = without_id_token(text), without_id_token(headers)
            assert not TOKENS.search(text), where
            assert not TOKENS.search(headers), where
            assert found_in(text, secrets) == [], where
            # The one place: what was typed into the refer form and comes back with it.
            if where != "POST /refer" or reply.status_code == 303:
                assert found_in(without_hint(text), addresses) == [], where


def without_id_token(text: str) -> str:
    return re.sub(r"(/authentication/logout\?id_token_hint=)[\w.-]+", r"\1", text)


def without_hint(text: str) -> str:
    """A storefront's own login_hint goes on to Shopify, in the address that a browser is sent to."""
    return re.sub(r"(?m)^location: .*[?&]login_hint=.*$", "", text)


def the_log_tells_nothing(visit: Visit, text: str) -> None:
    assert not TOKENS.search(text)
    never = visit.secrets | visit.cookie_parts | visit.forms | visit.addresses | visit.names | visit.codes
    assert found_in(text, never | {STRANGE, "@example", "canary-of-an-intent", "/refer/"}) == []
    lines = list(read(text))
    assert {line["event"] for line in lines} >= EVENTS
    assert {line["level"] for line in lines} >= {"info"}
    for line in lines:
        assert set(line) <= FIELDS
        assert all(value is None or isinstance(value, str | int | float) for value in line.values())
        assert "?" not in str(line.get("route"))


def read(text: str) -> Iterator[dict[str, Any]]:
    """Each line as the one JSON object that it is."""
    for line in text.splitlines():
        found = json.loads(line)
        assert isinstance(found, dict)
        assert line.isprintable()
        yield found


def nothing_lies_open(visit: Visit, text: str) -> None:
    assert len(text) > 500
    assert not TOKENS.search(text)
    assert found_in(text, visit.secrets | visit.cookie_parts | visit.addresses | visit.names | visit.forms) == []


def test_M4_a_real_process_says_nothing_either(
    settings: dict[str, str], vendors: Vendors, logfile: Path, rows: Rows
) -> None:
    """Standard output and standard error of what production runs, from the first line to the last."""
    changes = {"LOG_LEVEL": "debug", "SHOPIFY_LEGACY_TOKENS": "on"}
    with as_process(settings | changes, logfile) as service:
        visit = everybody_was_here(service, vendors)
        browsers_got_nothing(visit)
    the_log_tells_nothing(visit, logfile.read_text("utf-8"))
    nothing_lies_open(visit, everything_recorded(rows))


FORGED = '{"event":"forged"}'
RAW_REQUESTS = {
    "CR and LF in the path": f"GET /rewards/%0d%0a{FORGED.replace(' ', '')} HTTP/1.1\r\nHost: HOST\r\n",
    "an escape sequence in the path": "GET /%1b%5b31mred%1b%5b0m HTTP/1.1\r\nHost: HOST\r\n",
    "a raw escape in the path": "GET /\x1b[31mred HTTP/1.1\r\nHost: HOST\r\n",
    "an escape in the user agent": "GET / HTTP/1.1\r\nHost: HOST\r\nUser-Agent: \x1b[2J\x1b]0;owned\x07\r\n",
    "a lone CR in the user agent": f"GET / HTTP/1.1\r\nHost: HOST\r\nUser-Agent: a\r{FORGED}\r\n",
    "a request id with more in it": f"GET / HTTP/1.1\r\nHost: HOST\r\nX-Request-Id: {'a' * 20}%0a{FORGED}\r\n",
    "a forwarded address with more": f"GET /login HTTP/1.1\r\nHost: HOST\r\nX-Forwarded-For: 1.2.3.4 {FORGED}\r\n",
    "line separators of Unicode": "GET /%e2%80%a8%c2%85 HTTP/1.1\r\nHost: HOST\r\nUser-Agent: \u2028\r\n",
    "a method of one's own": "FORGED / HTTP/1.1\r\nHost: HOST\r\n",
    "another host": f"GET / HTTP/1.1\r\nHost: evil.example{FORGED}\r\n",
}


@pytest.mark.parametrize("name", RAW_REQUESTS)
def test_M5_a_request_adds_lines_of_ours_to_the_log_and_none_of_its_own(service: Service, log: Log, name: str) -> None:
    log.clear()
    send(service, RAW_REQUESTS[name])
    shopper = service.shopper()
    assert [shopper.api("GET", "/session").status_code for _ in range(2)] == [200, 200]
    text = log.getvalue()
    assert list(read(text)), "the request after it is logged"
    assert found_in(text, ("forged", "\x1b", "u001b", "owned", "31m", "evil.example")) == []


def test_M5_an_address_with_control_characters_is_refused_and_not_logged(service: Service, log: Log) -> None:
    ella = service.signed_in("ella")
    form = ella.get("/refer")
    log.clear()
    for email in (
        "a@example.org\r\nBcc: b@example.org",
        "a\x1b[31m@example.org",
        f"a@example.org\n{FORGED}",
        "\x00@x.org",
    ):
        assert ella.submit(form, "/refer", email=email).status == 422
        assert ella.api("POST", "/me/referrals", {"email": email}).status_code == 422
    assert found_in(log.getvalue(), ("forged", "Bcc", "example.org", "u001b")) == []
    assert len(list(read(log.getvalue()))) >= 8


def send(service: Service, head: str) -> bytes:
    """One request as these bytes, and the answer up to the end of the connection."""
    host = urlsplit(service.url).netloc
    with socket.create_connection((host.partition(":")[0], int(host.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall(head.replace("HOST", host).encode() + b"Connection: close\r\n\r\n")
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return answer
