"""What everything else stands on: settings, keys, stores, and the way to the vendors."""

import asyncio
from typing import NamedTuple

from bff.clock import Clock
from bff.settings.settings import Settings
from bff.stores.database import Database
from bff.stores.keyring import KeyRing
from bff.stores.leases import Leases
from bff.stores.one_valkey import Valkey
from bff.stores.outbox import Outbox
from bff.stores.valkey import connect
from bff.tasks import DetachedTasks
from bff.vendors.transport import Transport
from bff.vendors.upstream import Upstream

DRAIN_SECONDS = 8


class Foundation(NamedTuple):
    settings: Settings
    clock: Clock
    keys: KeyRing
    valkey: Valkey
    leases: Leases
    database: Database
    upstream: Upstream
    outbox: Outbox
    tasks: DetachedTasks

    async def close(self) -> None:
        """Bring to its end what is under way, then let everything go."""
        await self.tasks.finish(DRAIN_SECONDS)
        closing = self.upstream.aclose(), self.database.close(), self.valkey.aclose(close_connection_pool=True)
        await asyncio.gather(*closing)


def foundation(settings: Settings, clock: Clock, *, is_worker: bool) -> Foundation:
    """The worker leaves some of its connections to its queue."""
    keys = KeyRing(settings.secret_keys)
    valkey = connect(
        settings.valkey.url,
        verify_tls=settings.valkey.verify_tls,
        timeout_seconds=settings.valkey.timeout_seconds,
        connections=settings.valkey.connections,
    )
    tasks = DetachedTasks()
    left = settings.database.queue_connections if is_worker else 0
    database = Database(settings.database.url, settings.database.connections - left)
    return Foundation(
        settings=settings,
        clock=clock,
        keys=keys,
        valkey=valkey,
        leases=Leases(valkey, keys),
        database=database,
        upstream=Upstream(Transport(), clock=clock),
        outbox=Outbox(database, tasks, is_on=settings.events.url is not None),
        tasks=tasks,
    )
