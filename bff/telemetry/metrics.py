"""Metrics for Prometheus. Only our own code chooses labels: route templates, operations, codes.

Processes that serve side by side count in files of `PROMETHEUS_MULTIPROC_DIR`, which `serve` sets before they start.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
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
_redemptions = Counter(
    "loyalty_redemptions", "Redemptions whose outcome this process recorded.", ("state",), registry=_registry
)


def observe_request(route: str | None, method: str, status: int, seconds: float, code: str | None) -> None:
    """Count a request. `route` is a template, never a path, and None for an address that does not exist."""
    method = method if method in METHODS else "other"
    _requests.labels(route or "none", method, str(status)).observe(seconds)
    if code is not None:
        _problems.labels(code).inc()


def observe_call(vendor: str, operation: str, outcome: str, seconds: float) -> None:
    """Count a call to a vendor; `outcome` is a status, or what went wrong."""
    _calls.labels(vendor, operation, outcome).observe(seconds)


def count_redemption(state: str) -> None:
    """Count a redemption that ended in this state."""
    _redemptions.labels(state).inc()


def exposition() -> bytes:
    """The metrics of all web processes that were started together, in Prometheus's text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(_registry)
    of_all_processes = CollectorRegistry()
    multiprocess.MultiProcessCollector(of_all_processes)  # type: ignore[no-untyped-call]  # the library has no types
    return generate_latest(of_all_processes)
