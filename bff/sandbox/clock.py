"""The sandbox's clock, which the control API moves, and a request allowance that refills by it."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time plus what it was advanced by."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def advance(self, seconds: float) -> None:
        self.offset_seconds += seconds

    def seconds(self) -> float:
        return time.time() + self.offset_seconds

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)


class Allowance:
    """A token bucket: `burst` calls at once, then `per_second`."""

    def __init__(self, clock: Clock, per_second: float, burst: int) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._left = float(burst)
        self._counted_at = clock.seconds()

    def take(self) -> bool:
        """Use one call; False when none is left."""
        now = self._clock.seconds()
        self._left = min(self._burst, self._left + max(0.0, now - self._counted_at) * self._per_second)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def iso(moment: datetime) -> str:
    """`2026-08-07T12:00:00.000Z`, as Okendo's webhook examples print times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
