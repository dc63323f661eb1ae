"""Reconciling a redemption whose reply was lost with the member's history at Okendo.

Nothing in here spends points: it only reads. What counts as certain, and what cannot be known, is written down in
docs/decisions/redeem-once.md.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import structlog

from bff.errors import STORE_FAILS, Problem, UpstreamFailed, VendorRefused
from bff.redemptions.ledger import Outcome
from bff.redemptions.offline_access import OfflineAccess
from bff.redemptions.unresolved import Unresolved, UnresolvedRedemptions
from bff.schemas.base import price
from bff.vendors.okendo.member_operations import CUSTOMER, TRANSACTIONS
from bff.vendors.okendo.replies import Transaction
from bff.vendors.okendo.row import Page

PAGE_SIZE = 50
MOST_PAGES = 20
log = structlog.get_logger("reconciliation")


class Reconciliation:
    """Every method raises Problem `store_unavailable` when a store does not answer."""

    def __init__(
        self, *, unresolved: UnresolvedRedemptions, offline_access: OfflineAccess, settling_seconds: float
    ) -> None:
        self._unresolved = unresolved
        self._offline_access = offline_access
        self._settling_seconds = settling_seconds

    async def check(self, number: int) -> float | None:
        """Try once to reconcile this redemption, and write the outcome if it is certain.

        Returns in how many seconds to try again, None when there is nothing more to do.
        """
        unresolved = await self._unresolved.find(number)
        if unresolved is None:
            return None
        outcome, why = await self._conclude(unresolved)
        if outcome is not None and await self._unresolved.reconcile(unresolved, outcome):
            log.info("redemption_reconciled", state=outcome.state, reference=unresolved.support_reference)
            return None
        if unresolved.overdue and await self._unresolved.expire(unresolved):
            log.error("redemption_unknown", reason=why, reference=unresolved.support_reference)
            return None
        log.warning("redemption_checked", state="unknown", reason=why, reference=unresolved.support_reference)
        return 0.5 if unresolved.overdue else min(120.0, max(0.5, unresolved.seconds_since_sent / 4))

    async def _conclude(self, unresolved: Unresolved) -> tuple[Outcome | None, str]:
        """The outcome, None while it is not certain, and then why it is not."""
        try:
            since = await self._since(unresolved)
            settled = unresolved.seconds_since_sent >= self._settling_seconds
            outcome, why = judged(unresolved, since, settled=settled)
            if outcome is not None and outcome.state == "failed" and await self._lacks_points(unresolved, since or ()):
                return None, "points are gone, the history does not say why"
        except UpstreamFailed:
            return None, "Okendo cannot be asked"
        except VendorRefused:
            return None, "Okendo does not accept the credentials"
        except Problem as problem:
            if problem.code in STORE_FAILS:
                raise
            return None, problem.code
        return outcome, why

    async def _since(self, unresolved: Unresolved) -> list[Transaction] | None:
        """Every transaction since the redemption began, newest first; None when the history cannot be relied on."""
        if unresolved.newest_transaction is None:
            return None
        since: list[Transaction] = []
        cursor = None
        for _ in range(MOST_PAGES):
            page = await self._page(unresolved, cursor)
            ids = [transaction.id for transaction in page.items]
            known = ids.index(unresolved.newest_transaction) if unresolved.newest_transaction in ids else None
            since += page.items if known is None else page.items[:known]
            if not newest_first(since if known is None else [*since, page.items[known]]):
                return None
            if known is not None:
                return since
            if page.is_cut:
                return None
            cursor = page.next
            if cursor is None:
                break
        return since if unresolved.newest_transaction == "" and cursor is None else None

    async def _page(self, unresolved: Unresolved, cursor: str | None) -> Page[Transaction]:
        return await self._offline_access.as_member(
            unresolved.customer_id,
            unresolved.credentials,
            TRANSACTIONS,
            limit=PAGE_SIZE,
            order="date desc",
            cursor=cursor,
        )

    async def _lacks_points(self, unresolved: Unresolved, since: Sequence[Transaction]) -> bool:
        """Whether the member has fewer points than the history explains."""
        customer = await self._offline_access.as_member(unresolved.customer_id, unresolved.credentials, CUSTOMER)
        return customer.balance < balance_after(unresolved, since)


def judged(unresolved: Unresolved, since: Sequence[Transaction] | None, *, settled: bool) -> tuple[Outcome | None, str]:
    """The outcome that the history since a redemption proves, None while it proves none, and then why; `settled` says
    that the request must have had its effect by now, if it ever has one.

    Only transactions before the member's next redemption surely do not belong to that one. Later ones count when that
    one is settled and does not claim them; one whose transaction cannot be recognised counts as open.
    """
    if since is None:
        return None, "the history cannot be relied on"
    if not set(unresolved.later_codes) <= {one.code for one in since if one.code is not None}:
        unresolved = msgspec.structs.replace(unresolved, later_open=True)
    fitting = [one for one in since if is_of(unresolved, one) and not _is_claimed(unresolved, one)]
    before_next = _before_next(unresolved, since)
    if before_next is None:
        return None, "the history cannot be relied on"
    candidates = [one for one in fitting if one in before_next] or ([] if unresolved.later_open else fitting)
    if len(candidates) > 1:
        return None, "more than one transaction fits"
    if candidates:
        return Outcome.brought(candidates[0], candidates[0].id), ""
    if unresolved.later_open:
        return None, "a later redemption comes first"
    if not settled:
        return None, "it may still be carried out"
    return Outcome(state="failed", reason="upstream_unavailable"), ""


def _before_next(unresolved: Unresolved, since: Sequence[Transaction]) -> Sequence[Transaction] | None:
    """Those of `since` that are older than the member's next redemption; None when `since` contradicts the ledger."""
    if unresolved.next_newest is None:
        return [] if unresolved.later_open else since
    if unresolved.next_newest == unresolved.newest_transaction:
        return []
    ids = [transaction.id for transaction in since]
    return since[ids.index(unresolved.next_newest) :] if unresolved.next_newest in ids else None


