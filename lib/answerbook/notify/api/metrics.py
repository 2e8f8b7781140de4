"""What the API counts, under the names of the contract."""

from prometheus_client import Counter, Histogram
from prometheus_client.core import REGISTRY, CollectorRegistry, GaugeMetricFamily
from prometheus_client.registry import Collector

from answerbook.notify.kafka import Writer
from answerbook.notify.records import METRICS

EVENTS = Counter(
    "answerbook_api_events_total",
    METRICS["answerbook_api_events_total"],
    ["outcome", "status"],
)
"""A request that is refused before its events are counted counts as one."""
SECONDS = Histogram(
    "answerbook_api_request_seconds",
    METRICS["answerbook_api_request_seconds"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
)

_children: dict[tuple[str, int], Counter] = {}


def count(outcome: str, status: int, events: int) -> None:
    """Count events; `outcome` is accepted or refused."""
    child = _children.get((outcome, status))
    if child is None:
        child = _children[outcome, status] = EVENTS.labels(outcome, str(status))
    child.inc(events)


class Buffered(Collector):
    """Asks the Writer when Prometheus asks."""

    def __init__(self, writer: Writer, registry: CollectorRegistry = REGISTRY) -> None:
        self._writer = writer
        self._registry = registry
        registry.register(self)

    def collect(self) -> list[GaugeMetricFamily]:
        name = "answerbook_api_buffered_events"
        return [GaugeMetricFamily(name, METRICS[name], value=self._writer.buffered)]

    def forget(self) -> None:
        self._registry.unregister(self)
