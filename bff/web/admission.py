"""How many requests this process works on at once, so that those it takes are answered soon (checklist K8)."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

import structlog

from bff.errors import Overloaded
from bff.telemetry import metrics

# So many are always taken; if each computes for three milliseconds, the last of them waits for a third of a second.
FEW = 100
BEAT_SECONDS = 0.025
# A loop that comes to its beat so late is busy computing; waiting for vendors and stores makes it no later.
LATE_SECONDS = 0.02
# How many more than are under way may come until the next beat while the loop is on time, and which part stays if not.
ROOM = 32
KEPT = 0.9
LOG_SECONDS = 10
log = structlog.get_logger("admission")


class Admission:
    """The requests under way, and the bound to them, which moves with the event loop's lateness between FEW and `most`.

    A vendor that is slow leaves the loop idle, so the bound rises and nobody is refused because of it; a processor
    that has too much to do makes the loop late, so the bound falls.
    """

    def __init__(self, most: int) -> None:
        self.under_way = 0
        self._handed_over = 0
        self._most = most
        self._bound = min(FEW, most)
        self._beating = False
        self._quiet_until = 0.0

    def is_full(self) -> bool:
        return self.under_way >= self._bound

    def will_be_full(self) -> bool:
        """Also counting what the server has handed over and what has not begun yet: a burst comes before any of it."""
        return self.under_way + self._handed_over >= self._bound

    def hand_over(self) -> None:
        """The server hands a request over, which begins in the next pass of the event loop."""
        self._handed_over += 1

    def begin(self) -> None:
        """A request begins, be it taken or refused."""
        self._handed_over = max(0, self._handed_over - 1)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Count a request as under way."""
        self.under_way += 1
        metrics.count_in_flight(+1)
        if not self._beating:
            self._beating = True
            self._expect_beat()
        try:
            yield
        finally:
            self.under_way -= 1
            metrics.count_in_flight(-1)

    def refusal(self) -> Overloaded:
        """Count a request that is refused, and say so to it; the log has a line every ten seconds at most."""
        metrics.count_refused("requests")
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + LOG_SECONDS
            log.warning("overloaded", reason="requests")
        return Overloaded()

    def _expect_beat(self) -> None:
        asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat, time.monotonic() + BEAT_SECONDS)

    def _beat(self, due: float) -> None:
        is_late = time.monotonic() - due > LATE_SECONDS
        wanted = int(self.under_way * KEPT) if is_late else self.under_way + ROOM
        self._bound = min(max(wanted, FEW), self._most)
        self._beating = self.under_way > 0
        if self._beating:
            self._expect_beat()
