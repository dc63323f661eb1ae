"""JSON for anyone: the program, the same bytes for everybody, ready made, and kept by whoever wants to keep them."""

import asyncio
import hashlib
from typing import Any

import msgspec
from starlette.responses import Response

from bff import endpoints
from bff.answers import Answer, Make
from bff.catalogue import FRESH_SECONDS, STALE_SECONDS, Locale, lowest_first, present
from bff.endpoints import EARNING_RULES, FAQS, LEGAL_POLICIES, REDEMPTION_RULES, VIP_PROGRAM, Public
from bff.inputs import read_locale
from bff.projection import earning_rule_of, faq_of, reward_of, tier_of
from bff.shapes import EarningRule, Faq, LegalPolicies, Program, Reward, Tier
from bff.state import LoyaltyRequest
from bff.visitor import spend_locale

PUBLIC_CACHE = (
    f"public, max-age={FRESH_SECONDS}, stale-while-revalidate={5 * FRESH_SECONDS}, stale-if-error={STALE_SECONDS}"
)


class Rewards(msgspec.Struct, frozen=True):
    rewards: list[Reward]


class EarningRules(msgspec.Struct, frozen=True, rename="camel"):
    earning_rules: list[EarningRule]


class Tiers(msgspec.Struct, frozen=True):
    tiers: list[Tier]


class Faqs(msgspec.Struct, frozen=True):
    faqs: list[Faq]


async def program(request: LoyaltyRequest) -> Response:
    return await _answer(request, _program, EARNING_RULES, REDEMPTION_RULES, VIP_PROGRAM)


async def earning_rules(request: LoyaltyRequest) -> Response:
    return await _answer(request, _earning_rules, EARNING_RULES)


async def rewards(request: LoyaltyRequest) -> Response:
    return await _answer(request, _rewards, REDEMPTION_RULES)


async def tiers(request: LoyaltyRequest) -> Response:
    return await _answer(request, _tiers, VIP_PROGRAM)


async def faqs(request: LoyaltyRequest) -> Response:
    return await _answer(request, _faqs, FAQS)


async def legal_policies(request: LoyaltyRequest) -> Response:
    return await _answer(request, policies_shown, LEGAL_POLICIES)


def policies_shown(policies: endpoints.LegalPolicies) -> LegalPolicies:
    """The policies as the storefront gets them; raises UpstreamFailed when there is nothing to show."""
    return LegalPolicies(**msgspec.structs.asdict(present(policies)))


def _earning_rules(rules: list[endpoints.EarningRule]) -> EarningRules:
    return EarningRules([earning_rule_of(rule) for rule in rules])


def _rewards(rules: list[endpoints.RedemptionRule]) -> Rewards:
    return Rewards([reward_of(rule, None) for rule in rules])


def _tiers(ladder: list[endpoints.Tier]) -> Tiers:
    return Tiers([tier_of(tier) for tier in lowest_first(ladder)])


def _faqs(questions: list[endpoints.Faq]) -> Faqs:
    return Faqs([faq_of(question) for question in questions])


def _program(
    rules: list[endpoints.EarningRule], rewards: list[endpoints.RedemptionRule], ladder: list[endpoints.Tier]
) -> Program:
    return Program(
        earning_rules=_earning_rules(rules).earning_rules, rewards=_rewards(rewards).rewards, tiers=_tiers(ladder).tiers
    )


async def _answer(request: LoyaltyRequest, make: Make, *rows: Public[Any]) -> Response:
    """What `make` makes of Okendo's answers to these rows, in the language asked for where one of them has any."""
    asked = read_locale(request)
    catalogue = request.state["catalogue"]
    if not all(catalogue.has(row, **asked) for row in rows if row.sends and asked):
        await spend_locale(request)
    copies = await asyncio.gather(*(catalogue.copy(row, **(asked if row.sends else {})) for row in rows))
    locale = asked if any(row.sends for row in rows) else None
    answer = request.state["answers"].of(make, locale or {}, copies)
    response = kept(request, Response(answer.body, headers=_age(request, answer), media_type="application/json"))
    return response if locale is None else in_language(request, response, locale)


def _age(request: LoyaltyRequest, answer: Answer) -> dict[str, str]:
    """The age of its oldest part (RFC 9111 §5.1) and, in Cache-Status (RFC 9211), the seconds that are left until it
    is stale, below zero when it already is."""
    age = max(0, int(request.state["sessions"].clock() - min(answer.asked_at)))
    stale = "; detail=stale" if age > FRESH_SECONDS else ""
    status = f"loyalty; hit; ttl={FRESH_SECONDS - age}{stale}"
    return {"age": str(age), "cache-status": status, "etag": answer.etag}


def in_language(request: LoyaltyRequest, response: Response, locale: Locale) -> Response:
    """Says which language was asked for, and that the browser's wish had a part in it. The language in which Okendo
    answers when none is asked for is only known where DEFAULT_LANGUAGE tells."""
    language = locale.get("language") or request.state["settings"].default_language
    if language:
        response.headers["content-language"] = language
    response.headers.add_vary_header("Accept-Language")
    return response


def kept(request: LoyaltyRequest, response: Response) -> Response:
    """An answer anyone may keep; 304 when the client has it already (RFC 9110 §13.1.2)."""
    response.headers["cache-control"] = PUBLIC_CACHE
    etag = response.headers.setdefault("etag", f'"{hashlib.sha256(response.body).hexdigest()[:32]}"')
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if not known & {etag, "*"}:
        return response
    headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    return Response(status_code=304, headers=headers)
