"""JSON for anyone: the program, the same bytes for everybody, ready made, and kept by whoever wants to keep them."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import LOCALE, PUBLIC_FAILS, Endpoint
from bff.program.catalogue import FRESH_SECONDS, Catalogue, lowest_first
from bff.program.rendered import NO_LOCALE, Rendered, RenderedResponses
from bff.schemas.policies import LegalPolicies
from bff.schemas.program import (
    EarningRule,
    EarningRules,
    Faq,
    Faqs,
    Program,
    Reward,
    Rewards,
    Tier,
    Tiers,
)
from bff.vendors.okendo import replies
from bff.vendors.okendo.operations import EARNING_RULES, FAQS, LEGAL_POLICIES, REDEMPTION_RULES, VIP_PROGRAM
from bff.vendors.okendo.row import Public
from bff.web.inputs import read_locale
from bff.web.limits import hit_locale
from bff.web.responses import in_language, public_response
from bff.web.state import WebState

IN_LANGUAGE = {200: ("Content-Language",), 304: ("Content-Language",)}


class ProgramState(WebState):
    catalogue: Catalogue
    rendered: RenderedResponses


async def program(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _program, EARNING_RULES, REDEMPTION_RULES, VIP_PROGRAM)


async def earning_rules(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _earning_rules, EARNING_RULES)


async def rewards(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _rewards, REDEMPTION_RULES)


async def tiers(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _tiers, VIP_PROGRAM)


async def faqs(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _faqs, FAQS)


async def legal_policies(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _legal_policies, LEGAL_POLICIES)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/program",
        handler=program,
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
        handler=earning_rules,
        summary="The ways to earn points",
        description=(
            "`kind` says what the shopper does, such as `order` or `social_follow`; other words may come. With "
            "`perSpend` the points are for each unit of money spent."
        ),
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
        description="What points can buy. Whether a member can redeem one now is told by `GET /me/rewards`.",
        who="anyone",
        answers={200: Rewards},
        refuses=("rate_limited", *PUBLIC_FAILS),
        query=LOCALE,
        sends=IN_LANGUAGE,
    ),
    Endpoint(
        method="GET",
        path="/tiers",
        handler=tiers,
        summary="The tiers, lowest first",
        description="`spend` is what a member spends to get there.",
        who="anyone",
        answers={200: Tiers},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/faqs",
        handler=faqs,
        summary="Questions and answers",
        description="`answerHtml` is sanitised, so it may be shown as it is.",
        who="anyone",
        answers={200: Faqs},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
    ),
    Endpoint(
        method="GET",
        path="/legal-policies",
        handler=legal_policies,
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
)


def _legal_policies(policies: replies.LegalPolicies) -> LegalPolicies:
    """The policies as the storefront gets them; raises UpstreamFailed when there is nothing to show."""
    return LegalPolicies.from_okendo(policies)


def _earning_rules(rules: list[replies.EarningRule]) -> EarningRules:
    return EarningRules([EarningRule.from_okendo(rule) for rule in rules])


def _rewards(rules: list[replies.RedemptionRule]) -> Rewards:
    return Rewards([Reward.from_okendo(rule, None) for rule in rules])


def _tiers(ladder: list[replies.Tier]) -> Tiers:
    return Tiers([Tier.from_okendo(tier) for tier in lowest_first(ladder)])


def _faqs(questions: list[replies.Faq]) -> Faqs:
    return Faqs([Faq.from_okendo(question) for question in questions])


def _program(
    rules: list[replies.EarningRule], rewards: list[replies.RedemptionRule], ladder: list[replies.Tier]
) -> Program:
    return Program(
        earning_rules=_earning_rules(rules).earning_rules, rewards=_rewards(rewards).rewards, tiers=_tiers(ladder).tiers
    )


async def _rendered_response(
    request: Request[ProgramState], serialise: Callable[..., msgspec.Struct], *operations: Public[Any]
) -> Response:
    """What `serialise` makes of Okendo's answers to these operations, in the language asked for where one has any."""
    asked = read_locale(request)
    catalogue = request.state["catalogue"]
    localised = [operation for operation in operations if operation.sends]
    if asked and not all(catalogue.is_cached(operation, **asked) for operation in localised):
        await hit_locale(request)
    parts = await asyncio.gather(
        *(catalogue.cached(operation, **(asked if operation.sends else {})) for operation in operations)
    )
    rendered = request.state["rendered"].of(
        serialise.__name__,
        lambda: msgspec.json.encode(serialise(*(part.value for part in parts))),
        asked_at=tuple(part.asked_at for part in parts),
        locale=asked if localised else NO_LOCALE,
    )
    response = public_response(request, rendered, "application/json", _age_headers(request, rendered))
    return in_language(request, response, asked) if localised else response


def _age_headers(request: Request[ProgramState], rendered: Rendered) -> dict[str, str]:
    """The age of its oldest part (RFC 9111 §5.1) and, in Cache-Status (RFC 9211), the seconds that are left until it
    is stale, below zero when it already is."""
    age = max(0, int(request.state["clock"]() - min(rendered.asked_at)))
    stale = "; detail=stale" if age > FRESH_SECONDS else ""
    return {"age": str(age), "cache-status": f"loyalty; hit; ttl={FRESH_SECONDS - age}{stale}"}
