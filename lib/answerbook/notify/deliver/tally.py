"""What a worker counts, for Prometheus.

Used by worker.py on its loop and read by the thread of /metrics. Plain numbers, because a metric
of prometheus_client locks at each use, and this happens several times a message.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from answerbook.notify.records import METRICS

SEND_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
END_TO_END_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Seconds."""


class Durations:
    """A histogram."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Each bound with how many were not above it; and the sum."""
        total, listed = 0, []
        names = [*map(str, self._bounds), "+Inf"]
        for name, count in zip(names, list(self._counts), strict=True):
            total += count
            listed.append((name, float(total)))
        return listed, self._sum


class Tally:
    """Register it: `REGISTRY.register(tally)`."""

    def __init__(self) -> None:
        self.sends: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.duplicates = 0
        self.in_flight = 0
        self.down = False
        self.send_seconds = Durations(SEND_BOUNDS)
        self.end_to_end = Durations(END_TO_END_BOUNDS)

    def collect(self) -> Iterator[Metric]:
        for name, label, counts in (
            ("answerbook_deliver_sends_total", "code", self.sends),
            ("answerbook_deliver_notifications_total", "outcome", self.outcomes),
            ("answerbook_deliver_retries_total", "topic", self.retries),
        ):
            counter = CounterMetricFamily(name, METRICS[name], labels=[label])
            for value, count in list(counts.items()):
                counter.add_metric([value], count)
            yield counter
        name = "answerbook_deliver_duplicates_total"
        yield CounterMetricFamily(name, METRICS[name], value=self.duplicates)
        for name, level in (
            ("answerbook_deliver_in_flight", self.in_flight),
            ("answerbook_deliver_target_down", int(self.down)),
        ):
            yield GaugeMetricFamily(name, METRICS[name], value=level)
        for name, durations in (
            ("answerbook_deliver_send_seconds", self.send_seconds),
            ("answerbook_deliver_end_to_end_seconds", self.end_to_end),
        ):
            buckets, total = durations.buckets()
            yield HistogramMetricFamily(name, METRICS[name], buckets=buckets, sum_value=total)
