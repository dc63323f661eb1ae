"""One JSON object a line, and only fields that are on the list: what is not named here cannot be logged."""

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
# These libraries mention addresses and headers when asked for detail; they only ever speak of trouble here.
QUIET = ("httpx2", "httpcore2", "aiohttp", "asyncio", "authlib", "uvicorn", "psycopg", "redis", "alembic",
         "procrastinate")  # fmt: skip


def set_up(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log line, ours and the libraries', to `stream` (standard output) as JSON."""
    stream = stream or sys.stdout
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, _only_known_fields, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_message,
            _only_known_fields,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _only_known_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if name in FIELDS}


def _without_message(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's message may quote anything; that it spoke, and who, is what we keep."""
    event["event"] = "library"
    return event
