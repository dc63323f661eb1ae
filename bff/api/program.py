"""JSON for anyone: the program, the same bytes for everybody, ready made, and kept by whoever wants to keep them."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bff.program.catalogue import FRESH_SECONDS, Catalogue, lowest_first
from bff.program.rendered import Rendered, RenderedResponses, Serialise
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
from bff.web.responses import in_language, kept
from bff.web.state import WebState
from bff.web.visitor import hit_locale


class ProgramState(WebState):
    catalogue: Catalogue
    rendered: RenderedResponses


async def program(request: Request[ProgramState]) -> Response:
    return await _answer(request, _program, EARNING_RULES, REDEMPTION_RULES, VIP_PROGRAM)


async def earning_rules(request: Request[ProgramState]) -> Response:
    return await _answer(request, _earning_rules, EARNING_RULES)


async def rewards(request: Request[ProgramState]) -> Response:
    return await _answer(request, _rewards, REDEMPTION_RULES)


async def tiers(request: Request[ProgramState]) -> Response:
    return await _answer(request, _tiers, VIP_PROGRAM)


async def faqs(request: Request[ProgramState]) -> Response:
    return await _answer(request, _faqs, FAQS)


async def legal_policies(request: Request[ProgramState]) -> Response:
    return await _answer(request, _legal_policies, LEGAL_POLICIES)


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


async def _answer(request: Request[ProgramState], make: Serialise, *rows: Public[Any]) -> Response:
    """What `make` makes of Okendo's answers to these rows, in the language asked for where one of them has any."""
    asked = read_locale(request)
    catalogue = request.state["catalogue"]
    if not all(catalogue.has(row, **asked) for row in rows if row.sends and asked):
        await hit_locale(request)
    copies = await asyncio.gather(*(catalogue.copy(row, **(asked if row.sends else {})) for row in rows))
    locale = asked if any(row.sends for row in rows) else None
    answer = request.state["rendered"].of(make, locale or {}, copies)
    response = kept(request, Response(answer.body, headers=_age(request, answer), media_type="application/json"))
    return response if locale is None else in_language(request, response, locale)


def _age(request: Request[ProgramState], answer: Rendered) -> dict[str, str]:
    """The age of its oldest part (RFC 9111 §5.1) and, in Cache-Status (RFC 9211), the seconds that are left until it
    is stale, below zero when it already is."""
    age = max(0, int(request.state["clock"]() - min(answer.asked_at)))
    stale = "; detail=stale" if age > FRESH_SECONDS else ""
    status = f"loyalty; hit; ttl={FRESH_SECONDS - age}{stale}"
    return {"age": str(age), "cache-status": status, "etag": answer.etag}
