"""Finding out how a redemption ended whose answer was lost, from what Okendo's history says.

Nothing in here spends points: it only reads. How sure it must be, and what it cannot know, is written down in
docs/decisions/redeem-once.md.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import structlog

from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.redemptions.ledger import Outcome
from bff.redemptions.offline_access import OfflineAccess
from bff.redemptions.unresolved import Unresolved, UnresolvedRedemptions
from bff.schemas.base import amount
from bff.vendors.okendo.member_operations import CUSTOMER, TRANSACTIONS
from bff.vendors.okendo.replies import Transaction

PAGE = 50
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
        """Look once whether this redemption went through, and write down what is certain.

        Returns in how many seconds to look again, None when there is nothing to look for any more.
        """
        unresolved = await self._unresolved.find(number)
        if unresolved is None:
            return None
        outcome, why = await self._found_out(unresolved)
        if outcome is not None and await self._unresolved.reconcile(unresolved, outcome):
            log.info("redemption_found_out", state=outcome.state, reference=unresolved.support_reference)
            return None
        if unresolved.overdue and await self._unresolved.expire(unresolved):
            log.error("redemption_unknown", reason=why, reference=unresolved.support_reference)
            return None
        log.info("redemption_checked", state="unknown", reason=why, reference=unresolved.support_reference)
        return 0.5 if unresolved.overdue else min(120.0, max(0.5, unresolved.seconds_since_sent / 4))

    async def _found_out(self, unresolved: Unresolved) -> tuple[Outcome | None, str]:
        """What is certain, if anything, and in a word why not more is."""
        try:
            since = await self._since(unresolved)
            settled = unresolved.seconds_since_sent >= self._settling_seconds
            outcome, why = judged(unresolved, since, settled=settled)
            if outcome is not None and outcome.state == "failed" and await self._poorer(unresolved, since or ()):
                return None, "points are gone, the history does not say why"
        except UpstreamFailed:
            return None, "Okendo cannot be asked"
        except VendorRefused:
            return None, "Okendo does not accept the credentials"
        except Problem as problem:
            if problem.code == "store_unavailable":
                raise
            return None, problem.code
        return outcome, why

    async def _since(self, unresolved: Unresolved) -> list[Transaction] | None:
        """Every transaction since the redemption began, newest first; None when the history is not to be trusted."""
        if unresolved.newest_transaction is None:
            return None
        since: list[Transaction] = []
        cursor = None
        for _ in range(MOST_PAGES):
            page = await self._offline_access.as_member(
                unresolved.customer_id,
                unresolved.credentials,
                TRANSACTIONS,
                limit=PAGE,
                order="date desc",
                cursor=cursor,
            )
            ids = [transaction.id for transaction in page.items]
            known = ids.index(unresolved.newest_transaction) if unresolved.newest_transaction in ids else None
            since += page.items if known is None else page.items[:known]
            if not newest_first(since if known is None else [*since, page.items[known]]):
                return None
            if known is not None:
                return since
            cursor = page.next
            if cursor is None:
                break
        return since if unresolved.newest_transaction == "" and cursor is None else None

    async def _poorer(self, unresolved: Unresolved, since: Sequence[Transaction]) -> bool:
        """Whether the member has less than the history explains."""
        customer = await self._offline_access.as_member(unresolved.customer_id, unresolved.credentials, CUSTOMER)
        return customer.balance < balance_after(unresolved, since)


def judged(unresolved: Unresolved, since: Sequence[Transaction] | None, *, settled: bool) -> tuple[Outcome | None, str]:
    """What the history since a redemption says of it, and in a word why not more; `settled` says that what was sent
    must have had its effect by now, if it ever has one.

    Only transactions before the member's next redemption are surely not of that one; later ones count when that one
    is settled and does not claim them. One whose transaction cannot be told among them is as good as open.
    """
    if since is None:
        return None, "the history is not to be trusted"
    if not set(unresolved.later_codes) <= {one.code for one in since if one.code is not None}:
        unresolved = msgspec.structs.replace(unresolved, later_open=True)
    fitting = [one for one in since if is_of(unresolved, one) and not _is_claimed(unresolved, one)]
    before_next = _before_next(unresolved, since)
    if before_next is None:
        return None, "the history is not to be trusted"
    candidates = [one for one in fitting if one in before_next] or ([] if unresolved.later_open else fitting)
    if len(candidates) > 1:
        return None, "more than one transaction fits"
    if candidates:
        return _succeeded(candidates[0]), ""
    if unresolved.later_open:
        return None, "a later redemption comes first"
    if not settled:
        return None, "it may still be carried out"
    return Outcome(state="failed", reason="upstream_unavailable"), ""


def _before_next(unresolved: Unresolved, since: Sequence[Transaction]) -> Sequence[Transaction] | None:
    """Those of `since` that were there before the member's next redemption; None when that makes no sense."""
    if unresolved.next_newest is None:
        return [] if unresolved.later_open else since
    if unresolved.next_newest == unresolved.newest_transaction:
        return []
    ids = [transaction.id for transaction in since]
    return since[ids.index(unresolved.next_newest) :] if unresolved.next_newest in ids else None


def is_of(unresolved: Unresolved, transaction: Transaction) -> bool:
    """Whether a transaction may be this redemption: of its reward, or where the vendor does not say, of its price.

    The words for what a transaction is are not public, so one that we do not know rules nothing out. A coupon can be
    earned as well, but not at the price of a reward.
    """
    if transaction.reward is not None:
        return transaction.reward == unresolved.reward_id
    if transaction.points is None:
        return bool(transaction.kind) and transaction.is_redemption
    given = transaction.code is not None or transaction.store_credit is not None
    return abs(transaction.points) == unresolved.points and (given or transaction.is_redemption)


def _is_claimed(unresolved: Unresolved, transaction: Transaction) -> bool:
    """Whether another line accounts for it: replies do not always name their transaction, but then the coupon tells."""
    return transaction.id in unresolved.claimed or transaction.code in unresolved.claimed


def balance_after(unresolved: Unresolved, since: Sequence[Transaction]) -> float:
    """The least that the member has now if this redemption was not carried out.

    Only what was surely redeemed otherwise lowers it. Points that went in any other way might be this redemption.
    """
    return unresolved.balance_seen + sum(_change(unresolved, one) for one in since)


def _change(unresolved: Unresolved, transaction: Transaction) -> float:
    points = transaction.points or 0
    if _is_claimed(unresolved, transaction) or transaction.reward is not None or transaction.is_redemption:
        return -abs(points)
    return 0 if transaction.status.casefold() == "pending" else max(0, points)


def newest_first(transactions: Sequence[Transaction]) -> bool:
    """Whether the history came in the order it was asked for, as far as its dates say."""
    dates = [transaction.date for transaction in transactions if transaction.date is not None]
    return all(newer >= older for newer, older in pairwise(dates))


def _succeeded(transaction: Transaction) -> Outcome:
    return Outcome(
        state="succeeded",
        transaction_id=transaction.id,
        coupon_code=transaction.code,
        coupon_description=transaction.description,
        coupon_expires_at=transaction.expires_at,
        store_credit=amount(transaction.store_credit),
        currency=transaction.currency,
    )
