"""What happened to a member's points: their activity, and the coupons that came of it."""

import time
from typing import NamedTuple

from bff.clock import Clock
from bff.errors import Problem, UpstreamFailed
from bff.members.partial import whole
from bff.schemas.activity import Activity, Coupon, Transaction, Wallet, apply_url_at
from bff.sessions.exchange import Exchange
from bff.sessions.store import Session
from bff.vendors.okendo import replies
from bff.vendors.okendo.member_operations import TRANSACTIONS
from bff.vendors.okendo.row import Page

# Coupons are looked for in so much of the history, and for so long; whoever has more is told that some may be missing.
PAGE = 100
MOST_PAGES = 20
# A glance is to come soon, so it looks less far.
PAGES_OF_A_GLANCE = 5
# Of the time that one request may take.
HISTORY_SHARE = 1 / 3
# A coupon of before then is taken for expired.
OLDEST_COUPON_SECONDS = 3 * 365 * 86_400


class History(NamedTuple):
    """Transactions, newest first; `complete` when no older one can matter."""

    transactions: list[replies.Transaction]
    complete: bool


class Lines(NamedTuple):
    """Lines of the history, newest first, as they are shown; `complete` when nothing that was asked for is missing."""

    lines: list[Transaction]
    complete: bool


class Latest(NamedTuple):
    """A glance at the history: the newest lines, and the newest coupons that can be used. Both are None where this
    program has none for us. `more` says that there may be more coupons than these."""

    coupons: list[Coupon] | None
    more: bool
    activity: list[Transaction] | None


class MemberActivity:
    """Every method raises UpstreamFailed when Okendo fails, and Problem `session_expired`, `member_blocked`, and
    `feature_unavailable` when this program has no history for us."""

    def __init__(self, *, exchange: Exchange, clock: Clock, apply_url: str, request_seconds: float) -> None:
        self._exchange = exchange
        self._clock = clock
        self._apply_url = apply_url
        self._history_seconds = request_seconds * HISTORY_SHARE

    async def page(self, session: Session, *, limit: int, cursor: str | None) -> Activity:
        """A page of transactions, newest first; `next` is the vendor's own token of the next page."""
        page = whole(await self.transactions(session, limit=limit, cursor=cursor))
        return Activity(activity=[self._shown(session, one) for one in page.items], next=page.next)

    async def transactions(
        self, session: Session, *, limit: int, cursor: str | None = None
    ) -> Page[replies.Transaction]:
        """A page of the member's history, newest first."""
        return await self._exchange.as_member(session, TRANSACTIONS, limit=limit, order="date desc", cursor=cursor)

    async def lines(self, session: Session, *, all_of_them: bool = False) -> Lines:
        """So much of the history as coupons can be found in, or, bounded as that is, all of it."""
        history = await self._history(session, MOST_PAGES, all_of_them=all_of_them)
        return Lines([self._shown(session, one) for one in history.transactions], history.complete)

    async def coupons(self, session: Session) -> Wallet:
        """Coupons that are not known to have expired, newest first, each code once."""
        return self._wallet(session, await self._history(session, MOST_PAGES))

    async def latest(self, session: Session, *, lines: int, coupons: int) -> Latest:
        """The newest lines, and so many coupons, for which it is read on as far as a glance may go."""
        try:
            history = await self._history(session, PAGES_OF_A_GLANCE, enough=coupons)
        except Problem as problem:
            if problem.code not in {"feature_unavailable", "member_blocked"}:
                raise
            return Latest(coupons=None, more=False, activity=None)
        usable = self._coupons(session, self._usable(history.transactions))
        return Latest(
            coupons=usable[:coupons],
            more=len(usable) > coupons or not history.complete,
            activity=[self._shown(session, one) for one in history.transactions[:lines]],
        )

    async def _history(
        self, session: Session, pages: int, enough: int | None = None, *, all_of_them: bool = False
    ) -> History:
        """So much of it as coupons can be found in, or `enough` of them that can be used; or, bounded as that is, all.

        Raises UpstreamFailed when not even its first page can be read.
        """

        def is_old(page: Page[replies.Transaction]) -> bool:
            return not all_of_them and self._is_before_coupons(page.items)

        ends_at = time.monotonic() + self._history_seconds
        page = await self.transactions(session, limit=PAGE)
        found, asked = list(page.items), {None, page.next}
        while page.next is not None and not is_old(page):
            if len(asked) > pages or time.monotonic() > ends_at or self._is_enough(found, enough):
                return History(found, complete=False)
            try:
                page = await self.transactions(session, limit=PAGE, cursor=page.next)
            except UpstreamFailed:
                return History(found, complete=False)
            found += page.items
            # A vendor that repeats its token would send us round in circles, and has not shown us the rest.
            if page.next is not None and page.next in asked:
                return History(found, complete=False)
            asked.add(page.next)
        return History(found, complete=not page.is_cut or is_old(page))

    def _is_enough(self, transactions: list[replies.Transaction], coupons: int | None) -> bool:
        return coupons is not None and len(self._usable(transactions)) >= coupons

    def _is_before_coupons(self, transactions: list[replies.Transaction]) -> bool:
        """Whether all that comes after these, newest first, is older than any coupon that is still good."""
        dates = [one.date for one in transactions if one.date is not None]
        in_order = bool(dates) and dates[0] >= dates[-1]
        return in_order and self._clock() - dates[-1].timestamp() > OLDEST_COUPON_SECONDS

    def _wallet(self, session: Session, history: History) -> Wallet:
        coupons = self._coupons(session, self._open(history.transactions))
        return Wallet(coupons=coupons, complete=history.complete)

    def _coupons(self, session: Session, transactions: list[replies.Transaction]) -> list[Coupon]:
        apply_url = apply_url_at(session.storefront, self._apply_url)
        return [Coupon.of_transaction(one, apply_url) for one in transactions]

    def _shown(self, session: Session, transaction: replies.Transaction) -> Transaction:
        return Transaction.from_okendo(transaction, apply_url_at(session.storefront, self._apply_url))

    def _open(self, transactions: list[replies.Transaction]) -> list[replies.Transaction]:
        """Those with a coupon that is not known to have expired, each code once."""
        found: dict[str, replies.Transaction] = {}
        for one in transactions:
            if one.code and (one.expires_at is None or one.expires_at.timestamp() > self._clock()):
                found.setdefault(one.code, one)
        return list(found.values())

    def _usable(self, transactions: list[replies.Transaction]) -> list[replies.Transaction]:
        return [one for one in self._open(transactions) if not one.is_used]
