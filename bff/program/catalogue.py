"""The public program, cached: policies, ways to earn, rewards, tiers and questions.

Nothing of a member can get in here: only `Public` rows are accepted.
"""

from typing import Any

from bff.clock import Clock
from bff.errors import UpstreamFailed, VendorRefused
from bff.schemas.policies import LegalPolicies
from bff.schemas.program import EarningRule, Reward
from bff.stores.refreshing import StaleWhileRevalidate
from bff.stores.shared_cache import FAILED_SECONDS, Cached, RefreshInProgress, SharedCache
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.operations import EARNING_RULES, LEGAL_POLICIES, REDEMPTION_RULES, VIP_PROGRAM
from bff.vendors.okendo.replies import Tier
from bff.vendors.okendo.row import Locale, Public, ReplyT

FRESH_SECONDS = 60
STALE_SECONDS = 3600
# Entries for a language, country or currency. The least recently used one is evicted, so that clients cannot fill
# memory; the entries without a locale always stay.
MAX_LOCALISED = 64


class Catalogue:
    """Public data: fresh for a minute, then served while it is refreshed, for an hour at most when Okendo fails.

    It is cached in this process and in Valkey, so that a process that has just started has it as well. Reading raises
    UpstreamFailed when nothing is cached and Okendo does not answer.
    """

    def __init__(self, okendo: OkendoClient, shared_cache: SharedCache, clock: Clock) -> None:
        self._okendo = okendo
        self._shared_cache = shared_cache
        self._clock = clock
        self._unlocalised: dict[str, StaleWhileRevalidate[Cached[Any]]] = {}
        self._localised: dict[str, StaleWhileRevalidate[Cached[Any]]] = {}

    async def policies(self) -> LegalPolicies:
        """For showing; when somebody agrees to them they are read from Okendo (`current_policies`)."""
        return LegalPolicies.from_okendo((await self.cached(LEGAL_POLICIES)).value)

    async def current_policies(self) -> LegalPolicies:
        """The policies as they are now, from Okendo and not from the cache, which is refreshed with them, so that a
        change is shown everywhere at once. Raises UpstreamFailed when they are unreadable."""
        name = self._okendo.question(LEGAL_POLICIES)
        cached = await self._fetch(LEGAL_POLICIES, name, {})
        self._entry(LEGAL_POLICIES, name, {}).put(cached)
        return LegalPolicies.from_okendo(cached.value)

    async def earning_rules(self) -> list[EarningRule]:
        return [EarningRule.from_okendo(rule) for rule in (await self.cached(EARNING_RULES)).value]

    async def rewards(self, locale: Locale | None = None) -> list[Reward]:
        """The rewards as somebody who is not signed in sees them."""
        return [
            Reward.from_okendo(rule, None) for rule in (await self.cached(REDEMPTION_RULES, **(locale or {}))).value
        ]

    async def tiers(self) -> list[Tier]:
        """Lowest first."""
        return lowest_first((await self.cached(VIP_PROGRAM)).value)

    async def cached(self, row: Public[ReplyT], **arguments: Any) -> Cached[ReplyT]:
        """Okendo's answer, not older than the limits above."""
        value, _ = await self._entry(row, self._okendo.question(row, **arguments), arguments).get()
        return value

    def is_cached(self, row: Public[Any], **arguments: Any) -> bool:
        """Whether this process has an entry for this, so that reading it costs little."""
        name = self._okendo.question(row, **arguments)
        return name in self._unlocalised or name in self._localised

    def _entry(self, row: Public[Any], name: str, arguments: dict[str, Any]) -> StaleWhileRevalidate[Cached[Any]]:
        entries = self._localised if arguments else self._unlocalised
        entry = entries.pop(name, None) or StaleWhileRevalidate(
            lambda: self._load(row, name, arguments),
            self._clock,
            fresh_seconds=FRESH_SECONDS,
            stale_seconds=STALE_SECONDS,
            made_at=lambda cached: cached.asked_at,
        )
        entries[name] = entry
        if len(self._localised) > MAX_LOCALISED:
            self._localised.pop(next(iter(self._localised)))
        return entry

    async def _load(self, row: Public[ReplyT], name: str, arguments: dict[str, Any]) -> Cached[ReplyT]:
        """From the shared cache if it is fresh there, else from Okendo, which one process at a time asks."""
        found = await self._shared_cache.get(name, row.reply)
        age = float("inf") if found is None else self._clock() - found.asked_at
        if found is not None and age <= FRESH_SECONDS:
            return found
        stale = found if age <= STALE_SECONDS else None
        try:
            async with self._shared_cache.refresh_lock(name):
                return await self._fetch(row, name, arguments)
        except RefreshInProgress as other:
            return stale or await self._await_refresh(row, name, arguments, failed=other.failed)
        except UpstreamFailed:
            if stale is None:
                raise
            return stale

    async def _await_refresh(
        self, row: Public[ReplyT], name: str, arguments: dict[str, Any], *, failed: bool
    ) -> Cached[ReplyT]:
        """What another process gets from Okendo, or has just failed to get; asked for anyway if that takes too long."""
        if failed:
            raise UpstreamFailed("It has just failed.", sent=False, retry_after_seconds=FAILED_SECONDS)
        await self._shared_cache.wait_for_refresh(name)
        found: Cached[ReplyT] | None = await self._shared_cache.get(name, row.reply)
        return found or await self._fetch(row, name, arguments)

    async def _fetch(self, row: Public[ReplyT], name: str, arguments: dict[str, Any]) -> Cached[ReplyT]:
        """From Okendo, and into the shared cache."""
        try:
            reply = await self._okendo.public(row, **arguments)
        except VendorRefused as refusal:
            raise UpstreamFailed(f"Okendo refused {refusal.operation}.", sent=False) from None
        cached = Cached(reply, self._clock())
        await self._shared_cache.put(name, cached, seconds=STALE_SECONDS, bounded=bool(arguments))
        return cached


def lowest_first(tiers: list[Tier]) -> list[Tier]:
    return sorted(tiers, key=lambda tier: tier.spend)
