"""Every code of the closed list is answered somewhere, by a request that deserves it, and documented on that route."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from support.concurrency import meanwhile, until
from support.expired_tokens import aged
from support.held_requests import held
from support.sandbox_catalogue import FIVE_OFF, FREE_PRODUCT, GOLD_ONLY, new_key, redeem
from support.services import Service, Start, Vendors
from support.shopper import Shopper
from support.store_outages import agreement, failing_inserts

from bff.api.routes import ENDPOINTS
from bff.errors import CODES, TITLES, Code

INSTAGRAM = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a04"
REVIEW = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a03"
Reach = Callable[["World"], httpx2.Response]


class World:
    """What a request may need."""

    def __init__(self, service: Service, vendors: Vendors) -> None:
        self.service = service
        self.vendors = vendors

    def shopper(self) -> Shopper:
        return self.service.shopper()

    def member(self, persona: str = "ella") -> Shopper:
        return self.service.signed_in(persona)


def session_expired(world: World) -> httpx2.Response:
    ella = world.member()
    aged(world.service, world.vendors, 31_536_000)
    return ella.api("GET", "/me")


def program_not_launched(world: World) -> httpx2.Response:
    token = world.vendors.token("ella")
    world.vendors.fault("login", "status:403", times=9)
    return world.shopper().api("POST", "/session", {"customerAccessToken": token})


def feature_unavailable(world: World) -> httpx2.Response:
    return world.member().api("POST", f"/me/earning-rules/{REVIEW}/completions")


def request_in_progress(world: World) -> httpx2.Response:
    ella, key = world.member(), new_key()
    world.vendors.fault("redeem", "delay", seconds=2)
    with meanwhile(lambda: redeem(ella, FIVE_OFF, key)):
        until(lambda: bool(world.vendors.calls("redeem")))
        return redeem(ella, FIVE_OFF, key)


def idempotency_key_reused(world: World) -> httpx2.Response:
    ella, key = world.member(), new_key()
    assert redeem(ella, FIVE_OFF, key).status_code == 201
    return redeem(ella, GOLD_ONLY, key)


def reward_unavailable(world: World) -> httpx2.Response:
    world.vendors.fault("redeem", "status:404")
    return redeem(world.member(), FIVE_OFF, new_key())


def currency_mismatch(world: World) -> httpx2.Response:
    world.vendors.fault("redeem", "status:422")
    return redeem(world.member(), FIVE_OFF, new_key())


def rate_limited(world: World) -> httpx2.Response:
    ella, reply = world.member(), None
    for _ in range(21):
        reply = ella.api("PUT", "/me/birthday", {"day": 31, "month": 2})
    assert reply is not None
    return reply


def upstream_unavailable(world: World) -> httpx2.Response:
    world.vendors.fault("faqs", "status:500", times=9)
    return world.shopper().api("GET", "/faqs")


def upstream_timeout(world: World) -> httpx2.Response:
    world.vendors.fault("faqs", "delay", seconds=3, times=9)
    return world.shopper().api("GET", "/faqs")


def internal_error(world: World) -> httpx2.Response:
    penny = world.member("penny")
    with failing_inserts(world.service.settings["DATABASE_URL"], "consents"):
        return penny.api("POST", "/me/enrolment", agreement(penny))


def overloaded(world: World) -> httpx2.Response:
    stranger = world.shopper()
    with held(world.service, 1):
        until(lambda: stranger.api("GET", "/faqs").status_code == 503)
        return stranger.api("GET", "/faqs")


REACHED: dict[Code, Reach] = {
    "session_required": lambda world: world.shopper().api("GET", "/me"),
    "session_expired": session_expired,
    "token_rejected": lambda world: world.shopper().api("POST", "/session", {"ticket": "A" * 44}),
    "not_enrolled": lambda world: redeem(world.member("penny"), FIVE_OFF, new_key()),
    "member_blocked": lambda world: world.member("blake").api("GET", "/me"),
    "program_not_launched": program_not_launched,
    "feature_unavailable": feature_unavailable,
    "not_found": lambda world: world.member().api("GET", f"/me/redemptions/{new_key()}"),
    "policies_outdated": lambda world: world.member("penny").api(
        "POST", "/me/enrolment", {"policiesVersion": "0", "policiesDigest": "none"}
    ),
    "rule_already_completed": lambda world: world.member().api("POST", f"/me/earning-rules/{INSTAGRAM}/completions"),
    "request_in_progress": request_in_progress,
    "insufficient_points": lambda world: redeem(world.member(), FREE_PRODUCT, new_key()),
    "reward_ineligible": lambda world: redeem(world.member(), GOLD_ONLY, new_key()),
    "reward_unavailable": reward_unavailable,
    "currency_mismatch": currency_mismatch,
    "invalid_birthday": lambda world: world.member().api("PUT", "/me/birthday", {"day": 31, "month": 2}),
    "invalid_email": lambda world: world.member().api("POST", "/me/referrals", {"email": "a@nowhere"}),
    "referral_rejected": lambda world: world.member().api(
        "POST", "/me/referrals", {"email": world.vendors.member("ella")["email"]}
    ),
    "idempotency_key_missing": lambda world: world.member().api("POST", "/me/redemptions", {"rewardId": FIVE_OFF}),
    "idempotency_key_reused": idempotency_key_reused,
    "invalid_request": lambda world: world.shopper().api("GET", "/faqs?unknown=1"),
    "csrf_refused": lambda world: world.member().api(
        "PUT", "/me/birthday", {"day": 1, "month": 2}, origin="https://evil.example"
    ),
    "rate_limited": rate_limited,
    "internal_error": internal_error,
    "upstream_unavailable": upstream_unavailable,
    "upstream_timeout": upstream_timeout,
    "store_unavailable": lambda world: world.shopper().api("POST", "/session", {}),
    "overloaded": overloaded,
}


@pytest.fixture
def reached(start: Start, vendors: Vendors) -> Callable[[Code], httpx2.Response]:
    def reach(code: Code) -> httpx2.Response:
        settings: dict[str, Any] = {
            "store_unavailable": {"VALKEY_URL": "valkey://127.0.0.1:1/0"},
            "overloaded": {"REQUESTS_AT_ONCE": "1"},
            "upstream_timeout": {"UPSTREAM_TIMEOUT_SECONDS": "0.5"},
        }
        return REACHED[code](World(start(**settings.get(code, {})), vendors))

    return reach


def test_no_code_is_forgotten() -> None:
    assert set(REACHED) == set(CODES) == set(TITLES)


def test_a_defect_of_ours_may_show_anywhere() -> None:
    assert [row.path for row in ENDPOINTS if "internal_error" not in row.refuses] == []


@pytest.mark.parametrize("code", CODES)
def test_each_code_is_answered_where_it_is_documented(code: Code, reached: Callable[[Code], httpx2.Response]) -> None:
    reply = reached(code)
    assert (reply.json()["code"], reply.headers["content-type"]) == (code, "application/problem+json"), reply.text
    method, path = reply.request.method, reply.request.url.path.removeprefix("/api/v1")
    rows = [row for row in ENDPOINTS if row.method == method and _is_at(row.path, path)]
    assert [row.path for row in rows if code in row.refuses], f"{method} {path} does not say that it refuses so"


def _is_at(template: str, path: str) -> bool:
    parts, given = template.split("/"), path.split("/")
    return len(parts) == len(given) and all(a == b or a.startswith("{") for a, b in zip(parts, given, strict=True))
