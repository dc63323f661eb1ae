"""Metrics for Prometheus. Only our own code chooses labels: route templates, operations, codes.

Processes that serve side by side count in files of `PROMETHEUS_MULTIPROC_DIR`, which `serve` sets before they start.
"""

import functools
import os
from pathlib import Path
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)

from bff.errors import CODES

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# When each counter began is told by the process's own start, and would double the number of series.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types
_registry = CollectorRegistry()
_requests = Histogram(
    "loyalty_request_seconds",
    "Requests by route template, method and status.",
    ("route", "method", "status"),
    registry=_registry,
    buckets=BUCKETS,
)
_problems = Counter("loyalty_problems", "Problems that were answered, by code.", ("code",), registry=_registry)
_calls = Histogram(
    "loyalty_vendor_call_seconds",
    "Calls to vendors by operation and outcome: a status, or what went wrong.",
    ("vendor", "operation", "outcome"),
    registry=_registry,
    buckets=BUCKETS,
)
_unreadable = Counter(
    "loyalty_unreadable_replies",
    "Answers of vendors, by operation, that lack what we cannot do without: a field may have been renamed.",
    ("vendor", "operation"),
    registry=_registry,
)
_redemptions = Counter(
    "loyalty_redemptions", "Redemptions whose outcome this process recorded.", ("state",), registry=_registry
)
_refused = Counter(
    "loyalty_requests_refused",
    "Requests that were refused because of too much load, by what there was too little of.",
    ("reason",),
    registry=_registry,
)
_stores = Counter(
    "loyalty_store_unavailable", "Uses of a store that failed because it was away.", ("store",), registry=_registry
)
_sign_ins = Counter(
    "loyalty_sign_ins",
    "Sign-ins by what became of them: signed_in, not_completed (by the shopper), unverified (what Shopify signed does "
    "not hold here), or unavailable (a vendor or a store).",
    ("outcome",),
    registry=_registry,
)
_connections = Gauge(
    "loyalty_store_connections_in_use",
    "Connections to a store that were in use when it was last looked, every ten seconds.",
    ("store",),
    registry=_registry,
    multiprocess_mode="liveall",
)
_connections_limit = Gauge(
    "loyalty_store_connections_limit",
    "How many connections to a store a process may have.",
    ("store",),
    registry=_registry,
    multiprocess_mode="liveall",
)
_in_flight = Gauge("loyalty_requests_in_flight", "Requests under way.", registry=_registry, multiprocess_mode="livesum")


# A counter that begins with its first event has not increased by it, so no rule about its rate would notice.
for _counter, _known in (
    (_problems, CODES),
    (_redemptions, ("succeeded", "failed", "unknown")),
    (_refused, ("requests", "valkey", "postgresql")),
    (_stores, ("valkey", "postgresql")),
    (_sign_ins, ("signed_in", "not_completed", "unverified", "unavailable")),
):
    for _value in _known:
        _counter.labels(_value)


def observe_request(route: str | None, method: str, status: int, seconds: float, code: str | None) -> None:
    """Count a request. `route` is a template, never a path, and None for an address that does not exist."""
    method = method if method in METHODS else "other"
    _requests_of(route or "none", method, status).observe(seconds)
    if code is not None:
        _problems_of(code).inc()


@functools.cache
def _requests_of(route: str, method: str, status: int) -> Histogram:
    """Kept, since looking a series up takes longer than counting; there are as many as series."""
    return _requests.labels(route, method, str(status))


@functools.cache
def _problems_of(code: str) -> Counter:
    return _problems.labels(code)


def observe_call(vendor: str, operation: str, outcome: str, seconds: float) -> None:
    """Count a call to a vendor; `outcome` is a status, or what went wrong."""
    _calls_of(vendor, operation, outcome).observe(seconds)


@functools.cache
def _calls_of(vendor: str, operation: str, outcome: str) -> Histogram:
    return _calls.labels(vendor, operation, outcome)


def count_unreadable(vendor: str, operation: str) -> None:
    """Count an answer that came and could not be read."""
    _unreadable.labels(vendor, operation).inc()


def count_redemption(state: str) -> None:
    """Count a redemption that ended in this state."""
    _redemptions.labels(state).inc()


def count_refused(reason: Literal["requests", "valkey", "postgresql"]) -> None:
    """Count a request that could not be taken, or not gone on with, because there were too many others."""
    _refused.labels(reason).inc()


def count_store_unavailable(store: Literal["valkey", "postgresql"]) -> None:
    """Count a use of a store that could not do it."""
    _stores.labels(store).inc()


def count_sign_in(outcome: Literal["signed_in", "not_completed", "unverified", "unavailable"]) -> None:
    """Count a sign-in that came to an end, good or bad."""
    _sign_ins.labels(outcome).inc()


def observe_connections(store: Literal["valkey", "postgresql"], in_use: int, limit: int) -> None:
    """How many connections of this process to a store are in use now, and may be."""
    _connections.labels(store).set(in_use)
    _connections_limit.labels(store).set(limit)


def count_in_flight(change: int) -> None:
    """A request has begun (+1) or ended (-1)."""
    _in_flight.inc(change)


def exposition() -> bytes:
    """The metrics of all web processes that were started together, in Prometheus's text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(_registry)
    _forget_ended_processes(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
    of_all_processes = CollectorRegistry()
    multiprocess.MultiProcessCollector(of_all_processes)  # type: ignore[no-untyped-call]  # the library has no types
    return generate_latest(of_all_processes)


def _forget_ended_processes(folder: Path) -> None:
    """What a process that was killed had under way is not under way any more."""
    for file in folder.glob("gauge_live*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]  # the library has no types
