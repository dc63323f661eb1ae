"""JSON for anyone: the program, the same bytes for everybody, ready made, and kept by whoever wants to keep them."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff.api.endpoint import LOCALE, PUBLIC_FAILS, Endpoint
from bff.program.catalogue import FRESH_SECONDS, Catalogue, lowest_first
from bff.program.rendered import RenderedResponses
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
from bff.vendors.okendo.languages import NO_LOCALE, common
from bff.vendors.okendo.operations import EARNING_RULES, FAQS, LEGAL_POLICIES, REDEMPTION_RULES, VIP_PROGRAM
from bff.vendors.okendo.row import Public
from bff.web.inputs import read_locale
from bff.web.limits import hit_locale
from bff.web.repeatable import Repeatable
from bff.web.responses import in_language, public_response
from bff.web.state import WebState

IN_LANGUAGE = {200: ("Content-Language",), 304: ("Content-Language",)}


class ProgramState(WebState):
    catalogue: Catalogue
    rendered: RenderedResponses


async def get_program(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _program, EARNING_RULES, REDEMPTION_RULES, VIP_PROGRAM)


async def list_earning_rules(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _earning_rules, EARNING_RULES)


async def list_rewards(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _rewards, REDEMPTION_RULES)


async def list_tiers(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _tiers, VIP_PROGRAM)


async def list_faqs(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _faqs, FAQS)


async def get_legal_policies(request: Request[ProgramState]) -> Response:
    return await _rendered_response(request, _legal_policies, LEGAL_POLICIES)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/program",
        handler=get_program,
        summary="The program as everyone may see it",
        description=(
            "Ways to earn, rewards and tiers in one answer: what a landing page needs before anybody signs in."
        ),
        who="anyone",
        answers={200: Program},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
        sends=IN_LANGUAGE,
    ),
    Endpoint(
        method="GET",
        path="/earning-rules",
        handler=list_earning_rules,
        summary="The ways to earn points",
        description=(
            "`kind` says what the shopper does, such as `order` or `social_follow`; other words may come. With "
            "`perSpend` the points are for each unit of money spent."
        ),
        who="anyone",
        answers={200: EarningRules},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
        sends=IN_LANGUAGE,
    ),
    Endpoint(
        method="GET",
        path="/rewards",
        handler=list_rewards,
        summary="The rewards points can buy",
        description="What points can buy. Whether a member can redeem one now is told by `GET /me/rewards`.",
        who="anyone",
        answers={200: Rewards},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
        sends=IN_LANGUAGE,
    ),
    Endpoint(
        method="GET",
        path="/tiers",
        handler=list_tiers,
        summary="The tiers, lowest first",
        description="`spend` is what a member spends to get there.",
        who="anyone",
        answers={200: Tiers},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
        sends=IN_LANGUAGE,
    ),
    Endpoint(
        method="GET",
        path="/faqs",
        handler=list_faqs,
        summary="Questions and answers",
        description="`answerHtml` is sanitised, so it may be shown as it is.",
        who="anyone",
        answers={200: Faqs},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
        sends=IN_LANGUAGE,
    ),
    Endpoint(
        method="GET",
        path="/legal-policies",
        handler=get_legal_policies,
        summary="The words to show beside the join button",
        description=(
            "Show `sentenceHtml` (sanitised) right beside a button that reads exactly `buttonText`. At the click, "
            "send `version` and `digest` back with `POST /me/enrolment`."
        ),
        who="anyone",
        answers={200: LegalPolicies},
        refuses=PUBLIC_FAILS,
        query=LOCALE,
        sends=IN_LANGUAGE,
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
    """What `serialise` makes of Okendo's answers to these operations, in the language asked for where one is taken."""
    asked, catalogue = read_locale(request), request.state["catalogue"]
    languages = catalogue.languages
    questions = [(operation, languages.asked_of(operation, asked)) for operation in operations]
    if not all(catalogue.is_cached(operation, **locale) for operation, locale in questions if locale):
        await hit_locale(request)
    parts = await catalogue.all_cached(*questions)
    rendered = request.state["rendered"].of(
        serialise.__name__,
        lambda: msgspec.json.encode(serialise(*(part.value for part in parts))),
        asked_at=tuple(part.asked_at for part in parts),
        locale=asked if any(locale for _, locale in questions) else NO_LOCALE,
    )
    clock, oldest = request.state["clock"], min(rendered.asked_at)
    age = _age(clock() - oldest)
    unchanged = catalogue.unchanged(*((*question, part) for question, part in zip(questions, parts, strict=True)))
    # Until it says another age: so nothing here has to be told from what is said of it.
    repeatable = Repeatable(lambda: _age(clock() - oldest) == age and unchanged())
    response = public_response(request, rendered, "application/json", _age_headers(age), repeatable)
    told = zip(questions, parts, strict=True)
    spoken = common(languages.of_answer(operation, locale, part.language) for (operation, locale), part in told)
    return in_language(response, spoken, may_differ=any(map(languages.takes, operations)))


def _age(seconds: float) -> int:
    """In whole seconds."""
    return max(0, int(seconds))


def _age_headers(age: int) -> dict[str, str]:
    """The age (RFC 9111 §5.1) and, in Cache-Status (RFC 9211), the seconds that are left until it is stale, below zero
    when it already is."""
    stale = "; detail=stale" if age > FRESH_SECONDS else ""
    return {"age": str(age), "cache-status": f"loyalty; hit; ttl={FRESH_SECONDS - age}{stale}"}
