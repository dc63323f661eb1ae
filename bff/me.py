"""JSON for a member: themselves, what they may do, and doing it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from itsdangerous import BadSignature
from starlette.responses import Response

from bff.budgets import BIRTHDAY, EARN, JOIN
from bff.errors import Problem
from bff.inputs import idempotency_key, read_email, read_json, read_limit, read_locale
from bff.ledger import Entry
from bff.loyalty import Agreement, Known
from bff.projection import member_of
from bff.public import EarningRules, Rewards, in_language
from bff.redemption import Wish, problem_with, shown
from bff.sessions import Session
from bff.shapes import (
    Coupon,
    EarningRule,
    LegalPolicies,
    Member,
    ProblemDetails,
    Reward,
    Shown,
    TierProgress,
    Wallet,
)
from bff.state import LoyaltyRequest
from bff.visitor import require_session, spend, spend_invitation, spend_redemption
from bff.web import LANGUAGE, apply_url, details_of, explain, path_for, reply

Data = TypeVar("Data")


class EnrolmentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What stood beside the button when the shopper clicked it."""

    policies_version: str | int | float
    policies_digest: str


class RedemptionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    reward_id: str


class ReferralRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, msgspec.Meta(extra_json_schema={"format": "email", "maxLength": 254})]


class BirthdayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    # Bounds for the documentation alone: a day that does not exist is a problem to be shown to the shopper.
    day: Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": 31})]
    month: Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": 12})]


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty object."""


class PolicyProblem(ProblemDetails, frozen=True, kw_only=True):
    """Why a shopper could not join, with the policies to agree to instead."""

    legal_policies: LegalPolicies | None = None


class Part(Shown, Generic[Data], frozen=True):
    """One part of `GET /me`: what was asked for, or why it is missing."""

    data: Data | None = None
    error: ProblemDetails | None = None


class MemberAndParts(Member, frozen=True):
    """The member, with the parts that `include` asked for; each part fails alone."""

    rewards: Part[list[Reward]] | None = None
    earning: Part[list[EarningRule]] | None = None
    tier_progress: Part[TierProgress] | None = None
    coupons: Part[list[Coupon]] | None = None


async def me(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    names = _included(request)
    # Checked even when no part asks for it, so that a mistake does not show only later.
    read_locale(request)
    known = asyncio.ensure_future(request.state["loyalty"].customer(session))
    parts = [_part(request, PARTS[name][1](request, session, known)) for name in names]
    customer, *found = await asyncio.gather(known, *parts)
    fields = {PARTS[name][0]: part for name, part in zip(names, found, strict=True)}
    member = member_of(customer, session.record.name)
    response = reply(MemberAndParts(**msgspec.structs.asdict(member), **fields))
    return in_language(request, response, read_locale(request)) if "rewards" in names else response


async def _rewards(request: LoyaltyRequest, session: Session, known: Known | None = None) -> list[Reward]:
    _, found = await request.state["loyalty"].rewards(session, read_locale(request), known)
    return found


async def _earning(request: LoyaltyRequest, session: Session, _: Known | None = None) -> list[EarningRule]:
    return await request.state["earning"].rules(session)


async def _tier_progress(request: LoyaltyRequest, session: Session, known: Known | None = None) -> TierProgress:
    return await request.state["loyalty"].tier_progress(session, known)


async def _coupons(request: LoyaltyRequest, session: Session, _: Known | None = None) -> list[Coupon]:
    return await request.state["history"].coupons(session)


PartOf = Callable[[LoyaltyRequest, Session, Known], Awaitable[Any]]
# What `include` may ask for: the field it comes in, and where it comes from.
PARTS: dict[str, tuple[str, PartOf]] = {
    "rewards": ("rewards", _rewards),
    "earning": ("earning", _earning),
    "tier": ("tier_progress", _tier_progress),
    "coupons": ("coupons", _coupons),
}


def _included(request: LoyaltyRequest) -> list[str]:
    names = request.query_params.get("include", "").split(",") if request.query_params.get("include") else []
    if len(set(names)) < len(names) or not set(names) <= set(PARTS):
        raise Problem("invalid_request", f"include takes a list of {', '.join(PARTS)}.")
    return names


async def _part(request: LoyaltyRequest, wanted: Awaitable[Data]) -> Part[Data]:
    try:
        return Part(data=await wanted)
    except Problem as problem:
        return Part(error=details_of(request, problem))


async def enrol(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    wanted = await read_json(request, EnrolmentRequest)
    await spend(request, JOIN, session.record.customer_id)
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


async def my_earning_rules(request: LoyaltyRequest) -> Response:
    return reply(EarningRules(await _earning(request, require_session(request))))


async def complete(request: LoyaltyRequest) -> Response:
    """A rule that is completed by a click, such as following on social media."""
    session = require_session(request)
    if await request.body():
        await read_json(request, NoFields)
    await spend(request, EARN, session.record.customer_id)
    return reply(await request.state["earning"].complete(session, request.path_params["id"]), 201)


async def birthday(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    given = await read_json(request, BirthdayRequest)
    await spend(request, BIRTHDAY, session.record.customer_id)
    return reply(await request.state["earning"].tell_birthday(session, given.day, given.month))


async def my_rewards(request: LoyaltyRequest) -> Response:
    found = Rewards(await _rewards(request, require_session(request)))
    return in_language(request, reply(found), read_locale(request))


async def redeem(request: LoyaltyRequest) -> Response:
    """One redemption a key: 201 done, 202 not known yet, and the same answer whenever the key comes again."""
    session = require_session(request)
    key = idempotency_key(request.headers.get("idempotency-key"))
    wanted = await read_json(request, RedemptionRequest)
    await spend_redemption(request, session, wanted.reward_id)
    wish = Wish(key=key, reward_id=wanted.reward_id, request_id=request.scope["request_id"])
    entry, replayed = await request.state["redemptions"].redeem(session, wish)
    response = _answer(request, entry)
    if replayed:
        response.headers["idempotency-replayed"] = "true"
    return response


async def my_redemption(request: LoyaltyRequest) -> Response:
    entry = await request.state["redemptions"].find(require_session(request), request.path_params["key"])
    return reply(shown(entry, apply_url(request.state["settings"])))


async def my_coupons(request: LoyaltyRequest) -> Response:
    return reply(Wallet(coupons=await _coupons(request, require_session(request))))


async def my_tier_progress(request: LoyaltyRequest) -> Response:
    return reply(await _tier_progress(request, require_session(request)))


async def my_activity(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    limit, cursor = read_limit(request), _cursor(request, session, "activity")
    page = await request.state["history"].activity(session, limit=limit, cursor=cursor)
    return reply(msgspec.structs.replace(page, next=_signed(request, session, "activity", page.next)))


async def my_referrals(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    page = await request.state["loyalty"].referrals(session, _cursor(request, session, "referrals"))
    return reply(msgspec.structs.replace(page, next=_signed(request, session, "referrals", page.next)))


async def refer(request: LoyaltyRequest) -> Response:
    session = require_session(request)
    email = read_email((await read_json(request, ReferralRequest)).email)
    await spend_invitation(request, session, email)
    await request.state["loyalty"].refer(session, email)
    return Response(status_code=202)


def _cursor(request: LoyaltyRequest, session: Session, of: str) -> str | None:
    """The vendor's token inside of a cursor that we gave to this member for this list."""
    given = request.query_params.get("cursor")
    if given is None:
        return None
    try:
        customer_id, name, token = request.state["keys"].serialiser("cursor").loads(given)
    except (BadSignature, ValueError, TypeError):
        customer_id, name, token = "", "", ""
    if (customer_id, name) != (_whose(request, session), of):
        raise Problem("invalid_request", "cursor must be the `next` of an earlier answer, unchanged.")
    return str(token)


def _signed(request: LoyaltyRequest, session: Session, of: str, token: str | None) -> str | None:
    if token is None:
        return None
    signed = request.state["keys"].serialiser("cursor").dumps([_whose(request, session), of, token])
    return signed if isinstance(signed, str) else signed.decode()


def _whose(request: LoyaltyRequest, session: Session) -> str:
    return request.state["keys"].newest().mark("customer index", session.record.customer_id)[:16]


async def _outdated(request: LoyaltyRequest, problem: Problem) -> Response:
    response = explain(request, problem)
    details = msgspec.json.decode(response.body, type=PolicyProblem)
    current = await request.state["catalogue"].current_policies()
    shown_now = LegalPolicies(**msgspec.structs.asdict(current))
    body = msgspec.json.encode(msgspec.structs.replace(details, legal_policies=shown_now))
    return Response(body, 409, media_type="application/problem+json")


def _answer(request: LoyaltyRequest, entry: Entry) -> Response:
    if entry.state == "failed":
        return explain(request, problem_with(entry))
    redemption = shown(entry, apply_url(request.state["settings"]))
    if entry.state == "succeeded":
        return reply(redemption, 201)
    return reply(redemption, 202, location=path_for(request, "api_my_redemption", key=entry.key), retry_after="2")
