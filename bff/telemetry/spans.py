"""Spans of requests and of calls to vendors, where something records them; nothing where nothing does."""

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

Kind = Literal["server", "client"]


class Recorder(Protocol):
    """What records spans (`otel`)."""

    def span(self, kind: Kind) -> AbstractContextManager[None]:
        """Begins a request's span, or that of a call to a vendor, which ends with the block."""

    def describe(self, name: str, fields: Mapping[str, Any]) -> None:
        """Names the current span and says how it ended."""

    def traceparent(self) -> str | None:
        """The current span for the vendor's trace; None outside of all spans."""


_recorder: Recorder | None = None


@contextlib.contextmanager
def recorded_by(recorder: Recorder) -> Iterator[None]:
    """Record spans for as long as this is open."""
    global _recorder  # One process records to one place.
    _recorder = recorder
    try:
        yield
    finally:
        _recorder = None


def span(kind: Kind) -> AbstractContextManager[None]:
    return _recorder.span(kind) if _recorder else nullcontext()


def is_recording() -> bool:
    return _recorder is not None


def describe(name: str, fields: Mapping[str, Any]) -> None:
    if _recorder:
        _recorder.describe(name, fields)


def traceparent() -> str | None:
    return _recorder.traceparent() if _recorder else None
