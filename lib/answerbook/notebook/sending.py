"""Numbered records that are sent without a pause, and when each of them was acknowledged.

For notebook 1_5_kafka, which kills brokers meanwhile. What counts as accepted is what the sender
was told, never what the log turns out to hold.
"""

from __future__ import annotations

import time
from collections import Counter
from itertools import count, pairwise
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from answerbook.notebook.waiting import progress, wait_for

if TYPE_CHECKING:
    from kafka import KafkaProducer

PAUSE_SECONDS = 0.001
WAIT_SECONDS = 60.0
"""A broker's death is a pause of some ten seconds; on a busy machine, of more."""
STOP_SECONDS = 30.0
CLOSE_SECONDS = 5.0
PER_SECOND = 4
"""Columns of `rate` for each second."""


class Sending:
    """From a thread, 0, 1, 2, … to a topic: somewhat under a thousand a second, until stopped."""

    def __init__(self, producer: KafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._stopped = Event()
        self._began = time.perf_counter()
        self.acknowledged: dict[int, float] = {}
        """Each number that was acknowledged, and when, in seconds since the first was sent."""
        self.failed: dict[int, Exception] = {}
        """Each number that the producer gave up on, and why: it may be in the log, or not."""
        self.sent = 0
        """How many were handed to the producer."""
        self._thread = Thread(target=self._send, name=f"sending to {topic}", daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Time since the first was sent."""
        return time.perf_counter() - self._began

    def wait(self, more: int) -> None:
        """Until `more` are acknowledged than are now; shows a bar.

        Raises TimeoutError when the next one takes more than a minute.
        """
        now = len(self.acknowledged)
        for number in progress(range(now + 1, now + more + 1), "acknowledged"):
            self._wait_for(number)

    def stop(self) -> None:
        """Send no more, wait until each number is acknowledged or has failed, close the producer.

        Raises TimeoutError when that takes more than half a minute.
        """
        self._stopped.set()
        self._thread.join()
        wait_for(self._answered, "every record is acknowledged or has failed", STOP_SECONDS)
        self._producer.close(timeout=CLOSE_SECONDS)

    def longest_gap(self) -> float:
        """Seconds between the two acknowledgements that lay furthest apart."""
        times = sorted(self.acknowledged.values())
        return max(after - before for before, after in pairwise(times))

    def rate(self) -> tuple[list[float], list[int]]:
        """Quarters of a second, and how many were acknowledged in each, to be drawn."""
        quarters = Counter(int(PER_SECOND * at) for at in self.acknowledged.values())
        numbers = range(max(quarters) + 1)
        return [number / PER_SECOND for number in numbers], [quarters[each] for each in numbers]

    def _wait_for(self, number: int) -> None:
        what = f"{number} are acknowledged"
        wait_for(lambda: len(self.acknowledged) >= number, what, WAIT_SECONDS)

    def _answered(self) -> bool:
        return len(self.acknowledged) + len(self.failed) == self.sent

    def _send(self) -> None:
        for number in count():
            if self._stopped.wait(PAUSE_SECONDS):
                return
            future = self._producer.send(self._topic, b"%d" % number)
            self.sent = number + 1
            future.add_callback(self._note, number)
            future.add_errback(self.failed.__setitem__, number)

    def _note(self, number: int, _metadata: Any) -> None:
        self.acknowledged[number] = self.seconds
