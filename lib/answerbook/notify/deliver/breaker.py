"""Stops sending while FCM as a whole does not answer, and finds out when it does again.

Used by sender.py. Without it an outage would burn the attempts of everything that waits.
"""

import random
import time
from collections.abc import Callable
from typing import Final

FAILURES: Final = 20
"""In a row, of sends that speak of the service (`Rule.outage`)."""
REFUSALS: Final = 5
"""In a row, of connections."""
FIRST_WAIT, LONGEST_WAIT = 0.25, 4.0
"""Seconds between two probes."""


class Breaker:
    """Closed: all may be sent. Open: nothing but one probe at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._refusals = 0
        self._wait = FIRST_WAIT
        self._next = 0.0
        self.open = False
        self.probing = False
        """A probe is under way."""
        self.reason = ""

    def succeeded(self) -> bool:
        """FCM answered. Whether this closed the breaker."""
        self._failures = self._refusals = 0
        self.probing = False
        if not self.open:
            return False
        self.open = False
        self._wait = FIRST_WAIT
        return True

    def failed(self, reason: str) -> bool:
        """A send failed for the service's sake. Whether this opened the breaker."""
        self._failures += 1
        return self._open(reason, self._failures >= FAILURES)

    def refused(self, reason: str) -> bool:
        """No connection. Whether this opened the breaker."""
        self._refusals += 1
        return self._open(reason, self._refusals >= REFUSALS)

    def connected(self) -> None:
        """A connection was made, which says nothing of answers yet."""
        self._refusals = 0

    def may_send(self) -> bool:
        """Whether a send, or a connection, may be tried now."""
        return not self.open or (not self.probing and self._clock() >= self._next)

    def sending(self) -> None:
        """A send is under way: if the breaker is open, it is the probe."""
        self.probing = self.open

    def _open(self, reason: str, enough: bool) -> bool:
        self.reason = reason
        if not self.open and enough:
            self.open = True
            self._wait = FIRST_WAIT
        elif not self.open or not (self.probing or self._clock() >= self._next):
            return False  # below the threshold, or one that was under way when it opened
        else:
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            enough = False
        self.probing = False
        self._next = self._clock() + self._wait * random.uniform(0.5, 1.0)
        return enough
