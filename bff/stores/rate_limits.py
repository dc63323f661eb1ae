"""How often a member, an address, or everybody together may do something, counted in Valkey for all processes."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
from redis.exceptions import RedisError

from bff.errors import Problem
from bff.sentences import N_
from bff.stores.busy import note_failure, pool_busy
from bff.stores.one_valkey import Valkey
from bff.stores.scripts import Call, Script, run
from bff.stores.valkey_node import PoolBusy
from bff.telemetry.timing import spent_on

# A window begins with the first hit in it.
COUNT = Script("""
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('TTL', KEYS[1])}
""")
VALKEY_FAILS = (RedisError, OSError, TimeoutError)
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
HANDLES = RateLimit("session-handles", 1200, 60)
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
CART = RateLimit("cart", 60, 60)
# By the friend who is invited, whoever invites; how often others did is not shown (K5).
REFER_TARGET = RateLimit("refer-target", 5, 86_400, hidden=True)


def everybody(requests_per_minute: int) -> RateLimit:
    """All requests that may read a session or ask a vendor, from everywhere."""
    return RateLimit("everybody", requests_per_minute, 60, fail_open=True, hidden=True)


class Usage(msgspec.Struct, frozen=True):
    limit: RateLimit
    left: int


class Names:
    """By which name whatever has this key is counted, for the latest of them that this process has met. Such a name is
    an HMAC: it says nothing of whose it is, and lets nobody in."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._names: dict[str, str] = {}

    def find(self, key: str) -> str | None:
        return self._names.get(key)

    def learn(self, key: str, name: str) -> None:
        if key not in self._names and len(self._names) >= self._most:
            del self._names[next(iter(self._names))]
        self._names[key] = name

    def forget(self, key: str) -> None:
        self._names.pop(key, None)


class RateLimiter:
    def __init__(self, valkey: Valkey) -> None:
        self.names = Names()
        self._valkey = valkey
        self._skip_until = 0.0

    def calls(self, *limits: tuple[RateLimit, str]) -> list[Call]:
        """What counts a hit on each of these limits, which fail open, to be asked beside something else; nothing when
        Valkey has just failed to count."""
        return [] if self._is_skipped() else _calls(limits)

    def counted(self, limits: Sequence[tuple[RateLimit, str]], answers: Sequence[Any]) -> list[Usage] | None:
        """What the answers to those say; None and Problem as with `count`."""
        try:
            return self._usage(limits, answers)
        except VALKEY_FAILS as error:
            self._note(error)
            return None

    async def count(self, *limits: tuple[RateLimit, str]) -> list[Usage] | None:
        """Count a hit on each of these limits, which fail open, by the name beside it.

        None when Valkey has just failed to count.

        Raises Problem `rate_limited` beyond one of them, and `overloaded` while too many wait for a connection.
        """
        if self._is_skipped():
            return []
        try:
            return await self._count(*limits)
        except PoolBusy as error:
            raise pool_busy("valkey") from error
        except VALKEY_FAILS:
            return None

    async def hit(self, *limits: tuple[RateLimit, str]) -> list[Usage]:
        """Count a hit on each of these limits, which fail closed, by the name beside it.

        Raises Problem `rate_limited` beyond one of them, `store_unavailable` or `overloaded` when it cannot be counted.
        """
        try:
            return await self._count(*limits)
        except VALKEY_FAILS as error:
            raise pool_busy("valkey") if isinstance(error, PoolBusy) else closed() from error

    async def _count(self, *limits: tuple[RateLimit, str]) -> list[Usage]:
        """All in one question to Valkey, each by a script of its own, since in a cluster their keys lie apart."""
        try:
            with spent_on("store"):
                answers = await run(self._valkey, *_calls(limits))
            return self._usage(limits, answers)
        except PoolBusy:
            raise
        except VALKEY_FAILS as error:
            self._note(error)
            raise

    def _is_skipped(self) -> bool:
        return time.monotonic() < self._skip_until

    def _note(self, error: BaseException) -> None:
        note_failure("valkey", error)
        self._skip_until = time.monotonic() + SKIP_SECONDS

    def _usage(self, limits: Sequence[tuple[RateLimit, str]], answers: Sequence[Any]) -> list[Usage]:
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        for (limit, _), (count, seconds_left) in zip(limits, answers, strict=True):
            if count > limit.amount:
                raise exceeded(limit, max(1, seconds_left))
        return [Usage(limit, limit.amount - count) for (limit, _), (count, _) in zip(limits, answers, strict=True)]


def _calls(limits: Sequence[tuple[RateLimit, str]]) -> list[Call]:
    return [COUNT.of(f"rate-limit:{limit.name}:{who}", limit.seconds) for limit, who in limits]


def closed() -> Problem:
    return Problem("store_unavailable", "This is not possible right now.", retry_after_seconds=5)


def exceeded(limit: RateLimit, seconds_left: int) -> Problem:
    """429 with Retry-After, and the RateLimit fields where the limit is the client's own."""
    sentence = N_("That was a little too often.")
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
