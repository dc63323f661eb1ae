"""The worker: what is done later, from the queue that `stores.queue` fills.

Every task takes the number of a row, looks at the row first, and may be run twice. A task that is not done yet raises
Later and comes back; a job whose worker died is taken up by the next one.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job

from bff.awards.events import PurchaseEvents
from bff.awards.pay import AwardPayments
from bff.redemptions.ledger import Ledger
from bff.redemptions.reconcile import Reconciliation
from bff.services import Services
from bff.sessions.store import Sessions
from bff.stores.inbox import Inbox
from bff.stores.queue import PAYING
from bff.vendors.okendo import webhooks

# By queue. Paying waits for its turn at Okendo most of the time.
CONCURRENCY = {"default": 4, PAYING: 4}
# A job that waits for another's lock is only found by looking, so this is also how soon a member's next award follows
# the last: faster than Okendo's limit of two a second.
POLL_SECONDS = {"default": 1.0, PAYING: 0.25}
# A worker that has not been heard of for so long is dead.
SILENCE_SECONDS = 60
# No job takes so long. One that seems to was done by a worker that lives, but could not write down that it was.
LONGEST_JOB_SECONDS = 300
STUCK = """
    SELECT job.id FROM procrastinate_jobs AS job
    JOIN procrastinate_events AS event ON event.job_id = job.id AND event.type = 'started'
    WHERE job.status = 'doing'
    GROUP BY job.id HAVING max(event.at) < now() - make_interval(secs => %(seconds)s)
"""
REQUEUE_SECONDS = 20
AGAIN_SECONDS = 5.0
LONGEST_SECONDS = 300.0
STOP_SECONDS = 20
log = structlog.get_logger("jobs")


class RetryIn(Exception):
    """Not done yet: come back in this many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__("not done yet")
        self.seconds = seconds


class _RetryStrategy(BaseRetryStrategy):
    """RetryIn comes back when it said; everything else is our trouble, and comes back too."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, RetryIn):
            seconds = exception.seconds
        else:
            seconds = min(LONGEST_SECONDS, AGAIN_SECONDS * 2 ** min(job.attempts, 10))
            log.error("job_failed", what=job.task_name, reason=type(exception).__name__)
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=seconds))


class Jobs:
    """The tasks, and the workers that do them."""

    def __init__(
        self,
        database_url: str,
        *,
        ledger: Ledger,
        reconciliation: Reconciliation,
        inbox: Inbox,
        purchase_events: PurchaseEvents,
        award_payments: AwardPayments,
        sessions: Sessions,
    ) -> None:
        self._ledger = ledger
        self._reconciliation = reconciliation
        self._inbox = inbox
        self._purchase_events = purchase_events
        self._award_payments = award_payments
        self._sessions = sessions
        options = {"connect_timeout": 2, "options": "-c timezone=UTC"}
        connector = PsycopgConnector(conninfo=database_url, min_size=1, max_size=5, timeout=5, kwargs=options)
        self._queue = App(connector=connector)
        for task in (
            self.rescue_redemption, self.check_redemption, self.take_event, self.pay_award, self.freshen_member
        ):  # fmt: skip
            self._queue.task(name=task.__name__, retry=_RetryStrategy())(task)

    async def rescue_redemption(self, row: int) -> None:
        """Settle a redemption whose process died; raises RetryIn while it is under way."""
        if not await self._ledger.rescue(row):
            raise RetryIn(AGAIN_SECONDS)

    async def check_redemption(self, row: int) -> None:
        """Find out how a redemption ended; raises RetryIn while that cannot be said."""
        _retry_in(await self._reconciliation.check(row))

    async def take_event(self, row: int) -> None:
        """Turn an event of Subtotal's into what it earns; raises RetryIn while Subtotal cannot be asked."""
        _retry_in(await self._purchase_events.take(row))

    async def pay_award(self, row: int) -> None:
        """Have Okendo give the points of an award; raises RetryIn until that is certain or waits for a person."""
        _retry_in(await self._award_payments.pay(row))

    async def freshen_member(self, row: int) -> None:
        """Have the sessions of the member whom an event of Okendo's is about ask anew, unless a later event does."""
        inbox = self._inbox
        stored = await inbox.find(row)
        if stored is None:
            return
        email = webhooks.email_of(stored.body)
        if email is not None and await inbox.is_latest(row):
            await self._sessions.mark_member_stale(email)
        await inbox.settle(row, "done")

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; when the database goes away, go on as soon as it is back."""
        while not stop.is_set():
            try:
                async with self._queue.open_async():
                    await self._run_until(stop)
            except (ConnectorException, OSError, TimeoutError) as error:
                log.warning("queue_unreachable", reason=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)

    async def _run_until(self, stop: asyncio.Event) -> None:
        async with _background(self._requeue_stalled()):
            workers = [asyncio.create_task(self._worker(queue)) for queue in CONCURRENCY]
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({*workers, stopped}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*workers, stopped):
                task.cancel()
            ended = await asyncio.gather(*workers, return_exceptions=True)
            for error in ended:
                if isinstance(error, Exception):
                    raise error

    async def _worker(self, queue: str) -> None:
        await self._queue.run_worker_async(
            queues=[queue],
            concurrency=CONCURRENCY[queue],
            fetch_job_polling_interval=POLL_SECONDS[queue],
            delete_jobs="successful",
            install_signal_handlers=False,
            shutdown_graceful_timeout=STOP_SECONDS,
        )

    async def _requeue_stalled(self) -> None:
        """Put back what a dead worker was doing, and what nobody is doing any more."""
        while True:
            with contextlib.suppress(ConnectorException):
                await self._requeue()
            await asyncio.sleep(REQUEUE_SECONDS)

    async def _requeue(self) -> None:
        manager = self._queue.job_manager
        stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE_SECONDS)
        stuck = await manager.connector.execute_query_all_async(STUCK, seconds=LONGEST_JOB_SECONDS)
        for number in {*(job.id for job in stalled), *(row["id"] for row in stuck)}:
            log.warning("job_requeued", job=number)
            await manager.retry_job_by_id_async(number, retry_at=datetime.now(UTC))


def _retry_in(seconds: float | None) -> None:
    if seconds is not None:
        raise RetryIn(seconds)


async def run_until_signalled(jobs: Jobs) -> None:
    """Work until SIGTERM or SIGINT, then finish what was begun."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("worker_started")
    await jobs.run(stop)


@contextlib.asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    companion = asyncio.create_task(work)
    try:
        yield
    finally:
        companion.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await companion


def jobs_of(services: Services) -> Jobs:
    """What the worker does with these services."""
    return Jobs(
        services["settings"].database.url,
        ledger=services["ledger"],
        reconciliation=services["reconciliation"],
        inbox=services["inbox"],
        purchase_events=services["purchase_events"],
        award_payments=services["award_payments"],
        sessions=services["sessions"],
    )
