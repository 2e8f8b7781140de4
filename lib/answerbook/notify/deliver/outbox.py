"""Writes what became of notifications to Kafka, in batches, until Kafka has acknowledged it.

Used by worker.py, on its loop. What Kafka refuses is written again until it is taken: a result is
never given up, and how many there can be is bounded by the worker's window.
"""

import asyncio
from collections.abc import Callable

from answerbook.notify.deliver.tracker import Tracker
from answerbook.notify.kafka import BufferFull, Item, Writer
from answerbook.notify.running import log

GATHER = 0.004
"""Seconds that a batch waits for more."""
LARGE = 500
"""Items that are not waited with."""
AGAIN = 0.5
"""Seconds before what was not taken is written again."""

Finished = tuple[Tracker, int]
"""An offset, and the tracker of its partition."""


class Outbox:
    """`finished` gets what a batch was about when all of it is acknowledged."""

    def __init__(self, writer: Writer, finished: Callable[[list[Finished]], None]) -> None:
        self._writer = writer
        self._finished = finished
        self._loop = asyncio.get_running_loop()
        self._items: list[Item] = []
        self._about: list[Finished] = []
        self._timer: asyncio.TimerHandle | None = None
        self._unacknowledged = 0

    @property
    def idle(self) -> bool:
        """Whether everything is in Kafka."""
        return not self._items and not self._unacknowledged

    def add(self, about: Finished, *items: Item) -> None:
        self._items += items
        self._about.append(about)
        if len(self._items) >= LARGE:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(GATHER, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._items:
            items, about = self._items, self._about
            self._items, self._about = [], []
            self._unacknowledged += 1
            self._write(items, about)

    def _write(self, items: list[Item], about: list[Finished]) -> None:
        def done(error: Exception | None) -> None:
            try:
                self._loop.call_soon_threadsafe(self._done, items, about, error)
            except RuntimeError:  # the loop has ended before a late acknowledgement
                return

        try:
            self._writer.send(items, done)
        except BufferFull:
            self._loop.call_later(AGAIN, self._write, items, about)

    def _done(self, items: list[Item], about: list[Finished], error: Exception | None) -> None:
        if error is None:
            self._unacknowledged -= 1
            self._finished(about)
        else:
            log().warning("Kafka did not take results; again", error=str(error), count=len(items))
            self._loop.call_later(AGAIN, self._write, items, about)
