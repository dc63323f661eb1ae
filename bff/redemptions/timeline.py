"""A member's statement: each line of their history at Okendo, with what our ledger knows of the redemption behind it.

A redemption that Okendo's history does not show, since it is being checked or has failed, is a line of its own.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from bff.clock import Clock
from bff.members.activity import MemberActivity
from bff.redemptions.ledger import MOST_ENTRIES, Entry, Ledger
from bff.redemptions.outcomes import shown
from bff.redemptions.readings import APART_SECONDS, HistoryState, read_entries, read_history
from bff.schemas.activity import Activity, Transaction, apply_url_at
from bff.schemas.redemption import Redemption
from bff.sessions.store import Session

PAGE = 25
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Line(NamedTuple):
    """What happened `at` a time, where that is known: a line of Okendo's, a redemption of ours, or both. `checking`
    while the redemption is reconciled."""

    at: datetime | None
    transaction: Transaction | None
    redemption: Redemption | None
    checking: bool = False


class Timeline(NamedTuple):
    """Lines, newest first; those without a time last. `next` is where older ones begin. `redemptions` is False while
    our ledger cannot be read. `complete` when these are all lines there are."""

    lines: list[Line]
    next: str | None
    history: HistoryState
    redemptions: bool
    complete: bool


class MemberTimeline:
    """Both methods raise Problem `session_expired`, `member_blocked`."""

    def __init__(self, *, activity: MemberActivity, ledger: Ledger, clock: Clock, apply_url: str) -> None:
        self._activity = activity
        self._ledger = ledger
        self._clock = clock
        self._apply_url = apply_url

    async def page(self, session: Session, place: str | None = None) -> Timeline:
        """A page of it, from a `next` of before on."""
        until, cursor = _read_place(place) if place else (self._now(), None)
        reading = self._activity.page(session, limit=PAGE, cursor=cursor)
        history, found = await read_history(reading, Activity(activity=[], next=None))
        since = 0 if found.next is None else _oldest(found.activity, until)
        # A line's redemption is looked for a little around it.
        entries = await read_entries(self._ledger, session, since=since - APART_SECONDS, until=until + APART_SECONDS)
        told = _told(found.activity, entries or [])
        # What succeeded is in Okendo's history, on this page or another.
        alone = [
            entry
            for entry in entries or ()
            if entry.id not in {one.id for one in told.values()}
            and (entry.state != "succeeded" or history != "read")
            and since < entry.created_at.timestamp() <= until
        ]
        return Timeline(
            lines=self._lines(session, found.activity, told, alone),
            next=None if found.next is None else f"{since!r} {found.next}",
            history=history,
            redemptions=entries is not None,
            complete=history == "read" and entries is not None and not place and found.next is None,
        )

    async def whole(self, session: Session) -> Timeline:
        """All of it, as far as it can be read in one request. Raises UpstreamFailed when nothing of it can, and Problem
        `feature_unavailable`."""
        read, entries = await asyncio.gather(
            self._activity.lines(session, all_of_them=True), read_entries(self._ledger, session, until=self._now())
        )
        told = _told(read.lines, entries or [])
        alone = [entry for entry in entries or () if entry.state != "succeeded"]
        return Timeline(
            lines=self._lines(session, read.lines, told, alone),
            next=None,
            history="read",
            redemptions=entries is not None,
            complete=read.complete and entries is not None and len(entries) < MOST_ENTRIES,
        )

    def _now(self) -> float:
        """A little later, so that nothing of just now is left out where clocks differ."""
        return self._clock() + APART_SECONDS

    def _lines(
        self, session: Session, transactions: list[Transaction], told: dict[str, Entry], alone: list[Entry]
    ) -> list[Line]:
        apply_url = apply_url_at(session.storefront, self._apply_url)

        def line(transaction: Transaction | None, entry: Entry | None) -> Line:
            at = transaction.created_at if transaction else entry.created_at if entry else None
            redemption = shown(entry, apply_url) if entry else None
            return Line(at, transaction, redemption, checking=entry is not None and entry.check_until is not None)

        lines = [line(one, told.get(one.id)) for one in transactions] + [line(None, entry) for entry in alone]
        return sorted(lines, key=lambda one: one.at or LONG_AGO, reverse=True)


def _told(transactions: list[Transaction], entries: list[Entry]) -> dict[str, Entry]:
    """The redemption behind a line, by the line's id: the one that gave this transaction, or this coupon."""
    named = dict(_names(entries))
    found = {one.id: named.get(one.id) or (named.get(one.coupon.code) if one.coupon else None) for one in transactions}
    return {name: entry for name, entry in found.items() if entry is not None}


def _names(entries: list[Entry]) -> Iterator[tuple[str, Entry]]:
    for entry in entries:
        yield from ((name, entry) for name in (entry.transaction_id, entry.coupon_code) if name)


def _oldest(transactions: list[Transaction], otherwise: float) -> float:
    return min((one.created_at.timestamp() for one in transactions if one.created_at), default=otherwise)


def _read_place(place: str) -> tuple[float, str]:
    """Up to when this page reaches, and the vendor's own token of it."""
    until, _, cursor = place.partition(" ")
    return float(until), cursor
