"""How many requests of the fast sender may be under way, and when: by what the API's answers say.

It looks for the most that the system takes, as TCP does: a little more after each answer that went
well, half after one that did not, and nothing at all while the API asked for a pause.
"""

import asyncio
import time
from contextlib import suppress

FIRST = 2.0


class Pace:
    """Admits requests: `if await start(): …`, and then `answered(...)` once. For one event loop."""

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._limit = min(FIRST, self._most)
        self._under_way = 0
        self._not_before = 0.0
        self._closed = False
        self._changed = asyncio.Event()

    @property
    def limit(self) -> int:
        return int(self._limit)

    @property
    def under_way(self) -> int:
        return self._under_way

    async def start(self) -> bool:
        """Wait until one more request may begin; False where none may any more."""
        while not self._closed:
            wait = self._not_before - time.monotonic()
            if wait <= 0 and self._under_way < self.limit:
                self._under_way += 1
                return True
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait if wait > 0 else None)
        return False

    def close(self) -> None:
        """Admit no more: whoever waits gets False."""
        self._closed = True
        self._changed.set()

    def answered(self, well: bool, pause: float = 0.0) -> None:
        """One has ended; where it did not go well, nobody begins for `pause` seconds."""
        self._under_way -= 1
        if well:
            self._limit = min(self._most, self._limit + 1 / self._limit)
        else:
            self._limit = max(1.0, self._limit / 2)
            self._not_before = max(self._not_before, time.monotonic() + pause)
        self._changed.set()
