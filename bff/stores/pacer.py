"""The pace at which a vendor may be called, kept by all processes together: each call reserves its slot in PostgreSQL.

It is in PostgreSQL and not in Valkey because the worker takes its jobs from PostgreSQL, so it needs no other server.
"""

import asyncio

from bff.stores.database import Database

# How many calls may come at once after a pause.
BURST = 3
# The generic cell rate algorithm: `next_at` is when the next call is due at the steady pace.
RESERVE_SLOT = """
    INSERT INTO paces AS pace (name, next_at)
    VALUES (%(name)s, clock_timestamp() + make_interval(secs => %(interval)s))
    ON CONFLICT (name) DO UPDATE
    SET next_at = greatest(pace.next_at, clock_timestamp() - make_interval(secs => %(slack)s))
        + make_interval(secs => %(interval)s)
    RETURNING extract(epoch FROM next_at - make_interval(secs => %(interval)s) - clock_timestamp())::float8
"""
PAUSE = """
    UPDATE paces SET next_at = greatest(next_at, clock_timestamp() + make_interval(secs => %s)) WHERE name = %s
"""


class Pacer:
    """Every method raises Problem `store_unavailable` when PostgreSQL does not answer."""

    def __init__(self, database: Database, name: str, *, per_second: float) -> None:
        self._database = database
        self._name = name
        self._interval = 1 / per_second

    async def wait(self) -> None:
        """Reserve the next slot and wait for it."""
        slack = self._interval * (BURST - 1)
        values = {"name": self._name, "interval": self._interval, "slack": slack}
        async with self._database.connection() as connection:
            row = await (await connection.execute(RESERVE_SLOT, values)).fetchone()
        await asyncio.sleep(max(0.0, row[0] if row else 0.0))

    async def pause(self, seconds: float) -> None:
        """Reserve no slot for so many seconds, as the vendor asked."""
        async with self._database.connection() as connection:
            await connection.execute(PAUSE, (seconds, self._name))
