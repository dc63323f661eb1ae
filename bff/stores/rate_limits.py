"""How often a member, an address, or everybody together may do something, counted in Valkey for all processes."""

import asyncio
import math
import time
from typing import Any

import msgspec
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bff.errors import Problem
from bff.telemetry.timing import spent_on

# After an error of Valkey the limits that fail open are not counted for so long: each request would wait for it.
SKIP_SECONDS = 2


class RateLimit(msgspec.Struct, frozen=True):
    """`amount` times in `seconds`. One that is `fail_open` refuses nobody while Valkey does not answer; the others
    guard what changes or costs something, and refuse everybody then (K4). The RateLimit fields leave out
    a `hidden` one."""

    name: str
    amount: int
    seconds: int
    fail_open: bool = False
    hidden: bool = False


# By the member, or by the address of one who has not signed in: everything that may read a session or ask a vendor.
READS = RateLimit("reads", 600, 60, fail_open=True)
VISITS = RateLimit("visits", 1200, 60, fail_open=True)
# By the address.
LOGIN = RateLimit("login", 300, 60)
HAND_IN = RateLimit("hand-in", 120, 60)
TICKETS = RateLimit("session-tickets", 600, 60)
# Languages, countries and currencies that are not cached yet, so that the vendor must be asked.
LOCALES = RateLimit("locales", 60, 60, fail_open=True)
REFER_ADDRESS = RateLimit("refer-address", 300, 86_400)
# By the member.
JOIN = RateLimit("join", 30, 60)
REDEEM = RateLimit("redeem", 90, 60)
REDEEM_REWARD = RateLimit("redeem-reward", 60, 60)
EARN = RateLimit("earn", 60, 60)
BIRTHDAY = RateLimit("birthday", 20, 3600)
REFER = RateLimit("refer", 60, 86_400)
LINK = RateLimit("link", 30, 60)
# By the friend who is invited, whoever invites; how often others did is not shown (K5).
REFER_TARGET = RateLimit("refer-target", 5, 86_400, hidden=True)


def everybody(requests_per_minute: int) -> RateLimit:
    """All requests that may read a session or ask a vendor, from everywhere."""
    return RateLimit("everybody", requests_per_minute, 60, fail_open=True, hidden=True)


class Usage(msgspec.Struct, frozen=True):
    limit: RateLimit
    left: int


class RateLimiter:
    def __init__(self, valkey: Redis) -> None:
        options: dict[str, Any] = {"connection_pool": valkey.connection_pool}
        self._storage = RedisStorage(
            "redis://shared-pool:6379", implementation="redispy", key_prefix="rate-limit", **options
        )
        self._skip_until = 0.0

    async def count(self, *limits: tuple[RateLimit, str]) -> list[Usage] | None:
        """Count a hit on each of these limits, which fail open, by the name beside it.

        None when Valkey has just failed to count.

        Raises Problem `rate_limited` beyond one of them.
        """
        if time.monotonic() < self._skip_until:
            return []
        usage = await asyncio.gather(*(self.hit(*each) for each in limits))
        return None if None in usage else [each for each in usage if each]

    async def hit(self, limit: RateLimit, who: str) -> Usage | None:
        """Count a hit; None when it could not be counted.

        Raises Problem `rate_limited` beyond the limit, `store_unavailable` where it fails closed.
        """
        key = RateLimitItemPerSecond(limit.amount, limit.seconds, limit.name).key_for(who)
        try:
            with spent_on("store"):
                count = await self._storage.incr(key, limit.seconds)
            if count <= limit.amount:
                return Usage(limit, limit.amount - count)
            ends_at = await self._storage.get_expiry(key)
        except (RedisError, OSError, TimeoutError) as error:
            self._skip_until = time.monotonic() + SKIP_SECONDS
            if limit.fail_open:
                return None
            raise closed() from error
        raise exceeded(limit, max(1, math.ceil(ends_at - time.time())))


def closed() -> Problem:
    return Problem("store_unavailable", "This is not possible right now.", retry_after_seconds=5)


def exceeded(limit: RateLimit, seconds_left: int) -> Problem:
    """429 with Retry-After, and the RateLimit fields where the limit is the client's own."""
    sentence = "That was a little too often. Please wait a moment."
    problem = Problem("rate_limited", sentence, retry_after_seconds=seconds_left)
    if not limit.hidden:
        problem.headers |= fields_of([Usage(limit, 0)])
        problem.headers["ratelimit"] += f";t={seconds_left}"
    return problem


def fields_of(usage: list[Usage]) -> dict[str, str]:
    """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers §3-5)."""
    limits = [each.limit for each in usage]
    return {
        "ratelimit-policy": ", ".join(f'"{each.name}";q={each.amount};w={each.seconds}' for each in limits),
        "ratelimit": ", ".join(f'"{each.limit.name}";r={each.left}' for each in usage),
    }
