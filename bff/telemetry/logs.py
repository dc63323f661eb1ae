"""Logs: one JSON object a line, with fields of `FIELDS` only. What is not named there cannot be logged."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

# Everything that may appear in a log line. No address, e-mail, token, cookie, query or body has a name here (M4).
FIELDS = frozenset(
    {"event", "level", "logger", "timestamp", "request_id", "method", "route", "status", "ms", "code", "reason",
     "vendor", "operation", "failure", "tries", "state", "reference", "who", "what", "port", "workers",
     "invalid_client", "where", "trace_id", "caller_trace_id", "calls", "session_ms", "store_ms", "vendor_ms",
     "render_ms"}
)  # fmt: skip
# At lower levels these libraries log addresses and headers, so they log warnings and errors only.
WARNINGS_ONLY = ("httpx2", "httpcore2", "aiohttp", "asyncio", "authlib", "uvicorn", "psycopg", "redis", "alembic",
         "procrastinate")  # fmt: skip

# The first steps of every line, whoever writes it.
SHARED: tuple[structlog.types.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def set_up(level: str = "info", stream: TextIO | None = None) -> None:
    """Write every log line, ours and the libraries', to `stream` (standard output by default) as JSON."""
    stream = stream or sys.stdout
    structlog.configure(
        processors=[*SHARED, _only_known_fields, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    _set_up_libraries(stream)


def _set_up_libraries(stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_message,
            _only_known_fields,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in WARNINGS_ONLY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _only_known_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if name in FIELDS}


def _without_message(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop a library's message, which may quote anything; its level and logger stay."""
    event["event"] = "library"
    return event
