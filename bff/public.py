"""JSON for anyone: the program, the same bytes for everybody, kept by whoever wants to keep them."""

import hashlib
from typing import Any

import msgspec
from starlette.responses import Response

from bff.catalogue import Locale
from bff.inputs import read_locale
from bff.shapes import EarningRule, Faq, LegalPolicies, Reward, Tier
from bff.web import LANGUAGE, LoyaltyRequest, reply

PUBLIC_CACHE = "public, max-age=60, stale-while-revalidate=300, stale-if-error=3600"


class Rewards(msgspec.Struct, frozen=True):
    rewards: list[Reward]


class EarningRules(msgspec.Struct, frozen=True, rename="camel"):
    earning_rules: list[EarningRule]


class Tiers(msgspec.Struct, frozen=True):
    """Lowest first."""

    tiers: list[Tier]


class Faqs(msgspec.Struct, frozen=True):
    faqs: list[Faq]


async def program(request: LoyaltyRequest) -> Response:
    locale = read_locale(request)
    return in_language(kept(request, await request.state["loyalty"].program(locale)), locale)


async def earning_rules(request: LoyaltyRequest) -> Response:
    read_locale(request)
    return kept(request, EarningRules(await request.state["loyalty"].earning_rules()))


async def rewards(request: LoyaltyRequest) -> Response:
    locale = read_locale(request)
    return in_language(kept(request, Rewards(await request.state["loyalty"].public_rewards(locale))), locale)


async def tiers(request: LoyaltyRequest) -> Response:
    read_locale(request)
    return kept(request, Tiers(await request.state["loyalty"].tiers()))


async def faqs(request: LoyaltyRequest) -> Response:
    read_locale(request)
    return kept(request, Faqs(await request.state["loyalty"].faqs()))


async def legal_policies(request: LoyaltyRequest) -> Response:
    read_locale(request)
    return kept(request, await policies_shown(request))


async def policies_shown(request: LoyaltyRequest, *, at_most_seconds: float | None = None) -> LegalPolicies:
    """The policies as the storefront gets them, at most so old."""
    found = await request.state["catalogue"].policies(at_most_seconds=at_most_seconds)
    return LegalPolicies(**msgspec.structs.asdict(found))


def in_language(response: Response, locale: Locale) -> Response:
    """Says which language was asked for, and that the browser's wish had a part in it."""
    response.headers["content-language"] = locale.get("language", LANGUAGE)
    response.headers.add_vary_header("Accept-Language")
    return response


def kept(request: LoyaltyRequest, value: Any) -> Response:
    """An answer anyone may keep; 304 when the client has it already (RFC 9110 §13.1.2)."""
    response = reply(value, cache_control=PUBLIC_CACHE)
    etag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    response.headers["etag"] = etag
    if etag not in request.headers.get("if-none-match", "").replace("W/", ""):
        return response
    return Response(status_code=304, headers={"cache-control": PUBLIC_CACHE, "etag": etag})
