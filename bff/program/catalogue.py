"""The public program, cached: policies, ways to earn, rewards, tiers and questions.

Nothing of a member can get in here: only `Public` rows are accepted.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from bff.clock import Clock
from bff.errors import UpstreamFailed, VendorRefused
from bff.schemas.policies import LegalPolicies
from bff.schemas.program import EarningRule, Faq, Reward
from bff.schemas.shown import ShownRule
from bff.stores.refreshing import StaleWhileRevalidate
from bff.stores.shared_cache import FAILED_SECONDS, Cached, RefreshInProgress, SharedCache
from bff.vendors.okendo import replies
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.languages import NO_LOCALE, Languages
from bff.vendors.okendo.operations import EARNING_RULES, FAQS, LEGAL_POLICIES, REDEMPTION_RULES, VIP_PROGRAM
from bff.vendors.okendo.replies import Tier
from bff.vendors.okendo.row import Locale, Public, ReplyT

FRESH_SECONDS = 60
STALE_SECONDS = 3600
# Entries for a language, country or currency. The least recently used one is evicted, so that clients cannot fill
# memory; the entries without a locale always stay.
MAX_LOCALISED = 64


class ShownPolicies(NamedTuple):
    """The policies as they are shown, and the language of the words, None where nobody knows."""

    policies: LegalPolicies
    language: str | None


class Catalogue:
    """Public data: fresh for a minute, then served while it is refreshed, for an hour at most when Okendo fails.

    It is cached in this process and in Valkey, so that a process that has just started has it as well. Reading raises
    UpstreamFailed when nothing is cached and Okendo does not answer.
    """

    def __init__(self, okendo: OkendoClient, languages: Languages, shared_cache: SharedCache, clock: Clock) -> None:
        self.languages = languages
        self._okendo = okendo
        self._shared_cache = shared_cache
        self._clock = clock
        self._unlocalised: dict[str, StaleWhileRevalidate[Cached[Any]]] = {}
        self._localised: dict[str, StaleWhileRevalidate[Cached[Any]]] = {}

    async def policies(self, locale: Locale = NO_LOCALE) -> ShownPolicies:
        """For showing; when somebody agrees to them they are read from Okendo (`current_policies`)."""
        asked = self.languages.asked_of(LEGAL_POLICIES, locale)
        return self._shown(await self.cached(LEGAL_POLICIES, **asked), locale)

    async def current_policies(self, locale: Locale = NO_LOCALE) -> ShownPolicies:
        """The policies as they are now, from Okendo and not from the cache, which is refreshed with them, so that a
        change is shown everywhere at once. Raises UpstreamFailed when they are unreadable."""
        asked = self.languages.asked_of(LEGAL_POLICIES, locale)
        name = self._okendo.question(LEGAL_POLICIES, **asked)
        cached = await self._fetch(LEGAL_POLICIES, name, {**asked})
        self._entry(LEGAL_POLICIES, name, {**asked}).put(cached)
        return self._shown(cached, locale)

    def _shown(self, cached: Cached[replies.LegalPolicies], locale: Locale) -> ShownPolicies:
        language = self.language_of(LEGAL_POLICIES, locale, cached)
        return ShownPolicies(LegalPolicies.from_okendo(cached.value), language)

    def language_of(self, row: Public[Any], locale: Locale, cached: Cached[Any]) -> str | None:
        """The language of what is cached of an operation; None where nobody knows."""
        return self.languages.of_answer(row, locale, cached.language)

    async def earning_rules(self, locale: Locale = NO_LOCALE) -> list[ShownRule]:
        cached = await self.cached(EARNING_RULES, **self.languages.asked_of(EARNING_RULES, locale))
        language = self.language_of(EARNING_RULES, locale, cached)
        return [ShownRule.of(EarningRule.from_okendo(rule), language) for rule in cached.value]

    async def rewards(self, locale: Locale = NO_LOCALE) -> list[Reward]:
        """The rewards as somebody who is not signed in sees them."""
        asked = self.languages.asked_of(REDEMPTION_RULES, locale)
        return [Reward.from_okendo(rule, None) for rule in (await self.cached(REDEMPTION_RULES, **asked)).value]

    async def tiers(self) -> list[Tier]:
        """Lowest first."""
        return (await self.tiers_worded())[0]

    async def tiers_worded(self) -> tuple[list[Tier], str | None]:
        """The same, and the language that they are in, None where nobody knows."""
        cached = await self.cached(VIP_PROGRAM)
        return lowest_first(cached.value), self.language_of(VIP_PROGRAM, NO_LOCALE, cached)

    async def faqs(self, locale: Locale = NO_LOCALE) -> tuple[list[Faq], str | None]:
        """The questions, and the language that they are in, None where nobody knows."""
        cached = await self.cached(FAQS, **self.languages.asked_of(FAQS, locale))
        return [Faq.from_okendo(question) for question in cached.value], self.language_of(FAQS, locale, cached)

    async def cached(self, row: Public[ReplyT], **arguments: Any) -> Cached[ReplyT]:
        """Okendo's answer, not older than the limits above."""
        value, _ = await self._entry(row, self._okendo.question(row, **arguments), arguments).get()
        return value

    async def all_cached(self, *asked: tuple[Public[Any], Locale]) -> list[Cached[Any]]:
        """The answers to these operations, side by side. When none must be waited for there is no task for each."""
        entries = [self._entry(row, self._okendo.question(row, **locale), {**locale}) for row, locale in asked]
        ready = [found for entry in entries if (found := entry.ready())]
        if len(ready) < len(entries):
            ready = await asyncio.gather(*(entry.get() for entry in entries))
        return [cached for cached, _ in ready]

    def is_cached(self, row: Public[Any], **arguments: Any) -> bool:
        """Whether this process has an entry for this, so that reading it costs little."""
        name = self._okendo.question(row, **arguments)
        return name in self._unlocalised or name in self._localised

    def unchanged(self, *read: tuple[Public[Any], Locale, Cached[Any]]) -> Callable[[], bool]:
        """Tells, whenever it is asked, whether these are still the answers to these operations, and none has to be
        waited for. What is about to get too old is refreshed then, as when it is read."""
        named = [(self._okendo.question(row, **locale), cached) for row, locale, cached in read]

        def holds() -> bool:
            for name, cached in named:
                entry = self._unlocalised.get(name) or self._localised.get(name)
                found = entry.ready() if entry else None
                if found is None or found[0] is not cached:
                    return False
            return True

        return holds

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
        try:
            async with self._shared_cache.refresh_lock(name):
                return await self._fetch(row, name, arguments)
        except RefreshInProgress as other:
            return self._unless_too_old(found) or await self._await_refresh(row, name, arguments, failed=other.failed)
        except UpstreamFailed:
            # Looked at now, since Okendo may have taken its time to fail.
            if (stale := self._unless_too_old(found)) is None:
                raise
            return stale

    def _unless_too_old(self, cached: Cached[ReplyT] | None) -> Cached[ReplyT] | None:
        return cached if cached is not None and self._clock() - cached.asked_at <= STALE_SECONDS else None

    async def _await_refresh(
        self, row: Public[ReplyT], name: str, arguments: dict[str, Any], *, failed: bool
    ) -> Cached[ReplyT]:
        """What another process gets from Okendo, or has just failed to get; asked for anyway if that takes too long."""
        if failed:
            raise UpstreamFailed("It has just failed.", sent=False, retry_after_seconds=FAILED_SECONDS)
        await self._shared_cache.wait_for_refresh(name)
        found: Cached[ReplyT] | None = await self._shared_cache.get(name, row.reply)
        return self._unless_too_old(found) or await self._fetch(row, name, arguments)

    async def _fetch(self, row: Public[ReplyT], name: str, arguments: dict[str, Any]) -> Cached[ReplyT]:
        """From Okendo, and into the shared cache."""
        try:
            reply = await self._okendo.public_worded(row, **arguments)
        except VendorRefused as refusal:
            raise UpstreamFailed(f"Okendo refused {refusal.operation}.", sent=False) from None
        cached = Cached(reply.value, self._clock(), reply.language)
        await self._shared_cache.put(name, cached, seconds=STALE_SECONDS, bounded=bool(arguments))
        return cached


def lowest_first(tiers: list[Tier]) -> list[Tier]:
    """By what they take; in Okendo's order where it does not tell that of each."""
    all_told = all(tier.spend is not None for tier in tiers)
    return sorted(tiers, key=lambda tier: tier.spend or 0) if all_told else tiers