def is_of(unresolved: Unresolved, transaction: Transaction) -> bool:
    """Whether a transaction may be this redemption: by its reward, or by its price where the vendor names no reward.

    Okendo's kinds of transactions are not documented, so an unknown kind rules nothing out. A coupon can be earned as
    well, but not at the price of a reward.
    """
    if transaction.reward is not None:
        return transaction.reward == unresolved.reward_id
    if transaction.points is None:
        return bool(transaction.kind) and transaction.is_redemption
    given = transaction.code is not None or transaction.store_credit is not None
    return price(abs(transaction.points)) == unresolved.points and (given or transaction.is_redemption)


def _is_claimed(unresolved: Unresolved, transaction: Transaction) -> bool:
    """Whether it belongs to another entry, by its id, or by its coupon where the reply named no transaction."""
    return transaction.id in unresolved.claimed or transaction.code in unresolved.claimed


def balance_after(unresolved: Unresolved, since: Sequence[Transaction]) -> float:
    """The lowest balance that the member can have now if this redemption was not carried out.

    Only transactions that are surely other redemptions lower it; any other loss of points may be this redemption.
    """
    return unresolved.balance_seen + sum(_change(unresolved, one) for one in since)


def _change(unresolved: Unresolved, transaction: Transaction) -> float:
    points = transaction.points or 0
    if _is_claimed(unresolved, transaction) or transaction.reward is not None or transaction.is_redemption:
        return -abs(points)
    return 0 if transaction.status == "pending" else max(0, points)


def newest_first(transactions: Sequence[Transaction]) -> bool:
    """Whether the history came in the order that was requested, as far as its dates say."""
    dates = [transaction.date for transaction in transactions if transaction.date is not None]
    return all(newer >= older for newer, older in pairwise(dates))
