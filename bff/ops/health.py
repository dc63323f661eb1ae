"""Liveness, readiness and metrics of this process, for platforms and Prometheus."""

import asyncio
import hmac

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bff.errors import Problem
from bff.stores.database import Database
from bff.stores.figures import Figures
from bff.telemetry import metrics
from bff.web.repeatable import REPEATABLE
from bff.web.state import WebState


class HealthState(WebState):
    database: Database
    figures: Figures


async def healthz(request: Request[HealthState]) -> Response:
    """Liveness: asks neither stores nor vendors, so that their outage never restarts a healthy process."""
    request.scope["repeatable"] = REPEATABLE
    return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})


async def readyz(request: Request[HealthState]) -> Response:
    """Readiness: both stores answer. The body never says which one does not."""
    ready = await asyncio.gather(request.state["sessions"].ping(), request.state["database"].ping())
    return PlainTextResponse("ok\n" if all(ready) else "not ready\n", 200 if all(ready) else 503)


async def show_metrics(request: Request[HealthState]) -> Response:
    """The metrics of all processes, for Prometheus.

    Raises Problem `not_found` without METRICS_TOKEN, and for any other token.
    """
    expected = request.state["settings"].metrics_token
    given = request.headers.get("authorization", "")
    if expected is None or not hmac.compare_digest(given.encode(), f"Bearer {expected}".encode()):
        raise Problem("not_found", "There is nothing at this address.")
    text = await request.state["figures"].text()
    return Response(text, headers={"content-type": metrics.CONTENT_TYPE, "cache-control": "no-store"})
