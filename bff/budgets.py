"""How often one customer or one address may do something, counted in Valkey for all processes together."""

import math
import time
from typing import Any

import msgspec
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bff.errors import Problem


class Budget(msgspec.Struct, frozen=True):
    """`amount` times in `seconds`. All of these change something, so they are closed while Valkey is away (K4)."""

    name: str
    amount: int
    seconds: int


LOGIN = Budget("login", 300, 60)
HAND_IN = Budget("hand-in", 120, 60)
JOIN = Budget("join", 30, 60)
REDEEM = Budget("redeem", 60, 60)
EARN = Budget("earn", 60, 60)
BIRTHDAY = Budget("birthday", 20, 3600)
REFER = Budget("refer", 60, 86_400)
REFER_TARGET = Budget("refer-target", 5, 86_400)


class Budgets:
    def __init__(self, valkey: Redis) -> None:
        options: dict[str, Any] = {"connection_pool": valkey.connection_pool}
        storage = RedisStorage("redis://shared-pool:6379", implementation="redispy", key_prefix="budget", **options)
        self._limiter = FixedWindowRateLimiter(storage)

    async def spend(self, budget: Budget, who: str) -> None:
        """Count one; raises Problem `rate_limited` when the budget is spent, `store_unavailable` when it is closed."""
        item = RateLimitItemPerSecond(budget.amount, budget.seconds, budget.name)
        try:
            allowed = await self._limiter.hit(item, who)
        except (RedisError, OSError, TimeoutError) as error:
            raise Problem("store_unavailable", "This is not possible right now.", retry_after_seconds=5) from error
        if not allowed:
            window = await self._limiter.get_window_stats(item, who)
            raise exhausted(budget, max(1, math.ceil(window.reset_time - time.time())))


def exhausted(budget: Budget, seconds_left: int) -> Problem:
    """429 with Retry-After and the RateLimit fields (draft-ietf-httpapi-ratelimit-headers §3-5)."""
    sentence = "That was a little too often. Please wait a moment."
    problem = Problem("rate_limited", sentence, retry_after_seconds=seconds_left)
    problem.headers["ratelimit-policy"] = f'"{budget.name}";q={budget.amount};w={budget.seconds}'
    problem.headers["ratelimit"] = f'"{budget.name}";r=0;t={seconds_left}'
    return problem
