"""The sender of webhooks: it posts what is due in the outbox, and sleeps until something else is.

What is due and how long it waits is measured by the sandbox's clock; signatures tell the real time, because whoever
receives them compares it with a clock of their own.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx2

from bff.sandbox.webhooks.outbox import Delivery
from bff.sandbox.world import World

# Even with a clock that runs ten thousand times as fast there is no use in looking more often, or less.
SHORTEST_SLEEP, LONGEST_SLEEP = 0.005, 3600.0


@asynccontextmanager
async def delivering(world: World) -> AsyncIterator[None]:
    """Webhooks are delivered as long as this lasts."""
    sender = asyncio.create_task(deliver(world))
    try:
        yield
    finally:
        sender.cancel()
        with suppress(asyncio.CancelledError):
            await sender


async def deliver(world: World) -> None:
    outbox = world.outbox
    async with httpx2.AsyncClient(trust_env=False, timeout=None) as http, asyncio.TaskGroup() as attempts:
        while True:
            outbox.changed.clear()
            for delivery in outbox.due(world.clock.seconds()):
                outbox.started(delivery, attempts.create_task(_attempt(world, http, delivery)))
            with suppress(TimeoutError):
                async with asyncio.timeout(_sleep_seconds(world)):
                    await outbox.changed.wait()


def _sleep_seconds(world: World) -> float | None:
    """Real seconds until the next delivery is due, if nobody moves the clock."""
    due_at = world.outbox.next_due_at()
    if due_at is None:
        return None
    return min(max((due_at - world.clock.seconds()) / world.clock.rate, SHORTEST_SLEEP), LONGEST_SLEEP)


async def _attempt(world: World, http: httpx2.AsyncClient, delivery: Delivery) -> None:
    started_at = world.clock.seconds()
    try:
        status = await _posted(http, delivery)
        delivery.attempted(started_at, status)
    finally:
        world.outbox.ended(delivery)


async def _posted(http: httpx2.AsyncClient, delivery: Delivery) -> int | None:
    """The status of the answer; None when none came in time. Redirects are answers like others."""
    event, destination = delivery.event, delivery.destination
    signed = destination.policy.sign(destination.secret, event.id, int(time.time()), event.body)
    headers = {"content-type": "application/json", **signed, **dict(event.headers)}
    try:
        async with asyncio.timeout(destination.policy.timeout_seconds):
            reply = await http.post(destination.url, content=event.body, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError):
        return None
    return reply.status_code
