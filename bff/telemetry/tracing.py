"""Trace context: one trace id for everything that a request causes, here and at the vendors (W3C Trace Context)."""

import re
import secrets
from contextvars import ContextVar

import structlog

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("trace", default=None)


def begin(request_id: str, caller: str | None) -> None:
    """Begin a trace of our own: every log line of this task carries its id and the request's from now on.

    `caller` is the caller's `traceparent`. A valid one is logged as well, and not sent to vendors (G3, M8).
    """
    trace_id = secrets.token_hex(16)
    _current.set(trace_id)
    given = TRACEPARENT.fullmatch(caller or "")
    noted = {"caller_trace_id": given[1]} if given else {}
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=trace_id, **noted)


def traceparent() -> str:
    """The header of a call to a vendor: the current trace, or one for this call alone.

    It is not sampled, since we record no spans.
    """
    return f"00-{_current.get() or secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
