"""What waits in PostgreSQL as metrics, read every few seconds at most, however often it is asked for."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from bff.errors import Problem
from bff.stores.backlog import Backlog, read_backlog
from bff.stores.database import Database

KEPT_SECONDS = 10
READ_SECONDS = 2


class BacklogMetrics:
    """Never raises: where PostgreSQL cannot be asked, the metrics say that and nothing else."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = asyncio.Lock()
        self._kept_until = float("-inf")
        self._backlog: Backlog | None = None

    async def text(self) -> tuple[str, bool]:
        """The metrics in Prometheus's text format, and whether PostgreSQL could be asked."""
        async with self._asking:
            if time.monotonic() >= self._kept_until:
                self._backlog = await self._read()
                self._kept_until = time.monotonic() + KEPT_SECONDS
        registry = CollectorRegistry()
        registry.register(_Gauges(self._backlog))
        return generate_latest(registry).decode(), self._backlog is not None

    async def _read(self) -> Backlog | None:
        try:
            async with asyncio.timeout(READ_SECONDS), self._database.connection() as connection:
                return await read_backlog(connection)
        except (Problem, psycopg.Error, TimeoutError):
            return None


class _Gauges:
    """As prometheus_client wants it."""

    def __init__(self, backlog: Backlog | None) -> None:
        self._backlog = backlog

    def collect(self) -> Iterator[Metric]:
        if self._backlog is not None:
            yield from _families(self._backlog)


def _families(backlog: Backlog) -> Iterator[Metric]:
    yield _gauge(
        "loyalty_jobs_due",
        "Jobs that could be done now, by queue.",
        (({"queue": due.queue}, due.jobs) for due in backlog.due),
    )
    yield _gauge(
        "loyalty_jobs_oldest_seconds",
        "For how long the oldest job of a queue could have been done; 0 when none is due.",
        (({"queue": due.queue}, due.oldest_seconds) for due in backlog.due),
    )
    yield _gauge("loyalty_jobs_failed", "Jobs that failed for good.", [({}, backlog.jobs_failed)])
    yield _gauge(
        "loyalty_worker_seen_timestamp_seconds",
        "The last sign of life of any worker, in Unix seconds; 0 when none is there.",
        [({}, backlog.worker_seen_at or 0)],
    )
    unknown = backlog.redemptions_checked + backlog.redemptions_to_resolve
    yield _gauge("loyalty_redemptions_unknown", "Redemptions whose outcome nobody knows.", [({}, unknown)])
    yield _gauge(
        "loyalty_redemptions_unknown_oldest_seconds",
        "How old the oldest redemption is whose outcome nobody knows; 0 when there is none.",
        [({}, backlog.oldest_redemption_seconds)],
    )
    yield _gauge(
        "loyalty_outbound_events_waiting",
        "Events that the merchant's server is still to be told of.",
        [({}, backlog.outbound_waiting)],
    )
    yield _gauge(
        "loyalty_outbound_events_oldest_seconds",
        "How long ago the oldest of them happened; 0 when there is none.",
        [({}, backlog.outbound_oldest_seconds)],
    )
    waiting = {
        "awards": backlog.awards_to_review,
        "events": backlog.events_to_review,
        "redemptions": backlog.redemptions_to_resolve,
        "member_requests": backlog.requests_to_close,
        "outbound_events": backlog.outbound_undelivered,
    }
    yield _gauge(
        "loyalty_needs_review",
        "What waits for a person: awards, events of Subtotal's, redemptions, members' requests, events not delivered.",
        (({"what": what}, count) for what, count in waiting.items()),
    )


def _gauge(name: str, meaning: str, samples: Iterable[tuple[dict[str, str], float]]) -> Metric:
    gauge: Any = GaugeMetricFamily(name, meaning)
    for labels, value in samples:
        gauge.add_sample(name, labels, value)
    return gauge  # type: ignore[no-any-return]
