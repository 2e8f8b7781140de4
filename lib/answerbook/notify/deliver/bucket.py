"""A token bucket that keeps a worker under its share of the FCM project's quota.

Used by sender.py.
"""

import time
from collections.abc import Callable

BURST = 0.1
"""Seconds of the rate that may be saved up."""
FLOOR = 0.05
"""Of the whole rate; what a standing start and a slowed bucket still allow."""
BETWEEN_SLOWINGS = 1.0
"""Seconds: answers that came together slow it once."""
REGROW = 60.0
"""Seconds from nothing to the whole rate after it was slowed, where no ramp is set."""


class Bucket:
    """Never gives more than `per_minute` tokens × `share` in any 60 seconds of a constant share.

    The rate rises from a standing start to the whole within `ramp` seconds (0: at once), as FCM
    asks; a pause of that length is a standing start again.
    """

    def __init__(
        self, per_minute: int, ramp: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._full = max(per_minute - 1, 0.5) / (60.0 + BURST)
        self._ramp = ramp
        self._clock = clock
        self._share = 1.0
        self._level = 0.0 if ramp else 1.0
        self._tokens = 1.0
        self._at = self._slowed = clock()
        self._slowed -= BETWEEN_SLOWINGS

    @property
    def rate(self) -> float:
        """Tokens a second, now."""
        return self._full * self._share * max(self._level, FLOOR)

    def set_share(self, share: float) -> None:
        """The part of the quota that is this worker's: held partitions / all partitions."""
        self._fill()
        self._share = share

    def take(self) -> bool:
        """One token, if there is one."""
        if self._tokens < 1.0:
            self._fill()
            if self._tokens < 1.0:
                return False
        self._tokens -= 1.0
        return True

    def wait(self) -> float:
        """Seconds until there is a token; for ever is told as a second, too."""
        rate = self.rate
        return min(max(1.0 - self._tokens, 0.0) / rate, 1.0) if rate else 1.0

    def slow(self) -> None:
        """FCM said that it is too much: halve the rate, and let it grow again."""
        now = self._clock()
        if now - self._slowed >= BETWEEN_SLOWINGS:
            self._slowed = now
            self._level = max(self._level / 2, FLOOR)
            self._tokens = min(self._tokens, 1.0)

    def _fill(self) -> None:
        now = self._clock()
        passed, self._at = now - self._at, now
        if self._ramp and passed >= self._ramp:
            self._level = 0.0
        else:
            self._level = min(1.0, self._level + passed / (self._ramp or REGROW))
        rate = self.rate
        self._tokens = min(self._tokens + passed * rate, max(1.0, BURST * rate))
