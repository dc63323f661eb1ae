"""The worker: it does the jobs that `stores.queue` defers.

Every task takes the number of a row, reads the row first, and may be run twice. A task that is not done yet raises
RetryIn and comes back; a job whose worker died is requeued by the next one. Once a day the worker deletes the rows
whose time is over.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import structlog
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job

from bff.awards.events import PurchaseEvents
from bff.awards.pay import AwardPayments
from bff.errors import Problem
from bff.events.deliver import Delivery
from bff.privacy.requests import MemberRequests
from bff.redemptions.ledger import Ledger
from bff.redemptions.reconcile import Reconciliation
from bff.services import Services
from bff.sessions.store import Sessions
from bff.settings.groups import DatabaseSettings
from bff.stores.backlog import HEARTBEAT_SECONDS
from bff.stores.database import CONNECTION
from bff.stores.inbox import Inbox
from bff.stores.queue import EVENTS, MEMBERS, PAYING, REQUESTS
from bff.stores.retention import Retention
from bff.telemetry.causes import origin
from bff.vendors.okendo import webhooks


class WorkerOptions(NamedTuple):
    """How one of the workers in this process reads its queues, by Procrastinate's words."""

    queues: tuple[str, ...]
    concurrency: int
    poll_seconds: float


WORKERS = (
    WorkerOptions(("default", MEMBERS, REQUESTS), concurrency=4, poll_seconds=0.5),
    # Paying waits for its slot at Okendo most of the time. A job that waits for another's lock is only found by
    # polling, so this is also how soon a member's next award follows the last: faster than Okendo's two calls a second.
    WorkerOptions((PAYING,), concurrency=4, poll_seconds=0.25),
    # The merchant's server may be slow, which is to hold nothing else up.
    WorkerOptions((EVENTS,), concurrency=4, poll_seconds=0.5),
)
# Names that tasks had in the version before: its web processes still add jobs under them while a deploy lasts.
ALIASES = {"refresh_member": ["freshen_member"]}
# No job takes so long. One that seems to was done by a worker that is alive, but could not write down that it was.
LONGEST_JOB_SECONDS = 300
STUCK = """
    SELECT job.id FROM procrastinate_jobs AS job
    JOIN procrastinate_events AS event ON event.job_id = job.id AND event.type = 'started'
    WHERE job.status = 'doing'
    GROUP BY job.id HAVING max(event.at) < now() - make_interval(secs => %(seconds)s)
"""
REQUEUE_SECONDS = 20
DAY_SECONDS = 86_400
# When the worker comes back to what it could not delete, or not yet.
RETENTION_RETRY_SECONDS = 60
FIRST_BACKOFF_SECONDS = 5.0
LONGEST_BACKOFF_SECONDS = 300.0
STOP_SECONDS = 20
log = structlog.get_logger("jobs")


class RetryIn(Exception):
    """Not done yet: come back in this many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__("not done yet")
        self.seconds = seconds


class _RetryStrategy(BaseRetryStrategy):
    """RetryIn says when to come back. Any other exception is a fault of ours; the job comes back after a backoff."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, RetryIn):
            seconds = exception.seconds
        else:
            seconds = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(job.attempts, 10))
            _log_failure(job, exception)
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=seconds))


