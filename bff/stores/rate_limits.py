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

# After trouble with Valkey the open budgets are not counted for so long, or each reader would wait for it again.
AWAY_SECONDS = 2


class Budget(msgspec.Struct, frozen=True):
    """`amount` times in `seconds`. One that is `is_open` lets everybody pass while Valkey is away; the others guard
    something that changes or costs, and are closed then (K4). What is `is_private` tells no client how much is left."""

    name: str
    amount: int
    seconds: int
    is_open: bool = False
    is_private: bool = False


# By the member, or by the address of one who has not signed in: everything that may read a session or ask a vendor.
READS = Budget("reads", 600, 60, is_open=True)
VISITS = Budget("visits", 1200, 60, is_open=True)
# By the address.
LOGIN = Budget("login", 300, 60)
HAND_IN = Budget("hand-in", 120, 60)
TICKETS = Budget("session-tickets", 600, 60)
# Languages, countries and currencies that have no copy yet, so that the vendor must be asked.
LOCALES = Budget("locales", 60, 60, is_open=True)
REFER_ADDRESS = Budget("refer-address", 300, 86_400)
# By the member.
JOIN = Budget("join", 30, 60)
REDEEM = Budget("redeem", 90, 60)
REDEEM_REWARD = Budget("redeem-reward", 60, 60)
EARN = Budget("earn", 60, 60)
BIRTHDAY = Budget("birthday", 20, 3600)
REFER = Budget("refer", 60, 86_400)
LINK = Budget("link", 30, 60)
# By the friend who is invited, whoever invites; how often others have is nobody's business (K5).
REFER_TARGET = Budget("refer-target", 5, 86_400, is_private=True)


def everybody(requests_per_minute: int) -> Budget:
    """All requests that may read a session or ask a vendor, from everywhere."""
    return Budget("everybody", requests_per_minute, 60, is_open=True, is_private=True)


class Spent(msgspec.Struct, frozen=True):
    budget: Budget
    left: int


class Budgets:
    def __init__(self, valkey: Redis) -> None:
        options: dict[str, Any] = {"connection_pool": valkey.connection_pool}
        self._storage = RedisStorage(
            "redis://shared-pool:6379", implementation="redispy", key_prefix="budget", **options
        )
        self._away_until = 0.0

    async def count(self, *budgets: tuple[Budget, str]) -> list[Spent] | None:
        """Count one in each of these open budgets, of whoever is named beside it; None when Valkey has just failed to.

        Raises Problem `rate_limited` when one is spent.
        """
        if time.monotonic() < self._away_until:
            return []
        spent = await asyncio.gather(*(self.spend(*each) for each in budgets))
        return None if None in spent else [each for each in spent if each]

    async def spend(self, budget: Budget, who: str) -> Spent | None:
        """Count one; None when it could not be counted.

        Raises Problem `rate_limited` when the budget is spent, `store_unavailable` when it is closed.
        """
        key = RateLimitItemPerSecond(budget.amount, budget.seconds, budget.name).key_for(who)
        try:
            with spent_on("store"):
                count = await self._storage.incr(key, budget.seconds)
            if count <= budget.amount:
                return Spent(budget, budget.amount - count)
            ends_at = await self._storage.get_expiry(key)
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            if budget.is_open:
                return None
            raise closed() from error
        raise exhausted(budget, max(1, math.ceil(ends_at - time.time())))


def closed() -> Problem:
    return Problem("store_unavailable", "This is not possible right now.", retry_after_seconds=5)


def exhausted(budget: Budget, seconds_left: int) -> Problem:
    """429 with Retry-After, and the RateLimit fields where the budget is the client's own."""
    sentence = "That was a little too often. Please wait a moment."
    problem = Problem("rate_limited", sentence, retry_after_seconds=seconds_left)
    if not budget.is_private:
        problem.headers |= fields_of([Spent(budget, 0)])
        problem.headers["ratelimit"] += f";t={seconds_left}"
    return problem


def fields_of(spent: list[Spent]) -> dict[str, str]:
    """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers §3-5)."""
    budgets = [each.budget for each in spent]
    return {
        "ratelimit-policy": ", ".join(f'"{each.name}";q={each.amount};w={each.seconds}' for each in budgets),
        "ratelimit": ", ".join(f'"{each.budget.name}";r={each.left}' for each in spent),
    }
