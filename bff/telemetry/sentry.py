"""Errors to Sentry, for who installs the extra `sentry` and sets SENTRY_DSN: each log line of that level, no more.

An event is made here from nothing: the line's fields, the exception's class, and its frames without values. Nothing of
Sentry's own is on that could add to it: no integrations, breadcrumbs, local variables, sessions or traces.
"""

import sys
import traceback
from collections.abc import Mapping
from typing import Any

FLUSH_SECONDS = 2
REPORTED = frozenset({"error", "critical"})
OWN_PLACE = frozenset({"event", "level", "logger", "timestamp"})
# Sentry's own name for a log line's level.
LEVELS = {"error": "error", "critical": "fatal"}


class Sentry:
    def __init__(self, dsn: str, environment: str) -> None:
        import sentry_sdk

        self._client = sentry_sdk.Client(
            dsn=dsn,
            environment=environment,
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
        )

    def take_line(self, line: Mapping[str, Any]) -> None:
        """Report a log line that tells of an error."""
        if line["level"] not in REPORTED:
            return
        error = sys.exc_info()[1]
        tags = {name: str(value) for name, value in line.items() if value is not None and name not in OWN_PLACE}
        self._client.capture_event(
            {
                "level": LEVELS[line["level"]],  # type: ignore[typeddict-item]  # One of its literals.
                "logger": str(line.get("logger", "")),
                "logentry": {"message": str(line["event"]), "params": []},
                "fingerprint": [str(line["event"]), str(line.get("failure", "")), str(line.get("where", ""))],
                "tags": tags,
                **({"exception": {"values": [_exception(error)]}} if error else {}),
            }
        )

    def close(self) -> None:
        self._client.close(timeout=FLUSH_SECONDS)


def _exception(error: BaseException) -> dict[str, Any]:
    frames = [
        {"filename": frame.filename.rpartition("/")[2], "function": frame.name, "lineno": frame.lineno}
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return {"type": type(error).__name__, "value": "", "stacktrace": {"frames": frames}}
