"""Faults that a test asks for, for the next calls of one operation, and the queue they wait in.

`delay` waits before the work is done (a vendor that is slow to act), `delay_after` between the work and the reply.
`cut_before` closes the connection with nothing done, `cut_after` with everything done.
`garbage`, `html` and `huge` do the work and then answer nonsense, `empty` an object with nothing in it; `set_cookie`
adds a cookie to the genuine answer.
`status:N` and `redirect` answer without doing anything, `status_page:N` with the web page of a CDN in front of the
vendor; `status_after:N` does the work and answers as if it had not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeGuard

from bff.sandbox.json import Json, JsonObject

KINDS = (
    "delay", "delay_after", "cut_before", "cut_after", "empty", "garbage", "html", "huge", "redirect", "set_cookie",
    "status", "status_after", "status_page",
)  # fmt: skip
# So long a delay takes where nobody says how long.
DELAY_SECONDS = 3


class BadCommand(ValueError):
    """The control API was asked for something that does not exist; the message names it and the remedy."""


@dataclass
class Fault:
    operation: str
    kind: str
    times: int = 1
    seconds: float = 0.0
    status: int = 0
    retry_after: int | None = None


class Faults:
    """One queue for all operations: a call takes the oldest fault left for its operation, and only that one."""

    def __init__(self) -> None:
        self._queue: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._queue.append(fault)

    def clear(self) -> None:
        self._queue.clear()

    def take(self, operation: str) -> Fault | None:
        for fault in self._queue:
            if fault.operation == operation:
                fault.times -= 1
                if fault.times == 0:
                    self._queue.remove(fault)
                return fault
        return None

    def waiting(self) -> list[JsonObject]:
        return [{"operation": fault.operation, "kind": fault.kind, "times": fault.times} for fault in self._queue]


def read_fault(body: JsonObject, operations: Sequence[str]) -> Fault:
    """The fault that a control call asks for: `{"operation", "kind", "times"?, "seconds"?, "retryAfter"?}`."""
    operation, times = body.get("operation"), body.get("times", 1)
    seconds = body.get("seconds", DELAY_SECONDS)
    if not isinstance(operation, str) or operation not in operations:
        raise BadCommand(f"unknown operation {operation!r}; one of {', '.join(operations)}")
    if not _whole(times) or times < 1:
        raise BadCommand("times must be a whole number from 1")
    kind, status = _kind(body.get("kind"))
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | Decimal) or not 0 <= seconds <= 600:
        raise BadCommand("seconds must be a number from 0 to 600")
    retry_after = body.get("retryAfter")
    return Fault(operation, kind, times, float(seconds), status, retry_after if _whole(retry_after) else None)


def _whole(value: Json) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _kind(word: Json) -> tuple[str, int]:
    """`status:500` is the kind `status` with its number; the other kinds have none."""
    kind, _, number = str(word).partition(":")
    known = kind in KINDS and kind.startswith("status") == bool(number)
    if known and not number:
        return kind, 0
    if known and number.isascii() and number.isdigit() and 400 <= int(number) <= 599:
        return kind, int(number)
    raise BadCommand(f"unknown kind {word!r}; one of {', '.join(KINDS)}, with status… as status:400 to status:599")
