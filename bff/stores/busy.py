"""A store that cannot do what is asked: it is away, or all connections to it are in use, which is load and no outage.
Either is counted and logged under the store's name."""

from typing import Literal

import structlog

from bff.errors import Overloaded, Problem
from bff.telemetry import metrics
from bff.telemetry.causes import cause

Store = Literal["valkey", "postgresql"]
log = structlog.get_logger("stores")


def note_failure(store: Store, error: BaseException) -> None:
    """Count and log a use of the store that failed."""
    metrics.count_store_unavailable(store)
    log.warning("store_unavailable", what=store, **cause(error))


def unavailable(store: Store, error: BaseException, sentence: str) -> Problem:
    """The same, and the shopper is told this sentence."""
    note_failure(store, error)
    return Problem("store_unavailable", sentence, retry_after_seconds=5)


def pool_busy(store: Store) -> Overloaded:
    """Count a request that has waited too long for one of the store's connections, and say so to it."""
    metrics.count_refused(store)
    log.warning("store_busy", what=store)
    return Overloaded()
