"""The worker: what is done later, from the queue that `queueing` fills.

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

from bff.ledger import Ledger
from bff.reconciliation import Reconciliation

CONCURRENCY = 4
POLL_SECONDS = 1.0
# A worker that has not been heard of for so long is dead.
SILENCE_SECONDS = 60
ADOPT_SECONDS = 20
AGAIN_SECONDS = 5.0
LONGEST_SECONDS = 300.0
STOP_SECONDS = 20
log = structlog.get_logger("jobs")


class Later(Exception):
    """Not done yet: come back in this many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__("not done yet")
        self.seconds = seconds


class _ComeBack(BaseRetryStrategy):
    """Later comes back when it said; everything else is our trouble, and comes back too."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        if isinstance(exception, Later):
            seconds = exception.seconds
        else:
            seconds = min(LONGEST_SECONDS, AGAIN_SECONDS * 2 ** min(job.attempts, 10))
            log.error("job_failed", what=job.task_name, reason=type(exception).__name__)
        return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=seconds))


class Jobs:
    """The tasks, over the parts they need."""

    def __init__(self, database_url: str, ledger: Ledger, reconciliation: Reconciliation) -> None:
        self._ledger = ledger
        self._reconciliation = reconciliation
        options = {"connect_timeout": 2, "options": "-c timezone=UTC"}
        connector = PsycopgConnector(conninfo=database_url, min_size=1, max_size=3, timeout=5, kwargs=options)
        self._queue = App(connector=connector)
        self._queue.task(name="rescue_redemption", retry=_ComeBack())(self.rescue_redemption)
        self._queue.task(name="check_redemption", retry=_ComeBack())(self.check_redemption)

    async def rescue_redemption(self, row: int) -> None:
        """Settle a redemption whose process died; raises Later while it is under way."""
        if not await self._ledger.rescue(row):
            raise Later(AGAIN_SECONDS)

    async def check_redemption(self, row: int) -> None:
        """Find out how a redemption ended; raises Later while that cannot be said."""
        seconds = await self._reconciliation.check(row)
        if seconds is not None:
            raise Later(seconds)

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
        async with _accompanied(self._adopt_orphans()):
            worker = asyncio.create_task(
                self._queue.run_worker_async(
                    concurrency=CONCURRENCY,
                    fetch_job_polling_interval=POLL_SECONDS,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=STOP_SECONDS,
                )
            )
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker

    async def _adopt_orphans(self) -> None:
        """Put back what a dead worker was doing."""
        manager = self._queue.job_manager
        while True:
            with contextlib.suppress(ConnectorException):
                for job in await manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE_SECONDS):
                    log.warning("job_adopted", what=job.task_name)
                    await manager.retry_job(job)
            await asyncio.sleep(ADOPT_SECONDS)


async def run_until_signalled(jobs: Jobs) -> None:
    """Work until SIGTERM or SIGINT, then finish what was begun."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("worker_started")
    await jobs.run(stop)


@contextlib.asynccontextmanager
async def _accompanied(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    companion = asyncio.create_task(work)
    try:
        yield
    finally:
        companion.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await companion
