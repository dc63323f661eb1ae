"""The sandbox's clock, which the control API moves, and a rate limit that goes by it."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time plus what it was advanced by, running `rate` times as fast."""

    def __init__(self) -> None:
        self.rate = 1.0
        self._advanced_seconds = 0.0
        self._rate_since = time.time()

    @property
    def offset_seconds(self) -> float:
        """How far it is ahead of real time."""
        return self._ahead_at(time.time())

    def advance(self, seconds: float) -> None:
        self._advanced_seconds += seconds

    def run_at(self, rate: float) -> None:
        """From now on a second of real time is `rate` seconds here; no moment is left out or comes twice."""
        now = time.time()
        self._advanced_seconds, self._rate_since, self.rate = self._ahead_at(now), now, rate

    def seconds(self) -> float:
        now = time.time()
        return now + self._ahead_at(now)

    def _ahead_at(self, now: float) -> float:
        return self._advanced_seconds + (now - self._rate_since) * (self.rate - 1)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)


class TokenBucket:
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
