"""A storefront's server renders with a member's data: it acts by a handle, worth nothing to anybody else (P13).

Each defence of docs/decisions/server-rendering.md has its test here, and a mutant.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis
from support.concurrency import state_of
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key
from support.services import TICKETS_TOKEN as TOKEN
from support.services import Log, Service, Start, Vendors
from support.shopper import COOKIE
from support.snippets import by_bash, to_run

from bff.settings.read import read_settings
from bff.stores.keyring import KeyRing, SealBroken

STOREFRONT = "http://localhost:3000"


class Server:
    """The storefront's server: no cookie, no Origin, and a bearer token."""

    def __init__(self, service: Service, handle: str = "", token: str | None = TOKEN) -> None:
        self._caller = service.shopper()
        self._headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        self.handle = handle

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        given = self._headers | ({"x-loyalty-session": self.handle} if self.handle else {})
        if method != "GET":
            given["content-type"] = "application/json"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        options = {} if body is None else {"json": body}
        return self._caller.request(method, f"/api/v1{path}", headers=given, **options)

    def balance(self) -> int:
        reply = self.ask("GET", "/me")
        assert reply.status_code == 200, reply.text
        return int(reply.json()["points"]["balance"])


def lent(service: Service, vendors: Vendors, persona: str = "ella") -> Server:
    return Server(service, service.handle(vendors.token(persona)))


def code_of(reply: httpx2.Response) -> tuple[int, str]:
    assert "set-cookie" not in reply.headers
    return reply.status_code, reply.json()["code"]


EXPIRED, WRONG, REFUSED = (401, "session_expired"), (401, "session_required"), (403, "csrf_refused")


