"""Paying points for what happened at other retailers, each award once, over an API that has no idempotency key.

Awards of one payee are worked on one after the other. How a lost reply is reconciled, and what cannot be known, is
written down in docs/decisions/pay-once.md.
"""

import structlog

from bff.awards.ledger import Award, Awards, Due
from bff.clock import Clock
from bff.errors import UpstreamFailed, VendorRefused
from bff.stores.pacer import Pacer
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.operations import EARNING_TRANSACTIONS, MERCHANT_CUSTOMER
from bff.vendors.subtotal.client import SubtotalClient

FIRST_BACKOFF_SECONDS = 5.0
LONGEST_BACKOFF_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 10
# From the mark to the call; much shorter than the settling time, after which another worker may reconcile the award.
STALL_SECONDS = 10
# Statuses that say for certain that nothing was paid; after any other the award may have been paid.
REFUSED = {
    400: "Okendo does not take this award",
    401: "Okendo does not accept OKENDO_API_KEY",
    403: "Okendo does not give points to this customer, or Loyalty is off",
    404: "Okendo does not know this customer or this earning rule",
    422: "Okendo does not take this award",
}
# Refusals that may pass, such as a wrong key that is corrected; any other refusal is final.
RETRYABLE = frozenset({401, 408, 425})
log = structlog.get_logger("paying")


class NeedsReview(Exception):
    """Something that paying needs is missing, so a person has to decide; the message says what."""


class AwardPayments:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(
        self,
        *,
        awards: Awards,
        okendo: OkendoClient,
        pacer: Pacer,
        subtotal: SubtotalClient | None,
        settling_seconds: float,
        clock: Clock,
    ) -> None:
        self._awards = awards
        self._okendo = okendo
        self._pacer = pacer
        self._subtotal = subtotal
        self._settling_seconds = settling_seconds
        self._clock = clock

    async def pay(self, number: int) -> float | None:
        """Bring an award a step further. Returns in how many seconds to come back, None when nothing is to be done."""
        award = await self._awards.find(number)
        if award is None or award.state in {"paid", "needs_review"}:
            return None
        # One that a dead worker left as `sent` has lost its reply too, so it is reconciled and not sent again.
        was_sent = award.state != "waiting"
        try:
            return await (self._reconcile(award) if was_sent else self._send(award))
        except NeedsReview as flaw:
            await self._hand_over(award, str(flaw), possibly_paid=was_sent)
            return None
        except (UpstreamFailed, VendorRefused) as error:
            return await self._retry_later(award, error, was_sent=was_sent)

    async def _send(self, award: Due) -> float | None:
        """Note the balance, mark the award as sent, and send it, once.

        Raises UpstreamFailed and VendorRefused only when nothing was paid; a lost reply is written down.
        """
        email = await self._payee(award)
        balance = await self._balance(email) if award.recent_balance is None else award.recent_balance
        await self._pacer.wait()
        # The clock on the wall goes on while a machine is suspended, which the monotonic one does not.
        began = self._clock()
        if not await self._awards.mark_sent(award, balance):
            return None
        if self._clock() - began > STALL_SECONDS:
            # After so long another worker may have the award in hand.
            raise UpstreamFailed("The database took too long.", sent=False)
        return await self._call_okendo(award, email)

    async def _call_okendo(self, award: Due, email: str) -> float | None:
        try:
            given = await self._okendo.for_merchant(
                EARNING_TRANSACTIONS, email=email, rule=award.earning_rule_id, value=award.value
            )
        except (UpstreamFailed, VendorRefused) as error:
            if paid_nothing(error):
                raise
            await self._awards.mark_unpaid(award, "unknown", "Okendo's answer was lost")
            log.warning("award_unknown", reference=award.reference)
            return self._settling_seconds
        await self._awards.mark_paid(award, given.points)
        log.info("award", state="paid", reference=award.reference)
        return None

    async def _payee(self, award: Award) -> str:
        """Whom to pay: Okendo's Merchant API knows customers by their email."""
        if award.email is not None:
            return award.email
        # The award of a member who was forgotten has no connection any more.
        subtotal = self._subtotal if award.connection_id else None
        connection = None if subtotal is None else await subtotal.connection(award.connection_id)
        if connection is None or connection.email is None:
            raise NeedsReview("the linked account has no email address")
        await self._awards.set_email(award, connection.email)
        return connection.email

    async def _balance(self, email: str) -> float:
        await self._pacer.wait()
        found = await self._okendo.for_merchant(MERCHANT_CUSTOMER, email=email)
        return found.balance + found.pending

    async def _reconcile(self, award: Due) -> float | None:
        """Decide whether an award whose reply was lost was paid: the member's balance tells, if anything does."""
        since = award.seconds_since_sent or 0.0
        if since < self._settling_seconds:
            return self._settling_seconds - since
        if award.email is None or award.balance_before is None:
            raise NeedsReview("it may have been paid, and there is no address left to ask for")
        gained = await self._balance(award.email) - award.balance_before
        if abs(gained) < 1:
            await self._awards.mark_unpaid(award, "waiting", "it was not given: the balance had not moved")
            log.info("award_reconciled", state="waiting", reference=award.reference)
            return 0.0
        if not matches_balance_change(award, gained):
            raise NeedsReview(f"it may have been paid: the balance moved by {gained:+g}")
        await self._awards.mark_paid(award, gained, "reconciled from the balance")
        log.info("award_reconciled", state="paid", reference=award.reference)
        return None

    async def _retry_later(self, award: Due, error: UpstreamFailed | VendorRefused, *, was_sent: bool) -> float | None:
        """Come back later while that may help, else leave it to a person."""
        seconds = backoff_seconds(award.tries)
        if isinstance(error, VendorRefused):
            reason, is_final = why_refused(error), error.status not in RETRYABLE
        else:
            reason, is_final = "the vendor cannot be reached, or is busy", False
            seconds = max(seconds, error.retry_after_seconds or 0)
            await self._pacer.pause(min(error.retry_after_seconds or 0, LONGEST_PAUSE_SECONDS))
        if is_final or award.overdue:
            await self._hand_over(award, reason, possibly_paid=was_sent)
            return None
        await self._awards.mark_unpaid(award, "unknown" if was_sent else "waiting", reason)
        return seconds

    async def _hand_over(self, award: Award, reason: str, *, possibly_paid: bool) -> None:
        """Leave it to a person."""
        await self._awards.mark_unpaid(award, "needs_review", reason, possibly_paid=possibly_paid)
        log.error("award_needs_review", reason=reason, reference=award.reference)


def paid_nothing(error: UpstreamFailed | VendorRefused) -> bool:
    """Whether a failed call surely paid nothing."""
    return not error.sent if isinstance(error, UpstreamFailed) else error.status in REFUSED


def why_refused(refusal: VendorRefused) -> str:
    if refusal.operation.startswith("subtotal"):
        return f"Subtotal refused to tell more ({refusal.status})"
    return REFUSED.get(refusal.status, f"Okendo refused with {refusal.status}")


def matches_balance_change(award: Due, gained: float) -> bool:
    """Whether a balance moved just as far as this award should have moved it, going by what its rule paid before.

    Points are rounded, in the award that is compared with as well.
    """
    if award.like_points is None:
        return False
    if award.value is None or not award.like_value:
        return award.value is None and abs(gained - award.like_points) < 1
    scale = float(award.value / award.like_value)
    return abs(gained - award.like_points * scale) <= 1 + scale


def backoff_seconds(tries: float) -> float:
    """In how many seconds to come back after so many tries."""
    return min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(tries, 10))
