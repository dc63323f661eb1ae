"""A process that serves or works shows its metrics to the others, if there are any (METRICS_TOKEN)."""

import contextlib
import os
from collections.abc import AsyncIterator
from typing import Literal

from bff.services import Services
from bff.telemetry.exposition import process_name


@contextlib.asynccontextmanager
async def published(services: Services, role: Literal["web", "worker"]) -> AsyncIterator[None]:
    """For as long as this is open. Web processes of one port count together, so they have one name."""
    settings = services["settings"]
    if settings.metrics_token is None:
        yield
        return
    number = settings.port if role == "web" else os.getpid()
    async with services["figures"].published_by(process_name(role, number, os.environ.get("DYNO"))):
        yield
