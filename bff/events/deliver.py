"""Delivering an event: it is posted until the merchant's server takes it, or for about a day.

One that a dead worker may have posted is posted again under the same id, by which the other side knows it.
"""

import structlog

from bff.errors import UpstreamFailed
from bff.stores.outbox import Due, Outbox
from bff.vendors.receiver import Receiver, body_of

# How long after a try the next one follows; the last is repeated until the time is over.
DELAYS_SECONDS = (5, 300, 1800, 7200, 18_000)
GONE = "the address answered 410 Gone: nothing more is sent there"
NOWHERE = "EVENTS_WEBHOOK_URL is not set"
log = structlog.get_logger("events")


class Delivery:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, outbox: Outbox, receiver: Receiver | None) -> None:
        self._outbox = outbox
        self._receiver = receiver

    async def deliver(self, number: int) -> float | None:
        """Try once. Returns in how many seconds to come back, None when nothing more is to be done."""
        receiver = self._receiver
        event = await self._outbox.find(number, receiver.url if receiver else "")
        if event is None:
            return None
        if receiver is None or event.is_stopped:
            await self._give_up(event, GONE if receiver else NOWHERE)
            return None
        try:
            status = await receiver.post(event.message_id, body_of(event.type, event.happened_at, event.data))
        except UpstreamFailed as failure:
            return await self._retry_later(event, failure.why, failure)
        return await self._answered(event, receiver, status)

    async def _answered(self, event: Due, receiver: Receiver, status: int) -> float | None:
        if status < 300:
            await self._outbox.settle(event, "delivered")
            log.info("event_delivered", what=event.type, reference=event.message_id)
            return None
        if status == 410:
            await self._outbox.stop(receiver.url)
            log.error("events_stopped")
            await self._give_up(event, GONE)
            return None
        return await self._retry_later(event, f"It refused: status {status}.")

    async def _retry_later(self, event: Due, why: str, failure: UpstreamFailed | None = None) -> float | None:
        if event.overdue:
            await self._give_up(event, why)
            return None
        wait = failure.retry_after_seconds if failure else None
        # Being told to wait is no failed try: it is the other side's pace.
        is_told_to_wait = failure is not None and wait is not None and not failure.sent
        await self._outbox.settle(event, "waiting", why, tried=not is_told_to_wait)
        log.warning("event_not_delivered", what=event.type, reason=why, reference=event.message_id)
        return max(wait or 0, DELAYS_SECONDS[0 if is_told_to_wait else min(event.tries, len(DELAYS_SECONDS) - 1)])

    async def _give_up(self, event: Due, why: str) -> None:
        await self._outbox.settle(event, "undelivered", why)
        log.error("event_undelivered", what=event.type, reason=why, reference=event.message_id)