def test_P13_a_server_reads_and_writes_for_one_customer(service: Service, vendors: Vendors) -> None:
    server = lent(service, vendors)
    assert server.balance() == 1240
    told = server.ask("GET", "/session").json()
    assert told["state"] == "enrolled"
    key = new_key()
    first = server.ask("POST", "/me/redemptions", {"rewardId": FIVE_OFF}, idempotency_key=key)
    again = server.ask("POST", "/me/redemptions", {"rewardId": FIVE_OFF}, idempotency_key=key)
    assert (first.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert len(vendors.member("ella")["redemptions"]) == 1
    assert server.ask("POST", "/me/redemptions", {"rewardId": FIVE_OFF}).json()["code"] == "idempotency_key_missing"
    assert server.ask("POST", "/me/referrals", {"email": "friend@example.com"}).status_code == 202
    for reply in (first, server.ask("GET", "/me")):
        assert reply.headers["cache-control"] == "private, no-store"
        assert "access-control-allow-origin" not in reply.headers
        assert "set-cookie" not in reply.headers


def test_P13_a_handle_is_made_of_a_token_or_of_a_ticket_and_nothing_else(service: Service, vendors: Vendors) -> None:
    server = Server(service)
    ticket = service.ticket(vendors.token("ella"))
    reply = server.ask("POST", "/session-handles", {"ticket": ticket})
    assert (reply.status_code, set(reply.json()), reply.json()["state"]) == (
        201,
        {"handle", "state", "expiresAt"},
        "enrolled",
    )
    left = datetime.fromisoformat(reply.json()["expiresAt"]).timestamp() - service.clock()
    assert 800 < left <= 900
    assert "no-store" in reply.headers["cache-control"]
    assert code_of(server.ask("POST", "/session-handles", {"ticket": ticket})) == (401, "token_rejected")
    dead = {"customerAccessToken": vendors.token("ella", shop="other")}
    assert code_of(server.ask("POST", "/session-handles", dead)) == (401, "token_rejected")
    assert code_of(server.ask("POST", "/session-handles", {})) == (400, "invalid_request")
    assert server.ask("POST", "/session-handles", {"ticket": ticket}, content_type="text/plain").status_code == 415


@pytest.mark.parametrize("mode", ["", "partitioned"])
def test_P13_A7_a_handle_works_in_either_mode(start: Start, vendors: Vendors, mode: str) -> None:
    service = start(CROSS_SITE_MODE=mode)
    assert lent(service, vendors).balance() == 1240


def test_P13_without_the_servers_own_token_a_handle_opens_nothing(
    service: Service, vendors: Vendors, start: Start
) -> None:
    handle = lent(service, vendors).handle
    for token in (None, "wrong", TOKEN[:-1], TOKEN.upper(), handle):
        thief = Server(service, handle, token)
        for method, path in (("GET", "/me"), ("GET", "/session"), ("DELETE", "/session"), ("POST", "/me/referrals")):
            reply = thief.ask(method, path, {"email": "friend@example.com"} if method == "POST" else None)
            assert code_of(reply) == WRONG, (token, method, path)
            assert reply.headers["www-authenticate"] == "Bearer"
        new = Server(service, token=token).ask("POST", "/session-handles", {"customerAccessToken": "shcat_token"})
        assert code_of(new) == WRONG
    assert vendors.member("ella")["referrals"] == []
    assert Server(service, handle).balance() == 1240


def test_P13_where_no_token_is_set_there_are_no_handles(start: Start, vendors: Vendors) -> None:
    service = start(SESSION_TICKETS_TOKEN="")
    for token in (None, "None", TOKEN):
        assert code_of(Server(service, "x" * 88, token).ask("GET", "/me")) == WRONG


@pytest.mark.parametrize(
    ("token", "handle", "method", "refused"),
    [("wrong", "real", "GET", WRONG), ("wrong", "real", "DELETE", WRONG), (TOKEN, "made-up", "GET", EXPIRED)],
)
def test_P13_K2_whoever_tries_tokens_or_handles_is_slowed_down(
    service: Service, vendors: Vendors, token: str, handle: str, method: str, refused: tuple[int, str]
) -> None:
    """By the address: a customer's own requests, which the same server sends with a handle that is good, go on."""
    server = lent(service, vendors)
    thief = Server(service, server.handle if handle == "real" else handle, token)
    path, own = "/me/sessions" if method == "DELETE" else "/me", {"x_forwarded_for": "203.0.113.9"}
    replies = [thief.ask(method, path, **own) for _ in range(1201)]
    assert {code_of(reply) for reply in replies[:1200]} == {refused}
    assert code_of(replies[-1]) == (429, "rate_limited")
    assert int(replies[-1].headers["retry-after"]) > 0
    assert server.ask("GET", "/me", **own).json()["points"]["balance"] == 1240


@pytest.mark.parametrize(
    "sign",
    [
        {"origin": STOREFRONT},
        {"origin": "http://evil.test"},
        {"cookie": "theme=dark"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_dest": "empty"},
        {"sec_fetch_user": "?1"},
    ],
    ids=lambda sign: "-".join([*sign.keys(), *sign.values()]),
)
def test_P13_a_browser_that_got_hold_of_everything_is_refused(
    service: Service, vendors: Vendors, sign: dict[str, str]
) -> None:
    server = lent(service, vendors)
    assert code_of(server.ask("GET", "/me", **sign)) == REFUSED
    assert code_of(server.ask("POST", "/me/referrals", {"email": "friend@example.com"}, **sign)) == REFUSED
    assert code_of(server.ask("DELETE", "/session", **sign)) == REFUSED
    assert vendors.member("ella")["referrals"] == []
    assert server.balance() == 1240


def test_P13_a_browser_with_a_session_of_its_own_does_not_mix_the_two(service: Service, vendors: Vendors) -> None:
    zoe, server = service.signed_in("zoe"), lent(service, vendors)
    reply = server.ask("GET", "/me", cookie=f"{COOKIE}={zoe.session_cookie}")
    assert code_of(reply) == REFUSED


def test_P13_no_page_may_send_it(service: Service) -> None:
    wanted = {"origin": STOREFRONT, "access-control-request-method": "GET"}
    for header in ("x-loyalty-session", "authorization"):
        asked = wanted | {"access-control-request-headers": header}
        assert service.shopper().request("OPTIONS", "/api/v1/me", headers=asked).status_code == 403


def test_P13_pages_know_no_handles(service: Service, vendors: Vendors) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "x-loyalty-session": lent(service, vendors).handle}
    reply = service.shopper().request("GET", "/", headers=headers)
    assert reply.status_code == 403
    assert "1,240" not in reply.text


def test_P13_a_handle_is_no_cookie_and_a_cookie_no_handle(service: Service, vendors: Vendors) -> None:
    ella, server = service.signed_in("ella"), lent(service, vendors)
    planted = service.shopper()
    planted.cookies[COOKIE] = server.handle
    assert state_of(planted) == "anonymous"
    assert code_of(Server(service, str(ella.session_cookie)).ask("GET", "/me")) == EXPIRED
    ticket = service.ticket(vendors.token("ella"))
    assert code_of(Server(service, ticket).ask("GET", "/me")) == EXPIRED


def test_P13_a_handle_begins_no_session_in_a_browser(service: Service, vendors: Vendors) -> None:
    server = lent(service, vendors)
    assert code_of(server.ask("POST", "/session", {"customerAccessToken": vendors.token("ella")})) == REFUSED
    assert code_of(server.ask("POST", "/session", {"ticket": service.ticket(vendors.token("ella"))})) == REFUSED


def test_P13_a_made_up_handle_opens_nothing_and_the_store_is_not_asked(
    service: Service, vendors: Vendors, stores: Mapping[str, str]
) -> None:
    real = lent(service, vendors).handle
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        before = store.info("commandstats")["cmdstat_hmget"]["calls"]
        for handle in ("x", '"quoted"', real[:-1], real + "x", real.swapcase(), "A" * 44 + real[44:], "." * 4000):
            assert code_of(Server(service, handle).ask("GET", "/me")) == EXPIRED, handle[:50]
        assert store.info("commandstats")["cmdstat_hmget"]["calls"] == before


# How it ends --------------------------------------------------------------------------------------------------------


def test_P13_a_handle_ends_after_a_quarter_of_an_hour_however_much_it_is_used(
    service: Service, vendors: Vendors, stores: Mapping[str, str]
) -> None:
    server = lent(service, vendors)
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        (key,) = store.keys("handle:*")
        assert 0 < store.ttl(key) <= 900
    for _ in range(2):
        service.clock.advance(400)
        assert server.balance() == 1240
    service.clock.advance(101)
    assert code_of(server.ask("GET", "/me")) == EXPIRED
    assert server.ask("GET", "/session").json() == {"state": "anonymous"}


def test_P13_a_server_ends_its_handle_and_no_browsers_session(service: Service, vendors: Vendors) -> None:
    ella, server, other = service.signed_in("ella"), lent(service, vendors), lent(service, vendors)
    ended = server.ask("DELETE", "/session")
    assert (ended.status_code, "set-cookie" in ended.headers, "location" in ended.headers) == (200, False, False)
    assert code_of(server.ask("GET", "/me")) == EXPIRED
    assert server.ask("DELETE", "/session").status_code == 200
    assert (state_of(ella), other.balance()) == ("enrolled", 1240)


def test_P13_B8_a_slow_request_does_not_bring_an_ended_handle_back(
    service: Service, vendors: Vendors, stores: Mapping[str, str]
) -> None:
    server = lent(service, vendors)
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        (key,) = store.keys("handle:*")
        assert server.ask("DELETE", "/session").status_code == 200
        assert store.hgetall(key) == {b"version": b"ended"}, "a tombstone"


def test_P13_P9_signing_out_everywhere_ends_handles_too(service: Service, vendors: Vendors) -> None:
    ella, server, zoe = service.signed_in("ella"), lent(service, vendors), lent(service, vendors, "zoe")
    assert ella.api("DELETE", "/me/sessions").status_code == 200
    assert code_of(server.ask("GET", "/me")) == EXPIRED
    assert zoe.balance() == 0
    assert lent(service, vendors).balance() == 1240, "what is asked for afterwards is new"


def test_P13_P9_a_server_signs_its_customer_out_everywhere(service: Service, vendors: Vendors) -> None:
    ella, server, other = service.signed_in("ella"), lent(service, vendors), lent(service, vendors)
    assert server.ask("DELETE", "/me/sessions").status_code == 200
    assert state_of(ella) == "anonymous"
    assert [code_of(each.ask("GET", "/me")) for each in (server, other)] == [EXPIRED, EXPIRED]


def test_P13_B12_an_operator_revokes_handles_with_the_sessions(
    service: Service, vendors: Vendors, settings: dict[str, str]
) -> None:
    server = lent(service, vendors)
    done = bff(settings, "sessions", "revoke", vendors.member("ella")["customerId"])
    assert done.returncode == 0, done.stderr
    assert code_of(server.ask("GET", "/me")) == EXPIRED


def test_P13_P9_a_ticket_from_before_everybody_was_signed_out_gives_no_handle(
    service: Service, vendors: Vendors
) -> None:
    ticket = service.ticket(vendors.token("ella"))
    assert service.signed_in("ella").api("DELETE", "/me/sessions").status_code == 200
    assert code_of(Server(service).ask("POST", "/session-handles", {"ticket": ticket})) == EXPIRED


def test_P13_B13_handles_push_no_browser_out(start: Start, vendors: Vendors) -> None:
    service = start(SESSIONS_PER_CUSTOMER="1")
    ella = service.signed_in("ella")
    servers = [lent(service, vendors) for _ in range(3)]
    assert state_of(ella) == "enrolled"
    assert [server.balance() for server in servers] == [1240] * 3


def test_P13_a_blocked_member_stays_blocked(service: Service, vendors: Vendors) -> None:
    assert lent(service, vendors, "blake").ask("GET", "/me").json()["code"] == "member_blocked"


# Where it lies ------------------------------------------------------------------------------------------------------


def test_P13_C2_C3_the_store_alone_opens_no_handle(
    service: Service, vendors: Vendors, stores: Mapping[str, str]
) -> None:
    token = vendors.token("ella")
    handle = service.handle(token)
    with redis.Redis.from_url(stores["VALKEY_URL"]) as store:
        (key,) = store.keys("handle:*")
        record = store.hget(key, "record")
        whole = key + b"".join(store.hgetall(key).values())
    assert key.decode() == f"handle:{hashlib.sha256(handle[:22].encode()).hexdigest()}"
    assert not any(part.encode() in whole for part in (handle[:22], handle[22:44], token, "Ella", "ella@"))
    ring = KeyRing(read_settings(service.settings).secret_keys)
    assert ring.open("session", record, associated_data=key, key_share=handle[22:44].encode())
    with pytest.raises(SealBroken):
        ring.open("session", record, associated_data=key)


def test_P13_M4_a_handle_is_not_logged(service: Service, vendors: Vendors, log: Log) -> None:
    server = lent(service, vendors)
    server.ask("GET", "/me")
    server.ask("GET", "/me", origin=STOREFRONT)
    server.ask("DELETE", "/session")
    said = log.getvalue()
    assert not any(secret in said for secret in (server.handle, server.handle[:22], TOKEN))


def test_P13_C4_a_handle_outlives_a_new_key(service: Service, vendors: Vendors, start: Start, urls: list[str]) -> None:
    handle = lent(service, vendors).handle
    keys = f"new:{'A' * 42}A=,{service.settings['SECRET_KEYS']}"
    place = {"PUBLIC_URL": urls[1], "PORT": urls[1].rpartition(":")[2]}
    assert Server(start(**place, SECRET_KEYS=keys), handle).balance() == 1240


def test_P13_the_fetch_of_node_is_no_browser(service: Service, vendors: Vendors) -> None:
    """It sends what browsers send of the mode, and nothing else of theirs (undici)."""
    of_node = {"accept": "*/*", "accept_language": "*", "sec_fetch_mode": "cors", "user_agent": "node"}
    server = lent(service, vendors)
    assert server.ask("GET", "/me", **of_node).status_code == 200
    assert server.ask("POST", "/me/referrals", {"email": "friend@example.com"}, **of_node).status_code == 202


def test_P13_the_documented_commands_read_a_member(service: Service, vendors: Vendors, tmp_path: Path) -> None:
    (block,) = to_run("docs/sessions.md", "sh")
    token = vendors.token("ella")
    said = by_bash(block, tmp_path, SESSION_TICKETS_TOKEN=TOKEN, LOYALTY=service.url, TOKEN=token)
    assert json.loads(said)["points"]["balance"] == 1240
    assert json.loads(said)["rewards"]["data"]
