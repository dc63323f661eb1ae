"""The action of operators after PostgreSQL was restored from a backup.

The function is the action of `ops.commands` with the same name and prints its answer.
"""

import argparse

from bff.ops.corrections import line
from bff.ops.terminal import say
from bff.services import Services

REASON = "it may have been paid after the backup that the database was restored from"


async def database_restored(services: Services, chosen: argparse.Namespace) -> None:
    """Nothing that may have been done since the backup is done again. Raises Problem `store_unavailable`."""
    async with services["database"].together():
        redemptions = await services["unresolved"].doubt_all()
        awards = await services["awards"].doubt_all(REASON)
        events = await services["inbox"].doubt_all(REASON)
        held = {"redemptions": redemptions, "awards": awards, "events": events}
        await services["audit"].add(line(chosen, "database", after=held))
    say(f"Redemptions to be reconciled: {redemptions}. The worker asks Okendo what became of each.")
    say(f"Awards that may have been paid: {awards}. Events that may have been taken: {events}.")
    say("See `awards list`. Nothing of that is paid until a person has looked.")
