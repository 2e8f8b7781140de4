"""How many notifications are taken from Kafka and not finished: shared by two threads.

intake.py's thread takes, worker.py's loop releases. Each number has one writer, so that no lock is
needed on the hot path.
"""

from threading import Event


class Room:
    """`most` notifications at once; the last fifth is for high priority alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._for_all = max(most * 4 // 5, 1)
        self._taken = 0
        self._released = 0
        self._wanted = False
        self._freed = Event()
        self.high = 0
        """How many wait in the worker's lanes, of each priority."""
        self.normal = 0

    @property
    def held(self) -> int:
        return self._taken - self._released

    def for_all(self) -> int:
        """How many may be taken of any kind."""
        return self._for_all - self.held

    def for_high(self) -> int:
        return self._most - self.held

    def half_free(self) -> bool:
        return self.held < self._for_all // 2 or self.held == 0

    def crowded(self) -> bool:
        """High ones queue up, while normal ones are there for their share of the sends."""
        return self.high > self._most // 4 and self.normal > 0

    def take(self, count: int) -> None:
        self._taken += count

    def release(self, count: int) -> None:
        self._released += count
        if self._wanted and self._quarter_free():
            self._freed.set()

    def wait(self, timeout: float) -> bool:
        """Until a quarter is free; whether it is, after at most `timeout` seconds."""
        self._freed.clear()
        self._wanted = True
        try:
            return self._quarter_free() or self._freed.wait(timeout)
        finally:
            self._wanted = False

    def _quarter_free(self) -> bool:
        return self.for_all() >= max(self._for_all // 4, 1)
