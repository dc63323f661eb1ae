"""What happened to a member's points: their activity, and the coupons that came of it."""

from typing import NamedTuple

from bff.clock import Clock
from bff.errors import Problem
from bff.schemas.activity import Activity, Coupon, Transaction
from bff.sessions.exchange import Exchange
from bff.sessions.store import Session
from bff.vendors.okendo import replies
from bff.vendors.okendo.member_operations import TRANSACTIONS
from bff.vendors.okendo.row import Page

# Coupons are looked for in so much of the history; older ones have expired in most programs.
PAGE = 100
MOST_PAGES = 3


class Latest(NamedTuple):
    """A glance at the history; both are None where this program has none for us."""

    coupons: list[Coupon] | None
    activity: list[Transaction] | None


class MemberActivity:
    """Every method raises UpstreamFailed when Okendo fails, and Problem `session_expired`, `member_blocked`, and
    `feature_unavailable` when this program has no history for us."""

    def __init__(self, *, exchange: Exchange, clock: Clock, apply_url: str) -> None:
        self._exchange = exchange
        self._clock = clock
        self._apply_url = apply_url

    async def page(self, session: Session, *, limit: int, cursor: str | None) -> Activity:
        """A page of transactions, newest first; `next` is the vendor's own token of the next page."""
        page = await self.transactions(session, limit=limit, cursor=cursor)
        # A vendor that repeats its token would send us round in circles.
        following = page.next if page.next != cursor else None
        return Activity(activity=[self._shown(one) for one in page.items], next=following)

    async def transactions(
        self, session: Session, *, limit: int, cursor: str | None = None
    ) -> Page[replies.Transaction]:
        """A page of the member's history, newest first."""
        return await self._exchange.as_member(session, TRANSACTIONS, limit=limit, order="date desc", cursor=cursor)

    async def coupons(self, session: Session) -> list[Coupon]:
        """Coupons that are not known to have expired, newest first, each code once."""
        return self._coupons(await self._newest(session, MOST_PAGES))

    async def latest(self, session: Session, lines: int) -> Latest:
        """The coupons of one page of history, and its newest lines: all that one call of Okendo tells."""
        try:
            newest = await self._newest(session, 1)
        except Problem as problem:
            if problem.code not in {"feature_unavailable", "member_blocked"}:
                raise
            return Latest(coupons=None, activity=None)
        return Latest(coupons=self._coupons(newest), activity=[self._shown(one) for one in newest[:lines]])

    async def _newest(self, session: Session, pages: int) -> list[replies.Transaction]:
        found: list[replies.Transaction] = []
        cursor = None
        for _ in range(pages):
            page = await self.transactions(session, limit=PAGE, cursor=cursor)
            found += page.items
            if page.next is None or page.next == cursor:
                break
            cursor = page.next
        return found

    def _coupons(self, newest: list[replies.Transaction]) -> list[Coupon]:
        found: dict[str, Coupon] = {}
        for coupon in (Coupon.from_okendo(one, self._apply_url) for one in newest if one.code):
            if self._is_open(coupon):
                found.setdefault(coupon.code, coupon)
        return list(found.values())

    def _shown(self, transaction: replies.Transaction) -> Transaction:
        return Transaction.from_okendo(transaction, self._apply_url)

    def _is_open(self, coupon: Coupon) -> bool:
        return coupon.expires_at is None or coupon.expires_at.timestamp() > self._clock()
