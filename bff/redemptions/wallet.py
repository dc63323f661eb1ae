"""A member's coupons: those of their history at Okendo, and those that our ledger knows of besides."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from bff.clock import Clock
from bff.errors import Problem
from bff.members.activity import Lines, MemberActivity
from bff.redemptions.ledger import Entry, Ledger
from bff.redemptions.outcomes import shown
from bff.redemptions.readings import APART_SECONDS, HistoryState, read_entries, read_history, read_known_history
from bff.schemas.activity import Coupon, Transaction, apply_url_at
from bff.schemas.redemption import RedeemedReward, Redemption
from bff.sessions.store import Session


class Ticket(NamedTuple):
    """A coupon, with its reward where it was redeemed here. `seconds_left` is None without an end."""

    coupon: Coupon
    reward: RedeemedReward | None = None
    seconds_left: float | None = None

    @property
    def reward_name(self) -> str | None:
        return self.reward.name if self.reward else None

    @property
    def reward_id(self) -> str | None:
        return self.coupon.reward_id or (self.reward.id if self.reward else None)

    @property
    def is_usable(self) -> bool:
        return not self.coupon.used and (self.seconds_left is None or self.seconds_left > 0)


class Contents(NamedTuple):
    """What is in the wallet: `usable` by the soonest end, `past` used or expired, newest first, `credit` the lines that
    gave store credit. `unsettled` is the key of a redemption that is being checked. `complete` when nothing that may
    still be good can be missing."""

    usable: list[Ticket]
    past: list[Ticket]
    credit: list[Transaction]
    unsettled: str | None
    history: HistoryState
    complete: bool


class MemberWallet:
    def __init__(self, *, activity: MemberActivity, ledger: Ledger, clock: Clock, apply_url: str) -> None:
        self._activity = activity
        self._ledger = ledger
        self._clock = clock
        self._apply_url = apply_url

    async def find(self, session: Session, code: str) -> Ticket:
        """The member's own coupon of this code, in upper or lower case. Our ledger is asked first, the history only
        where that does not know it.

        Raises Problem `not_found`; UpstreamFailed or Problem `store_unavailable` where that cannot be said, since what
        may know it does not answer; `session_expired`, `member_blocked`.
        """
        apply_url = apply_url_at(session.storefront, self._apply_url)
        entries = await read_entries(self._ledger, session, until=self._clock() + APART_SECONDS)
        redeemed = [shown(entry, apply_url) for entry in entries or ()]
        found = self._among(code, self._tickets([], redeemed))
        if found is not None:
            return found
        _, read = await read_known_history(self._activity.lines(session), Lines([], complete=False))
        found = self._among(code, self._tickets(read.lines, redeemed))
        if found is None and entries is None:
            raise Problem("store_unavailable", "This cannot be looked up right now.", retry_after_seconds=5)
        if found is None:
            raise Problem("not_found", "There is no such coupon in this wallet.")
        return found

    def ticket_of(self, session: Session, entry: Entry) -> Ticket:
        """The coupon that this redemption has brought."""
        return next(iter(self._tickets([], [shown(entry, apply_url_at(session.storefront, self._apply_url))])))

    def _among(self, code: str, tickets: Iterable[Ticket]) -> Ticket | None:
        return next((one for one in tickets if one.coupon.code.casefold() == code.casefold()), None)

    async def contents(self, session: Session) -> Contents:
        """All of it that can be read; where Okendo fails to tell, what our ledger knows. Raises Problem
        `session_expired`, `member_blocked`."""
        (history, read), entries = await asyncio.gather(
            read_history(self._activity.lines(session), Lines([], complete=False)),
            read_entries(self._ledger, session, until=self._clock() + APART_SECONDS),
        )
        apply_url = apply_url_at(session.storefront, self._apply_url)
        tickets = list(self._tickets(read.lines, [shown(entry, apply_url) for entry in entries or ()]))
        return Contents(
            usable=sorted((ticket for ticket in tickets if ticket.is_usable), key=_ends),
            past=[ticket for ticket in tickets if not ticket.is_usable],
            credit=[line for line in read.lines if line.store_credit is not None],
            unsettled=next((entry.key for entry in entries or () if entry.check_until), None),
            history=history,
            complete=read.complete,
        )

    def _tickets(self, lines: Iterable[Transaction], redeemed: list[Redemption]) -> Iterable[Ticket]:
        """Each code once. Only the history knows what became of a coupon, so what it says comes first."""
        rewards = {one.coupon.code: one.reward for one in redeemed if one.coupon}
        found: dict[str, Coupon] = {}
        for coupon in (*(line.coupon for line in lines), *(one.coupon for one in redeemed)):
            if coupon is not None:
                found.setdefault(coupon.code, coupon)
        for code, coupon in found.items():
            left = None if coupon.expires_at is None else coupon.expires_at.timestamp() - self._clock()
            yield Ticket(coupon, rewards.get(code), left)


def _ends(ticket: Ticket) -> float:
    return float("inf") if ticket.seconds_left is None else ticket.seconds_left
