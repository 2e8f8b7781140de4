"""FCM's quota: so many messages a minute for each project.

As FCM documents it, the bucket is full at the start of a window of one minute, which is not that of
the clock, and full again at its end; client errors count, answers 429 do not.
"""

import time
from collections.abc import Callable
from typing import Final

WINDOW: Final = 60.0
"""Seconds."""
MOST_PROJECTS: Final = 1_000


class Quota:
    """A bucket for each project; `per_minute` 0: without a limit."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._now = now
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, project: str) -> bool:
        """Whether a message of the project is within its quota; if so, it is counted."""
        if not self.per_minute:
            return True
        now = self._now()
        ends, left = self._windows.get(project, (0.0, 0))
        if now >= ends:
            if len(self._windows) >= MOST_PROJECTS:
                self._windows.clear()
            ends, left = now + WINDOW, self.per_minute
        if not left:
            return False
        self._windows[project] = (ends, left - 1)
        return True

    def left(self, project: str) -> int | None:
        """Messages that may still be sent in this window; None without a limit."""
        if not self.per_minute:
            return None
        ends, left = self._windows.get(project, (0.0, 0))
        return left if self._now() < ends else self.per_minute

    def reset(self) -> None:
        self._windows.clear()
