"""Paying points for what happened at other retailers, each award once, over an API that has no idempotency key.

Awards of one member are worked on one after the other. How a lost reply is found out, and what cannot be known, is
written down in docs/decisions/pay-once.md.
"""

import time

import structlog

from bff.awards.ledger import Award, Awards, Due
from bff.errors import UpstreamFailed, VendorRefused
from bff.stores.pacer import Pacer
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.operations import EARNING_TRANSACTIONS, MERCHANT_CUSTOMER
from bff.vendors.subtotal.client import SubtotalClient

AGAIN_SECONDS = 5.0
LONGEST_SECONDS = 300.0
LONGEST_PAUSE_SECONDS = 10
# From the mark to the call; much shorter than anybody waits before finding out about it.
STALL_SECONDS = 10
# What a clear no to an award means; after any other it may have been given.
REFUSED = {
    400: "Okendo does not take this award",
    401: "Okendo does not accept OKENDO_API_KEY",
    403: "Okendo does not give points to this customer, or Loyalty is off",
    404: "Okendo does not know this customer or this earning rule",
    422: "Okendo does not take this award",
}
# A key that is wrong may be corrected; whatever else is refused stays refused.
MENDABLE = frozenset({401, 408, 425})
log = structlog.get_logger("paying")


class NeedsReview(Exception):
    """Something that paying needs is not there; the message says what."""


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
    ) -> None:
        self._awards = awards
        self._okendo = okendo
        self._pacer = pacer
        self._subtotal = subtotal
        self._settling_seconds = settling_seconds

    async def pay(self, number: int) -> float | None:
        """Bring an award a step further. Returns in how many seconds to come back, None when nothing is to be done."""
        award = await self._awards.find(number)
        if award is None or award.state in {"paid", "parked"}:
            return None
        # Sent by a worker that died is sent with a lost answer, and so is not sent again before it is found out.
        in_doubt = award.state != "waiting"
        try:
            return await (self._reconcile(award) if in_doubt else self._send(award))
        except NeedsReview as flaw:
            await self._park(award, str(flaw), doubtful=in_doubt)
            return None
        except (UpstreamFailed, VendorRefused) as error:
            return await self._not_now(award, error, in_doubt=in_doubt)

    async def _send(self, award: Due) -> float | None:
        """Note the balance, write down that it is sent, and send it, once.

        Raises UpstreamFailed and VendorRefused only when nothing was paid; an answer that is lost is written down.
        """
        email = await self._payee(award)
        balance = await self._balance(email) if award.balance_near is None else award.balance_near
        await self._pacer.wait()
        began = time.monotonic()
        if not await self._awards.mark_sent(award, balance):
            return None
        if time.monotonic() - began > STALL_SECONDS:
            # Whoever comes back so late may not be the only one who has this award in hand any more.
            raise UpstreamFailed("The database took too long.", sent=False)
        try:
            given = await self._okendo.for_merchant(
                EARNING_TRANSACTIONS, email=email, rule=award.earning_rule_id, value=award.value
            )
        except (UpstreamFailed, VendorRefused) as error:
            if is_certain(error):
                raise
            await self._awards.unpaid(award, "unknown", "Okendo's answer was lost")
            log.warning("award_unknown", reference=award.reference)
            return self._settling_seconds
        await self._awards.paid(award, given.points)
        log.info("award", state="paid", reference=award.reference)
        return None

    async def _payee(self, award: Award) -> str:
        """Whom to pay: Okendo's Merchant API knows customers by their email."""
        if award.email is not None:
            return award.email
        # A member who was forgotten has no connection any more.
        asked = self._subtotal if award.connection_id else None
        told = None if asked is None else await asked.connection(award.connection_id)
        if told is None or told.email is None:
            raise NeedsReview("the linked account has no email address")
        await self._awards.tell_email(award, told.email)
        return told.email

    async def _balance(self, email: str) -> float:
        await self._pacer.wait()
        found = await self._okendo.for_merchant(MERCHANT_CUSTOMER, email=email)
        return found.balance + found.pending

    async def _reconcile(self, award: Due) -> float | None:
        """Whether an award whose answer was lost was given: the member's balance tells, if anything does."""
        since = award.seconds_since_sent or 0.0
        if since < self._settling_seconds:
            return self._settling_seconds - since
        if award.email is None or award.balance_before is None:
            raise NeedsReview("it may have been paid, and nobody is left to ask for")
        gained = await self._balance(award.email) - award.balance_before
        if abs(gained) < 1:
            log.info("award_found_out", state="waiting", reference=award.reference)
            await self._awards.unpaid(award, "waiting", "it was not given: the balance had not moved")
            return 0.0
        if not matches_balance_change(award, gained):
            raise NeedsReview(f"it may have been paid: the balance moved by {gained:+g}")
        log.info("award_found_out", state="paid", reference=award.reference)
        await self._awards.paid(award, gained, "found out from the balance")
        return None

    async def _not_now(self, award: Due, error: UpstreamFailed | VendorRefused, *, in_doubt: bool) -> float | None:
        """Come back later while that may help, else leave it to a person."""
        seconds = backoff_seconds(award.tries)
        if isinstance(error, VendorRefused):
            reason, is_final = why_refused(error), error.status not in MENDABLE
        else:
            reason, is_final = "the vendor cannot be reached, or is busy", False
            seconds = max(seconds, error.retry_after_seconds or 0)
            await self._pacer.pause(min(error.retry_after_seconds or 0, LONGEST_PAUSE_SECONDS))
        if is_final or award.overdue:
            await self._park(award, reason, doubtful=in_doubt)
            return None
        await self._awards.unpaid(award, "unknown" if in_doubt else "waiting", reason)
        return seconds

    async def _park(self, award: Award, reason: str, *, doubtful: bool) -> None:
        await self._awards.unpaid(award, "parked", reason, doubtful=doubtful)
        log.error("award_parked", reason=reason, reference=award.reference)


def is_certain(error: UpstreamFailed | VendorRefused) -> bool:
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
    return min(LONGEST_SECONDS, AGAIN_SECONDS * 2 ** min(tries, 10))
