"""A process says that it is alive, and warns once when the stores give fewer connections than are wanted."""

import asyncio
import contextlib
import functools
import hashlib
import os
import secrets
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from bff.errors import Problem
from bff.ops.fitting import warn_of_too_many
from bff.services import Services
from bff.stores.presence import ALIVE_SECONDS, Kind, Process

SAY_AGAIN_SECONDS = ALIVE_SECONDS / 3
CODE = Path(__file__).resolve().parents[1]


@contextlib.asynccontextmanager
async def present(services: Services, kind: Kind) -> AsyncIterator[None]:
    """Say so in here every twenty seconds. Whatever fails at it is left out: nobody is served by it."""
    identity = secrets.token_hex(8)
    speaking = asyncio.create_task(_speak(services, identity, this_process(services, kind)))
    try:
        yield
    finally:
        speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await speaking
        with contextlib.suppress(Problem):
            await services["presence"].withdraw(identity)


def this_process(services: Services, kind: Kind) -> Process:
    """On Heroku its name is the dyno's, such as web.1; elsewhere the host's, which is the container's or machine's."""
    settings = services["settings"]
    return Process(
        name=f"{os.environ.get('DYNO') or socket.gethostname()}/{os.getpid()}",
        kind=kind,
        code=fingerprint_of_code(),
        keys=services["keys"].ids(),
        postgresql=settings.database.connections,
        valkey=settings.valkey.connections,
    )


@functools.cache
def fingerprint_of_code() -> str:
    """By which two versions of this service are told apart: 8 hex digits over all its modules."""
    digest = hashlib.sha256()
    for path in sorted(CODE.rglob("*.py")):
        digest.update(str(path.relative_to(CODE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]


async def _speak(services: Services, identity: str, process: Process) -> None:
    has_warned = False
    while True:
        with contextlib.suppress(Problem):
            await services["presence"].publish(identity, process)
            if not has_warned:
                await warn_of_too_many(services)
                has_warned = True
        await asyncio.sleep(SAY_AGAIN_SECONDS)
