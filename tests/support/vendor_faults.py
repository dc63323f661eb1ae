"""What a vendor can do wrong, and what an honest answer to each of it is: the table that the fault tests walk along."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import httpx2
import redis

from bff.vendors.upstream import BUSY_SECONDS
from support.breadth import FAULT_KINDS
from support.empty_stores import emptied_at
from support.services import Service, Vendors
from support.shopper import Page, Shopper

# A vendor call may take half a second, an answer of ours three; a slow vendor takes two.
QUICK = {"UPSTREAM_TIMEOUT_SECONDS": "0.5", "REQUEST_SECONDS": "3"}
DEADLINE_SECONDS = 3.5
SLOW_SECONDS = 2

# A status, and the problem's code where the answer is a problem.
Answer = tuple[int, str]
Table = Mapping[str, Answer]

FINE: Answer = (200, "")
DOWN: Answer = (502, "upstream_unavailable")
LATE: Answer = (504, "upstream_timeout")
ENDED: Answer = (401, "session_expired")
BLOCKED: Answer = (403, "member_blocked")
NOT_LAUNCHED: Answer = (403, "program_not_launched")
UNKNOWN_MEMBER: Answer = (404, "not_found")

BROKEN = ("status:500", "status:429", "cut_before", "cut_after", "garbage", "html", "huge", "redirect")
REFUSED = ("status:400", "status:401", "status:403", "status:404", "status:409")
KINDS = (*BROKEN, *REFUSED, "set_cookie")
SLOW = ("delay", "delay_after")

# Reading for everyone: whatever the vendor's trouble is, it is ours and never the visitor's.
PUBLIC_READ: Table = {**dict.fromkeys(KINDS, DOWN), "delay": LATE, "delay_after": LATE, "set_cookie": FINE}
# Reading for a member: a JWT that is refused twice ends the session, nothing else does.
MEMBER_READ: Table = {**PUBLIC_READ, "status:401": ENDED, "status:409": UNKNOWN_MEMBER}
CUSTOMER_READ: Table = {**MEMBER_READ, "status:403": BLOCKED, "status:404": UNKNOWN_MEMBER}
RULES_READ: Table = {**MEMBER_READ, "status:403": BLOCKED}
NO_HISTORY: Answer = (404, "feature_unavailable")
HISTORY_READ: Table = {**MEMBER_READ, "status:400": NO_HISTORY, "status:403": BLOCKED, "status:404": NO_HISTORY}
# How far the next tier is can be told without what was spent; the vendor's no means that this program does not say.
SPEND_READ: Table = {**MEMBER_READ, "status:403": FINE, "status:404": FINE}
LOGIN_READ: Table = {**MEMBER_READ, "status:403": NOT_LAUNCHED}
# What a page or an answer can do without.
DISPENSABLE: Table = dict.fromkeys((*KINDS, *SLOW), FINE)

PROBLEM_FIELDS = {"type", "title", "status", "detail", "code", "requestId", "retryable"}
RETRYABLE = {
    "request_in_progress", "rate_limited", "internal_error", "upstream_unavailable", "upstream_timeout",
    "store_unavailable", "overloaded",
}  # fmt: skip
# What the sandbox says when it misbehaves: none of it may come through.
VENDORS_WORDS = (
    "The sandbox was",
    "Just a moment",
    "xxxxxxxx",
    "vendor_session",
    "169.254.169.254",
    "/v1/loyalty",
    "/v1/stores",
    "Traceback",
)
# What we tell engineers of a vendor; a shopper reads of "the loyalty program".
ENGINEERS_WORDS = ("Okendo", "legal_policies", "redemption_rules", "this page depends on", "status 4")


def met(kinds: Sequence[str], meaning: Mapping[str, object], place: str) -> list[str]:
    """Those that are tried in this place: all with a meaning of their own, and as many of the rest, which mean the
    same, as the breadth says; other places try others."""
    usual, _ = Counter(meaning[kind] for kind in kinds).most_common(1)[0]
    alike = [kind for kind in kinds if meaning[kind] == usual]
    first = crc32(place.encode()) % len(alike)
    tried = [*alike[first:], *alike[:first]][:FAULT_KINDS]
    return [kind for kind in kinds if meaning[kind] != usual or kind in tried]


@contextmanager
def trouble(vendors: Vendors, operation: str, kind: str) -> Iterator[None]:
    """Every call of this operation goes wrong in this way, as often as it is tried."""
    more = {"seconds": SLOW_SECONDS} if kind.startswith("delay") else {}
    vendors.fault(operation, kind, times=9, **more)
    try:
        yield
    finally:
        clear(vendors)


def clear(vendors: Vendors) -> None:
    assert vendors.http.delete(f"{vendors.url}/_control/faults").is_success


def answer(reply: httpx2.Response) -> Answer:
    """Status and code of an answer that came in time and says nothing it must not say."""
    assert reply.elapsed.total_seconds() < DEADLINE_SECONDS
    text = str(reply.headers) + reply.text
    assert not [words for words in (*VENDORS_WORDS, *ENGINEERS_WORDS) if words in text]
    if reply.status_code < 400:
        return reply.status_code, ""
    return reply.status_code, problem(reply)["code"]


def problem(reply: httpx2.Response) -> Any:
    """The problem in an answer, complete and in itself consistent (RFC 9457)."""
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert set(body) - {"legalPolicies"} == PROBLEM_FIELDS
    assert body["status"] == reply.status_code
    assert body["requestId"] == reply.headers["x-request-id"]
    assert body["type"].endswith(f"/problems/{body['code']}")
    assert body["title"]
    assert body["detail"]
    # A redemption that failed has its final answer: only another one, under another key, can succeed.
    final = "points were not taken" in body["detail"]
    assert body["retryable"] is (body["code"] in RETRYABLE and not final)
    return body


def is_whole(page: Page) -> bool:
    """A page from doctype to the end, with one heading, that came in time and has no words of a vendor's trouble."""
    html = page.reply.text
    answer_in_time = page.reply.elapsed.total_seconds() < DEADLINE_SECONDS
    silent = not [words for words in (*VENDORS_WORDS, *ENGINEERS_WORDS) if words in html.replace(page.url, "")]
    framed = html.lstrip().startswith("<!doctype html>") and html.rstrip().endswith("</html>")
    return framed and len(page.read.headings) >= 1 and answer_in_time and silent


def is_signed_in(shopper: Shopper) -> bool:
    return bool(shopper.api("GET", "/session").json()["state"] != "anonymous")


def handed_in(service: Service, vendors: Vendors, persona: str) -> Shopper:
    """The persona, signed in by a token that the storefront handed in: one request instead of a journey.

    Such a session ends with the token's hour: who lets more time pass has somebody sign in at the shop.
    """
    shopper = service.shopper()
    reply = shopper.api("POST", "/session", {"customerAccessToken": vendors.token(persona)})
    assert reply.status_code == 201, reply.text
    return shopper


def afresh(service: Service, vendors: Vendors, persona: str) -> Shopper:
    """The same in a world where nothing has happened yet."""
    new_world(service, vendors)
    return handed_in(service, vendors, persona)


def new_world(service: Service, vendors: Vendors) -> None:
    """Nothing has happened yet, no budget is spent, nothing was redeemed, and no vendor has asked to be left alone."""
    vendors.reset()
    service.clock.advance(BUSY_SECONDS)
    emptied_at(service.settings["DATABASE_URL"], "redemptions")
    with redis.Redis.from_url(service.settings["VALKEY_URL"]) as store:
        store.flushall()
