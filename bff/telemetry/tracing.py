"""Trace context: one trace id for everything that a request causes, here and at the vendors (W3C Trace Context)."""

import re
import secrets
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

from bff.telemetry import spans

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("trace", default=None)
_fields: ContextVar[Mapping[str, str]] = ContextVar("fields")
DRAWN_AT_ONCE = 128
_drawn: list[str] = []


def new_id() -> str:
    """A random id of a request or a trace, 32 hexadecimal digits. It is no secret, only unlike all others, so many are
    drawn at once: asking the system for each takes longer than most of what is done with it."""
    try:
        return _drawn.pop()
    except IndexError:
        digits = secrets.token_hex(16 * DRAWN_AT_ONCE)
        _drawn.extend(digits[start : start + 32] for start in range(0, len(digits), 32))
        return secrets.token_hex(16)


def begin(request_id: str, caller: str | None) -> None:
    """Begin a trace of our own: every log line of this task carries its id and the request's from now on.

    `caller` is the caller's `traceparent`. A valid one is logged as well, and not sent to vendors (G3, M8).
    """
    trace_id = new_id()
    _current.set(trace_id)
    fields = {"request_id": request_id, "trace_id": trace_id}
    if caller and (given := TRACEPARENT.fullmatch(caller)):
        fields["caller_trace_id"] = given[1]
    _fields.set(fields)


def add_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The ids of the request that a log line belongs to; none outside of one."""
    for name, value in _fields.get({}).items():
        event.setdefault(name, value)
    return event


def current() -> str | None:
    """The id of the trace of this task, 32 hexadecimal digits."""
    return _current.get()


def traceparent() -> str:
    """The header of a call to a vendor: its span's, or one of the current trace, or one for this call alone.

    It is not sampled where we record no spans.
    """
    unrecorded = f"00-{_current.get() or new_id()}-{secrets.token_hex(8)}-00"
    return spans.traceparent() or unrecorded
