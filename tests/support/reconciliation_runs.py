"""What the worker does with redemptions whose answer was lost, at the moment that a test chooses."""

import asyncio
from collections.abc import Mapping

from bff.services import build
from bff.settings.read import read_settings
from support.concurrency import until
from support.enrolment_clients import Rows


def hours_pass(rows: Rows, hours: float) -> None:
    """For the ledger and the queue; for how long is still looked is not touched."""
    # A job that is being done comes back when it thinks right, after this moment and not before.
    until(lambda: not rows.execute("SELECT 1 FROM procrastinate_jobs WHERE status = 'doing'").fetchall())
    rows.execute(
        "UPDATE redemptions SET created_at = created_at - make_interval(secs => %(s)s),"
        " changed_at = changed_at - make_interval(secs => %(s)s), sent_at = sent_at - make_interval(secs => %(s)s)",
        {"s": hours * 3600},
    )
    rows.execute("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")


def check(settings: Mapping[str, str], rows: Rows) -> None:
    """Look once whether each of them went through, the oldest first."""
    found = rows.execute("SELECT id FROM redemptions WHERE state = 'unknown' ORDER BY id").fetchall()
    asyncio.run(_looked(settings, [int(str(number)) for (number,) in found]))


async def _looked(settings: Mapping[str, str], numbers: list[int]) -> None:
    async with build(read_settings(settings)) as state:
        for number in numbers:
            await state["reconciliation"].check(number)


def lines(rows: Rows) -> list[tuple[object, ...]]:
    """State and coupon of every redemption, the oldest first."""
    return rows.execute("SELECT state, coupon_code FROM redemptions ORDER BY id").fetchall()
