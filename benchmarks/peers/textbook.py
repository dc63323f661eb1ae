"""The same work as introductions to Starlette do it: three BaseHTTPMiddleware, a session that a middleware loads and
saves around every request, one HTTP client for all calls, and JSON that is decoded and encoded again.

`POST /seed` stores its body as a session, in place of signing in.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from cryptography.fernet import Fernet
from itsdangerous import BadSignature, TimestampSigner
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

VENDOR, STORE = os.environ["VENDOR_URL"], os.environ["STORE"]
SECRET = os.environ["SECRET"]
NAMES = ("earning_rules", "redemption_rules", "vip_program")
IDLE_SECONDS = 604_800
COOKIE = "textbook"
OKENDO = {"okendo-api-version": "2025-02-01", "okendo-partner-id": "sandbox-partner"}
SECURITY = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(SECRET.encode()).digest()))
signer = TimestampSigner(SECRET)
valkey = Redis.from_url(os.environ["REDIS_URL"])
log = logging.getLogger("textbook")


class RequestLog(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        began, request_id = time.perf_counter(), secrets.token_hex(16)
        response = await call_next(request)
        response.headers["x-request-id"] = request_id
        line = {"request_id": request_id, "method": request.method, "path": request.url.path}
        log.info(json.dumps(line | {"status": response.status_code, "ms": (time.perf_counter() - began) * 1000}))
        return response


class SecurityHeaders(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers.update(SECURITY)
        response.headers.setdefault("cache-control", "private, no-store")
        return response


class StoredSession(BaseHTTPMiddleware):
    """A signed cookie names a sealed JSON object in Redis, which lives on whenever it is used."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        name = unsigned(request.cookies.get(COOKIE, ""))
        sealed = await valkey.get(name) if name else None
        request.state.session = json.loads(fernet.decrypt(sealed)) if sealed else {}
        response = await call_next(request)
        if request.state.session:
            name = name or f"textbook:{secrets.token_hex(32)}"
            await valkey.set(name, fernet.encrypt(json.dumps(request.state.session).encode()), ex=IDLE_SECONDS)
            response.set_cookie(COOKIE, signer.sign(name).decode(), max_age=IDLE_SECONDS, httponly=True, samesite="lax")
        return response


def unsigned(cookie: str) -> str:
    with contextlib.suppress(BadSignature):
        return signer.unsign(cookie, max_age=IDLE_SECONDS).decode()
    return ""


async def okendo(request: Request, path: str) -> Any:
    http: httpx2.AsyncClient = request.state.http
    bearer = {"authorization": f"Bearer {request.state.session['jwt']}"}
    reply = await http.get(f"{VENDOR}{path}", headers=OKENDO | bearer)
    reply.raise_for_status()
    return reply.json()


async def loaded(request: Request) -> dict[str, Any]:
    """The program; it stays in this process for a minute."""
    kept: dict[str, Any] = request.app.state.kept
    if time.monotonic() > kept.get("until", 0.0):
        http: httpx2.AsyncClient = request.state.http
        urls = [f"{VENDOR}/v1/stores/{STORE}/loyalty/{name}" for name in NAMES]
        replies = await asyncio.gather(*(http.get(url, headers=OKENDO) for url in urls))
        earning, rewards, vip = (reply.json() for reply in replies)
        tiers = vip["vipProgram"]["tiers"]
        body = {
            "earningRules": [earning_rule(rule) for rule in earning["rules"]],
            "rewards": [reward(rule) for rule in rewards["rules"]],
            "tiers": [{"name": t["name"], "spend": t["spendRequirement"], "perks": t["perks"]} for t in tiers],
        }
        kept |= {"body": body, "ladder": [tier["name"] for tier in tiers], "until": time.monotonic() + 60}
    return kept


def earning_rule(rule: dict[str, Any]) -> dict[str, Any]:
    fields = {"name": "title", "kind": "action", "points": "amount", "url": "url"}
    return {"id": rule["earningRuleId"]} | {ours: rule[theirs] for ours, theirs in fields.items() if theirs in rule}


