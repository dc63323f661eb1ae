"""Writes that a failover may not take back.

Replication is asynchronous: a replica that becomes the primary may lack what the old one had just answered to. So where
there are replicas, an answer is given only when one of them has the write, or after a tenth of a second.
https://valkey.io/commands/wait/
"""

from typing import Any

import structlog
from redis.asyncio import Redis

LONGEST_MILLISECONDS = 100
PRIMARY = b"master"
log = structlog.get_logger("stores")


async def write_to_replica(valkey: Redis, *command: str | float) -> None:
    """Carry out a write that may be repeated; without replicas that is one question to Valkey, else two.

    Raises redis-py's errors. When no replica says in time that it has it, the write stands, and the log says so.
    """
    done, role = await _ask(valkey, command, ("ROLE",))
    if isinstance(done, Exception):
        raise done
    if not _has_replicas(role):
        return
    # Repeated, since Valkey waits for what its own connection wrote.
    done, confirmed = await _ask(valkey, command, ("WAIT", 1, LONGEST_MILLISECONDS))
    if isinstance(done, Exception):
        raise done
    if not isinstance(confirmed, int) or confirmed < 1:
        log.warning("replica_late")


async def _ask(valkey: Redis, *commands: tuple[str | float, ...]) -> list[Any]:
    async with valkey.pipeline(transaction=False) as pipe:
        for command in commands:
            pipe.execute_command(*command)
        return await pipe.execute(raise_on_error=False)


def _has_replicas(role: Any) -> bool:
    """By Valkey's answer to ROLE; False as well where the provider does not allow to ask."""
    return isinstance(role, list) and role[0] == PRIMARY and bool(role[2])
