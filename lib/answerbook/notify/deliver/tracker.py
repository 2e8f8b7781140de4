"""Which records of one partition are finished, and so how far may be committed.

Used by worker.py; one Tracker for each topic and partition that is held.
"""

from collections import deque


class Tracker:
    """Records are taken in the order of their offsets and finished in any order."""

    __slots__ = ("_committed", "_early", "_open", "_position")

    def __init__(self) -> None:
        self._open: deque[int] = deque()
        self._early: set[int] = set()
        self._position = self._committed = -1

    def take(self, offset: int) -> None:
        self._open.append(offset)
        self._position = offset + 1

    def finish(self, offset: int) -> None:
        """The record's outcome is in Kafka."""
        waiting = self._open
        if waiting[0] != offset:
            self._early.add(offset)
            return
        waiting.popleft()
        early = self._early
        while waiting and waiting[0] in early:
            early.discard(waiting.popleft())

    @property
    def position(self) -> int:
        """What may be committed: the first offset that is not finished; -1 before any record."""
        return self._open[0] if self._open else self._position

    def advanced(self) -> int | None:
        """`position`, if it has moved since it was asked for last."""
        position = self.position
        if position == self._committed:
            return None
        self._committed = position
        return position
