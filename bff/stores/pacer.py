"""The pace at which a vendor may be called: a clock in PostgreSQL that all processes set forward in turn.

In PostgreSQL and not in Valkey, since whoever is paced works from the database's queue and needs nothing else.
"""

import asyncio

from bff.stores.database import Database

# How many calls may come at once when nobody has called for a while.
BURST = 3
# The generic cell rate algorithm: `next_at` is when the next call is due at the steady pace.
TURN = """
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
        """Wait until it is this caller's turn among all processes."""
        slack = self._interval * (BURST - 1)
        values = {"name": self._name, "interval": self._interval, "slack": slack}
        async with self._database.connection() as connection:
            row = await (await connection.execute(TURN, values)).fetchone()
        await asyncio.sleep(max(0.0, row[0] if row else 0.0))

    async def pause(self, seconds: float) -> None:
        """The vendor wants to be left alone for so long."""
        async with self._database.connection() as connection:
            await connection.execute(PAUSE, (seconds, self._name))
