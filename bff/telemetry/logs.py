"""Logs: one JSON object a line, with fields of `FIELDS` only. What is not named there cannot be logged."""

import asyncio
import contextlib
import functools
import io
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
import structlog

from bff.telemetry.causes import cause as cause
from bff.telemetry.causes import origin
from bff.telemetry.tracing import add_fields

# Everything that may appear in a log line. No address, e-mail, token, cookie, query or body has a name here (M4).
FIELDS = frozenset(
    {"event", "level", "logger", "timestamp", "request_id", "method", "route", "status", "ms", "code", "reason",
     "vendor", "operation", "failure", "tries", "state", "reference", "who", "what",
     "invalid_client", "where", "cause", "seconds_ahead", "trace_id",
     "caller_trace_id", "calls", "session_ms", "store_ms", "vendor_ms",
     "render_ms", "sqlstate", "awards", "rows"}
)  # fmt: skip
# At lower levels these libraries log addresses and headers, so they log warnings and errors only.
WARNINGS_ONLY = ("httpx2", "httpcore2", "asyncio", "authlib", "uvicorn", "psycopg", "redis", "alembic",
         "procrastinate")  # fmt: skip

_encode = msgspec.json.Encoder(enc_hook=lambda value: type(value).__name__).encode
# The first steps of every line, whoever writes it.
SHARED: tuple[structlog.types.Processor, ...] = (
    add_fields,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


# Severity numbers of OpenTelemetry's log data model.
LEVELS = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
# These carry lines away, so that their own lines are only written.
EXPORTERS = ("opentelemetry", "sentry_sdk", "urllib3", "requests")
_copies: list[Callable[[Mapping[str, Any]], None]] = []


@contextlib.contextmanager
def copied_to(take: Callable[[Mapping[str, Any]], None]) -> Iterator[None]:
    """Hand every line that is written to this, too, for as long as this is open."""
    _copies.append(take)
    try:
        yield
    finally:
        _copies.remove(take)


def _copy(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if _copies and not str(event.get("logger", "")).startswith(EXPORTERS):
        for take in _copies:
            take(dict(event))
    return event


class _Written:
    """Where lines go, and from which level on (of `logging`); `flushed_by` is the event loop that flushes them next."""

    stream: TextIO = sys.stdout
    least: int = logging.INFO
    flushed_by: asyncio.AbstractEventLoop | None = None


class QuickLogger:
    """Writes the same lines as structlog's loggers, for the one that each request has: in a third of the time, since it
    goes through no chain of processors."""

    def log(self, level: int, event: str, **fields: Any) -> None:
        if level < _Written.least:
            return
        known = {name: value for name, value in fields.items() if name in FIELDS} | {"event": event}
        line = add_fields(None, event, known)
        line["level"] = logging.getLevelName(level).lower()
        line["timestamp"] = _now()
        _write(_json(_copy(None, event, line)) + "\n")


class PreparedLine:
    """A request's line that is written often and differs only in ids, of letters, digits and hyphens, and in numbers:
    all else of it is encoded once."""

    def __init__(self, level: int, event: str, fields: Mapping[str, Any]) -> None:
        self._level, self._event, self._fields = level, event, fields
        known = {name: value for name, value in fields.items() if name in FIELDS}
        self._rest = _json(known | {"event": event, "level": logging.getLevelName(level).lower()})[1:]

    def write(self, request_id: str, trace_id: str, ms: float) -> None:
        if _copies:
            own = {"request_id": request_id, "trace_id": trace_id, "ms": ms}
            QuickLogger().log(self._level, self._event, **{**self._fields, **own})
        elif self._level >= _Written.least:
            ids = f'"request_id":"{request_id}","trace_id":"{trace_id}"'
            _write(f'{{{ids},"ms":{ms},"timestamp":"{_now()}",{self._rest}\n')


def _write(line: str) -> None:
    """Write a request's line. Those of one turn of the event loop are handed to the system together: a call for each
    costs more than all else about the line."""
    _Written.stream.write(line)
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        _Written.stream.flush()
        return
    if _Written.flushed_by is not loop:
        _Written.flushed_by = loop
        loop.call_soon(_flush)


def _flush() -> None:
    _Written.flushed_by = None
    _Written.stream.flush()


def _now() -> str:
    """The time in UTC (ISO 8601), as structlog writes it."""
    second, fraction = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{_second(second)}.{fraction:06}Z"


@functools.lru_cache(1)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def set_up(level: str = "info", stream: TextIO | None = None) -> None:
    """Write every log line, ours and the libraries', to `stream` (standard output by default) as JSON."""
    if stream is None:
        stream = sys.stdout
        if isinstance(stream, io.TextIOWrapper):
            # PYTHONUNBUFFERED would hand each line to the system by itself. All are flushed here.
            stream.reconfigure(write_through=False)
    _Written.stream, _Written.least = stream, logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*SHARED, _only_known_fields, _copy, structlog.processors.JSONRenderer(_json)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    _set_up_libraries(stream)


def _set_up_libraries(stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name, _add_cause],
        pass_foreign_args=True,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_message,
            _only_known_fields,
            _copy,
            structlog.processors.JSONRenderer(_json),
        ],
    )
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in WARNINGS_ONLY:
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.showwarning = _log_warning


def _log_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """A library's warning (PEP 565), of which the class alone is told, as of an exception."""
    warning = message if isinstance(message, Warning) else category(message)
    logging.getLogger("py.warnings").warning("%s", warning)


def _json(event: Any, **_: Any) -> str:
    """One line; a value that JSON has no form for is named by its type, and half of a surrogate pair is escaped."""
    try:
        return _encode(event).decode()
    except UnicodeEncodeError:
        return json.dumps(event)


def _only_known_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in event.items() if name in FIELDS}


def _add_cause(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The class of the exception that a library writes about, and where it came from: names, no values."""
    raised, given = event["_record"].exc_info, event.get("positional_args") or ()
    found = (
        [raised[1]] if raised and raised[1] else [argument for argument in given if isinstance(argument, BaseException)]
    )
    event.update(origin(found[0]) if found else {})
    return event


def _without_message(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop a library's message, which may quote anything; its level and logger stay."""
    event["event"] = "library"
    return event
