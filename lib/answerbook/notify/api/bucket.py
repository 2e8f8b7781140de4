"""A key's rate: a token bucket that holds one token for each event."""

import math
import time

LARGEST_BATCH = 1_000


class Bucket:
    """Fills with `rate` tokens a second up to `burst`, which is never less than a whole batch."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: int, now: float | None = None) -> None:
        self._at = time.monotonic() if now is None else now
        self.rate = rate
        self.burst = max(rate, LARGEST_BATCH)
        self._tokens = float(self.burst)

    def take(self, events: int, now: float | None = None) -> float:
        """Take a token for each event, or none; the seconds until there are enough, 0 if taken."""
        wait = self.wait(events, now)
        if wait == 0:
            self._tokens -= events
        return wait

    def wait(self, events: int, now: float | None = None) -> float:
        """The seconds until there are tokens for so many events."""
        self._fill(time.monotonic() if now is None else now)
        return max(0.0, (min(events, self.burst) - self._tokens) / self.rate)

    def give_back(self, events: int) -> None:
        """For events that were not taken after all."""
        self._tokens = min(self.burst, self._tokens + events)

    def set_rate(self, rate: int) -> None:
        """Go on with another rate; what was used up stays so."""
        self.rate = rate
        self.burst = max(rate, LARGEST_BATCH)
        self._tokens = min(self._tokens, self.burst)

    @property
    def remaining(self) -> int:
        """Whole tokens, as of the last `take`."""
        return int(self._tokens)

    @property
    def full_in(self) -> int:
        """Seconds until the bucket is full, rounded up."""
        return math.ceil((self.burst - self._tokens) / self.rate)

    def _fill(self, now: float) -> None:
        self._tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = now
