"""The public program as everyone may see it, served from copies: policies, ways to earn, rewards, tiers, questions.

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
# Copies for a language, country or currency; the one that was not asked for longest makes room, so that strangers
# cannot fill memory. Those for nobody in particular always stay.
MOST_COPIES = 64


class Catalogue:
    """Public data: fresh for a minute, then served while it is renewed, for an hour at most when Okendo is away.

    A copy lies in this process and a second one in Valkey, so that a process that has just started has it as well.
    Reading raises UpstreamFailed when there is no copy and Okendo does not answer.
    """

    def __init__(self, okendo: OkendoClient, shared_cache: SharedCache, clock: Clock) -> None:
        self._okendo = okendo
        self._shared_cache = shared_cache
        self._clock = clock
        self._held: dict[str, StaleWhileRevalidate[Cached[Any]]] = {}
        self._localised: dict[str, StaleWhileRevalidate[Cached[Any]]] = {}

    async def policies(self) -> LegalPolicies:
        """For showing; at the click they are read anew (`current_policies`)."""
        return LegalPolicies.from_okendo((await self.copy(LEGAL_POLICIES)).value)

    async def current_policies(self) -> LegalPolicies:
        """The policies as they are at this moment, past every copy, and the copy from now on, so that new words are
        shown at once wherever they were found to be new. Raises UpstreamFailed when they are unreadable."""
        question = self._okendo.question(LEGAL_POLICIES)
        copy = await self._renewed(LEGAL_POLICIES, question, {})
        self._held_for(LEGAL_POLICIES, question, {}).put(copy)
        return LegalPolicies.from_okendo(copy.value)

    async def earning_rules(self) -> list[EarningRule]:
        return [EarningRule.from_okendo(rule) for rule in (await self.copy(EARNING_RULES)).value]

    async def rewards(self, locale: Locale | None = None) -> list[Reward]:
        """The rewards as a stranger sees them."""
        return [Reward.from_okendo(rule, None) for rule in (await self.copy(REDEMPTION_RULES, **(locale or {}))).value]

    async def tiers(self) -> list[Tier]:
        """Lowest first."""
        return lowest_first((await self.copy(VIP_PROGRAM)).value)

    async def copy(self, row: Public[ReplyT], **arguments: Any) -> Cached[ReplyT]:
        """Okendo's answer, not older than the limits above."""
        question = self._okendo.question(row, **arguments)
        value, _ = await self._held_for(row, question, arguments).get()
        return value

    def has(self, row: Public[Any], **arguments: Any) -> bool:
        """Whether this process was asked the same not long ago, so that asking again costs little."""
        question = self._okendo.question(row, **arguments)
        return question in self._held or question in self._localised

    def _held_for(
        self, row: Public[Any], question: str, arguments: dict[str, Any]
    ) -> StaleWhileRevalidate[Cached[Any]]:
        kept = self._localised if arguments else self._held
        held = kept.pop(question, None) or StaleWhileRevalidate(
            lambda: self._latest(row, question, arguments),
            self._clock,
            fresh_seconds=FRESH_SECONDS,
            stale_seconds=STALE_SECONDS,
            dated=lambda copy: copy.asked_at,
        )
        kept[question] = held
        if len(self._localised) > MOST_COPIES:
            self._localised.pop(next(iter(self._localised)))
        return held

    async def _latest(self, row: Public[ReplyT], question: str, arguments: dict[str, Any]) -> Cached[ReplyT]:
        """From the other processes if they have it fresh, else from Okendo, which one process at a time asks."""
        found = await self._shared_cache.find(question, row.reply)
        if found is not None and self._clock() - found.asked_at <= FRESH_SECONDS:
            return found
        usable = found if found is not None and self._clock() - found.asked_at <= STALE_SECONDS else None
        try:
            async with self._shared_cache.refresh_lock(question):
                return await self._renewed(row, question, arguments)
        except RefreshInProgress as other:
            if usable is not None:
                return usable
            return await self._elsewhere(row, question, arguments, failed=other.failed)
        except UpstreamFailed:
            if usable is None:
                raise
            return usable

    async def _elsewhere(
        self, row: Public[ReplyT], question: str, arguments: dict[str, Any], *, failed: bool
    ) -> Cached[ReplyT]:
        """What another process gets, or has just failed to get; asked for anyway if that takes too long."""
        if failed:
            raise UpstreamFailed("It has just failed.", sent=False, retry_after_seconds=FAILED_SECONDS)
        await self._shared_cache.wait_for_refresh(question)
        found: Cached[ReplyT] | None = await self._shared_cache.find(question, row.reply)
        return found or await self._renewed(row, question, arguments)

    async def _renewed(self, row: Public[ReplyT], question: str, arguments: dict[str, Any]) -> Cached[ReplyT]:
        copy = Cached(await self._asked(row, **arguments), self._clock())
        await self._shared_cache.keep(question, copy, STALE_SECONDS, is_one_of_many=bool(arguments))
        return copy

    async def _asked(self, row: Public[ReplyT], **arguments: Any) -> ReplyT:
        try:
            return await self._okendo.public(row, **arguments)
        except VendorRefused as refusal:
            raise UpstreamFailed(f"Okendo refused {refusal.operation}.", sent=False) from None


def lowest_first(tiers: list[Tier]) -> list[Tier]:
    return sorted(tiers, key=lambda tier: tier.spend)
