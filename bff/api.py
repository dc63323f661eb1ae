"""The table of the JSON routes for storefront JavaScript.

A row of `ENDPOINTS` is a route, its documentation and its law: who may call it, what it reads, answers and refuses.
The handlers are in `public`, `me` and `login`.
"""

from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bff import login, me, public
from bff.errors import Code, Problem
from bff.openapi import PREFIX, Endpoint, document
from bff.public import PUBLIC_CACHE
from bff.shapes import (
    Activity,
    Completion,
    LegalPolicies,
    Member,
    Program,
    Redemption,
    Referrals,
    TierProgress,
    Wallet,
)
from bff.web import Handler, LoyaltyRequest, reply


class SessionState(msgspec.Struct, frozen=True):
    state: Literal["anonymous", "pending", "enrolled", "blocked"]


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
        handler=public.program,
        summary="The program as everyone may see it",
        who="anyone",
        answers={200: Program},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/earning-rules",
        handler=public.earning_rules,
        summary="The ways to earn points",
        who="anyone",
        answers={200: public.EarningRules},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/rewards",
        handler=public.rewards,
        summary="The rewards points can buy",
        who="anyone",
        answers={200: public.Rewards},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/tiers",
        handler=public.tiers,
        summary="The tiers, lowest first",
        who="anyone",
        answers={200: public.Tiers},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/faqs",
        handler=public.faqs,
        summary="Questions and answers",
        who="anyone",
        answers={200: public.Faqs},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/legal-policies",
        handler=public.legal_policies,
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
        handler=me.me,
        summary="The member, and the parts that include asks for, each of which may fail alone",
        who="member",
        answers={200: me.MemberAndParts},
        refuses=MEMBER_FAILS,
        query=("include", *LOCALE),
    ),
    Endpoint(
        method="POST",
        path="/me/enrolment",
        handler=me.enrol,
        summary="Join, having agreed to exactly these policies",
        who="member",
        reads=me.EnrolmentRequest,
        answers={200: Member, 201: Member, 409: me.PolicyProblem},
        refuses=("policies_outdated", *WRITE_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/earning-rules",
        handler=me.my_earning_rules,
        summary="The ways to earn, each with whether it is completed",
        who="member",
        answers={200: public.EarningRules},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="POST",
        path="/me/earning-rules/{id}/completions",
        handler=me.complete,
        summary="Complete a way to earn that takes a click",
        who="member",
        reads=me.NoFields,
        answers={201: Completion},
        refuses=("not_found", "not_enrolled", "rule_already_completed", "request_in_progress", *WRITE_FAILS),
    ),
    Endpoint(
        method="PUT",
        path="/me/birthday",
        handler=me.birthday,
        summary="Tell the day and month of the birthday",
        who="member",
        reads=me.BirthdayRequest,
        answers={200: Member},
        refuses=("invalid_birthday", "not_enrolled", *WRITE_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/rewards",
        handler=me.my_rewards,
        summary="The rewards, each with whether it can be redeemed now",
        who="member",
        answers={200: public.Rewards},
        refuses=MEMBER_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="POST",
        path="/me/redemptions",
        handler=me.redeem,
        summary="Redeem a reward, once per Idempotency-Key",
        who="member",
        reads=me.RedemptionRequest,
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
        handler=me.my_redemption,
        summary="How a redemption ended",
        who="member",
        answers={200: Redemption},
        refuses=("not_found", *MEMBER_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/coupons",
        handler=me.my_coupons,
        summary="The coupons that have not expired",
        who="member",
        answers={200: Wallet},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="GET",
        path="/me/tier-progress",
        handler=me.my_tier_progress,
        summary="How far it is to the next tier",
        who="member",
        answers={200: TierProgress},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="GET",
        path="/me/activity",
        handler=me.my_activity,
        summary="What happened to the points, newest first",
        who="member",
        answers={200: Activity},
        refuses=MEMBER_FAILS,
        query=("limit", "cursor"),
    ),
    Endpoint(
        method="GET",
        path="/me/referrals",
        handler=me.my_referrals,
        summary="Invited friends, their number, and the link to share",
        who="member",
        answers={200: Referrals},
        refuses=MEMBER_FAILS,
        query=("cursor",),
    ),
    Endpoint(
        method="POST",
        path="/me/referrals",
        handler=me.refer,
        summary="Invite a friend by email",
        who="member",
        reads=me.ReferralRequest,
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