def money(amount: float) -> dict[str, str]:
    return {"amount": f"{amount:.2f}", "currencyCode": "USD"}


def worth(kind: str, value: float | None) -> dict[str, Any]:
    if kind == "percentage-coupon":
        return {"kind": "percentage", "percentage": value}
    return {"kind": "amount"} if value is None else {"kind": "amount", "amount": money(value)}


def reward(rule: dict[str, Any], can_redeem: dict[str, Any] | None = None) -> dict[str, Any]:
    shown = {
        "id": rule["redemptionRuleId"],
        "name": rule["title"],
        "kind": rule["type"],
        "points": rule["reward"]["points"],
        "value": worth(rule["type"], rule["reward"].get("value")),
    }
    if "expiresAfterDays" in rule:
        shown["expiresAfterDays"] = rule["expiresAfterDays"]
    if "minimumPurchase" in rule:
        shown["minimumSpend"] = money(rule["minimumPurchase"])
    return shown if can_redeem is None else shown | {"canRedeem": can_redeem}


def judged(rule: dict[str, Any], customer: dict[str, Any], ladder: list[str]) -> dict[str, Any]:
    needed = rule.get("minimumVipTierName")
    missing = rule["reward"]["points"] - customer["points"]["balance"]
    if needed and ladder.index(customer["vipTierName"]) < ladder.index(needed):
        return {"state": "tier_required", "requiredTier": needed}
    return {"state": "insufficient_points", "missingPoints": missing} if missing > 0 else {"state": "ready"}


async def program(request: Request) -> Response:
    body = (await loaded(request))["body"]
    tag = f'"{hashlib.sha256(json.dumps(body).encode()).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "public, max-age=60"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return JSONResponse(body, headers=headers)


async def me(request: Request) -> Response:
    if "jwt" not in request.state.session:
        return JSONResponse({"code": "session_required"}, 401)
    found = (await okendo(request, "/v1/loyalty/customer"))["loyaltyCustomer"]
    points = {name: int(found["points"][name]) for name in ("balance", "pending")}
    shown = {
        "state": found["status"],
        "points": points,
        "tier": found["vipTierName"],
        "birthday": found.get("birthday"),
    }
    return JSONResponse(shown | {"name": request.state.session["name"]})


async def rewards(request: Request) -> Response:
    if "jwt" not in request.state.session:
        return JSONResponse({"code": "session_required"}, 401)
    paths = ("/v1/loyalty/customer", "/v1/loyalty/redemption_rules")
    found, offered = await asyncio.gather(*(okendo(request, path) for path in paths))
    customer, ladder = found["loyaltyCustomer"], (await loaded(request))["ladder"]
    return JSONResponse({"rewards": [reward(rule, judged(rule, customer, ladder)) for rule in offered["rules"]]})


async def session(request: Request) -> Response:
    return JSONResponse({"state": request.state.session.get("state", "none")})


async def seed(request: Request) -> Response:
    request.state.session = await request.json()
    return JSONResponse({"state": "enrolled"}, 201)


async def healthz(request: Request) -> Response:
    return PlainTextResponse("ok")


@contextlib.asynccontextmanager
async def lifespan(started: Starlette) -> AsyncIterator[dict[str, Any]]:
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout, format="%(message)s")
    log.setLevel(logging.INFO)
    started.state.kept = {}
    async with httpx2.AsyncClient() as http:
        yield {"http": http}


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/api/v1/program", program),
        Route("/api/v1/me", me),
        Route("/api/v1/me/rewards", rewards),
        Route("/api/v1/session", session),
        Route("/seed", seed, methods=["POST"]),
        Route("/healthz", healthz),
    ],
    middleware=[Middleware(RequestLog), Middleware(SecurityHeaders), Middleware(StoredSession)],
)
