"""The table of the JSON routes for storefront JavaScript.

A row of `ENDPOINTS` is a route, its documentation and its law: who may call it, what it reads, answers and refuses.
The handlers are in `public`, `me` and `login`.
"""

from typing import Annotated

import msgspec
from starlette.routing import BaseRoute, Route

from bff.api import activity, earning, enrolment, me, program, referrals, retailers, rewards, session
from bff.api.endpoint import PREFIX, Endpoint, strict
from bff.errors import Code
from bff.schemas import member as member_schemas
from bff.schemas import program as program_schemas
from bff.schemas import requests
from bff.schemas.activity import Activity, Referrals, Wallet
from bff.schemas.base import SessionState
from bff.schemas.member import Member, TierProgress
from bff.schemas.policies import LegalPolicies
from bff.schemas.program import Program
from bff.schemas.redemption import Completion, Redemption
from bff.schemas.retailers import LinkAddress, Retailers

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
ONE_TOKEN = Annotated[requests.HandIn, msgspec.Meta(extra_json_schema={"minProperties": 1, "maxProperties": 1})]
LOCALE = ("locale", "country", "currency")
IN_LANGUAGE = {200: ("Content-Language",), 304: ("Content-Language",)}
REPLAYED = ("Idempotency-Replayed",)
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/program",
        handler=program.program,
        summary="The program as everyone may see it",
        description=(
            "Ways to earn, rewards and tiers in one answer: what a landing page needs before anybody signs in."
        ),
        who="anyone",
        answers={200: Program},
        refuses=("rate_limited", *PUBLIC_FAILS),
        query=LOCALE,
        sends=IN_LANGUAGE,
    ),
    Endpoint(
        method="GET",
        path="/earning-rules",
        handler=program.earning_rules,
        summary="The ways to earn points",
        description=(
            "`kind` says what the shopper does, such as `order` or `social_follow`; other words may come. With "
            "`perSpend` the points are for each unit of money spent."
        ),
        who="anyone",
        answers={200: program_schemas.EarningRules},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/rewards",
        handler=program.rewards,
        summary="The rewards points can buy",
        description="What points can buy. Whether a member can redeem one now is told by `GET /me/rewards`.",
        who="anyone",
        answers={200: program_schemas.Rewards},
        refuses=("rate_limited", *PUBLIC_FAILS),
        query=LOCALE,
        sends=IN_LANGUAGE,
    ),
    Endpoint(
        method="GET",
        path="/tiers",
        handler=program.tiers,
        summary="The tiers, lowest first",
        description="`spend` is what a member spends to get there.",
        who="anyone",
        answers={200: program_schemas.Tiers},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/faqs",
        handler=program.faqs,
        summary="Questions and answers",
        description="`answerHtml` is sanitised, so it may be shown as it is.",
        who="anyone",
        answers={200: program_schemas.Faqs},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/legal-policies",
        handler=program.legal_policies,
        summary="The words to show beside the join button",
        description=(
            "Show `sentenceHtml` (sanitised) right beside a button that reads exactly `buttonText`. At the click, "
            "send `version` and `digest` back with `POST /me/enrolment`."
        ),
        who="anyone",
        answers={200: LegalPolicies},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/session",
        handler=session.show_session,
        summary="Who is looking",
        description=(
            "Cheap: it asks no vendor, unless the program has just told that the member was changed. Call it first to "
            "decide what to show."
        ),
        who="visitor",
        answers={200: SessionState},
        refuses=("invalid_request", "csrf_refused", "store_unavailable"),
    ),
    Endpoint(
        method="POST",
        path="/session",
        handler=session.hand_in,
        summary="Hand in a Shopify customer token for a session",
        description=(
            "For a storefront whose page holds a Customer Account API token. Shopify vouches for it, and the "
            "answer sets the session cookie; whoever was signed in before is signed out. Legacy Storefront tokens "
            "need a setting."
        ),
        who="visitor",
        reads=ONE_TOKEN,
        answers={201: SessionState},
        refuses=WRITE_FAILS,
        sends={201: ("Set-Cookie",)},
    ),
    Endpoint(
        method="POST",
        path="/session-tickets",
        handler=session.session_ticket,
        summary="Hand in a Shopify customer token, server to server",
        description=(
            "So that no page has to hold the token: your server sends it here, with the token of "
            "`SESSION_TICKETS_TOKEN`, and redirects the browser to `/session/continue?ticket=…&return_to=…` (no JSON, "
            "and not below `/api`). There the ticket becomes the session cookie, once, within a minute, and the "
            "browser goes on to `return_to`: a page of this service or of an allowed storefront."
        ),
        who="server",
        reads=ONE_TOKEN,
        answers={201: requests.SessionTicket},
        refuses=(
            "session_required",
            "feature_unavailable",
            "rate_limited",
            "csrf_refused",
            "store_unavailable",
            *PUBLIC_FAILS,
        ),
        sends={401: ("WWW-Authenticate",)},
    ),
    Endpoint(
        method="DELETE",
        path="/session",
        handler=session.end_session,
        summary="Sign out",
        description="The same answer whether or not there was a session.",
        who="visitor",
        answers={204: None},
        refuses=("invalid_request", "csrf_refused", "store_unavailable"),
        sends={204: ("Set-Cookie",)},
    ),
    Endpoint(
        method="GET",
        path="/me",
        handler=me.me,
        summary="The member, and the parts that include asks for, each of which may fail alone",
        description=(
            "Ask for parts with `include` and save requests. A part that cannot be had brings its own `error`; "
            "the rest stands."
        ),
        who="member",
        answers={200: member_schemas.MemberAndParts},
        refuses=MEMBER_FAILS,
        query=("include", *LOCALE),
        sends={200: ("Content-Language",)},
    ),
    Endpoint(
        method="POST",
        path="/me/enrolment",
        handler=enrolment.enrol,
        summary="Join, having agreed to exactly these policies",
        description=(
            "201 when the shopper joined, 200 when they were a member before. When the policies have changed "
            "meanwhile, nothing is sent: the 409 brings `legalPolicies` as they are now, to be shown and agreed "
            "to."
        ),
        who="member",
        reads=requests.EnrolmentRequest,
        answers={200: Member, 201: Member, 409: member_schemas.PolicyProblem},
        refuses=("policies_outdated", "request_in_progress", *WRITE_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/earning-rules",
        handler=earning.my_earning_rules,
        summary="The ways to earn, each with whether it is completed",
        description="Like `GET /earning-rules`, with `completed` where the program tells.",
        who="member",
        answers={200: program_schemas.EarningRules},
        examples={200: program_schemas.EarningRules.example_for_member()},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="POST",
        path="/me/earning-rules/{id}/completions",
        handler=earning.complete,
        summary="Complete a way to earn that takes a click",
        description=("For what takes a click, such as following on social media: call it, then open the rule's `url`."),
        who="member",
        reads=requests.NoFields,
        answers={201: Completion},
        refuses=("not_found", "not_enrolled", "rule_already_completed", "request_in_progress", *WRITE_FAILS),
    ),
    Endpoint(
        method="PUT",
        path="/me/birthday",
        handler=earning.birthday,
        summary="Tell the day and month of the birthday",
        description="Without a year. The 29th of February is a birthday.",
        who="member",
        reads=requests.BirthdayRequest,
        answers={200: Member},
        refuses=("invalid_birthday", "not_enrolled", *WRITE_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/rewards",
        handler=rewards.my_rewards,
        summary="The rewards, each with whether it can be redeemed now",
        description=(
            "`canRedeem.state` says whether, and why not; `missingPoints` and `requiredTier` how to close the gap."
        ),
        who="member",
        answers={200: program_schemas.Rewards},
        examples={200: program_schemas.Rewards.example_for_member()},
        refuses=MEMBER_FAILS,
        query=LOCALE,
        sends={200: ("Content-Language",)},
    ),
    Endpoint(
        method="POST",
        path="/me/redemptions",
        handler=rewards.redeem,
        summary="Redeem a reward, once per Idempotency-Key",
        description=(
            "201 brings the coupon (store credit has none). 202 means that the outcome is not known yet: look at "
            "`Location` every few seconds, and do not redeem again. The same key always gets the same answer, so "
            "repeat a request that broke off with it."
        ),
        who="member",
        reads=requests.RedemptionRequest,
        answers={201: Redemption, 202: Redemption},
        examples={202: Redemption.example_of_unknown()},
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
        sends={201: REPLAYED, 202: (*REPLAYED, "Location", "Retry-After"), 422: REPLAYED, 503: REPLAYED},
    ),
    Endpoint(
        method="GET",
        path="/me/redemptions/{key}",
        handler=rewards.my_redemption,
        summary="How a redemption ended",
        description="`working` and `unknown` may still change; `succeeded` and `failed` are final.",
        who="member",
        answers={200: Redemption},
        refuses=("not_found", *MEMBER_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/coupons",
        handler=activity.my_coupons,
        summary="The coupons that have not expired",
        description="Newest first. `applyUrl` puts the code into the cart.",
        who="member",
        answers={200: Wallet},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="GET",
        path="/me/tier-progress",
        handler=activity.my_tier_progress,
        summary="How far it is to the next tier",
        description="`nextTier` is absent at the top; `missingSpend` where the program does not tell.",
        who="member",
        answers={200: TierProgress},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="GET",
        path="/me/activity",
        handler=activity.my_activity,
        summary="What happened to the points, newest first",
        description="Follow `next` until it is null.",
        who="member",
        answers={200: Activity},
        refuses=MEMBER_FAILS,
        query=("limit", "cursor"),
    ),
    Endpoint(
        method="GET",
        path="/me/referrals",
        handler=referrals.my_referrals,
        summary="Invited friends, their number, and the link to share",
        description=(
            "Who was invited is not told, only when and with what outcome. `url` is the member's own link. Follow "
            "`next` until it is null."
        ),
        who="member",
        answers={200: Referrals},
        refuses=MEMBER_FAILS,
        query=("cursor",),
    ),
    Endpoint(
        method="POST",
        path="/me/referrals",
        handler=referrals.refer,
        summary="Invite a friend by email",
        description="202 whether or not the friend is a customer already: that is nobody's business.",
        who="member",
        reads=requests.ReferralRequest,
        answers={202: None},
        refuses=("invalid_email", "referral_rejected", "not_enrolled", *WRITE_FAILS),
    ),
    Endpoint(
        method="GET",
        path="/me/retailers",
        handler=retailers.my_retailers,
        summary="Accounts at other retailers, and the points from there",
        description=(
            "Purchases with an `active` account earn points. That a shopper has come back from linking says nothing: "
            "ask here."
        ),
        who="member",
        answers={200: Retailers},
        refuses=MEMBER_FAILS,
    ),
    Endpoint(
        method="POST",
        path="/me/retailers",
        handler=retailers.link_retailer,
        summary="Link an account at another retailer, or sign in to it again",
        description=(
            "Send the browser to `linkUrl`, where the shopper signs in to the retailer. `retailerId` is one of "
            "`available`; `connectionId` is an account to sign in to again; with neither the shopper chooses."
        ),
        who="member",
        reads=requests.LinkRequest,
        answers={201: LinkAddress},
        refuses=("not_found", "invalid_email", "request_in_progress", *WRITE_FAILS),
    ),
    Endpoint(
        method="DELETE",
        path="/me/retailers/{id}",
        handler=retailers.unlink_retailer,
        summary="Unlink an account",
        description="What was earned stays. Linking the same retailer again does not earn the linking bonus again.",
        who="member",
        answers={204: None},
        refuses=("not_found", *WRITE_FAILS),
    ),
)


def routes(*who: str) -> list[BaseRoute]:
    """The routes of these callers, in Starlette's words."""
    chosen = (endpoint for endpoint in ENDPOINTS if endpoint.who in who)
    return [
        Route(PREFIX + endpoint.path, strict(endpoint), methods=[endpoint.method], name=f"api_{endpoint.name}")
        for endpoint in chosen
    ]
