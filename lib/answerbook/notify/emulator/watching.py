"""/metrics, /healthz and /readyz of the emulator, on its plain port.

The counts are read when Prometheus asks, so that a send costs no more than a dictionary's entry.
"""

from collections.abc import Callable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from answerbook.notify import records
from answerbook.notify.emulator.answers import Answer
from answerbook.notify.emulator.fcm import Fcm

MESSAGES = "answerbook_emulator_messages_total"


class Counts(Collector):
    """The service's counts as a Prometheus counter."""

    def __init__(self, fcm: Fcm) -> None:
        self._fcm = fcm

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(MESSAGES, records.METRICS[MESSAGES], labels=["code"])
        for code, count in self._fcm.counts.items():
            family.add_metric([code], count)
        yield family


def watch(fcm: Fcm, ready: Callable[[], bool]) -> Callable[[str], Answer | None]:
    """What answers a path of these three; None for any other."""
    registry = CollectorRegistry()
    registry.register(Counts(fcm))
    PlatformCollector(registry)
    ProcessCollector(registry=registry)

    def answer(path: str) -> Answer | None:
        if path == "/metrics":
            return Answer(200, generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
        if path == "/healthz":
            return Answer(200, b"ok\n", content_type="text/plain")
        if path == "/readyz":
            if fcm.record.stuck:
                return Answer(503, b"the record cannot be written\n", content_type="text/plain")
            if not ready():
                return Answer(503, b"it is starting or ending\n", content_type="text/plain")
            return Answer(200, b"ok\n", content_type="text/plain")
        return None

    return answer
