"""The open model inside Locust: hands out arrivals when they are due, and counts what came of them.

A scheduler takes each arrival up at its time, whatever became of those before, and any idle user
of Locust's sends it. Used by the Locust file; everything here runs in gevent's one thread.
"""

import time
from collections import Counter
from dataclasses import dataclass

import gevent
from gevent.queue import SimpleQueue

from answerbook.load.latencies import Latencies
from answerbook.load.measured import Second, Whole, has_failed
from answerbook.load.shapes import Shape


@dataclass(frozen=True, eq=False)
class Arrival:
    """A request that is due."""

    number: int
    """Of its first event."""
    due: float
    """On the clock of `time.monotonic`."""


class Schedule:
    """One load test: `run` it in a greenlet, `take` its arrivals, tell each one's end."""

    def __init__(self, shape: Shape, batch: int, first: int) -> None:
        self.shape, self.batch, self.next = shape, batch, first
        self.began = time.monotonic()
        self.started = self.over = False
        self.failed_at: float | None = None
        self._due: SimpleQueue[Arrival] = SimpleQueue()
        self._waiting: set[Arrival] = set()
        self._all, self._recent = Latencies(), Latencies()
        self._late = self._recent_late = 0.0
        self._arrived = 0
        self._last = self.began
        self._accepted = self._errors = self._requests = 0
        self._before = (0, 0, 0)
        self._reasons: Counter[str] = Counter()
        self._seconds: list[Second] = []

    @property
    def waiting(self) -> int:
        """Arrivals that were due and have not ended."""
        return len(self._waiting)

    @property
    def untold(self) -> bool:
        """Whether anything ended since the last second was closed."""
        return (self._accepted, self._errors, self._requests) != self._before

    def run(self) -> None:
        """Hand arrivals out, each at its time, until the shape's end or `stop`."""
        self.started, self.began = True, time.monotonic()
        for offset in self.shape.arrivals(self.batch):
            due = self.began + offset
            if (wait := due - time.monotonic()) > 0:
                gevent.sleep(wait)
            if self.over:
                break
            arrival = Arrival(self.next, due)
            self.next += self.batch
            self._arrived += self.batch
            self._waiting.add(arrival)
            self._due.put(arrival)
            self._recent_late = max(self._recent_late, time.monotonic() - due)
        self.over = True

    def stop(self) -> None:
        """Hand no more out."""
        self.over = True

    def take(self) -> Arrival:
        """The next arrival; waits for it."""
        arrival: Arrival = self._due.get()
        return arrival

    def accepted(self, events: int) -> None:
        """The API took as many events."""
        self._accepted += events

    def ended(self, arrival: Arrival, problem: str = "") -> float:
        """An arrival was answered, or will never be; the seconds since it was due."""
        self._last = time.monotonic()
        seconds = self._last - arrival.due
        self._waiting.discard(arrival)
        self._requests += 1
        self._recent.add(seconds)
        if problem:
            self._errors += 1
            self._reasons[problem] += 1
        return seconds

    def unanswered(self) -> list[Arrival]:
        """What was due and has not ended, oldest first."""
        return sorted(self._waiting, key=lambda arrival: arrival.due)

    def second(self) -> Second:
        """Close the current second; call it once a second. A ramp that failed is over then."""
        accepted, errors, requests = self._before
        number = len(self._seconds)
        p50, p95, p99 = (self._recent.percentile(share) for share in (0.5, 0.95, 0.99))
        second = Second(
            second=number,
            rate=float(self._arrived),
            throughput=float(self._accepted - accepted),
            requests=self._requests - requests,
            errors=self._errors - errors,
            p50=p50,
            p95=p95,
            p99=p99,
            waiting=self.waiting,
            late=self._recent_late,
        )
        self._seconds.append(second)
        self._close()
        if self.shape.name == "ramp" and not self.over and has_failed(self._seconds):
            self.failed_at = second.rate
            self.stop()
        return second

    def whole(self, run_id: str, accepted: int) -> Whole:
        """All of it; `accepted` is what the ledger holds."""
        self._close()
        seconds = max(self._last - self.began, 1e-9)
        p50, p95, p99 = (self._all.percentile(share) for share in (0.5, 0.95, 0.99))
        return Whole(
            run_id=run_id,
            shape=self.shape.name,
            seconds=seconds,
            requests=self._requests,
            accepted=accepted,
            errors=self._errors,
            throughput=accepted / seconds,
            p50=p50,
            p95=p95,
            p99=p99,
            most=self._all.most,
            late=self._late,
            reasons=dict(self._reasons),
            failed_at=self.failed_at,
        )

    def _close(self) -> None:
        self._all.update(self._recent)
        self._late = max(self._late, self._recent_late)
        self._recent, self._recent_late, self._arrived = Latencies(), 0.0, 0
        self._before = (self._accepted, self._errors, self._requests)