class Jobs:
    """The tasks, and the workers that do them."""

    def __init__(
        self,
        database: DatabaseSettings,
        *,
        ledger: Ledger,
        reconciliation: Reconciliation,
        inbox: Inbox,
        purchase_events: PurchaseEvents,
        award_payments: AwardPayments,
        sessions: Sessions,
        retention: Retention,
        member_requests: MemberRequests,
        delivery: Delivery,
    ) -> None:
        self._ledger = ledger
        self._reconciliation = reconciliation
        self._inbox = inbox
        self._purchase_events = purchase_events
        self._award_payments = award_payments
        self._sessions = sessions
        self._retention = retention
        self._member_requests = member_requests
        self._delivery = delivery
        size = database.queue_connections
        connector = PsycopgConnector(
            conninfo=database.url, min_size=1, max_size=size, timeout=5, kwargs=dict(CONNECTION)
        )
        self._queue = App(connector=connector)
        for task in (
            self.rescue_redemption, self.check_redemption, self.take_event, self.pay_award, self.refresh_member,
            self.take_request, self.send_event,
        ):  # fmt: skip
            name = task.__name__
            self._queue.task(name=name, aliases=ALIASES.get(name), retry=_RetryStrategy())(task)

    async def rescue_redemption(self, row: int) -> None:
        """Settle a redemption whose process died; raises RetryIn while it is under way."""
        if not await self._ledger.rescue(row):
            raise RetryIn(FIRST_BACKOFF_SECONDS)

    async def check_redemption(self, row: int) -> None:
        """Reconcile a redemption whose outcome is unknown; raises RetryIn while that is not certain."""
        _retry_in(await self._reconciliation.check(row))

    async def take_event(self, row: int) -> None:
        """Turn an event of Subtotal's into what it earns; raises RetryIn while Subtotal cannot be asked."""
        _retry_in(await self._purchase_events.take(row))

    async def pay_award(self, row: int) -> None:
        """Have Okendo give the points of an award; raises RetryIn until it is paid or needs review."""
        _retry_in(await self._award_payments.pay(row))

    async def refresh_member(self, row: int) -> None:
        """Mark the sessions of the member whom an event of Okendo's is about as stale, unless a later event does."""
        inbox = self._inbox
        stored = await inbox.find(row)
        if stored is None:
            return
        email = webhooks.email_of(stored.body)
        if email is not None and await inbox.is_latest(row):
            await self._sessions.mark_member_stale(email)
        await inbox.settle(row, "done")

    async def take_request(self, row: int) -> None:
        """Do what a webhook of Shopify's asks for a customer; raises RetryIn while a redemption of theirs is open."""
        _retry_in(await self._member_requests.take(row))

    async def send_event(self, row: int) -> None:
        """Tell the merchant's server of an event; raises RetryIn until it was told, or was tried for long enough."""
        _retry_in(await self._delivery.deliver(row))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; when the database goes away, go on as soon as it is back."""
        while not stop.is_set():
            try:
                async with self._queue.open_async():
                    await self._run_until(stop)
            except (ConnectorException, OSError, TimeoutError) as error:
                log.warning("queue_unreachable", **origin(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)

    async def _run_until(self, stop: asyncio.Event) -> None:
        async with _background(self._requeue_stalled()), _background(self._delete_overdue()):
            workers = [asyncio.create_task(self._worker(options)) for options in WORKERS]
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({*workers, stopped}, return_when=asyncio.FIRST_COMPLETED)
            for task in (*workers, stopped):
                task.cancel()
            ended = await asyncio.gather(*workers, return_exceptions=True)
            for error in ended:
                if isinstance(error, Exception):
                    raise error

    async def _worker(self, options: WorkerOptions) -> None:
        await self._queue.run_worker_async(
            queues=list(options.queues),
            concurrency=options.concurrency,
            fetch_job_polling_interval=options.poll_seconds,
            # Behind a pooler in transaction mode nobody hears a NOTIFY, so nobody relies on one.
            listen_notify=False,
            delete_jobs="successful",
            install_signal_handlers=False,
            shutdown_graceful_timeout=STOP_SECONDS,
        )

    async def _requeue_stalled(self) -> None:
        """Requeue the jobs of dead workers, and those that are done but could not be written down as done."""
        while True:
            with contextlib.suppress(ConnectorException):
                await self._requeue()
            await asyncio.sleep(REQUEUE_SECONDS)

    async def _delete_overdue(self) -> None:
        """Delete what is past its time, now and once a day; sooner again where something is left of it."""
        while True:
            is_complete = await self._retention.delete_overdue()
            await asyncio.sleep(DAY_SECONDS if is_complete else RETENTION_RETRY_SECONDS)

    async def _requeue(self) -> None:
        manager = self._queue.job_manager
        stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=HEARTBEAT_SECONDS)
        stuck = await manager.connector.execute_query_all_async(STUCK, seconds=LONGEST_JOB_SECONDS)
        for number in {*(job.id for job in stalled), *(row["id"] for row in stuck)}:
            log.warning("job_requeued", reference=number)
            await manager.retry_job_by_id_async(number, retry_at=datetime.now(UTC))


def _log_failure(job: Job, exception: BaseException) -> None:
    """A store or vendor that is away passes; what nobody has foreseen is for us to mend."""
    if isinstance(exception, Problem):
        log.warning("job_postponed", what=job.task_name, code=exception.code)
    else:
        log.error("job_failed", what=job.task_name, **origin(exception))


def _retry_in(seconds: float | None) -> None:
    if seconds is not None:
        raise RetryIn(seconds)


async def run_until_signalled(jobs: Jobs) -> None:
    """Work until SIGTERM or SIGINT, then finish the jobs that have begun."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("worker_started")
    await jobs.run(stop)


@contextlib.asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def jobs_of(services: Services) -> Jobs:
    """The jobs, with the services that they need."""
    return Jobs(
        services["settings"].database,
        ledger=services["ledger"],
        reconciliation=services["reconciliation"],
        inbox=services["inbox"],
        purchase_events=services["purchase_events"],
        award_payments=services["award_payments"],
        sessions=services["sessions"],
        retention=services["retention"],
        member_requests=services["member_requests"],
        delivery=services["delivery"],
    )
