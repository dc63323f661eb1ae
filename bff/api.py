"""The JSON routes for storefront JavaScript.

A row of `ENDPOINTS` is a route, its documentation and its law: who may call it, what it reads, answers and refuses.
"""

import hashlib
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bff import login
from bff.budgets import JOIN, REDEEM, REFER, REFER_TARGET
from bff.errors import Code, Problem
from bff.inputs import idempotency_key, read_email, read_json, read_locale
from bff.ledger import Entry
from bff.loyalty import Agreement, mailbox
from bff.openapi import PREFIX, Endpoint, document
from bff.redemption import Wish, problem_with, shown
from bff.shapes import (
    EarningRule,
    LegalPolicies,
    Member,
    ProblemDetails,
    Program,
    Redemption,
    Referrals,
    Reward,
)
from bff.web import LANGUAGE, Handler, LoyaltyRequest, apply_url, explain, path_for, reply, require_session, spend

PUBLIC_CACHE = "public, max-age=60, stale-while-revalidate=300, stale-if-error=3600"


class EnrolmentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The version and digest of the policies that stood beside the button when the shopper clicked it."""

    policies_version: str | int | float
    policies_digest: str


class RedemptionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    reward_id: str


class ReferralRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: str


class SessionState(msgspec.Struct, frozen=True):
    state: Literal["anonymous", "pending", "enrolled", "blocked"]


class Rewards(msgspec.Struct, frozen=True):
    rewards: list[Reward]


class EarningRules(msgspec.Struct, frozen=True, rename="camel"):
    earning_rules: list[EarningRule]


class PolicyProblem(ProblemDetails, frozen=True, kw_only=True):
    """`policies_outdated` brings the policies that are in force now."""

    legal_policies: LegalPolicies | None = None


async def program(request: LoyaltyRequest) -> Response:
    return _public(request, await request.state["loyalty"].program(read_locale(request)))


async def legal_policies(request: LoyaltyRequest) -> Response:
    return _public(request, await _policies(request))


async def earning_rules(request: LoyaltyRequest) -> Response:
    return _public(request, EarningRules(await request.state["loyalty"].earning_rules()))


async def rewards(request: LoyaltyRequest) -> Response:
    return _public(request, Rewards(await request.state["loyalty"].public_rewards(read_locale(request))))


async def me(request: LoyaltyRequest) -> Response:
    return reply(await request.state["loyalty"].member(require_session(request)))


async def enrol(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    wanted = await read_json(request, EnrolmentRequest)
    await spend(request, JOIN, session)
    agreement = Agreement(
        version=wanted.policies_version,
        digest=wanted.policies_digest,
        locale=LANGUAGE,
        request_id=request.scope["request_id"],
    )
    try:
        member, joined = await request.state["loyalty"].join(session, agreement)
    except Problem as problem:
        if problem.code != "policies_outdated":
            raise
        return await _outdated(request, problem)
    return reply(member, 201 if joined else 200)


async def my_rewards(request: LoyaltyRequest) -> Response:
    _, found = await request.state["loyalty"].rewards(require_session(request))
    return reply(Rewards(found))


async def redeem(request: LoyaltyRequest) -> Response:
    """One redemption a key: 201 done, 202 not known yet, and the same answer whenever the key comes again."""
    session = require_session(request)
    key = idempotency_key(request.headers.get("idempotency-key"))
    wanted = await read_json(request, RedemptionRequest)
    await spend(request, REDEEM, session)
    wish = Wish(key=key, reward_id=wanted.reward_id, request_id=request.scope["request_id"])
    entry, replayed = await request.state["redemptions"].redeem(session, wish)
    response = _answer(request, entry)
    if replayed:
        response.headers["idempotency-replayed"] = "true"
    return response


async def my_redemption(request: LoyaltyRequest) -> Response:
    entry = await request.state["redemptions"].find(require_session(request), request.path_params["key"])
    return reply(shown(entry, apply_url(request.state["settings"])))


async def my_referrals(request: LoyaltyRequest) -> Response:
    return reply(await request.state["loyalty"].referrals(require_session(request)))


async def refer(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    email = read_email((await read_json(request, ReferralRequest)).email)
    await spend(request, REFER, session)
    await request.state["budgets"].spend(REFER_TARGET, request.state["keys"].mark("customer index", mailbox(email)))
    await request.state["loyalty"].refer(session, email)
    return Response(status_code=202)


def _public(request: LoyaltyRequest, value: Any) -> Response:
    """An answer anyone may keep; 304 when the client has it already (RFC 9110 §13.1.2)."""
    response = reply(value, cache_control=PUBLIC_CACHE)
    etag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    response.headers["etag"] = etag
    if etag not in request.headers.get("if-none-match", "").replace("W/", ""):
        return response
    return Response(status_code=304, headers={"cache-control": PUBLIC_CACHE, "etag": etag})


async def _policies(request: LoyaltyRequest, *, at_most_seconds: float | None = None) -> LegalPolicies:
    found = await request.state["catalogue"].policies(at_most_seconds=at_most_seconds)
    return LegalPolicies(**msgspec.structs.asdict(found))


async def _outdated(request: LoyaltyRequest, problem: Problem) -> Response:
    response = explain(request, problem)
    details = msgspec.json.decode(response.body, type=PolicyProblem)
    current = await _policies(request, at_most_seconds=0)
    body = msgspec.json.encode(msgspec.structs.replace(details, legal_policies=current))
    return Response(body, 409, media_type="application/problem+json")


def _answer(request: LoyaltyRequest, entry: Entry) -> Response:
    if entry.state == "failed":
        return explain(request, problem_with(entry))
    redemption = shown(entry, apply_url(request.state["settings"]))
    if entry.state == "succeeded":
        return reply(redemption, 201)
    return reply(redemption, 202, location=path_for(request, "api_my_redemption", key=entry.key), retry_after="2")


PUBLIC_FAILS: tuple[Code, ...] = ("invalid_request", "upstream_unavailable", "upstream_timeout")
MEMBER_FAILS: tuple[Code, ...] = (
    "session_required",
    "csrf_refused",
    "session_expired",
    "member_blocked",
    "program_not_launched",
    "feature_unavailable",
    "store_unavailable",
    *PUBLIC_FAILS,
)
WRITE_FAILS: tuple[Code, ...] = ("csrf_refused", "rate_limited", *MEMBER_FAILS)
LOCALE = ("locale", "country", "currency")

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/program",
        handler=program,
        summary="The program as everyone may see it",
        who="anyone",
        answers={200: Program},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/earning-rules",
        handler=earning_rules,
        summary="The ways to earn points",
        who="anyone",
        answers={200: EarningRules},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/rewards",
        handler=rewards,
        summary="The rewards points can buy",
        who="anyone",
        answers={200: Rewards},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/legal-policies",
        handler=legal_policies,
        summary="The words to show beside the join button",
        who="anyone",
        answers={200: LegalPolicies},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/session",
        handler=login.show_session,
        summary="Who is looking",
        who="visitor",
        answers={200: SessionState},
        refuses=("invalid_request", "csrf_refused", "store_unavailable"),
    ),
    Endpoint(
        method="POST",
        path="/session",
        handler=login.hand_in,
        summary="Hand in a Shopify customer token for a session",
        who="visitor",
        reads=login.HandIn,
        answers={201: SessionState},
        refuses=WRITE_FAILS,
    ),
    Endpoint(
        method="DELETE",
        path="/session",
        handler=login.end_session,
        summary="Sign out",
        who="visitor",
        answers={204: None},
        refuses=("invalid_request", "csrf_refused", "store_unavailable"),
    ),
    Endpoint(
        method="GET",
        path="/me",
        handler=me,
        summary="The member",
        who="member",
        answers={200: Member},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="POST",
        path="/me/enrolment",
        handler=enrol,
        summary="Join, having agreed to exactly these policies",
        who="member",
        reads=EnrolmentRequest,
        answers={200: Member, 201: Member, 409: PolicyProblem},
        refuses=("policies_outdated", *WRITE_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/rewards",
        handler=my_rewards,
        summary="The rewards, each with whether it can be redeemed now",
        who="member",
        answers={200: Rewards},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="POST",
        path="/me/redemptions",
        handler=redeem,
        summary="Redeem a reward, once per Idempotency-Key",
        who="member",
        reads=RedemptionRequest,
        answers={201: Redemption, 202: Redemption},
        refuses=(
            "idempotency_key_missing",
            "idempotency_key_reused",
            "request_in_progress",
            "not_found",
            "not_enrolled",
            "insufficient_points",
            "reward_ineligible",
            "reward_unavailable",
            "currency_mismatch",
            *WRITE_FAILS,
        ),
    ),
    Endpoint(
        method="GET",
        path="/me/redemptions/{key}",
        handler=my_redemption,
        summary="How a redemption ended",
        who="member",
        answers={200: Redemption},
        refuses=("not_found", *MEMBER_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/referrals",
        handler=my_referrals,
        summary="Invited friends, their number, and the link to share",
        who="member",
        answers={200: Referrals},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="POST",
        path="/me/referrals",
        handler=refer,
        summary="Invite a friend by email",
        who="member",
        reads=ReferralRequest,
        answers={202: None},
        refuses=("invalid_email", "referral_rejected", "not_enrolled", *WRITE_FAILS),
    ),
)


def strict(endpoint: Endpoint) -> Handler:
    """The route's handler behind the laws of its row: only known query parameters, each once (H5), and nothing that
    loads a member's answer as a picture or a script (D9)."""

    async def handle(request: LoyaltyRequest) -> Response:
        names = [name for name, _ in request.query_params.multi_items()]
        if len(set(names)) < len(names) or not set(names) <= set(endpoint.query):
            raise Problem("invalid_request", "A query parameter is unknown or was sent twice.")
        if endpoint.who != "anyone" and request.headers.get("sec-fetch-dest", "empty") != "empty":
            raise Problem("csrf_refused", "This address is for scripts only.")
        return await endpoint.handler(request)

    handle.__name__ = endpoint.name
    return handle


def routes(*who: str) -> list[BaseRoute]:
    """The routes of these callers, in Starlette's words."""
    chosen = (endpoint for endpoint in ENDPOINTS if endpoint.who in who)
    return [
        Route(PREFIX + endpoint.path, strict(endpoint), methods=[endpoint.method], name=f"api_{endpoint.name}")
        for endpoint in chosen
    ]


async def show_openapi(request: Request[Any]) -> Response:
    return reply(document(ENDPOINTS, request.state["settings"].base_url), cache_control=PUBLIC_CACHE)
