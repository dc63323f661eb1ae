"""Traces and logs over OTLP (HTTP, protobuf), for who installs the extra `otel` and sets OTEL_EXPORTER_OTLP_ENDPOINT.

A span has fields of `FIELDS` alone, as a log line has: no address, header, query or body, and no exception's message.
The libraries are imported when they are wanted. https://opentelemetry.io/docs/specs/otlp/
"""

import contextlib
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from threading import Thread
from typing import Any

from bff.telemetry import spans, tracing
from bff.telemetry.logs import FIELDS, LEVELS

NAME = "loyalty-bff"
CLOSE_SECONDS = 2


class OpenTelemetry:
    """Exports in threads of its own, and drops what the collector does not take in time."""

    def __init__(self, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: NAME})
        self._spans = TracerProvider(resource=resource, id_generator=_ids(), shutdown_on_exit=False)
        self._spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
        self._logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{endpoint}/v1/logs")))
        self._tracer = self._spans.get_tracer(NAME)
        self._logger = self._logs.get_logger(NAME)

    @contextlib.contextmanager
    def span(self, kind: spans.Kind) -> Iterator[None]:
        """A request's is a root, whoever called; a call's belongs to what it is made for."""
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind

        kinds = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT}
        with self._tracer.start_as_current_span(
            kind,
            context=Context() if kind == "server" else None,
            kind=kinds[kind],
            record_exception=False,
            set_status_on_exception=False,
        ):
            yield

    def describe(self, name: str, fields: Mapping[str, Any]) -> None:
        """Name the current span, and say how it ended."""
        from opentelemetry.trace import StatusCode, get_current_span

        span = get_current_span()
        span.update_name(name)
        span.set_attributes(_attributes(fields))
        if fields.get("failure") or (fields.get("status") or 0) >= 500:
            span.set_status(StatusCode.ERROR)

    def traceparent(self) -> str | None:
        """That of the current span; None outside of all spans."""
        from opentelemetry.trace import get_current_span

        context = get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def take_line(self, line: Mapping[str, Any]) -> None:
        """Export a log line; its span is the current one."""
        from opentelemetry._logs import SeverityNumber

        level = str(line["level"])
        self._logger.emit(
            timestamp=int(datetime.fromisoformat(line["timestamp"]).timestamp() * 1e9),
            severity_number=SeverityNumber(LEVELS[level]),
            severity_text=level.upper(),
            body=str(line["event"]),
            attributes=_attributes({name: value for name, value in line.items() if name not in WRITTEN}),
        )

    def close(self) -> None:
        """Export what is left, as far as the collector takes it within two seconds."""
        closing = [Thread(target=one.shutdown, daemon=True) for one in (self._spans, self._logs)]
        latest = time.monotonic() + CLOSE_SECONDS
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(max(0.0, latest - time.monotonic()))


# What a log record has a place of its own for.
WRITTEN = frozenset({"event", "level", "timestamp"})


def _attributes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that a log line may have, too, as OpenTelemetry takes them."""
    known = {name: value for name, value in fields.items() if name in FIELDS and value is not None}
    return {name: value if isinstance(value, bool | int | float) else str(value) for name, value in known.items()}


def _ids() -> Any:
    """A trace has the id that our log lines have, where there is one."""
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    class Ids(IdGenerator):
        def generate_trace_id(self) -> int:
            return int(tracing.current() or secrets.token_hex(16), 16)

        def generate_span_id(self) -> int:
            return int.from_bytes(secrets.token_bytes(8)) or 1

    return Ids()
