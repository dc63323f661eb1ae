"""This machine's clock beside those of vendors, as their answers tell the time (RFC 9110 §6.6.1, `Date`)."""

import asyncio
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from bff.errors import UpstreamFailed
from bff.ops.report import Check
from bff.settings.settings import Settings
from bff.vendors.upstream import Call, Upstream

TOLERANCE_SECONDS = 30
WRONG = "Set this machine's clock (NTP): ID tokens, webhooks and sessions are judged by it."


async def check_clocks(settings: Settings, upstream: Upstream) -> list[Check]:
    """Our clock beside Shopify's and Okendo's; any answer will do that has a date, even a refusal."""
    discovery = f"{settings.shopify.shop_url}/.well-known/openid-configuration"
    shopify = Call(vendor="shopify", operation="shopify_discovery", method="GET", url=discovery, idempotent=True)
    okendo = Call(vendor="okendo", operation="date", method="GET", url=f"{settings.okendo.api_url}/v1", idempotent=True)
    checks = await asyncio.gather(
        _check(upstream, shopify, "shopify", "clock", "Shopify"),
        _check(upstream, okendo, "okendo", "Okendo's clock", "Okendo"),
    )
    return list(checks)


async def _check(upstream: Upstream, call: Call, area: str, name: str, vendor: str) -> Check:
    try:
        theirs = told_at((await upstream.call(call)).headers)
    except (UpstreamFailed, KeyError, ValueError):
        return Check(area, name, "warn", f"cannot be compared: {vendor} tells no time", "Ask again later.")
    ahead_seconds = time.time() - theirs
    if abs(ahead_seconds) > TOLERANCE_SECONDS:
        side = "ahead of" if ahead_seconds > 0 else "behind"
        return Check(area, name, "fail", f"ours is {abs(ahead_seconds):.0f} s {side} {vendor}'s", WRONG)
    return Check(area, name, "ok", f"ours agrees with {vendor}'s")


def told_at(headers: Mapping[str, str]) -> float:
    """The time that an answer tells, in seconds since 1970; one from a cache is as old as its `Age` says (RFC 9111
    §5.1). Raises KeyError and ValueError."""
    return parsedate_to_datetime(headers["date"]).timestamp() + int(headers.get("age", "0"))
