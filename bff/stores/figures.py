"""The metrics of the whole deployment, as any of its web processes answers them.

docs/decisions/metrics.md says why they go through Valkey.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from bff.clock import Clock
from bff.stores.backlog_metrics import BacklogMetrics
from bff.stores.database import Database
from bff.stores.keyring import KeyRing
from bff.stores.one_valkey import Valkey
from bff.stores.shared_metrics import PUBLISH_SECONDS, SharedMetrics
from bff.telemetry import metrics
from bff.telemetry.exposition import merged

STORES = """\
# HELP loyalty_store_up Whether a store did what it was asked for the metrics: PostgreSQL to read, Valkey to write.
# TYPE loyalty_store_up gauge
loyalty_store_up{{store="postgresql"}} {postgresql:d}
loyalty_store_up{{store="valkey"}} {valkey:d}
"""


class Figures:
    def __init__(self, database: Database, valkey: Valkey, keys: KeyRing, clock: Clock) -> None:
        self._database = database
        self._valkey = valkey
        self._shared = SharedMetrics(valkey, keys, clock)
        self._backlog = BacklogMetrics(database)
        self._process = ""
        self._taken = True

    @contextlib.asynccontextmanager
    async def published_by(self, process: str) -> AsyncIterator[None]:
        """Show this process's metrics to all others, under this name, for as long as it serves or works."""
        self._process = process
        publishing = asyncio.create_task(self._publish_again_and_again())
        try:
            yield
        finally:
            publishing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await publishing
            await self._shared.withdraw(process)

    async def text(self) -> str:
        """The metrics of all processes and of the stores, in Prometheus's text format; what cannot be had is left out,
        and `loyalty_store_up` says so."""
        own, others, (backlog, answers) = await asyncio.gather(
            self._own(), self._shared.of_others(self._process), self._backlog.text()
        )
        texts = await asyncio.to_thread(merged, {self._process: own} | others)
        return texts + backlog + STORES.format(postgresql=answers, valkey=self._taken)

    async def _own(self) -> str:
        """In a thread, since it takes tens of milliseconds where there are many routes and operations."""
        metrics.observe_connections("valkey", *self._valkey.connections())
        metrics.observe_connections("postgresql", *self._database.connections())
        return (await asyncio.to_thread(metrics.exposition)).decode()

    async def _publish_again_and_again(self) -> None:
        while True:
            self._taken = await self._shared.publish(self._process, await self._own())
            await asyncio.sleep(PUBLISH_SECONDS)
