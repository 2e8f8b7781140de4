"""Where work waits in the notification system, second by second: for notebooks under load.

    with backlog.watch(notify) as waiting:
        seconds = load.run("spike", …)
        waiting.until_empty()
    waiting.frame(seconds.attrs["began"])

For 2_4_a_million_an_hour, which draws it under the latencies of the same seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol

from answerbook.notebook.waiting import wait_for

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_SECONDS = 0.5
"""From one look to the next; each asks Kafka for the offsets of every group."""
EMPTY_SECONDS = 600.0
"""That a backlog may take to drain: much longer than it does, for a machine that is busy."""
STAGES: Mapping[str, str] = {
    "events": "for render",
    "notifications": "for FCM",
    "receipts": "for the store",
}
"""The beginning of a topic's name → what its records wait for. Retries wait for FCM, too."""


class System(Protocol):
    """What `services.require("notify")` gives."""

    def lag(self) -> dict[str, int]: ...


class Backlog:
    """What `watch` gives: looks at a system's lag, in a thread."""

    def __init__(self, system: System) -> None:
        self.samples: list[tuple[float, dict[str, int]]] = []
        """When each look was over, on the clock of `time.monotonic`, and topic → records."""
        self._lag = system.lag

    @property
    def most(self) -> dict[str, int]:
        """What its records wait for → the most that did at once."""
        grouped = [_by_stage(lag) for _, lag in self.samples]
        return {stage: max((lag[stage] for lag in grouped), default=0) for stage in STAGES.values()}

    def look(self) -> int:
        """Look once; the records that wait anywhere. Raises a KafkaError."""
        lag = self._lag()
        self.samples.append((time.monotonic(), lag))
        return sum(lag.values())

    def until_empty(self, seconds: float = EMPTY_SECONDS) -> float:
        """Wait until no record waits anywhere, and return the seconds until it was so.

        What one stage ends may appear at the next: so it takes as many empty looks in a row as
        there are stages, and one. Raises TimeoutError after `seconds`.
        """
        began, seen = time.monotonic(), len(self.samples)

        def empty_since() -> float:
            lately = reversed(self.samples[seen:])
            empty = list(takewhile(lambda sample: not any(sample[1].values()), lately))
            return empty[-1][0] if len(empty) > len(STAGES) else 0.0

        return wait_for(empty_since, "no record waits anywhere", seconds) - began

    def frame(self, began: float) -> pd.DataFrame:
        """A row for each look: second (since `began`), and the records that wait for each stage."""
        import pandas as pd

        rows = [{"second": at - began} | _by_stage(lag) for at, lag in self.samples]
        return pd.DataFrame(rows, columns=["second", *STAGES.values()])


@contextmanager
def watch(system: System) -> Iterator[Backlog]:
    """Look every SAMPLE_SECONDS until the block ends."""
    from kafka.errors import KafkaError

    backlog, finished = Backlog(system), Event()

    def look_ever() -> None:
        while not finished.is_set():
            _without(KafkaError, backlog.look)
            finished.wait(SAMPLE_SECONDS)

    thread = Thread(target=look_ever, name="backlog", daemon=True)
    thread.start()
    try:
        yield backlog
    finally:
        finished.set()
        thread.join()


def _without(error: type[Exception], act: Callable[[], object]) -> None:
    """No broker tells now: the next look may find one."""
    try:
        act()
    except error:
        return


def _by_stage(lag: Mapping[str, int]) -> dict[str, int]:
    waiting = dict.fromkeys(STAGES.values(), 0)
    for topic, records in lag.items():
        beginning = topic.split(".")[0].replace("retries", "notifications")
        if beginning in STAGES:
            waiting[STAGES[beginning]] += records
    return waiting
